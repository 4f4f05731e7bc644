"""Pairs images by name, within one folder or across the two source folders of a set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.messages import Message
from core.pairing.collector import Collected
from core.pairing.folder_tree import Sides
from core.pairing.known_folders import kind_of
from core.pairing.name_matching import (
    NO_OTHER_EXPOSURE,
    NO_OTHER_NAME,
    NameMatches,
    NamePair,
    match_names,
)
from core.pairing.patients import different_patients
from core.pairing.plan import Match
from core.pairing.source_words import normal, sides_together, source_of, words_apart
from core.pairing.word_pairs import HABIT_WORDS, LEARNED_WORDS, NUMBERS, TASK_WORDS
from core.tasks import TASKS

UNRELATED = 0.5
"""Strength of a pair across folders with unrelated names."""


class FilePairs:
    """Pairs images and adds the results to ``found``.

    Args:
        task: task whose source words take precedence in deciding which source is A.
    """

    def __init__(self, task: str | None, found: Collected) -> None:
        self._task = task
        self._found = found

    def pair_sides(self, sides: Sides, relative: Path) -> None:
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
                        Message("same name in {0}", sides.names)
                        if spelling is normal
                        else Message("same name but for capitals in {0}", sides.names)
                    )
                    match = Match(normal(a.stem), a, b, how)
                    match = replace(match, folder=relative / folder, sure=sides.sure)
                    self._found.pair(match, sides.weight)
                elif len(set(labels)) == 2:
                    for _, path, _ in group:
                        listed = ", ".join(p.name for _, p, _ in group if p != path)
                        text = Message("several files have its name: {0}", listed)
                        self._found.add_leftover(path, text, "ambiguous")
                else:
                    files += group
        # If names are equal, a remaining one is not part of a sequence: 1 is not the partner of 2.
        least = LEARNED_WORDS if self._found.matches else NUMBERS
        if sides.weight == UNRELATED:  # “s1/s1_t1” and “s2/s2_t1” belong to two patients
            least = HABIT_WORDS
        by_folder: dict[Path, list[tuple[Path, str]]] = defaultdict(list)
        for folder, path, side in files:
            by_folder[folder].append((path, side))
        for folder, items in by_folder.items():
            labels = [side for _, side in items]
            found = match_names([p.stem for p, _ in items], self._task, labels, least)
            self._add_matches([p for p, _ in items], found, relative / folder, sides)

    def pair(self, files: Sequence[Path], relative: Path, folder: Path | None = None) -> None:
        """Pair ``files`` by the words they differ in; a ``folder`` of one sequence is one line."""
        named = {*relative.parts, *(path.parent.name for path in files[:1])}
        # “PET/1” and “PET/2” are of one source, and so are two ground truths.
        one = any(source_of(name, None) or kind_of(name) for name in named)
        least = LEARNED_WORDS if one else NUMBERS
        found = match_names([path.stem for path in files], self._task, least=least)
        if len(found.unmatched) == len(files) == 2 and self._pair_single_images(files, relative):
            return
        numbered = all(re.search(r"\d", path.stem) for path in files)
        if folder and numbered and len(files) > 2 and len(found.rows) == len(files):
            self._found.add_leftover(folder, found.unmatched[0], "unmatched", len(files))
            return
        self._add_matches(files, found, relative)

    def _add_matches(
        self,
        files: Sequence[Path],
        found: NameMatches,
        relative: Path,
        sides: Sides | None = None,
    ) -> None:
        self._found.note(*found.notes)
        for pair in found.pairs:
            a, b = files[pair.a], files[pair.b]
            if sides and self._are_of_two_patients(sides, pair):
                for path in (a, b):
                    self._found.add_leftover(
                        path, Message("no file of that name in {0}", sides.names)
                    )
                continue
            name = pair.shared or a.parent.name or a.stem
            # One word that is missing from the other name is weaker evidence than two words.
            weight = pair.strength if pair.word_a and pair.word_b else HABIT_WORDS
            match = Match(
                name, a, b, pair.reason, relative, sure=sides.sure if sides else pair.sure
            )
            self._found.pair(match, sides.weight if sides else weight)
        for index, reason in found.unmatched.items():
            if sides and reason in (NO_OTHER_EXPOSURE, NO_OTHER_NAME):
                reason = Message("no file of that name in {0}", sides.names)
            self._found.add_leftover(files[index], reason)
        for index, reason in found.ambiguous.items():
            self._found.add_leftover(files[index], reason, "ambiguous")

    def _are_of_two_patients(self, sides: Sides, pair: NamePair) -> bool:
        """Whether only the folders identify the patients: ``anna/PET`` and ``berta/MRI``.

        This includes images of patients that have a number each.
        """
        words = pair.word_a.casefold(), pair.word_b.casefold()
        medical = any(t.medical and sides_together(*words, t.name) for t in TASKS.values())
        if sides.weight == UNRELATED and medical:
            return True
        return not pair.shared and sides.weight <= HABIT_WORDS

    def _pair_single_images(self, files: Sequence[Path], relative: Path) -> bool:
        """Pair the only image whose name indicates A with the only one that indicates B."""
        first, second = files
        if different_patients(Path(first.stem), Path(second.stem)):
            return False
        for spec in sorted(TASKS.values(), key=lambda spec: spec.name != self._task):
            words = words_apart(first.stem, second.stem, spec.name)
            if words is not None:
                if sides_together(*words, spec.name) == "b":
                    first, second, words = second, first, words[::-1]
                reason = Message("the only two pictures here, named {0} and {1}", *words)
                name = relative.name or first.parent.name or first.stem
                self._found.pair(Match(name, first, second, reason, relative), TASK_WORDS)
                return True
        return False


def _without_capitals(name: str) -> str:
    return normal(name).casefold()
