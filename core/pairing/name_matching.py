"""Matches names that differ in one word, which distinguishes source A from source B.

The pair of words is learned from the names: the one that gives the most pairs wins, and words known
from a task (``ir``/``vis``) or by convention (``a``/``b``, ``1``/``2``) have a larger weight.
Positions in a list are never used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field

from core.messages import Message
from core.pairing.exposures import exposure_of
from core.pairing.known_folders import COPIES, NO_SOURCES, NO_SOURCES_ALONE
from core.pairing.name_gaps import NameGap, name_gaps
from core.pairing.series import find_series
from core.pairing.source_words import (
    GENERIC_WORDS,
    normal,
    side_of_word,
    sides_together,
    words_of,
)
from core.pairing.word_pairs import NUMBERS, TASK_WORDS, Candidate, ranked
from core.tasks import TASKS

NO_OTHER_EXPOSURE = Message("there is no other exposure of the same name")
NO_OTHER_NAME = Message("no other name differs from it in just one telling word")
"""Reasons why a file without any candidate has no partner."""
_ROUNDS = 40


@dataclass(frozen=True)
class NamePair:
    """Two names that differ in one word.

    Attributes:
        a, b: indices of the names.
        word_a, word_b: the differing words as written; one may be "".
        shared: the name without that word, or "".
        strength: one of the constants of :mod:`core.pairing.word_pairs`.
        sure: whether the words identify A.
    """

    a: int
    b: int
    _: KW_ONLY
    word_a: str
    word_b: str
    shared: str
    strength: float
    sure: bool

    @property
    def reason(self) -> str:
        """A message why they belong together."""
        if self.word_a and self.word_b:
            return Message("differ only in {0}/{1}", self.word_a, self.word_b)
        return Message("same name but for {0}", self.word_a or self.word_b)


@dataclass(kw_only=True)
class NameMatches:
    """Pairs, for every other name the reason why it has no partner, and general notes.

    Attributes:
        doubles: names that occur twice.
        series: names decided by an exposure or a camera's lens.
        rows: names that are part of a sequence instead of a pair.
    """

    pairs: list[NamePair] = field(default_factory=list)
    ambiguous: dict[int, str] = field(default_factory=dict)
    unmatched: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubles: set[int] = field(default_factory=set)
    series: set[int] = field(default_factory=set)
    rows: set[int] = field(default_factory=set)


def match_names(
    names: Sequence[str],
    task: str | None = None,
    sides: Sequence[str] | None = None,
    least: float = NUMBERS,
) -> NameMatches:
    """Pair ``names`` by the words they differ in.

    Args:
        names: file names without suffix, or folder names; may contain duplicates.
        task: task whose words for A and B have the largest weight; None if unknown.
        sides: "a" or "b" per name if the side is known beforehand (two folders): only names of
            different sides are then paired.
        least: smallest strength of word pairs to accept.

    Names of two patients are never paired, nor are names of two exposures that also differ
    otherwise.
    """
    matches = NameMatches()
    gaps = [tuple(name_gaps(normal(name))) for name in names]
    _exclude_duplicates(names, sides, matches)
    left = {index for index in range(len(names)) if index not in matches.ambiguous}
    left -= _exclude_results(names, gaps, left, matches)
    left -= _match_series(names, task, sides, left, matches)
    claimed: dict[int, dict[str, str]] = defaultdict(dict)
    scenes: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        best_first = ranked(
            gaps, left, claimed=claimed, sides=sides, task=task, least=least, scenes=scenes
        )
        if not best_first:
            break
        best = best_first[0]
        rivals = [c for c in best_first[1:] if abs(c.score - best.score) < 1e-9]
        contested = _ambiguous_names(best, rivals, names)
        matches.ambiguous.update(contested)
        for first, second, gap, other in best.pairs:
            if not {first, second} & contested.keys():
                matches.pairs.append(
                    _name_pair(
                        first,
                        second,
                        gap=gap,
                        other=other,
                        candidate=best,
                        task=task,
                        sides=sides,
                    )
                )
                left -= {first, second}
        left -= contested.keys()
        for index in left:
            for gap in gaps[index]:
                if gap.value and gap.value in best.words:
                    missing = best.words[1 - best.words.index(gap.value)]
                    claimed[index][gap.value] = missing
    left -= _match_series(names, task, sides, left, matches, late=True)
    _explain(left, names, gaps, claimed, matches)
    return matches


def _match_series(
    names: Sequence[str],
    task: str | None,
    sides: Sequence[str] | None,
    among: set[int],
    matches: NameMatches,
    *,
    late: bool = False,
) -> set[int]:
    """Pair exposures of one scene and images of one shot; returns the indices of these names."""
    series = find_series(names, task, sides, among, late)
    for a, b, word_a, word_b, shared in series.pairs:
        if sides is not None and sides[a] == "b":
            a, b, word_a, word_b = b, a, word_b, word_a
        matches.pairs.append(
            NamePair(
                a, b, word_a=word_a, word_b=word_b, shared=shared, strength=TASK_WORDS, sure=True
            )
        )
    matches.unmatched |= series.left
    matches.ambiguous |= series.ambiguous
    matches.notes += series.notes
    matches.series |= series.resolved
    return series.resolved


def _exclude_duplicates(
    names: Sequence[str], sides: Sequence[str] | None, matches: NameMatches
) -> None:
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        seen[sides[index] if sides else "", normal(name).casefold()].append(index)
    for places in seen.values():
        if len(places) > 1:
            for index in places:
                matches.ambiguous[index] = Message(
                    "{0} files here are called “{1}”", len(places), names[index]
                )
                matches.doubles.add(index)


def _exclude_results(
    names: Sequence[str],
    gaps: Sequence[tuple[NameGap, ...]],
    among: set[int],
    matches: NameMatches,
) -> set[int]:
    """Names of ground truth, labels, results and copies of other names: ``x_gt``, ``fused_x``."""
    without: dict[tuple[str, str], set[int]] = defaultdict(set)
    bare: set[tuple[str, str]] = set()
    for index in among:
        for gap in gaps[index]:
            if gap.value not in NO_SOURCES:
                without[gap.key].add(index)
            if not gap.value:
                bare.add(gap.key)
    found = {
        index: gap.written
        for index in among
        if words_of(names[index]) & NO_SOURCES_ALONE
        for gap in gaps[index]
        if (gap.value in NO_SOURCES and without[gap.key] - {index})
        or (gap.value in NO_SOURCES_ALONE and gap.key in bare)
    }
    for index, word in found.items():
        matches.unmatched[index] = (
            Message("“{0}” in its name says that it is a copy of another picture here", word)
            if word.casefold() in COPIES
            else Message(
                "“{0}” in its name says that it is the truth, a label or a result, not a source",
                word,
            )
        )
    return {*found}


def _ambiguous_names(
    best: Candidate, rivals: list[Candidate], names: Sequence[str]
) -> dict[int, str]:
    """Names for which an equally good pair of words gives another partner."""
    partner: dict[int, int] = {}
    for first, second, *_ in best.pairs:
        partner[first], partner[second] = second, first
    found: dict[int, str] = {}
    for rival in rivals:
        for first, second, *_ in rival.pairs:
            for index, other in ((first, second), (second, first)):
                mine = partner.get(index)
                if mine is not None and mine != other:
                    both = Message("it fits both “{0}” and “{1}”", names[mine], names[other])
                    found.setdefault(index, both)
                    text = Message("“{0}” fits it and others equally well", names[index])
                    found.setdefault(mine, text)
                    found.setdefault(other, text)
    return found


def _name_pair(
    first: int,
    second: int,
    *,
    gap: NameGap,
    other: NameGap,
    candidate: Candidate,
    task: str | None,
    sides: Sequence[str] | None,
) -> NamePair:
    swap, sure = _order(candidate.words, task)
    if sides is not None:
        swap, sure = sides[first] == "b", True
    if swap:
        first, second, gap, other = second, first, other, gap
    shared = gap.shared or other.shared
    return NamePair(
        first,
        second,
        word_a=gap.written,
        word_b=other.written,
        shared=shared,
        strength=candidate.strength,
        sure=sure,
    )


def _order(words: tuple[str, str], task: str | None) -> tuple[bool, bool]:
    """(whether the second word is A, whether that is certain). ``words`` are in sorted order."""
    for name in sorted(TASKS, key=lambda name: name != task):
        if side := sides_together(*words, name):
            return side == "b", True
        sides = [side_of_word(word, name) for word in words]
        if sum(map(bool, sides)) == 1:  # “001” and “001_thermal”, “co” and “ir”
            return sides[0] == "b" or sides[1] == "a", True
    if all(word.isdecimal() for word in words):
        return int(words[0]) > int(words[1]), True
    return False, words in GENERIC_WORDS


def _explain(
    left: set[int],
    names: Sequence[str],
    gaps: Sequence[tuple[NameGap, ...]],
    claimed: dict[int, dict[str, str]],
    matches: NameMatches,
) -> None:
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    for index in left:
        for gap in gaps[index]:
            rows[gap.key].add(gap.value)
    for index in sorted(left):
        if claimed[index]:
            word, missing = next(iter(claimed[index].items()))
            matches.unmatched[index] = (
                Message("there is no file of that name with “{0}” in place of “{1}”", missing, word)
                if missing
                else Message("there is no file of that name without “{0}”", word)
            )
            continue
        if exposure_of(names[index]) is not None:
            matches.unmatched[index] = NO_OTHER_EXPOSURE
            continue
        row = max((len(rows[gap.key]) for gap in gaps[index] if gap.value), default=0)
        if row > 2:
            matches.rows.add(index)
        matches.unmatched[index] = (
            Message("one of {0} names that differ in one place: a row, not a pair", row)
            if row > 2
            else NO_OTHER_NAME
        )
