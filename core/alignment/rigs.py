"""Rigs: transforms kept under a name, for two cameras that are fixed to each other.

Each is a JSON file in the folder ``rigs`` of the user's data folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.data_folder import data_folder
from core.errors import InputError, Message, RigExists
from core.io.atomic import atomic_write, output_error
from core.io.resampling import do_overlap
from core.types import TRANSFORM_KINDS, PairTransform, SourceSide, Transform
from core.types.transform_data import transform_data, transform_from_data

PixelSize = tuple[int, int]
"""(width, height) in pixels."""
Factors = tuple[float, float]
"""By which x and y grow; rounding to whole pixels makes them differ a little."""

_FORMAT, _VERSION = "unifusion rig", 1
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Rig:
    """How the pictures of two cameras lie to each other.

    Attributes:
        name: by which a person finds it; unique.
        transform: of pictures, from points of the source that is kept to the one that is moved.
        moving: the source that is moved.
        size_a, size_b: of the pictures it was made for.
    """

    name: str
    transform: Transform
    moving: SourceSide
    size_a: PixelSize
    size_b: PixelSize

    def __post_init__(self) -> None:
        name = self.name.strip()
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InputError(
                Message("The name “{0}”", self.name),
                Message("a name has 1 to {0} printable characters", _LONGEST_NAME),
                Message("Choose another name."),
            )
        object.__setattr__(self, "name", name)
        if self.transform.dimension != 2:
            raise InputError(
                self.name,
                Message("its transform is one of volumes, and rigs are of two cameras"),
                Message("Choose a transform of pictures."),
            )

    def data(self) -> dict[str, Any]:
        """As values for JSON: what its file holds."""
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "name": self.name,
            "moving": self.moving,
            "size_a": list(self.size_a),
            "size_b": list(self.size_b),
            "transform": transform_data(self.transform),
        }

    def transform_for(self, size_a: PixelSize, size_b: PixelSize) -> PairTransform:
        """The transform for pictures of these sizes, scaled where they are not its own.

        Raises:
            InputError: a size is not in proportion to its own.
        """
        by_a = self._factors("A", self.size_a, size_a)
        by_b = self._factors("B", self.size_b, size_b)
        fixed, moving = (by_a, by_b) if self.moving == "b" else (by_b, by_a)
        return PairTransform(
            scaled(self.transform, fixed, moving), self.moving, origin="rig", name=self.name
        )

    def _factors(self, side: str, made_for: PixelSize, size: PixelSize) -> Factors:
        """By how much larger a picture is, or InputError where its proportions differ."""
        width, height = size
        # Scaled sizes are rounded to whole pixels, of the smaller picture at most.
        off = abs(width * made_for[1] - height * made_for[0]) / max(*made_for, width, height)
        if off > 1:
            raise InputError(
                Message("The rig “{0}”", self.name),
                Message(
                    "it was made for pictures {0} of {1}×{2} pixels, and this one has {3}×{4}, in "
                    "other proportions",
                    side,
                    *made_for,
                    *size,
                ),
                Message("Choose the rig of this camera, or register the pair and add a new one."),
            )
        return width / made_for[0], height / made_for[1]


def scaled(transform: Transform, fixed: Factors, moving: Factors) -> Transform:
    """``transform`` for pictures whose sizes are ``fixed`` and ``moving`` times those it maps.

    Pixels are areas: what scales is measured from the corner of the first one, half a pixel before
    its centre. The kind is the least general one, from its own on, that holds the result: a rigid
    transform between pictures that are scaled differently is a similarity, and one of pictures
    whose axes are scaled differently is affine.
    """
    matrix = _scaling(moving) @ transform.array @ np.linalg.inv(_scaling(fixed))
    kinds = TRANSFORM_KINDS[TRANSFORM_KINDS.index(transform.kind) :]
    for kind in kinds[:-1]:
        with suppress(InputError):
            return Transform.of(kind, matrix)
    return Transform.of(kinds[-1], matrix)


def _scaling(factors: Factors) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    x, y = factors
    return np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1.0]])


# --- kept on disk ----------------------------------------------------------------------------


@dataclass(frozen=True)
class BrokenRig:
    """A file in the folder that is no rig, and why."""

    path: Path
    reason: str


def rig_folder() -> Path:
    """The folder of the user's rigs; it may not exist yet."""
    return data_folder() / "rigs"


