"""What a person chooses for a batch, as plain values that can be kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.batch import BatchOptions

FORMATS = ("", "png", "tif", "jpg", "webp", "bmp")
"""Formats on offer; "" is that of the name template, else PNG."""

DEPTHS = (0, 8, 16, 32)
"""Bits on offer; 0 is the deeper of the two sources."""


@dataclass(frozen=True)
class Choices:
    """See :class:`core.batch.BatchOptions`, whose fields these are.

    Attributes:
        out: the folder for results; "" while none is chosen.
        depth: bits, 0 for those of the sources.
        anew: forget the run recorded in the folder and replace its files.
    """

    task: str
    method: str = ""
    out: str = ""
    template: str = "{name}"
    format: str = ""
    depth: int = 0
    keep_tree: bool = True
    overwrite: bool = False
    resample: bool = False
    reconstructions: bool = False
    figures: bool = False
    metrics: bool = False
    contact_sheet: bool = True
    anew: bool = False

    @property
    def folder(self) -> Path | None:
        """The output folder, if one is chosen."""
        return Path(self.out).expanduser() if self.out.strip() else None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choices:
        """The choices in ``data``; what it does not name or names wrongly is as delivered.

        Raises:
            KeyError: it names no task.
        """
        default = cls(str(data["task"]))
        kept = {
            field.name: data[field.name]
            for field in fields(cls)
            if isinstance(data.get(field.name), type(getattr(default, field.name)))
        }
        return cls(**kept)

    def with_settings(self, settings: Mapping[str, str]) -> Choices:
        """The same with the settings a recorded run was begun with.

        Args:
            settings: as :meth:`core.batch.BatchOptions.settings` gives them.
        """
        depth = settings.get("depth", "")
        yes = {key: value == "yes" for key, value in settings.items()}
        return Choices(
            task=settings.get("task", self.task),
            method=settings.get("method", self.method),
            out=self.out,
            template=settings.get("template", self.template),
            format=settings.get("format", "").lstrip("."),
            depth=int(depth) if depth.isdecimal() else 0,
            keep_tree=yes.get("folder tree", self.keep_tree),
            overwrite=self.overwrite,
            resample=yes.get("resample", self.resample),
            reconstructions=yes.get("reconstructions", self.reconstructions),
            figures=yes.get("figures", self.figures),
            metrics=yes.get("metrics", self.metrics),
            contact_sheet=self.contact_sheet,
        )


def options_of(choices: Choices, *, resume: bool) -> BatchOptions:
    """The options of a run. Imports the engine's room: call on a worker thread.

    Raises:
        InputError: no folder is chosen.
    """
    from core.batch import BatchOptions
    from core.errors import InputError

    folder = choices.folder
    if folder is None:
        raise InputError("No output folder", remedy="Choose a folder for the results.")
    return BatchOptions(
        folder,
        choices.task,
        choices.method,
        template=choices.template,
        format=choices.format,
        depth=choices.depth or None,  # type: ignore[arg-type]
        keep_tree=choices.keep_tree,
        overwrite=choices.overwrite or choices.anew,
        resume=resume and not choices.anew,
        resample=choices.resample,
        reconstructions=choices.reconstructions,
        figures=choices.figures,
        metrics=choices.metrics,
        contact_sheet=choices.contact_sheet,
    )


def usual_folder(sources: tuple[Path, ...]) -> str:
    """Where results go unless somebody says otherwise: beside the first source."""
    if not sources:
        return ""
    first = sources[0]
    base = first if first.is_dir() else first.parent
    return str(base.with_name(f"{base.name or 'pictures'}-fused"))
