"""The session file: paths and settings as versioned JSON, without image data or names of scans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app.i18n.translate import plural
from app.preferences.hidden_paths import (
    StoredPath,
    found_path,
    hidden_data,
    plain_path,
    stored_path,
)
from app.preferences.json_values import dataclass_from_json
from app.preferences.scan_names import may_be_scan
from app.preferences.unfinished_export import UnfinishedExport, export_data, export_from_data
from app.viewer.display_state import DisplayState
from core.errors import InputError
from core.regions import Annotation, regions_data, regions_from_data
from core.tasks import TASKS
from core.types import PairTransform
from core.types.transform_data import transform_of_record, transform_record

VERSION = 1
_OVER = "over"


@dataclass(frozen=True)
class ListedPair:
    """A pair of the list: its files, its name, and the folder it is listed under."""

    a: Path
    b: Path
    name: str
    folder: Path = Path()


@dataclass(frozen=True)
class SliceOnShow:
    """Which slice of which series is shown.

    Attributes:
        a, b: keys of the series, salted hashes; "" for none.
        frame_a, frame_b: which volume of each series, from 0.
    """

    a: str = ""
    b: str = ""
    plane: str = "axial"
    index: int = 0
    _: KW_ONLY
    frame_a: int = 0
    frame_b: int = 0


@dataclass(frozen=True)
class StudyRegions:
    """The regions that were drawn on one pair.

    Attributes:
        study: identifies the pair by salted hashes.
        regions: without their frame of reference, which is that of the pair.
    """

    study: str
    regions: tuple[Annotation, ...]


@dataclass(frozen=True)
class KeyImage:
    """A slice of two series that a person marked; ``a`` and ``b`` are their keys."""

    a: str = ""
    b: str = ""
    plane: str = "axial"
    index: int = 0


@dataclass(frozen=True)
class Snapshot:
    """The open files and their display settings.

    Attributes:
        task: name of a task.
        method: name of a method; "" for the default.
        a, b: paths of the shown images; None for a sample.
        pairs: all pairs of the list; those of scans are not stored.
        display: display settings.
        scans: files and folders in which series were looked for; their pairs are not in ``pairs``.
        slice: which slice of them is shown.
        transform: by which one of ``a`` and ``b`` is resampled onto the other.
        regions: of the pairs on which some were drawn, the last one at the end.
        exports: of studies, those that were not finished.
        key_images: slices that a person marked.
    """

    task: str
    method: str = ""
    a: StoredPath | None = None
    b: StoredPath | None = None
    pairs: tuple[ListedPair, ...] = ()
    _: KW_ONLY
    display: DisplayState = field(default_factory=DisplayState)
    scans: tuple[StoredPath, ...] = ()
    slice: SliceOnShow = field(default_factory=SliceOnShow)
    transform: PairTransform | None = None
    regions: tuple[StudyRegions, ...] = ()
    exports: tuple[UnfinishedExport, ...] = ()
    key_images: tuple[KeyImage, ...] = ()

    @property
    def has_files(self) -> bool:
        """False for a session without files of the user, which is not stored."""
        return self.a is not None or self.b is not None or bool(self.pairs or self.scans)

    @property
    def has_absolute_paths(self) -> bool:
        """False where a path is relative, and so depends on the working directory."""
        shown = [path for path in (self.a, self.b) if path is not None]
        listed = (path for pair in self.pairs for path in (pair.a, pair.b))
        paths = (*shown, *listed, *self.scans)
        return all(path.is_absolute() for path in paths if isinstance(path, Path))

    @property
    def label(self) -> str:
        """The names of the shown files; of scans, how many files or folders."""
        shown = [path for path in (self.a, self.b) if path is not None]
        named = [path.name for path in shown if isinstance(path, Path) and not may_be_scan(path)]
        if shown and len(named) == len(shown):
            return " + ".join(named)
        scans = shown or list(self.scans)
        if not scans:
            return ""
        text = plural("a file or folder of scans", "{0} files or folders of scans", len(scans))
        return text.format(len(scans))

    def located(self) -> Snapshot:
        """The same with the paths of scans found again. Reads from disk.

        What is no longer there is left out.
        """
        a, b = (found_path(path) for path in (self.a, self.b))
        scans = tuple(path for one in self.scans if (path := found_path(one)) is not None)
        return replace(self, a=a, b=b, scans=scans)


def to_json(snapshot: Snapshot, *, over: bool = False) -> bytes:
    """The snapshot as UTF-8 JSON.

    Args:
        over: whether its run has ended, or is known to have crashed.
    """
    data: dict[str, Any] = {
        "version": VERSION,
        "task": snapshot.task,
        "method": snapshot.method,
        "a": _text(snapshot.a),
        "b": _text(snapshot.b),
        "pairs": [
            [str(p.a), str(p.b), p.name, str(p.folder)]
            for p in snapshot.pairs
            if not (may_be_scan(p.a) or may_be_scan(p.b))
        ],
        "display": asdict(snapshot.display),
        "scans": [hidden_data(path) for path in snapshot.scans],
        "slice": asdict(snapshot.slice),
    }
    if snapshot.transform is not None:
        data["transform"] = transform_record(snapshot.transform)
    if snapshot.regions:
        data["regions"] = [[one.study, regions_data(one.regions)] for one in snapshot.regions]
    if snapshot.exports:
        data["exports"] = [export_data(one) for one in snapshot.exports]
    if snapshot.key_images:
        data["key_images"] = [asdict(one) for one in snapshot.key_images]
    if over:
        data[_OVER] = True
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "surrogateescape")


def _text(path: StoredPath | None) -> str | list[str] | None:
    if path is None:
        return None
    return str(path) if isinstance(path, Path) and not may_be_scan(path) else hidden_data(path)


def is_over(data: bytes) -> bool:
    """Whether the session is marked as that of an ended run."""
    found = json.loads(data.decode("utf-8", "surrogateescape"))
    return isinstance(found, dict) and found.get(_OVER) is True


def from_json(data: bytes) -> Snapshot:
    """Parse a snapshot. Unknown display settings are ignored.

    Raises:
        ValueError: the data are not a session of this version.
    """
    found = json.loads(data.decode("utf-8", "surrogateescape"))
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise ValueError("no session of this version")
    task, method = found.get("task"), found.get("method", "")
    if not isinstance(task, str) or task not in TASKS or not isinstance(method, str):
        raise ValueError("unknown task or method")
    return Snapshot(
        task,
        method,
        stored_path(found.get("a")),
        stored_path(found.get("b")),
        _pairs(found.get("pairs", [])),
        display=dataclass_from_json(DisplayState(), found.get("display")),
        scans=_paths(found.get("scans", [])),
        slice=dataclass_from_json(SliceOnShow(), found.get("slice")),
        transform=_transform(found.get("transform")),
        regions=tuple(_regions(found.get("regions"))),
        exports=tuple(_exports(found.get("exports"))),
        key_images=_key_images(found.get("key_images")),
    )


def _regions(rows: object) -> Iterator[StudyRegions]:
    """Those that can be read: a newer version may know more shapes."""
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str):
            with suppress(ValueError, InputError):
                yield StudyRegions(row[0], regions_from_data(row[1]))


def _exports(rows: object) -> Iterator[UnfinishedExport]:
    for row in rows if isinstance(rows, list) else ():
        export = export_from_data(row)
        if export is not None:
            yield export


def _key_images(values: object) -> tuple[KeyImage, ...]:
    if not isinstance(values, list):
        return ()
    return tuple(dataclass_from_json(KeyImage(), value) for value in values)


def _transform(value: object) -> PairTransform | None:
    """None also for one that only a newer version can read."""
    try:
        return None if value is None else transform_of_record(value)
    except ValueError:
        return None


def _paths(values: object) -> tuple[StoredPath, ...]:
    if not isinstance(values, list):
        raise ValueError("the list of paths is none")
    found = (stored_path(value) for value in values)
    return tuple(path for path in found if path is not None)


def _pairs(rows: object) -> tuple[ListedPair, ...]:
    if not isinstance(rows, list):
        raise ValueError("the list of pairs is none")
    found = []
    for row in rows:
        if not isinstance(row, list):
            raise ValueError("a pair is no pair")
        texts = [str(plain_path(item)) for item in row if item is not None]
        if len(texts) != 4:
            raise ValueError("a pair is no pair")
        a, b, name, folder = texts
        found.append(ListedPair(Path(a), Path(b), name, Path(folder)))
    return tuple(found)