def list_rigs(folder: Path | None = None) -> tuple[tuple[Rig, ...], tuple[BrokenRig, ...]]:
    """All rigs, by name, and files that are none."""
    folder = folder or rig_folder()
    good: list[Rig] = []
    broken: list[BrokenRig] = []
    # A leading dot marks a file that is still being written.
    for path in sorted(folder.glob("[!.]*.json")) if folder.is_dir() else ():
        try:
            good.append(_read(path))
        except InputError as error:
            broken.append(BrokenRig(path, error.message))
    return tuple(sorted(good, key=lambda rig: rig.name.casefold())), tuple(broken)


def find_rig(name: str, folder: Path | None = None) -> Rig:
    """The rig called ``name``.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    rigs, _ = list_rigs(folder)
    for rig in rigs:
        if rig.name == name:
            return rig
    names = ", ".join(rig.name for rig in rigs) or Message("none")
    raise InputError(
        Message("There is no rig “{0}”", name),
        Message("there are: {0}", names),
        Message("Choose one of them, or add it first (unifusion rigs add)."),
    )


def add_rig(rig: Rig, folder: Path | None = None, *, overwrite: bool = False) -> None:
    """Keep ``rig``.

    Raises:
        RigExists: there is one of that name, unless ``overwrite``.
        InputError: its transform leaves no pixel that both pictures show.
        OutputError: it cannot be written.
    """
    folder = folder or rig_folder()
    moving, fixed = (rig.size_b, rig.size_a) if rig.moving == "b" else (rig.size_a, rig.size_b)
    if not do_overlap(rig.transform, moving, fixed):
        raise InputError(
            Message("The rig “{0}”", rig.name),
            Message("its transform moves one picture off the other one"),
            Message("Choose another transform, or register the two again."),
        )
    # Of its file, whatever that is called: a rig may have been copied into the folder.
    kept = [path for path, other in _files(folder) if other.name == rig.name]
    path = kept[0] if kept else _path_of(rig.name, folder)
    if (kept or path.exists()) and not overwrite:
        error = RigExists(
            Message("The name “{0}”", rig.name),
            Message("there is a rig of that name"),
            Message("Choose another name, or remove that one first."),
        )
        error.name = rig.name
        raise error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(folder, error) from error
    atomic_write(path, (json.dumps(rig.data(), indent=2, ensure_ascii=False) + "\n").encode())


def rename_rig(name: str, new_name: str, folder: Path | None = None) -> Rig:
    """Give a rig another name, and return it.

    Raises:
        InputError: there is none called ``name``.
        RigExists: there is one called ``new_name``.
        OutputError: it cannot be written.
    """
    rig = find_rig(name, folder)
    renamed = replace(rig, name=new_name)
    if renamed.name != rig.name:
        add_rig(renamed, folder)
        remove_rig(name, folder)
    return renamed


def remove_rig(name: str, folder: Path | None = None) -> None:
    """Delete a rig.

    Raises:
        InputError: there is none of that name.
        OutputError: it cannot be deleted.
    """
    find_rig(name, folder)
    for path, rig in _files(folder or rig_folder()):
        if rig.name == name:
            try:
                path.unlink()
            except OSError as error:
                raise output_error(path, error) from error


def _files(folder: Path) -> Iterator[tuple[Path, Rig]]:
    """The files of a folder that are rigs."""
    for path in sorted(folder.glob("[!.]*.json")) if folder.is_dir() else ():
        with suppress(InputError):
            yield path, _read(path)


def _path_of(name: str, folder: Path) -> Path:
    # Names may hold what file names may not.
    return folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> Rig:
    remedy = Message("Delete the file, and add the rig again.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _rig_of(found)
    except InputError as error:
        raise InputError(str(path), error.why, error.remedy) from error
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(str(path), Message("it is not a rig of this program"), remedy) from error


def _rig_of(found: Any) -> Rig:
    """
    Raises:
        InputError, ValueError, KeyError, TypeError: it is none.
    """
    if found["format"] != _FORMAT:
        raise ValueError("another format")
    if found["version"] > _VERSION:
        raise InputError(
            Message("The rig"),
            Message("it was written by a newer version of the program"),
            Message("Install the newer version."),
        )
    if found["moving"] not in ("a", "b") or not isinstance(found["name"], str):
        raise ValueError("no side or name")
    return Rig(
        name=found["name"],
        transform=transform_from_data(found["transform"]),
        moving=found["moving"],
        size_a=_size(found["size_a"]),
        size_b=_size(found["size_b"]),
    )


def _size(values: Sequence[int]) -> PixelSize:
    width, height = (int(value) for value in values)
    if min(width, height) < 1:
        raise ValueError("a size without pixels")
    return width, height
