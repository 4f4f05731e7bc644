"""Paths that are kept without the names in them: folders of scans are often named after patients.

Every part of a path is kept as a salted hash. To find the path again the folders on the way are
listed, and the entry with that hash is taken.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.salted import key

_HOME = "~"


@dataclass(frozen=True)
class HiddenPath:
    """A path whose parts cannot be read.

    Attributes:
        start: what it begins with: the root of a file system, or “~” for the user's folder.
        parts: salted hashes of the names below.
    """

    start: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> HiddenPath:
        """Hide an absolute path.

        Raises:
            ValueError: the path is relative.
        """
        if not path.is_absolute():
            raise ValueError("a relative path")
        home = _home()
        if home is not None and path.is_relative_to(home):
            return cls(_HOME, tuple(_hashed(name) for name in path.relative_to(home).parts))
        return cls(path.anchor, tuple(_hashed(name) for name in path.parts[1:]))

    @property
    def is_absolute(self) -> bool:
        """Whether it depends on no working directory."""
        return self.start == _HOME or Path(self.start).is_absolute()

    def found(self) -> Path | None:
        """The path, if it is still there and its folders can be listed. Reads from disk."""
        start = _home() if self.start == _HOME else Path(self.start)
        return None if start is None else next(_below(start, self.parts), None)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _below(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """The paths below ``folder`` whose parts have these hashes, mostly one."""
    if not parts:
        yield folder
        return
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - the names alone: no entry is looked at
    except OSError:
        return
    for name in names:
        if _hashed(name) == parts[0]:
            yield from _below(folder / name, parts[1:])


def _hashed(name: str) -> str:
    # File systems may store another spelling of a name than the one that was typed.
    return key("path", unicodedata.normalize("NFC", name).casefold())


StoredPath = Path | HiddenPath
"""A path; of scans, without its names once it has been on file."""


def found_path(path: StoredPath | None) -> Path | None:
    """The path itself, found again where it is hidden; None where it is gone. Reads from disk."""
    return path.found() if isinstance(path, HiddenPath) else path


def hidden_data(path: StoredPath) -> list[str]:
    """A path as values for JSON without its names: the start, then a hash for each part."""
    hidden = HiddenPath.of(path) if isinstance(path, Path) else path
    return [hidden.start, *hidden.parts]


def plain_path(value: object) -> Path | None:
    """A path from JSON; None for none.

    Raises:
        ValueError: it is no path.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a path is no path")
    return Path(value)


def stored_path(value: object) -> StoredPath | None:
    """The inverse of :func:`hidden_data`; text is a path with its names.

    Raises:
        ValueError: it is no path, or depends on the working directory.
    """
    if not isinstance(value, list):  # a picture, or a session of a former version
        return plain_path(value)
    if not value or not all(isinstance(part, str) and part for part in value):
        raise ValueError("a path is no path")
    start, *parts = value
    hidden = HiddenPath(start, tuple(parts))
    if not hidden.is_absolute:
        raise ValueError("a path is no path")
    return hidden
