"""Choices for a batch, as plain values that can be saved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.pairs.datasets import AUTOMATIC, DatasetChoice
from core.batch.settings import ALIGN, FLAGS, VOLUMES, WINDOWS, BatchSettings
from core.messages import Message
from core.windows import Window, window_of

if TYPE_CHECKING:
    from core.batch import BatchOptions
    from core.types import BitDepth

FORMATS = ("", "png", "tif", "jpg", "webp", "bmp")
"""Offered formats; "" means that of the name template, else PNG."""

DEPTHS: tuple[BitDepth | None, ...] = (None, 8, 16, 32)
"""Offered bit depths; None means the deeper of the two sources."""


@dataclass(frozen=True)
class BatchChoices(BatchSettings):
    """The settings of a batch as shown in the window, where a contact sheet is the default.

    Attributes:
        out: output folder as typed; "" while none is chosen.
        anew: discard the run recorded in the folder and replace its files.
        dataset, split: how the folder of the sources is laid out, as in
            :class:`app.pairs.datasets.DatasetChoice`.
        scheduler, certificates, rows_per_worker: other computers that work along, as in
            :class:`core.cluster.choice.ClusterChoice`; "" for this computer alone. No key of a
            certificate is among them, only the name of its folder.
    """

    contact_sheet: bool = True
    out: str = ""
    anew: bool = False
    dataset: str = AUTOMATIC
    split: str = ""
    _: KW_ONLY
    scheduler: str = ""
    certificates: str = ""
    rows_per_worker: int = 0

    @property
    def dataset_choice(self) -> DatasetChoice:
        """How the folder of the sources is laid out."""
        return DatasetChoice(self.dataset, self.split)

    @property
    def folder(self) -> Path | None:
        """The output folder, if one is chosen."""
        return Path(self.out).expanduser() if self.out.strip() else None

    def as_json(self) -> dict[str, Any]:
        """The choices as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BatchChoices:
        """The choices in ``data``, with defaults for missing keys and values of the wrong type.

        Raises:
            KeyError: the task is missing.
        """
        default = cls(str(data["task"]))
        kept = {
            field.name: data[field.name]
            for field in fields(cls)
            if field.name in data and type(data[field.name]) is type(getattr(default, field.name))
        }
        depth, palette = data.get("depth"), data.get("palette_a")
        windows = {name: _window(data.get(name)) for name in WINDOWS}
        if kept.get("dicom") not in ("", "multi", "single") or kept.get("slices"):
            kept["dicom"] = ""
        kept |= {"palette_a": palette if isinstance(palette, str) else None}
        return cls(**{**kept, **windows, "depth": depth if depth in DEPTHS else None})

    def with_settings(self, settings: Mapping[str, str]) -> BatchChoices:
        """These choices with the settings that a recorded run was started with.

        Args:
            settings: from :meth:`core.batch.BatchOptions.settings`.
        """
        depths = {str(depth): depth for depth in DEPTHS}
        flags: dict[str, Any] = {
            flag: settings[name] == "yes" for flag, name in FLAGS.items() if name in settings
        }
        return replace(
            self,
            task=settings.get("task", self.task),
            method=settings.get("method", self.method),
            template=settings.get("template", self.template),
            format=settings.get("format", "").lstrip("."),
            depth=depths.get(settings.get("depth", "")),
            anew=False,
            window_a=window_of(settings.get(WINDOWS["window_a"])),
            window_b=window_of(settings.get(WINDOWS["window_b"])),
            **flags,
            **_chosen(VOLUMES, settings),
            **_chosen(ALIGN, settings),
        )


def _chosen(names: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, Any]:
    """Those settings that a run was recorded with; those it omits are the usual ones."""
    found: dict[str, Any] = {}
    for name, key in names.items():
        usual = getattr(BatchSettings, name)
        value = settings.get(key, usual)
        found[name] = value == "yes" if isinstance(usual, bool) and key in settings else value
    return found


def _window(kept: object) -> Window | None:
    """The window in a JSON value; None if there is none or it is invalid."""
    if not isinstance(kept, (list, tuple)) or len(kept) != 2:
        return None
    if not all(type(end) in (int, float) and math.isfinite(end) for end in kept):
        return None
    low, high = map(float, kept)
    return (low, high) if low < high else None


def options_of(choices: BatchChoices, *, resume: bool) -> BatchOptions:
    """The options of a run. Imports the engine, which is slow: call it on a worker thread.

    Raises:
        InputError: no folder is chosen.
    """
    from core.batch import BatchOptions
    from core.errors import InputError

    folder = choices.folder
    if folder is None:
        raise InputError(
            Message("No output folder"), remedy=Message("Choose a folder for the results.")
        )
    shared = {field.name: getattr(choices, field.name) for field in fields(BatchSettings)}
    shared["overwrite"] = choices.overwrite or choices.anew
    return BatchOptions(**shared, out=folder, resume=resume and not choices.anew)


def default_folder(sources: tuple[Path, ...]) -> str:
    """The default output folder: beside the first source; "" without sources."""
    if not sources:
        return ""
    first = sources[0]
    base = first if first.is_dir() else first.parent
    return str(base.with_name(f"{base.name or 'images'}-fused"))
