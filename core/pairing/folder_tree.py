"""Folders with their images, in natural sort order."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.messages import Message
from core.pairing.source_words import GENERIC_WORDS, normal

_FEW_FILES = 8
"""Up to this many files of a folder are checked one by one; for more, the folder is listed."""


@dataclass
class Node:
    """A folder with its images and subfolders, sorted by name.

    ``has_truth``: it contains a folder of ground truth or labels, which is not in ``folders``.
    """

    path: Path
    files: list[Path] = field(default_factory=list)
    folders: list[Node] = field(default_factory=list)
    has_truth: bool = False

    def below(self, relative: Path = Path()) -> Iterable[tuple[Path, Path]]:
        """(subfolder, file) of every image below."""
        for file in self.files:
            yield relative, file
        for folder in self.folders:
            yield from folder.below(relative / folder.path.name)

    def remove(self, files: Collection[Path]) -> bool:
        """Remove files, and subfolders left empty by it; returns whether any image is left."""
        had_some = {id(folder) for folder in self.folders if any(folder.below())}
        self.files = [file for file in self.files if file not in files]
        self.folders = [
            folder for folder in self.folders if folder.remove(files) or id(folder) not in had_some
        ]
        return bool(self.files or self.folders)

    def shared(self, other: Node) -> set[tuple[Path, str]]:
        """(subfolder, name without suffix) of entries common to both folders."""
        mine, theirs = ({(f, normal(p.stem)) for f, p in node.below()} for node in (self, other))
        return mine & theirs


def real(path: Path) -> str:
    """The path with links resolved."""
    return os.path.realpath(path)


class Places:
    """Resolves links, with one query per folder, for folders of thousands of files."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._link_flags: dict[str, dict[str, bool]] = {}
        """Whether an entry is a link, by folder and name, for folders with many queries."""

    def real(self, path: Path) -> str:
        """As :func:`real`, for a file."""
        folder, name = os.path.split(path)
        if not name or name == os.pardir or self._is_linked(path, folder, name):
            return real(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118

    def _is_linked(self, path: Path, folder: str, name: str) -> bool:
        self._asked[folder] += 1
        if self._asked[folder] > _FEW_FILES:
            if folder not in self._link_flags:
                self._link_flags[folder] = _links(folder)
            known = self._link_flags[folder].get(name)
            if known is not None:
                return known
        return os.path.islink(path)  # noqa: PTH114 (Path: slower)


def _links(folder: str) -> dict[str, bool]:
    """For each entry of a folder whether it is a link, with one system call for all."""
    try:
        with os.scandir(folder or os.curdir) as entries:
            return {entry.name: entry.is_symlink() for entry in entries}
    except OSError:
        return {}


def natural(text: str) -> list[tuple[int, int, str]]:
    """Natural sorting key, which puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", normal(text))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts]


def both_names(a: Node, b: Node) -> Message:
    """The names of two folders, for use in a sentence."""
    return Message("{0}/ and {1}/", a.path.name, b.path.name)


@dataclass(frozen=True)
class Sides:
    """Two folders that may be the two sources of one set.

    Attributes:
        a, b: the folders.
        weight: strength of their names, as in :mod:`core.pairing.name_matching`.
        sure: whether their names identify A.
    """

    a: Node
    b: Node
    weight: float
    sure: bool

    @property
    def names(self) -> Message:
        """Both names, for use in a sentence."""
        return both_names(self.a, self.b)

    @property
    def plain(self) -> bool:
        """Whether they are called ``a`` and ``b`` (or ``left`` and ``right``) and nothing else."""
        return tuple(sorted(n.path.name.casefold() for n in (self.a, self.b))) in GENERIC_WORDS

    def files(self) -> Iterable[tuple[Path, Path, str]]:
        """(subfolder, file, ``"a"`` or ``"b"``) of every image."""
        for node, side in ((self.a, "a"), (self.b, "b")):
            for folder, path in node.below():
                yield folder, path, side
