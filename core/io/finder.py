"""From dropped files and folders to a table of pairs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.hints import normal, side_of, source_of, suggest_task, words_of
from core.io.decoded import file_error
from core.io.names import (
    HABIT_WORDS,
    HINT_WORDS,
    LEARNED_WORDS,
    NUMBERS,
    TASK_WORDS,
    NameMatches,
    match_names,
)
from core.io.persons import two_persons
from core.io.plan import Leftover, Match, PairingPlan, Trouble
from core.io.reading import IMAGE_SUFFIXES
from core.io.tree import Node, Places, Sides, both_names, natural, real
from core.said import Said
from core.tasks import TASKS, get_task

FolderRule = Callable[[Path], Sequence[Match] | None]
"""Looks at one folder before its files are paired by name: its pairs, or None to pass it on.

For sources that are folders themselves (series of slices): ``Match.a`` and ``b`` may be folders.
"""

FOLDER_RULES: tuple[FolderRule, ...] = ()
"""Rules that hold wherever pairs are looked for: window, batch, command line and trainer."""

_TRUTH = {"gt", "truth", "ground_truth", "groundtruth"}
_SURE, _STRANGE = 3.0, 0.5
"""How much a pair counts that a rule made, and one across folders whose names say nothing."""


def pair_paths(
    paths: Sequence[Path],
    task: str | None = None,
    *,
    skip: Sequence[Path] = (),
    folder_rules: Sequence[FolderRule] | None = None,
) -> PairingPlan:
    """Pair whatever was dropped: by name, by telling words, by folders; never by position.

    Understands a folder with ``a/`` and ``b/`` (or ``ir/`` and ``vis/`` …), two folders, one folder
    whose file names differ in one word, nested folders of these, and loose files. Files are not
    opened. Hidden files and files that are no pictures are passed over.

    Args:
        paths: files and folders; the same one twice counts once.
        task: its words decide first which source is A.
        skip: folders to pass over, such as the one results are written to.
        folder_rules: asked about every folder before its names are looked at; None for
            :data:`FOLDER_RULES`.

    Raises:
        InputError: nothing was given, a path does not exist, or the task is unknown.
    """
    if task is not None:
        get_task(task)
    if not paths:
        raise InputError("Nothing to pair", remedy="Give files or folders.")
    rules = FOLDER_RULES if folder_rules is None else folder_rules
    finder = _Finder(task, skip, rules)
    finder.run([Path(path) for path in paths])
    return finder.plan()


class _Finder:
    """Collects pairs and leftovers while it walks through folders."""

    def __init__(self, task: str | None, skip: Sequence[Path], rules: Sequence[FolderRule]) -> None:
        self._task = task
        self._rules = rules
        self._seen = {real(path) for path in skip}
        self._passed_over = 0
        self._matches: list[tuple[Match, float]] = []
        self._leftovers: dict[Path, Leftover] = {}
        self._notes: dict[str, None] = {}
        self._within: dict[int, list[float]] = {}
        self._places = Places()

    def plan(self) -> PairingPlan:
        """The result so far, in order."""
        matches = sorted((m for m, _ in self._matches), key=_match_order)
        if self._passed_over:
            text = (
                "{0} file that is no picture was passed over."
                if self._passed_over == 1
                else "{0} files that are no pictures were passed over."
            )
            self._note(Said(text, self._passed_over))
        if any(not match.sure for match in matches):
            text = "Names do not say which source is A everywhere; look, and swap if needed."
            self._note(Said(text))
        leftovers = sorted(self._leftovers.values(), key=lambda item: natural(str(item.path)))
        suggested = {suggest_task(match.a, match.b) for match in matches} - {""}
        task = next(iter(suggested)) if len(suggested) == 1 else ""
        return PairingPlan(tuple(matches), tuple(leftovers), tuple(self._notes), task)

    def run(self, paths: list[Path]) -> None:
        """Pair what is at and below ``paths``."""
        roots, loose = self._sorted_out(paths)
        nodes = [node for node in map(self._scan, roots) if node is not None]
        if len(nodes) == 1:
            if not self._claimed(nodes[0], Path()):
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
            key = real(path) if path.is_dir() else os.path.abspath(path)  # noqa: PTH100
            if key in unique:
                self._note(Said("{0} was given twice and counts once.", path))
            unique.setdefault(key, path)
        roots = {key: path for key, path in unique.items() if path.is_dir()}
        for key, path in list(roots.items()):
            if any(key != other and Path(key).is_relative_to(other) for other in roots):
                text = "{0} lies inside another folder that was given and counts once."
                self._note(Said(text, path))
                del roots[key]
        loose = [path for path in unique.values() if not path.is_dir()]
        for path in loose:
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                self._left(path, Said("it is no picture this program can read"))
        pictures = [path for path in loose if path.suffix.lower() in IMAGE_SUFFIXES]
        return list(roots.values()), pictures

    def _scan(self, folder: Path) -> Node | None:
        place = real(folder)
        if place in self._seen:
            return None
        self._seen.add(place)
        node = Node(folder)
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: natural(entry.name))
            for entry in found:
                self._sort_in(node, entry)
        except OSError as error:
            self._left(folder, Said.plain(file_error(folder, error).why), "unreadable")
        return node

    def _sort_in(self, node: Node, entry: os.DirEntry[str]) -> None:
        if entry.name.startswith("."):
            return
        path = node.path / entry.name
        if entry.is_dir():
            child = self._scan(path)
            if child is not None:
                node.folders.append(child)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            node.files.append(path)
        else:
            self._passed_over += 1

    def _claimed(self, node: Node, relative: Path) -> bool:
        """Whether a rule has paired what is in the folder."""
        for rule in self._rules:
            claimed = rule(node.path)
            if claimed is not None:
                self._matches += [(replace(match, folder=relative), _SURE) for match in claimed]
                return True
        return False

    def _pair_node(self, node: Node, relative: Path) -> None:
        self._pair_folders(node.folders, relative, explicit=False, beside=node.files)
        self._pair_files(node.files, relative)

    def _pair_folders(
        self,
        nodes: list[Node],
        relative: Path,
        *,
        explicit: bool,
        beside: Sequence[Path] = (),
    ) -> None:
        """Folders that are the two sides of one set are paired with each other, others inside."""
        nodes = [node for node in nodes if not self._claimed(node, relative / node.path.name)]
        names = [node.path.name for node in nodes]
        found = match_names(names, self._task, least=HABIT_WORDS)
        rest = [nodes[index] for index in sorted(found.unmatched)]
        for index, reason in found.ambiguous.items():
            if explicit and "files here" in reason:
                rest.append(nodes[index])
            else:
                text = Said("{0}: give the two folders alone", reason)
                self._left(nodes[index].path, text, "ambiguous")
        for pair in found.pairs:
            below = relative if len(found.pairs) == 1 else relative / (pair.shared or "")
            sides = Sides(nodes[pair.a], nodes[pair.b], pair.strength, pair.sure)
            if sides.plain:
                sides = replace(sides, weight=HINT_WORDS)
            if not self._pair_sides(sides, below):
                rest += (sides.a, sides.b)
        if len(rest) < len(nodes) - len(found.ambiguous):  # some are sides
            rest = self._without_truth(rest)
        elif not found.pairs and len(rest) == 2:
            flat = match_names([path.stem for path in beside], self._task).pairs
            if not flat and self._pair_strangers(rest[0], rest[1], relative, explicit):
                return
        for node in rest:
            self._pair_node(node, relative / node.path.name)

    def _without_truth(self, nodes: Sequence[Node]) -> list[Node]:
        truth = [node for node in nodes if node.path.name.casefold() in _TRUTH]
        for node in truth:
            text = "{0}/ holds the truth, not a source: passed over."
            self._note(Said(text, node.path.name))
        return [node for node in nodes if node not in truth]

    def _pair_strangers(self, a: Node, b: Node, relative: Path, explicit: bool) -> bool:
        """Two folders whose names say nothing together: each for itself, or one with the other?"""
        one, other = side_of(a.path.name, self._task), side_of(b.path.name, self._task)
        if one != other and (one == "b" or other == "a"):
            a, b = b, a
        if source_of(a.path.name, self._task) != source_of(b.path.name, self._task):
            return self._pair_sides(Sides(a, b, HINT_WORDS, sure=True), relative)
        strongest = max((weight for node in (a, b) for weight in self._inside(node)), default=0.0)
        if strongest >= HABIT_WORDS:
            return False
        names = both_names(a, b)
        if strongest == 0 or explicit:
            paired = self._pair_sides(Sides(a, b, _STRANGE, sure=False), relative)
            if paired:
                text = "{0} were taken for two sources, though their names do not say so."
                self._note(Said(text, names))
            elif two_persons(a.path, b.path) and a.shared(b):
                text = "{0} name two persons: they are not paired with each other."
                self._note(Said(text, names))
            return paired
        if two_persons(a.path, b.path) or not a.shared(b):
            return False
        for node in (a, b):
            text = "{0} could be paired with each other or inside: give the two folders themselves"
            self._left(node.path, Said(text, names), "ambiguous")
        return True

    def _inside(self, node: Node) -> list[float]:
        """How telling the words are that pair pictures within ``node``: one number per pair.

        Files without a partner do not count: one of them must not turn a patient into a side.
        """
        if id(node) not in self._within:
            trial = _Finder(self._task, (), self._rules)
            trial._within = self._within  # asked again at every level above
            trial._pair_node(node, Path())
            self._within[id(node)] = [weight for _, weight in trial._matches]
        return self._within[id(node)]

    def _are_sides(self, sides: Sides) -> bool:
        """Whether two folders are two sources of one set, rather than two patients.

        Never when they name two persons, nor when both hold pairs by words as telling as their own
        names, nor when pictures of one source (``2_pet``) are in both. A stray pair inside one of
        them counts for less than more names in both that say nothing of a source.
        """
        if two_persons(sides.a.path, sides.b.path):
            return False
        shared = [name for _, name in sides.a.shared(sides.b)]
        sources = [source_of(name, self._task) for name in shared]
        known = (
            "" if {"a", "b"} <= {*sources} else sides.names
        )  # vis/ir_1 is the partner of ir/ir_1
        same = sum(bool(source_of(name, self._task, known)) for name in shared)
        if not sides.plain and same > (len(shared) - same if sides.sure else 0):
            return False
        least = max(sides.weight, HABIT_WORDS)
        held = [sum(weight >= least for weight in self._inside(n)) for n in (sides.a, sides.b)]
        return not any(held) or (not all(held) and sources.count("") > sum(held))

    def _pair_sides(self, sides: Sides, relative: Path) -> bool:
        """Pair the pictures of two folders with each other; False when that is not to be."""
        if not self._are_sides(sides):
            return False
        trial = _Finder(self._task, (), ())
        trial._places = self._places
        trial._pair_two_sides(sides, relative)
        if not trial._matches:
            return False
        self._matches += trial._matches
        self._leftovers |= trial._leftovers
        return True

    def _pair_two_sides(self, sides: Sides, relative: Path) -> None:
        files = list(sides.files())
        for spelling in (normal, _without_capitals):
            groups: dict[tuple[str, str], list[tuple[Path, Path, str]]] = defaultdict(list)
            for item in files:
                groups[spelling(str(item[0])), spelling(item[1].stem)].append(item)
            files = []
            for group in groups.values():
                labels = [side for _, _, side in group]
                if labels == ["a", "b"]:
                    (folder, a, _), (_, b, _) = group
                    how = (
                        "same name in {0}"
                        if spelling is normal
                        else "same name but for capitals in {0}"
                    )
                    match = Match(normal(a.stem), a, b, Said(how, sides.names))
                    match = replace(match, folder=relative / folder, sure=sides.sure)
                    self._match(match, sides.weight)
                elif len(set(labels)) == 2:
                    for _, path, _ in group:
                        listed = ", ".join(p.name for _, p, _ in group if p != path)
                        text = Said("several files have its name: {0}", listed)
                        self._left(path, text, "ambiguous")
                else:
                    files += group
        # Where names are the same, one that has no partner is not of a row: 1 is not B of 2.
        least = LEARNED_WORDS if self._matches else NUMBERS
        by_folder: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
        for folder, path, side in files:
            by_folder[folder].append((path, side))
        for folder, items in by_folder.items():
            labels = [side for _, side in items]
            found = match_names([p.stem for p, _ in items], self._task, labels, least)
            self._take([p for p, _ in items], found, relative / folder, sides)

    def _pair_files(self, files: Sequence[Path], relative: Path) -> None:
        """Pair ``files`` of one folder by the words they differ in."""
        found = match_names([path.stem for path in files], self._task)
        if len(found.unmatched) == len(files) == 2 and self._only_two(files, relative):
            return
        self._take(files, found, relative)

    def _take(
        self,
        files: Sequence[Path],
        found: NameMatches,
        relative: Path,
        sides: Sides | None = None,
    ) -> None:
        for pair in found.pairs:
            a, b = files[pair.a], files[pair.b]
            name = pair.shared or a.parent.name or a.stem
            # One word that is missing from the other name says less than two words.
            weight = pair.strength if pair.word_a and pair.word_b else HABIT_WORDS
            match = Match(name, a, b, pair.reason, relative, sides.sure if sides else pair.sure)
            self._match(match, sides.weight if sides else weight)
        for index, reason in found.unmatched.items():
            if sides and "no other" in reason:
                reason = Said("no file of that name in {0}", sides.names)
            self._left(files[index], reason)
        for index, reason in found.ambiguous.items():
            self._left(files[index], reason, "ambiguous")

    def _only_two(self, files: Sequence[Path], relative: Path) -> bool:
        """One picture whose name says A and one that says B, with no third: a pair."""
        first, second = files
        if two_persons(Path(first.stem), Path(second.stem)):
            return False
        for spec in TASKS.values():
            if self._task in (None, spec.name):
                one, other = (side_of(path.stem, spec.name) for path in files)
                if {one, other} == {"a", "b"}:
                    a, b = (first, second) if one == "a" else (second, first)
                    words = [
                        next(iter(sorted(words_of(path.stem) & {*hints, side})), side)
                        for path, hints, side in ((a, spec.hints_a, "a"), (b, spec.hints_b, "b"))
                    ]
                    reason = Said("the only two pictures here, named {0} and {1}", *words)
                    name = relative.name or a.parent.name or a.stem
                    self._match(Match(name, a, b, reason, relative), TASK_WORDS)
                    return True
        return False

    def _pair_loose(self, files: list[Path], alone: bool) -> None:
        """Files given one by one: two parents are two sides, else each parent for itself."""
        by_parent: dict[Path, Node] = {}
        for path in sorted(files, key=lambda path: natural(str(path))):
            by_parent.setdefault(path.parent, Node(path.parent)).files.append(path)
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
        if two_persons(first, second):
            text = "{0} and {1} name two persons; paired as asked."
            self._note(Said(text, first.name, second.name))
        why = Said("the only two files given")
        self._match(Match(normal(a.stem), a, b, why, Path(), sure), _SURE)

    def _match(self, match: Match, strength: float) -> None:
        if self._places.real(match.a) == self._places.real(match.b):
            text = Said("A and B would be one and the same file")
            for path in (match.a, match.b):
                self._left(path, text, "ambiguous")
            return
        self._matches.append((match, strength))

    def _left(self, path: Path, reason: str, trouble: Trouble = "unmatched") -> None:
        self._leftovers[path] = Leftover(path, reason, trouble)

    def _note(self, text: str) -> None:
        self._notes[text] = None


def _without_capitals(name: str) -> str:
    return normal(name).casefold()


def _match_order(match: Match) -> tuple[list[tuple[int, int, str]], ...]:
    return natural(str(match.folder)), natural(match.name), natural(str(match.a))
