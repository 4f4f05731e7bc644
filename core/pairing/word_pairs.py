"""Pairs of words that may distinguish source A from source B, with their strengths."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import combinations

from core.pairing.name_gaps import NameGap
from core.pairing.source_words import GENERIC_WORDS, side_of_word, sides_together, words_of
from core.tasks import TASKS

_MAX_VALUES = 6
_PADDED = 0.01
_DIGITS = re.compile(r"\d+")
_FRAME_NUMBER = re.compile(r"00\d{2,}")
"""Image numbers as written by cameras: 0001 and 0002 are two scenes."""
_INTRODUCES_SOURCE = re.compile(
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
        in_sequence: number of occurrences within sequences of more than two numbers.
        introduced: number of pairs in which a word introduces the number, as in ``source_1``.
        strength: see :data:`TASK_WORDS` and the other constants.
    """

    words: tuple[str, str]
    _: KW_ONLY
    pairs: list[tuple[int, int, NameGap, NameGap]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    clean: int = 0
    in_sequence: int = 0
    introduced: int = 0
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
    gaps: Sequence[tuple[NameGap, ...]],
    left: set[int],
    *,
    claimed: dict[int, dict[str, str]],
    sides: Sequence[str] | None,
    task: str | None,
    least: float,
    scenes: set[tuple[str, str]],
) -> list[Candidate]:
    """Acceptable word pairs, best first. Adds numbers that distinguish scenes to ``scenes``."""
    by_key: dict[tuple[str, str], dict[str, tuple[int, NameGap]]] = defaultdict(dict)
    for index in sorted(left):
        for gap in gaps[index]:
            if not claimed[index] or gap.value in claimed[index] or gap.value == "":
                slot = f"{gap.value}/{sides[index]}" if sides else gap.value
                by_key[gap.key].setdefault(slot, (index, gap))
    candidates: dict[tuple[str, str], Candidate] = {}
    # Of two numbers in a name the later one denotes the source, unless words say otherwise.
    for key in sorted(by_key, key=_gap_order):
        found = by_key[key]
        if not 2 <= len(found) <= _MAX_VALUES:
            continue
        numbers = sum(gap.value.isdecimal() for _, gap in found.values())
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


def _gap_order(key: tuple[str, str]) -> tuple[bool, bool, int]:
    """Sorting key of the text around a word, the most significant position first."""
    return key[1] == "-", _INTRODUCES_SOURCE.search(key[0]) is None, -len(key[0])


def _add(
    candidates: dict[tuple[str, str], Candidate],
    one: tuple[int, NameGap],
    other: tuple[int, NameGap],
    numbers: int,
    sides: Sequence[str] | None,
) -> None:
    (first, gap), (second, partner) = sorted((one, other), key=lambda item: item[1].value)
    same_side = sides is not None and sides[first] == sides[second]
    if first == second or same_side or gap.value == partner.value:
        return
    if gap.person and partner.person and gap.person != partner.person:
        return
    if None not in (gap.exposure, partner.exposure) and gap.exposure != partner.exposure:
        return
    words = (gap.value, partner.value)
    candidate = candidates.setdefault(words, Candidate(words))
    if all(word.isdecimal() for word in words) and numbers > 2:
        candidate.in_sequence += gap.key[1] != "-"  # part of a sequence of numbers, not a pair
        return
    candidate.clean += 1
    if not {first, second} & candidate.used:  # a name may contain the word in two ways
        candidate.used |= {first, second}
        candidate.introduced += bool(candidate.numeric and _INTRODUCES_SOURCE.search(gap.key[0]))
        candidate.pairs.append((first, second, gap, partner))


def _strength(candidate: Candidate, task: str | None, sides: Sequence[str] | None) -> float:
    words = candidate.words
    numeric = candidate.numeric
    known = _known(words, task)
    if known:
        return known
    if numeric and sides is not None and not _is_constant_per_side(candidate, sides):
        return 0.0
    if numeric:
        introduced = candidate.introduced == len(candidate.pairs) > 0
        in_sequence = candidate.in_sequence > candidate.clean and not introduced
        if in_sequence or _is_one_source(candidate, task):
            return 0.0
        if introduced:
            return HINT_WORDS
        if all(map(_FRAME_NUMBER.fullmatch, words)):
            return 0.0
        in_habit = tuple(sorted(map(int, words))) in ((0, 1), (1, 2))
        return (
            NUMBERS if in_habit or (len(candidate.pairs) > 2 and not candidate.in_sequence) else 0.0
        )
    if any(word.isdecimal() for word in words) or _mask_digits(words[0]) == _mask_digits(words[1]):
        return 0.0  # "c01" and "c02" are two scenes
    return LEARNED_WORDS if len(candidate.pairs) > 1 else 0.0


def _mask_digits(word: str) -> str:
    return _DIGITS.sub("0", word)


def _known(words: tuple[str, str], task: str | None) -> float:
    """Strength of two words known from a task or by convention."""
    best = HABIT_WORDS if tuple(sorted(words)) in GENERIC_WORDS else 0.0
    for name in TASKS:
        lone = "" in words and any(side_of_word(word, name) for word in words)
        if lone or sides_together(*words, name):
            best = max(best, TASK_WORDS if name == task else HINT_WORDS)
    return best


def _is_one_source(candidate: Candidate, task: str | None) -> bool:
    """Whether all pairs are of one source (``mri_1``, ``mri_2``), which numbers do not pair."""
    names = (task,) if task in TASKS else tuple(TASKS)
    return all(
        any(side_of_word(word, name) for word in words_of(gap.shared) for name in names)
        for _, _, gap, _ in candidate.pairs
    )


def _is_constant_per_side(candidate: Candidate, sides: Sequence[str]) -> bool:
    """Whether numbers identify two folders: each folder has one number, and names share more."""
    shared = all(gap.shared for _, _, gap, _ in candidate.pairs)
    return shared and len(candidate.pairs) > 1 and len({sides[i] for i, *_ in candidate.pairs}) == 1
