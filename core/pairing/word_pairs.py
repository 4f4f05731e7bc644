"""Pairs of words that may distinguish source A from source B, with their strengths."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import combinations

from core.pairing.name_gaps import Hole
from core.pairing.source_words import GENERIC_WORDS, side_of_word, sides_together, words_of
from core.tasks import TASKS

_MOST_VALUES = 6
_PADDED = 0.01
_DIGITS = re.compile(r"\d+")
_FRAME = re.compile(r"00\d{2,}")
"""Image numbers as written by cameras: 0001 and 0002 are two scenes."""
_TOLD = re.compile(
    r"(?<![^\W\d_])(?:exp|exposure|belichtung|focus|fokus|source|src|input|quelle)[ _-]?\Z", re.I
)
"""End of the text before a number that distinguishes two sources."""

TASK_WORDS, HINT_WORDS, HABIT_WORDS, LEARNED_WORDS, NUMBERS = 2.0, 1.5, 1.2, 1.0, 0.9
"""Strength of a pair, depending on how its two words are known."""


@dataclass
class Candidate:
    """A pair of words, and the pairs of names that differ in them.

    Attributes:
        pairs: (index, index, gap, gap) of the names.
        used: indices of names in ``pairs``.
        clean: number of occurrences outside longer sequences of numbers.
        crowded: number of occurrences within sequences of more than two numbers.
        told: number of pairs in which a word introduces the number, as in ``source_1``.
        strength: see :data:`TASK_WORDS` and the other constants.
    """

    words: tuple[str, str]
    _: KW_ONLY
    pairs: list[tuple[int, int, Hole, Hole]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    clean: int = 0
    crowded: int = 0
    told: int = 0
    strength: float = 0.0

    @property
    def numeric(self) -> bool:
        """Whether both words are numbers."""
        return all(word.isdecimal() for word in self.words)

    @property
    def score(self) -> float:
        """Quality; of two possible numbers, those padded with zeros count as scene numbers."""
        padded = self.numeric and all(word[0] == "0" and len(word) > 1 for word in self.words)
        return self.strength * len(self.pairs) - (_PADDED if padded else 0.0)


def ranked(
    holes: Sequence[tuple[Hole, ...]],
    left: set[int],
    *,
    claimed: dict[int, dict[str, str]],
    sides: Sequence[str] | None,
    task: str | None,
    least: float,
    scenes: set[tuple[str, str]],
) -> list[Candidate]:
    """Acceptable word pairs, best first. Adds numbers that distinguish scenes to ``scenes``."""
    by_key: dict[tuple[str, str], dict[str, tuple[int, Hole]]] = defaultdict(dict)
    for index in sorted(left):
        for hole in holes[index]:
            if not claimed[index] or hole.value in claimed[index] or hole.value == "":
                slot = f"{hole.value}/{sides[index]}" if sides else hole.value
                by_key[hole.key].setdefault(slot, (index, hole))
    candidates: dict[tuple[str, str], Candidate] = {}
    # Of two numbers in a name the later one denotes the source, unless words say otherwise.
    for key in sorted(by_key, key=_place):
        found = by_key[key]
        if not 2 <= len(found) <= _MOST_VALUES:
            continue
        numbers = sum(hole.value.isdecimal() for _, hole in found.values())
        for one, other in combinations(found.values(), 2):
            _add(candidates, one, other, numbers, sides)
    for candidate in candidates.values():
        candidate.strength = _strength(candidate, task, sides)
    good = [c for c in candidates.values() if c.strength >= least and c.pairs]
    worded = {index for c in good if c.strength >= HABIT_WORDS for index in c.used}
    # If “p1.a” matches “p1.b”, 1 and 2 are scenes, also in “p1.f” and “p2.f”.
    scenes |= {c.words for c in good if c.numeric and c.strength < HABIT_WORDS and c.used & worded}
    good = [c for c in good if c.words not in scenes]
    return sorted(good, key=lambda c: (-c.score, c.words))


def _place(key: tuple[str, str]) -> tuple[bool, bool, int]:
    """Sorting key of the text around a word, the most significant position first."""
    return key[1] == "-", _TOLD.search(key[0]) is None, -len(key[0])


def _add(
    candidates: dict[tuple[str, str], Candidate],
    one: tuple[int, Hole],
    other: tuple[int, Hole],
    numbers: int,
    sides: Sequence[str] | None,
) -> None:
    (first, hole), (second, partner) = sorted((one, other), key=lambda item: item[1].value)
    same_side = sides is not None and sides[first] == sides[second]
    if first == second or same_side or hole.value == partner.value:
        return
    if hole.person and partner.person and hole.person != partner.person:
        return
    if None not in (hole.exposure, partner.exposure) and hole.exposure != partner.exposure:
        return
    words = (hole.value, partner.value)
    candidate = candidates.setdefault(words, Candidate(words))
    if all(word.isdecimal() for word in words) and numbers > 2:
        candidate.crowded += hole.key[1] != "-"  # part of a sequence of numbers, not a pair
        return
    candidate.clean += 1
    if not {first, second} & candidate.used:  # a name may contain the word in two ways
        candidate.used |= {first, second}
        candidate.told += bool(candidate.numeric and _TOLD.search(hole.key[0]))
        candidate.pairs.append((first, second, hole, partner))


def _strength(candidate: Candidate, task: str | None, sides: Sequence[str] | None) -> float:
    words = candidate.words
    numeric = candidate.numeric
    known = _known(words, task)
    if known:
        return known
    if numeric and sides is not None and not _steady(candidate, sides):
        return 0.0
    if numeric:
        told = candidate.told == len(candidate.pairs) > 0
        crowded = candidate.crowded > candidate.clean and not told
        if crowded or _all_one_side(candidate, task):
            return 0.0
        if told:
            return HINT_WORDS
        if all(map(_FRAME.fullmatch, words)):
            return 0.0
        in_habit = tuple(sorted(map(int, words))) in ((0, 1), (1, 2))
        return NUMBERS if in_habit or (len(candidate.pairs) > 2 and not candidate.crowded) else 0.0
    if any(word.isdecimal() for word in words) or _numbers_out(words[0]) == _numbers_out(words[1]):
        return 0.0  # "c01" and "c02" are two scenes
    return LEARNED_WORDS if len(candidate.pairs) > 1 else 0.0


def _numbers_out(word: str) -> str:
    return _DIGITS.sub("0", word)


def _known(words: tuple[str, str], task: str | None) -> float:
    """Strength of two words known from a task or by convention."""
    best = HABIT_WORDS if tuple(sorted(words)) in GENERIC_WORDS else 0.0
    for name in TASKS:
        lone = "" in words and any(side_of_word(word, name) for word in words)
        if lone or sides_together(*words, name):
            best = max(best, TASK_WORDS if name == task else HINT_WORDS)
    return best


def _all_one_side(candidate: Candidate, task: str | None) -> bool:
    """Whether all pairs are of one source (``mri_1``, ``mri_2``), which numbers do not pair."""
    names = (task,) if task in TASKS else tuple(TASKS)
    return all(
        any(side_of_word(word, name) for word in words_of(hole.shared) for name in names)
        for _, _, hole, _ in candidate.pairs
    )


def _steady(candidate: Candidate, sides: Sequence[str]) -> bool:
    """Whether numbers identify two folders: each folder has one number, and names share more."""
    shared = all(hole.shared for _, _, hole, _ in candidate.pairs)
    return shared and len(candidate.pairs) > 1 and len({sides[i] for i, *_ in candidate.pairs}) == 1
