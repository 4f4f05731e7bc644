"""From dropped files and folders to a table of pairs."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import InputError
from core.io.decoded import file_error
from core.io.names import (
    HABIT_WORDS,
    TASK_WORDS,
    NamePair,
    match_names,
    normal,
    side_of,
    words_of,
)
from core.io.plan import Leftover, Match, PairingPlan, Trouble
from core.io.reading import IMAGE_SUFFIXES
from core.tasks import TASKS, get_task

FolderRule = Callable[[Path], Sequence[Match] | None]
"""Looks at one folder before its files are paired by name: its pairs, or None to pass it on.

For sources that are folders themselves (series of slices): ``Match.a`` and ``b`` may be folders.
"""

_TRUTH = {"gt", "truth", "ground_truth", "groundtruth"}
_SURE = 3.0


@dataclass
class _Node:
    """One folder: its pictures and its subfolders, in order of name."""

    path: Path
    files: list[Path] = field(default_factory=list)
    folders: list[_Node] = field(default_factory=list)

    def below(self, relative: Path = Path()) -> Iterable[tuple[Path, Path]]:
        """(folder below this one, file) of every picture."""
        for file in self.files:
            yield relative, file
        for folder in self.folders:
            yield from folder.below(relative / folder.path.name)


def pair_paths(
    paths: Sequence[Path],
    task: str | None = None,
    *,
    skip: Sequence[Path] = (),
    folder_rules: Sequence[FolderRule] = (),
) -> PairingPlan:
    """Pair whatever was dropped: by name, by telling words, by folders; never by position.

    Understands a folder with ``a/`` and ``b/`` (or ``ir/`` and ``vis/`` …), two folders, one folder
    whose file names differ in one word, nested folders of these, and loose files. Files are not
    opened. Hidden files and files that are no pictures are passed over.

    Args:
        paths: files and folders; the same one twice counts once.
        task: its words decide first which source is A.
        skip: folders to pass over, such as the one results are written to.
        folder_rules: asked about every folder before its names are looked at.

    Raises:
        InputError: nothing was given, a path does not exist, or the task is unknown.
    """
    if task is not None:
        get_task(task)
    if not paths:
        raise InputError("Nothing to pair", remedy="Give files or folders.")
    finder = _Finder(task, skip, folder_rules)
    finder.run([Path(path) for path in paths])
    return finder.plan()


class _Finder:
    """Collects pairs and leftovers while it walks through folders."""

    def __init__(self, task: str | None, skip: Sequence[Path], rules: Sequence[FolderRule]) -> None:
        self._task = task
        self._rules = rules
        self._seen = {_real(path) for path in skip}
        self._passed_over = 0
        self._matches: list[tuple[Match, float]] = []
        self._leftovers: dict[Path, Leftover] = {}
        self._notes: dict[str, None] = {}

    def plan(self) -> PairingPlan:
        """The result so far, in order."""
        matches = sorted((m for m, _ in self._matches), key=_match_order)
        if self._passed_over:
            word = "file that is no picture was" if self._passed_over == 1 else (
                "files that are no pictures were"
            )  # fmt: skip
            self._note(f"{self._passed_over} {word} passed over.")
        if any(not match.sure for match in matches):
            self._note("Names do not say which source is A everywhere; look, and swap if needed.")
        leftovers = sorted(self._leftovers.values(), key=lambda item: _natural(str(item.path)))
        return PairingPlan(tuple(matches), tuple(leftovers), tuple(self._notes))

    def run(self, paths: list[Path]) -> None:
        """Pair what is at and below ``paths``."""
        roots, loose = self._sorted_out(paths)
        nodes = [node for node in map(self._scan, roots) if node is not None]
        if len(nodes) == 1:
            self._pair_node(nodes[0], Path())
        elif nodes:
            self._pair_folders(nodes, Path(), explicit=True)
        inside = {file for node in nodes for _, file in node.below()}
        self._pair_loose([path for path in loose if path not in inside], alone=not nodes)

    def _sorted_out(self, paths: list[Path]) -> tuple[list[Path], list[Path]]:
        unique: dict[str, Path] = {}
        for path in paths:
            if not path.exists():
                raise InputError(str(path), "there is no such file or folder", "Check the name.")
            key = _real(path) if path.is_dir() else os.path.abspath(path)  # noqa: PTH100
            if key in unique:
                self._note(f"{path} was given twice and counts once.")
            unique.setdefault(key, path)
        roots = {key: path for key, path in unique.items() if path.is_dir()}
        for key, path in list(roots.items()):
            if any(key != other and Path(key).is_relative_to(other) for other in roots):
                self._note(f"{path} lies inside another folder that was given and counts once.")
                del roots[key]
        loose = [path for path in unique.values() if not path.is_dir()]
        for path in loose:
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                self._left(path, "it is no picture this program can read")
        pictures = [path for path in loose if path.suffix.lower() in IMAGE_SUFFIXES]
        return list(roots.values()), pictures

    def _scan(self, folder: Path) -> _Node | None:
        real = _real(folder)
        if real in self._seen:
            return None
        self._seen.add(real)
        node = _Node(folder)
        try:
            for path in sorted(folder.iterdir(), key=lambda path: _natural(path.name)):
                self._sort_in(node, path)
        except OSError as error:
            self._left(folder, file_error(folder, error).why, "unreadable")
        return node

    def _sort_in(self, node: _Node, path: Path) -> None:
        if path.name.startswith("."):
            return
        if path.is_dir():
            child = self._scan(path)
            if child is not None:
                node.folders.append(child)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            node.files.append(path)
        else:
            self._passed_over += 1

    def _pair_node(self, node: _Node, relative: Path) -> None:
        for rule in self._rules:
            claimed = rule(node.path)
            if claimed is not None:
                self._matches += [(replace(match, folder=relative), _SURE) for match in claimed]
                return
        self._pair_folders(node.folders, relative, explicit=False, beside=node.files)
        self._pair_files(node.files, relative)

    def _pair_folders(
        self,
        nodes: list[_Node],
        relative: Path,
        *,
        explicit: bool,
        beside: Sequence[Path] = (),
    ) -> None:
        """Folders that are the two sides of one set are paired with each other, others inside."""
        names = [node.path.name for node in nodes]
        found = match_names(names, self._task, known_only=True)
        rest = [nodes[index] for index in sorted(found.unmatched)]
        for index, reason in found.ambiguous.items():
            if explicit and "files here" in reason:
                rest.append(nodes[index])
            else:
                self._left(nodes[index].path, f"{reason}: give the two folders alone", "ambiguous")
        for pair in found.pairs:
            sides = nodes[pair.a], nodes[pair.b]
            below = relative if len(found.pairs) == 1 else relative / (pair.shared or "")
            if not self._pair_sides(*sides, below, sure=pair.sure):
                rest += sides
        if found.pairs:
            truth = [node for node in rest if node.path.name.casefold() in _TRUTH]
            rest = [node for node in rest if node not in truth]
            for node in truth:
                self._note(f"{node.path.name}/ holds the truth, not a source: passed over.")
        if len(rest) == 2 and not found.pairs and not beside and (
            self._pair_strangers(rest[0], rest[1], relative, explicit)
        ):  # fmt: skip
            return
        for node in rest:
            self._pair_node(node, relative / node.path.name)

    def _pair_strangers(self, a: _Node, b: _Node, relative: Path, explicit: bool) -> bool:
        """Two folders whose names say nothing: each for itself, or one with the other?"""
        one, other = side_of(a.path.name, self._task), side_of(b.path.name, self._task)
        sure = bool(one or other) and one != other
        if sure and (one == "b" or other == "a"):
            a, b = b, a
        weakest = min(self._inside(a, relative), self._inside(b, relative))
        if weakest == 0 or (explicit and weakest < HABIT_WORDS):
            return self._pair_sides(a, b, relative, sure=sure)
        shared = {(f, normal(p.stem)) for f, p in a.below()} & {
            (f, normal(p.stem)) for f, p in b.below()
        }
        if weakest < HABIT_WORDS and shared:
            text = f"{a.path.name}/ and {b.path.name}/ could be paired with each other or inside"
            for node in (a, b):
                self._left(node.path, f"{text}: give the two folders themselves", "ambiguous")
            return True
        return False

    def _inside(self, node: _Node, relative: Path) -> float:
        """How telling the words are by which ``node`` pairs completely within itself; 0: not."""
        trial = _Finder(self._task, (), self._rules)
        trial._pair_node(node, relative)
        if trial._leftovers or not trial._matches:
            return 0.0
        return min(strength for _, strength in trial._matches)

    def _pair_sides(self, a: _Node, b: _Node, relative: Path, *, sure: bool) -> bool:
        """Pair the pictures of folder ``a`` with those of ``b``; False when none fit.

        Folders that pair completely inside by words of a task are patients, not sides.
        """
        if min(self._inside(a, relative), self._inside(b, relative)) >= HABIT_WORDS:
            return False
        files = [(folder, path, "a") for folder, path in a.below()]
        files += [(folder, path, "b") for folder, path in b.below()]
        trial = _Finder(self._task, (), ())
        trial._pair_two_sides(files, relative, f"{a.path.name}/ and {b.path.name}/", sure)
        if not trial._matches:
            return False
        self._matches += trial._matches
        self._leftovers |= trial._leftovers
        return True

    def _pair_two_sides(
        self, files: list[tuple[Path, Path, str]], relative: Path, where: str, sure: bool
    ) -> None:
        for spelling, reason in (
            (normal, f"same name in {where}"),
            (lambda name: normal(name).casefold(), f"same name but for capitals in {where}"),
        ):
            groups: dict[tuple[str, str], list[tuple[Path, Path, str]]] = defaultdict(list)
            for item in files:
                groups[spelling(str(item[0])), spelling(item[1].stem)].append(item)
            files = []
            for group in groups.values():
                sides = [side for _, _, side in group]
                if sorted(sides) == ["a", "b"]:
                    (folder, a, _), (_, b, _) = sorted(group, key=lambda item: item[2])
                    self._match(Match(normal(a.stem), a, b, reason, relative / folder, sure), _SURE)
                elif len(group) > 1 and len(set(sides)) == 2:
                    for _, path, _ in group:
                        listed = ", ".join(p.name for _, p, _ in group if p != path)
                        self._left(path, f"several files have its name: {listed}", "ambiguous")
                else:
                    files += group
        by_folder: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
        for folder, path, side in files:
            by_folder[folder].append((path, side))
        for folder, items in by_folder.items():
            self._pair_files(
                [p for p, _ in items], relative / folder, [s for _, s in items], sure, where
            )

    def _pair_files(
        self,
        files: Sequence[Path],
        relative: Path,
        sides: Sequence[str] | None = None,
        sure: bool | None = None,
        where: str = "",
    ) -> None:
        """Pair ``files`` by the words they differ in."""
        found = match_names([path.stem for path in files], self._task, sides)
        for pair in found.pairs:
            a, b = files[pair.a], files[pair.b]
            name = pair.shared or a.parent.name or a.stem
            known = pair.sure if sure is None else sure
            self._match(Match(name, a, b, _reason(pair), relative, known), pair.strength)
        single = self._only_two(files, found.unmatched, relative) if sides is None else set()
        for index, reason in found.unmatched.items():
            if index not in single:
                text = f"no file of that name in {where}" if where and "no other" in reason else (
                    reason
                )  # fmt: skip
                self._left(files[index], text)
        for index, reason in found.ambiguous.items():
            self._left(files[index], reason, "ambiguous")

    def _only_two(self, files: Sequence[Path], left: dict[int, str], relative: Path) -> set[int]:
        """One picture whose name says A and one that says B, with no third: a pair."""
        if len(left) != 2 or len(files) != 2:
            return set()
        first, second = sorted(left)
        for spec in TASKS.values():
            if self._task in (None, spec.name):
                one, other = (side_of(files[i].stem, spec.name) for i in (first, second))
                if {one, other} == {"a", "b"}:
                    a, b = (first, second) if one == "a" else (second, first)
                    words = [
                        next(iter(sorted(words_of(files[i].stem) & {*hints, side})), side)
                        for i, hints, side in ((a, spec.hints_a, "a"), (b, spec.hints_b, "b"))
                    ]
                    reason = f"the only two pictures here, named {words[0]} and {words[1]}"
                    name = relative.name or files[a].parent.name or files[a].stem
                    self._match(Match(name, files[a], files[b], reason, relative), TASK_WORDS)
                    return {first, second}
        return set()

    def _pair_loose(self, files: list[Path], alone: bool) -> None:
        """Files given one by one: two parents are two sides, else each parent for itself."""
        by_parent: dict[Path, _Node] = {}
        for path in sorted(files, key=lambda path: _natural(str(path))):
            by_parent.setdefault(path.parent, _Node(path.parent)).files.append(path)
        nodes = list(by_parent.values())
        if alone and len(files) == 2:
            self._pair_given_two(files[0], files[1])
        elif len(nodes) == 2:
            self._pair_folders(nodes, Path(), explicit=True)
        else:
            for node in nodes:
                self._pair_files(node.files, Path())

    def _pair_given_two(self, first: Path, second: Path) -> None:
        trial = _Finder(self._task, (), ())
        trial._pair_files((first, second), Path())
        if trial._matches:
            self._matches += trial._matches
            return
        sides = [side_of(f"{p.parent.name} {p.stem}", self._task) for p in (first, second)]
        a, b = (second, first) if sides[0] == "b" or sides[1] == "a" else (first, second)
        sure = sides[0] != sides[1]
        self._match(Match(normal(a.stem), a, b, "the only two files given", Path(), sure), _SURE)

    def _match(self, match: Match, strength: float) -> None:
        if _real(match.a) == _real(match.b):
            for path in (match.a, match.b):
                self._left(path, "A and B would be one and the same file", "ambiguous")
            return
        self._matches.append((match, strength))

    def _left(self, path: Path, reason: str, trouble: Trouble = "unmatched") -> None:
        self._leftovers[path] = Leftover(path, reason, trouble)

    def _note(self, text: str) -> None:
        self._notes[text] = None


def _reason(pair: NamePair) -> str:
    if not (pair.word_a and pair.word_b):
        return f"same name but for {pair.word_a or pair.word_b}"
    return f"differ only in {pair.word_a}/{pair.word_b}"


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sorting key that puts 2 before 10."""
    parts = re.findall(r"\d+|\D+", normal(text))
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p.casefold()) for p in parts]


def _match_order(match: Match) -> tuple[list[tuple[int, int, str]], ...]:
    return _natural(str(match.folder)), _natural(match.name), _natural(str(match.a))
