"""Pairs the files of dropped files and folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.io.reader import is_image
from core.messages import Message
from core.pairing.collector import Collected
from core.pairing.file_pairs import UNRELATED, FilePairs
from core.pairing.folder_scan import Scanner, sort_out
from core.pairing.folder_sides import choose_sides
from core.pairing.folder_tree import Node, Places, Sides, both_names, natural
from core.pairing.known_folders import is_method, kind_beside_sources, kind_of
from core.pairing.name_matching import match_names
from core.pairing.patients import different_patients
from core.pairing.plan import Match, PairingPlan
from core.pairing.scan_files import is_dicom_file, is_mask, is_nifti_name
from core.pairing.source_words import (
    in_order,
    normal,
    side_of,
    source_of,
    which_source,
)
from core.pairing.word_pairs import HABIT_WORDS, HINT_WORDS
from core.progress import Progress
from core.tasks import get_task, has_exposure_series
from core.types import SeriesHeader

FolderRule = Callable[[Path], Sequence[Match] | None]
"""Examines a folder before its files are paired by name: returns its pairs, or None to decline.

For sources that are folders (series of slices): ``Match.a`` and ``b`` may be folders.
"""

FOLDER_RULES: tuple[FolderRule, ...] = ()
"""Rules for all pairing: window, batch, command line and trainer."""

_SURE = 3.0
"""Strength of a pair made by a rule."""


def pair_paths(
    paths: Sequence[Path],
    task: str | None = None,
    *,
    skip: Sequence[Path] = (),
    folder_rules: Sequence[FolderRule] | None = None,
    volumes: bool = False,
    prefer: Sequence[str] = (),
    progress: Progress | None = None,
) -> PairingPlan:
    """Pair files by name, by source words and by folders; never by position.

    Supports a folder with ``a/`` and ``b/`` (or ``ir/`` and ``vis/`` …), two folders, one folder
    whose file names differ in one word, nested folders of these, and loose files. Files are opened
    only if their suffix does not identify the format. Hidden files, files that are not images, and
    folders of ground truth, of results and of the operating system are skipped.

    Args:
        paths: files and folders; duplicates count once.
        task: task whose source words take precedence in deciding which source is A.
        skip: folders to skip, such as the output folder.
        folder_rules: rules to apply to every folder before its names are compared; None for
            :data:`FOLDER_RULES`.
        volumes: pair series of slices as volumes: DICOM by their headers, whatever their names are,
            NIfTI by name. Otherwise every file is one image.
        prefer: beginnings of the keys of series to take as B instead of the best one.
        progress: told of the DICOM files looked at; may cancel.

    Raises:
        InputError: nothing was given, a path does not exist, or the task is unknown.
        Cancelled: by ``progress``.
    """
    if task is not None:
        get_task(task)
    if not paths:
        raise InputError(Message("Nothing to pair"), remedy=Message("Give files or folders."))
    rules = FOLDER_RULES if folder_rules is None else folder_rules
    finder = _Finder(task, skip, rules)
    if not volumes:
        finder.run([Path(path) for path in paths])
        return finder.plan()
    finder.run_with_volumes([Path(path) for path in paths], prefer, progress)
    plan = finder.plan()
    paths = [*(match.a for match in plan.matches), *(item.path for item in plan.leftovers)]
    if not any(map(is_nifti_name, paths)):
        return plan
    from core.pairing.volume_pairs import with_nifti_volumes

    return with_nifti_volumes(plan)


class _Finder:
    """Collects pairs and leftovers while traversing folders."""

    def __init__(
        self,
        task: str | None,
        skip: Sequence[Path] = (),
        rules: Sequence[FolderRule] = (),
        places: Places | None = None,
    ) -> None:
        self._task = task
        self._rules = rules
        self._scanner = Scanner(skip)
        self._places = places or Places()
        self._found = Collected(task, self._places)
        self._files = FilePairs(task, self._found)
        self._within: dict[int, list[float]] = {}
        self._series: tuple[SeriesHeader, ...] = ()

    def plan(self) -> PairingPlan:
        """The sorted result so far."""
        self._found.note(*self._scanner.notes())
        for folder, why in self._scanner.unreadable.items():
            self._found.add_leftover(folder, why, "unreadable")
        return replace(self._found.plan(), series=self._series)

    def run(self, paths: list[Path]) -> None:
        """Pair the images in and below ``paths``."""
        self._pair_all(*self._scanned(paths))

    def run_with_volumes(
        self, paths: list[Path], prefer: Sequence[str], progress: Progress | None
    ) -> None:
        """Pair DICOM series by their headers, and the other images as :meth:`run` does."""
        nodes, loose = self._scanned(paths)
        every = dict.fromkeys([*loose, *(file for node in nodes for _, file in node.below())])
        if any(is_dicom_file(path) or is_mask(path) for path in every):
            from core.pairing.volume_pairs import take_volumes

            found = take_volumes(every, prefer, progress)
            self._series = found.series
            self._found.matches += [(match, _SURE) for match in found.matches]
            self._found.leftovers |= {item.path: item for item in found.leftovers}
            nodes = [node for node in nodes if node.remove(found.files)]
            loose = [path for path in loose if path not in found.files]
        self._pair_all(nodes, loose)

    def _scanned(self, paths: list[Path]) -> tuple[list[Node], list[Path]]:
        roots, loose = self._given_paths(paths)
        scanned = [self._scanner.scan(root, given=True) for root in roots]
        return [node for node in scanned if node is not None], loose

    def _pair_all(self, nodes: list[Node], loose: list[Path]) -> None:
        if len(nodes) == 1:
            if not self._paired_by_rule(nodes[0], Path()):
                self._pair_node(nodes[0], Path())
        elif nodes:
            self._pair_folders(nodes, Path(), explicit=True)
        inside = {file for node in nodes for _, file in node.below()}
        self._pair_loose([path for path in loose if path not in inside], alone=not nodes)

    def _given_paths(self, paths: list[Path]) -> tuple[list[Path], list[Path]]:
        """Folders and images among the given paths, without duplicates."""
        folders, files, notes = sort_out(paths)
        self._found.note(*notes)
        images = [path for path in files if path.is_file() and is_image(path)]
        for path in {*files} - {*images}:
            self._found.add_leftover(path, Message("it is no picture this program can read"))
        return folders, images

    def _paired_by_rule(self, node: Node, relative: Path) -> bool:
        """Whether a rule has paired the contents of the folder."""
        for rule in self._rules:
            claimed = rule(node.path)
            if claimed is not None:
                self._found.matches += [
                    (replace(match, folder=relative), _SURE) for match in claimed
                ]
                return True
        return False

    def _pair_node(self, node: Node, relative: Path) -> None:
        self._pair_folders(node.folders, relative, explicit=False, parent=node)
        self._files.pair(node.files, relative, node.path if relative.parts else None)

    def _pair_folders(
        self,
        nodes: list[Node],
        relative: Path,
        *,
        explicit: bool,
        parent: Node | None = None,
    ) -> None:
        """Pair folders that are the two sides of one set with each other, others internally."""
        nodes = [
            node for node in nodes if not self._paired_by_rule(node, relative / node.path.name)
        ]
        nodes = self._without_truths(nodes) if explicit else self._without_methods(nodes)
        choice = choose_sides(nodes, self._task, explicit)
        self._found.note(*choice.notes)
        for index, reason in choice.ambiguous.items():
            text = Message("{0}: give the two folders alone", reason)
            self._found.add_leftover(
                nodes[index].path, text, "ambiguous", len(list(nodes[index].below()))
            )
        rest, paired = list(choice.rest), []
        for sides, shared in choice.sides:
            if self._pair_sides(sides, relative / shared):
                paired.append(sides)
            else:
                rest += (sides.a, sides.b)
        if paired:
            rest = self._without_third(rest, paired, choice.reasons)
        unrelated = not paired and not choice.sides and len(rest) == 2
        if unrelated and self._pair_or_leave(rest[0], rest[1], relative, explicit, parent):
            return
        for node in rest:
            self._pair_node(node, relative / node.path.name)

    def _pair_or_leave(
        self, a: Node, b: Node, relative: Path, explicit: bool, parent: Node | None
    ) -> bool:
        """Whether two folders were paired with each other, or left to the user."""
        if parent is not None:
            if match_names([path.stem for path in parent.files], self._task).pairs:
                return False
            if kind_of(parent.path.name) == "results":
                return False
            if a.path.name.isdecimal() and b.path.name.isdecimal():
                # Scenes, if ground truth lies beside them; otherwise it is undecidable.
                return not parent.has_truth and self._leave_unrelated(a, b)
        return self._pair_unrelated(a, b, relative, explicit)

    def _without_truths(self, nodes: list[Node]) -> list[Node]:
        """The folders without those of ground truth, unless there are no others."""
        truths = [node for node in nodes if kind_of(node.path.name) == "truth"]
        if len(truths) == len(nodes):
            return nodes
        for node in truths:
            self._scanner.skip("truth", node.path.name)
        return [node for node in nodes if node not in truths]

    def _without_methods(self, nodes: list[Node]) -> list[Node]:
        """The folders without results: those named like a fusion method that hold no pairs."""
        found = [n for n in nodes if is_method(n.path.name) and not self._holds_pairs(n)]
        for node in found:
            self._scanner.skip("results", node.path.name)
        return [node for node in nodes if node not in found]

    def _holds_pairs(self, node: Node) -> bool:
        return any(weight >= HABIT_WORDS for weight in self._strengths_within(node))

    def _without_third(
        self, nodes: Sequence[Node], paired: Sequence[Sides], reasons: dict[int, str]
    ) -> list[Node]:
        """Folders beside the two sources; each is one leftover unless it holds pairs."""
        kept = []
        for node in nodes:
            kind = kind_beside_sources(node.path.name)
            files = [path for _, path in node.below()]
            if kind and not self._holds_pairs(node):
                self._scanner.skip(kind, node.path.name)
            elif len(files) < 2 or self._holds_pairs(node):
                kept.append(node)
            else:
                text = Message(
                    "a third folder beside {0}: {1} pictures", paired[0].names, len(files)
                )
                reason = reasons.get(id(node), text)
                self._found.add_leftover(node.path, reason, "unmatched", len(files))
        return kept

    def _pair_unrelated(self, a: Node, b: Node, relative: Path, explicit: bool) -> bool:
        """Pair two folders with unrelated names, either internally or with each other."""
        one, other = side_of(a.path.name, self._task), side_of(b.path.name, self._task)
        if one != other and (one == "b" or other == "a"):
            a, b = b, a
        if source_of(a.path.name, self._task) != source_of(b.path.name, self._task):
            return self._pair_sides(Sides(a, b, HINT_WORDS, sure=True), relative)
        strongest = max(
            (weight for node in (a, b) for weight in self._strengths_within(node)), default=0.0
        )
        if strongest >= HABIT_WORDS:
            return False
        names = both_names(a, b)
        if strongest == 0 or explicit:
            paired = self._pair_sides(Sides(a, b, UNRELATED, sure=False), relative)
            if paired:
                text = Message(
                    "{0} were taken for two sources, though their names do not say so.", names
                )
                self._found.note(text)
            elif different_patients(a.path, b.path) and a.shared(b):
                text = Message("{0} name two persons: they are not paired with each other.", names)
                self._found.note(text)
            return paired
        return self._leave_unrelated(a, b)

    def _leave_unrelated(self, a: Node, b: Node) -> bool:
        """Whether two folders are left to the user, with a leftover that says so."""
        names = both_names(a, b)
        if different_patients(a.path, b.path) or not a.shared(b):
            return False
        for node in (a, b):
            count = len(list(node.below()))
            self._found.add_leftover(
                node.path,
                Message(
                    "{0} could be paired with each other or inside: give the two folders "
                    "themselves",
                    names,
                ),
                "ambiguous",
                count,
            )
        return True

    def _strengths_within(self, node: Node) -> list[float]:
        """Strengths of the pairs within ``node``, one number per pair.

        Files without a partner are ignored: one of them must not turn a patient into a side.
        """
        if id(node) not in self._within:
            trial = _Finder(self._task, rules=self._rules, places=self._places)
            trial._within = self._within  # shared, because every level above asks again
            trial._pair_node(node, Path())
            self._within[id(node)] = [weight for _, weight in trial._found.matches]
        return self._within[id(node)]

    def _are_sides(self, sides: Sides) -> bool:
        """Whether two folders are the two sources of one set, and not two patients.

        False if they name two patients, if both contain pairs at least as strong as their own
        names, or if both contain images of one source (``2_pet``). A single pair inside one of them
        counts less than several names common to both that contain no source word.
        """
        if different_patients(sides.a.path, sides.b.path):
            return False
        shared = [name for _, name in sides.a.shared(sides.b)]
        sources = [source_of(name, self._task) for name in shared]
        known = (
            "" if {"a", "b"} <= {*sources} else sides.names
        )  # vis/ir_1 is the partner of ir/ir_1
        same = sum(bool(source_of(name, self._task, known)) for name in shared)
        if not sides.plain and same > (len(shared) - same if sides.sure else 0):
            return False
        everyone = all(len(shared) == len(list(node.below())) for node in (sides.a, sides.b))
        exposures = has_exposure_series(self._task)
        if everyone and not same and sides.sure and not sides.plain and not exposures:
            return True  # ir/x_-2EV is the partner of vis/x_-2EV, not of ir/x_+2EV
        least = max(sides.weight, HABIT_WORDS)
        held = [
            sum(weight >= least for weight in self._strengths_within(n)) for n in (sides.a, sides.b)
        ]
        return not any(held) or (not all(held) and sources.count("") > sum(held))

    def _pair_sides(self, sides: Sides, relative: Path) -> bool:
        """Pair the images of two folders with each other; False if this should not be done."""
        if not self._are_sides(sides):
            return False
        found = Collected(self._task, self._places)
        FilePairs(self._task, found).pair_sides(sides, relative)
        if not found.matches:
            return False
        self._found.merge(found)
        return True

    def _pair_loose(self, files: list[Path], alone: bool) -> None:
        """Pair single files as if their folders contained nothing else."""
        by_parent: dict[Path, Node] = {}
        for path in sorted(files, key=lambda path: natural(str(path))):
            by_parent.setdefault(path.parent, Node(path.parent)).files.append(path)
        if alone and len(files) == 2:
            self._pair_given_two(files[0], files[1])
            return
        beside: dict[Path, list[Node]] = defaultdict(list)
        for folder, node in by_parent.items():
            beside[folder.parent if len(by_parent) > 2 else Path()].append(node)
        for nodes in beside.values():
            if len(nodes) > 1:
                self._pair_folders(nodes, Path(), explicit=True)
            else:
                self._files.pair(nodes[0].files, Path())

    def _pair_given_two(self, first: Path, second: Path) -> None:
        if different_patients(first, second):
            self._found.note(
                Message("{0} and {1} name two persons; paired as asked.", first.name, second.name)
            )
        found = Collected(self._task, self._places)
        FilePairs(self._task, found).pair((first, second), Path())
        if found.matches:
            self._found.merge(found)
            return
        a, b = in_order(first, second, self._task)
        sure = which_source(a, b, self._task) != ""
        why = Message("the only two files given")
        self._found.pair(Match(normal(a.stem), a, b, why, Path(), sure=sure), _SURE)
