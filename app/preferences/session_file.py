"""The session file: paths and settings as versioned JSON, without image data or names of scans."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, asdict, dataclass, field, fields, is_dataclass, replace
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from app.i18n.translate import plural
from app.preferences.hidden_paths import HiddenPath
from app.preferences.scan_names import may_be_scan
from app.viewer.display_state import DisplayState
from core.errors import InputError
from core.regions import Annotation, regions_data, regions_from_data
from core.tasks import TASKS
from core.types import PairTransform
from core.types.transform_data import transform_of_record, transform_record

VERSION = 1
_OVER = "over"
Value = TypeVar("Value")


StoredPath = Path | HiddenPath
"""A path; of scans, without its names once it has been on file."""


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
class UnfinishedExport:
    """An export of a study that has not come to its end, with all that its slices depend on.

    Attributes:
        folder: that it is written into. name: of the file or folder in it.
        layout, notice, keep_identity, replace_uids: of DICOM, as in
            :class:`core.io.dicom_output.DicomChoices`. parametric: the map is wished for, too.
        a, b, frame_a, frame_b, plane: of which series and slices, as in :class:`SliceOnShow`.
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
    frame_a: int = 0
    frame_b: int = 0
    plane: str = "axial"
    task: str = "mif"
    method: str = ""
    window_a: tuple[float, float] | None = None
    window_b: tuple[float, float] | None = None
    palette_a: str | None = None
    palette_b: str | None = None

    def located(self) -> UnfinishedExport | None:
        """The same with its folder found again; None where that is gone. Reads from disk."""
        folder = _found(self.folder)
        return None if folder is None else replace(self, folder=folder)


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
        export: of a study that was not finished.
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
    export: UnfinishedExport | None = None
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
        a, b = (_found(path) for path in (self.a, self.b))
        scans = tuple(path for one in self.scans if (path := _found(one)) is not None)
        return replace(self, a=a, b=b, scans=scans)


def _found(path: StoredPath | None) -> Path | None:
    return path.found() if isinstance(path, HiddenPath) else path


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
        "scans": [_hidden(path) for path in snapshot.scans],
        "slice": asdict(snapshot.slice),
    }
    if snapshot.transform is not None:
        data["transform"] = transform_record(snapshot.transform)
    if snapshot.regions:
        data["regions"] = [[one.study, regions_data(one.regions)] for one in snapshot.regions]
    if snapshot.export is not None:
        data["export"] = asdict(snapshot.export) | {"folder": _hidden(snapshot.export.folder)}
    if snapshot.key_images:
        data["key_images"] = [asdict(one) for one in snapshot.key_images]
    if over:
        data[_OVER] = True
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8", "surrogateescape")


def _text(path: StoredPath | None) -> str | list[str] | None:
    if path is None:
        return None
    return str(path) if isinstance(path, Path) and not may_be_scan(path) else _hidden(path)


def _hidden(path: StoredPath) -> list[str]:
    """The start, then a hash for each part."""
    hidden = HiddenPath.of(path) if isinstance(path, Path) else path
    return [hidden.start, *hidden.parts]


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
        _stored(found.get("a")),
        _stored(found.get("b")),
        _pairs(found.get("pairs", [])),
        display=dataclass_from_json(DisplayState(), found.get("display")),
        scans=_paths(found.get("scans", [])),
        slice=dataclass_from_json(SliceOnShow(), found.get("slice")),
        transform=_transform(found.get("transform")),
        regions=tuple(_regions(found.get("regions"))),
        export=_export(found.get("export")),
        key_images=_key_images(found.get("key_images")),
    )


def _regions(rows: object) -> Iterator[StudyRegions]:
    """Those that can be read: a newer version may know more shapes."""
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str):
            with suppress(ValueError, InputError):
                yield StudyRegions(row[0], regions_from_data(row[1]))


def _export(value: object) -> UnfinishedExport | None:
    if not isinstance(value, dict):
        return None
    try:
        folder = _stored(value.get("folder"))
    except ValueError:
        return None
    if folder is None:
        return None
    rest = {name: kept for name, kept in value.items() if name != "folder"}
    return dataclass_from_json(UnfinishedExport(folder), rest)


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


def _path(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a path is no path")
    return Path(value)


def _stored(value: object) -> StoredPath | None:
    if not isinstance(value, list):  # a picture, or a session of a former version
        return _path(value)
    if not value or not all(isinstance(part, str) and part for part in value):
        raise ValueError("a path is no path")
    start, *parts = value
    hidden = HiddenPath(start, tuple(parts))
    if not hidden.is_absolute:
        raise ValueError("a path is no path")
    return hidden


def _paths(values: object) -> tuple[StoredPath, ...]:
    if not isinstance(values, list):
        raise ValueError("the list of paths is none")
    found = (_stored(value) for value in values)
    return tuple(path for path in found if path is not None)


def _pairs(rows: object) -> tuple[ListedPair, ...]:
    if not isinstance(rows, list):
        raise ValueError("the list of pairs is none")
    found = []
    for row in rows:
        if not isinstance(row, list):
            raise ValueError("a pair is no pair")
        texts = [str(_path(item)) for item in row if item is not None]
        if len(texts) != 4:
            raise ValueError("a pair is no pair")
        a, b, name, folder = texts
        found.append(ListedPair(Path(a), Path(b), name, Path(folder)))
    return tuple(found)


def dataclass_from_json(default: Value, data: object) -> Value:
    """A dataclass from the JSON of its :func:`dataclasses.asdict`.

    Missing, unknown and mistyped values stay as in ``default``, so that sessions of newer versions
    can be read.
    """
    assert is_dataclass(default)
    if not isinstance(data, dict):
        return default
    hints = get_type_hints(type(default))
    changes: dict[str, Any] = {}
    for one in fields(default):
        now, value = getattr(default, one.name), data.get(one.name)
        if one.name not in data:
            continue
        if is_dataclass(now):
            changes[one.name] = dataclass_from_json(now, value)
        else:
            value = tuple(value) if isinstance(value, list) else value
            if matches_type(value, hints[one.name]):
                changes[one.name] = value
    return cast(Value, replace(cast(Any, default), **changes))


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


def matches_type(value: object, hint: Any) -> bool:
    """True when a value from JSON is of the type ``hint``."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        return value in parts
    if kind in (Union, UnionType):
        return any(matches_type(value, part) for part in parts)
    if kind is tuple:
        return (
            isinstance(value, tuple)
            and len(value) == len(parts)
            and all(matches_type(item, part) for item, part in zip(value, parts, strict=True))
        )
    if hint is float:
        # Python's JSON allows NaN and infinity, with which a window would be invalid.
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and _is_finite(cast(float, value))
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NoneType if hint is None else hint)
