"""Folders with their images, and the order people expect names in."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.messages import Message
from core.pairing.source_words import GENERIC_WORDS, normal

_FEW = 8
"""Files of a folder that are looked at one by one; for more, the folder is listed."""


@dataclass
class Node:
    """One folder: its images and its subfolders, in order of name.

    ``has_truth``: a folder of ground truth or labels lies in it, which is none of ``folders``.
    """

    path: Path
    files: list[Path] = field(default_factory=list)
    folders: list[Node] = field(default_factory=list)
    has_truth: bool = False

    def below(self, relative: Path = Path()) -> Iterable[tuple[Path, Path]]:
        """(folder below this one, file) of every image."""
        for file in self.files:
            yield relative, file
        for folder in self.folders:
            yield from folder.below(relative / folder.path.name)

    def shared(self, other: Node) -> set[tuple[Path, str]]:
        """(folder below, name without suffix) of what is in both folders."""
        mine, theirs = ({(f, normal(p.stem)) for f, p in node.below()} for node in (self, other))
        return mine & theirs


def real(path: Path) -> str:
    """Where a path leads, links followed."""
    return os.path.realpath(path)


class Places:
    """Where files really are; each folder is followed once, for a folder of thousands."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._is_link: dict[str, dict[str, bool]] = {}
        """By folder and name, of folders that were asked for more than a few files."""

    def real(self, path: Path) -> str:
        """As :func:`real`, of a file."""
        folder, name = os.path.split(path)
        if not name or name == os.pardir or self._leads_on(path, folder, name):
            return real(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118

    def _leads_on(self, path: Path, folder: str, name: str) -> bool:
        self._asked[folder] += 1
        if self._asked[folder] > _FEW:
            if folder not in self._is_link:
                self._is_link[folder] = _links(folder)
            known = self._is_link[folder].get(name)
            if known is not None:
                return known
        return os.path.islink(path)  # noqa: PTH114 (Path: slower)


def _links(folder: str) -> dict[str, bool]:
    """Whether what is in a folder is a link, by name; of all at once, the system is asked once."""
    try:
        with os.scandir(folder or os.curdir) as entries:
            return {entry.name: entry.is_symlink() for entry in entries}
    except OSError:
        return {}


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sorting key that puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", normal(text))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts]


def both_names(a: Node, b: Node) -> Message:
    """The names of two folders, for sentences."""
    return Message("{0}/ and {1}/", a.path.name, b.path.name)


@dataclass(frozen=True)
class Sides:
    """Two folders that may be the two sources of one set.

    Attributes:
        a, b: the folders.
        weight: how telling their names are, as in :mod:`core.pairing.name_matching`.
        sure: whether their names say which one is A.
    """

    a: Node
    b: Node
    weight: float
    sure: bool

    @property
    def names(self) -> Message:
        """Both, for sentences."""
        return both_names(self.a, self.b)

    @property
    def plain(self) -> bool:
        """Whether they are called ``a`` and ``b`` (or ``left`` and ``right``) and nothing else."""
        return tuple(sorted(n.path.name.casefold() for n in (self.a, self.b))) in GENERIC_WORDS

    def files(self) -> Iterable[tuple[Path, Path, str]]:
        """(folder below, file, ``"a"`` or ``"b"``) of every image."""
        for node, side in ((self.a, "a"), (self.b, "b")):
            for folder, path in node.below():
                yield folder, path, side
