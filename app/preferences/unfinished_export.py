"""An export of a study that was stopped, as the session keeps it: all that it depends on."""

from __future__ import annotations

from dataclasses import KW_ONLY, asdict, dataclass, replace
from pathlib import Path
from typing import Any

from app.preferences.hidden_paths import (
    HiddenPath,
    StoredPath,
    found_path,
    hidden_data,
    stored_path,
)
from app.preferences.json_values import dataclass_from_json
from core.types import PairTransform
from core.types.transform_data import transform_of_record, transform_record


@dataclass(frozen=True)
class UnfinishedExport:
    """An export of a study that has not come to its end, with all that its slices depend on.

    Attributes:
        folder: that it is written into. name: of the file or folder in it.
        layout, notice, keep_identity, replace_uids: of DICOM, as in
            :class:`core.io.dicom_output.DicomChoices`. parametric: the map is wished for, too.
        a, b: keys of the series, salted hashes, in the order that they are fused in.
        sources: files and folders that hold these series.
        frame_a, frame_b: which volume of each series, from 0. plane, index: of the slice on show.
        accept: what a person had accepted of the series.
        transform: by which one of them is brought onto the other.
        task, method: it is fused by.
        window_a, window_b, palette_a, palette_b: A and B are shown in.
    """

    folder: StoredPath
    name: str = ""
    _: KW_ONLY
    layout: str = "multi"
    notice: str = "auto"
    keep_identity: bool = False
    replace_uids: bool = False
    parametric: bool = False
    a: str = ""
    b: str = ""
    sources: tuple[StoredPath, ...] = ()
    frame_a: int = 0
    frame_b: int = 0
    plane: str = "axial"
    index: int = 0
    accept: tuple[str, ...] = ()
    transform: PairTransform | None = None
    task: str = "mif"
    method: str = ""
    window_a: tuple[float, float] | None = None
    window_b: tuple[float, float] | None = None
    palette_a: str | None = None
    palette_b: str | None = None

    @property
    def target(self) -> tuple[HiddenPath, str]:
        """Where it is written, the same for a folder that is hidden and one that was found."""
        folder = self.folder
        return HiddenPath.of(folder) if isinstance(folder, Path) else folder, self.name

    @property
    def path(self) -> Path | None:
        """Of the file or folder that is written; None while its folder is hidden."""
        return self.folder / self.name if isinstance(self.folder, Path) else None

    def located(self) -> UnfinishedExport | None:
        """The same with its folder and sources found again; None where the folder is gone.

        Sources that are gone are left out. Reads from disk.
        """
        folder = found_path(self.folder)
        if folder is None or not folder.is_dir():
            return None
        sources = tuple(path for one in self.sources if (path := found_path(one)) is not None)
        return replace(self, folder=folder, sources=sources)


def export_data(export: UnfinishedExport) -> dict[str, Any]:
    """The export as values for JSON, without names of folders of scans."""
    by = export.transform
    return asdict(replace(export, transform=None)) | {
        "folder": hidden_data(export.folder),
        "sources": [hidden_data(path) for path in export.sources],
        "transform": None if by is None else transform_record(by),
    }


def export_from_data(value: object) -> UnfinishedExport | None:
    """The inverse of :func:`export_data`; None for what cannot be gone on with."""
    if not isinstance(value, dict):
        return None
    given = dict(value)
    accept, sources = given.pop("accept", ()), given.pop("sources", ())
    try:
        folder = stored_path(given.pop("folder", None))
        found = [stored_path(one) for one in sources] if isinstance(sources, list) else []
        by = given.pop("transform", None)
        # Another transform would make another export of it, so one that cannot be read is an error.
        transform = None if by is None else transform_of_record(by)
    except ValueError:
        return None
    if folder is None:
        return None
    accepted = (one for one in accept if isinstance(one, str)) if isinstance(accept, list) else ()
    export = UnfinishedExport(
        folder,
        sources=tuple(path for path in found if path is not None),
        accept=tuple(accepted),
        transform=transform,
    )
    return dataclass_from_json(export, given)
