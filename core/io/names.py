"""Which names belong together: they differ in one word, and that word is what tells A from B.

The pair of words is learned from the names themselves: the one that makes the most pairs wins, and
words known from a task (``ir``/``vis``) or from habit (``a``/``b``, ``1``/``2``) count for more.
Nothing is matched by its place in a list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from core.hints import (
    COARSE,
    FINE,
    GENERIC_WORDS,
    normal,
    side_of_word,
    sides_together,
    words_of,
)
from core.io.persons import person_of
from core.said import Said
from core.tasks import TASKS

_MOST_VALUES = 6
_ROUNDS = 40

TASK_WORDS, HINT_WORDS, HABIT_WORDS, LEARNED_WORDS, NUMBERS = 2.0, 1.5, 1.2, 1.0, 0.9
"""How much one pair counts, by where its two words are known from."""


@dataclass(frozen=True)
class NamePair:
    """Two names that differ in one word.

    Attributes:
        a, b: places of the names in the sequence that was given.
        word_a, word_b: what they differ in, as written; one may be "".
        shared: the name without that word, or "".
        strength: one of the constants above.
        sure: whether the words say which one is A.
    """

    a: int
    b: int
    word_a: str
    word_b: str
    shared: str
    strength: float
    sure: bool

    @property
    def reason(self) -> str:
        """Why they belong together, in words."""
        if self.word_a and self.word_b:
            return Said("differ only in {0}/{1}", self.word_a, self.word_b)
        return Said("same name but for {0}", self.word_a or self.word_b)


@dataclass
class NameMatches:
    """What was found: pairs, and for every other name the reason why it has no partner."""

    pairs: list[NamePair] = field(default_factory=list)
    ambiguous: dict[int, str] = field(default_factory=dict)
    unmatched: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Hole:
    """A name with one word taken out."""

    key: tuple[str, str]
    value: str
    written: str
    shared: str
    person: str


@dataclass
class _Candidate:
    """One pair of words and the names it would bring together."""

    words: tuple[str, str]
    pairs: list[tuple[int, int, _Hole, _Hole]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    clean: int = 0
    crowded: int = 0
    strength: float = 0.0

    @property
    def score(self) -> float:
        return self.strength * len(self.pairs)


def match_names(
    names: Sequence[str],
    task: str | None = None,
    sides: Sequence[str] | None = None,
    least: float = NUMBERS,
) -> NameMatches:
    """Pair ``names`` by the words they differ in.

    Args:
        names: file names without suffix, or folder names; may hold one name twice.
        task: whose words for A and B count most; None when not known.
        sides: "a" or "b" per name where the side is known beforehand (two folders): only names of
            different sides are paired then.
        least: take no words that count for less. Names of two persons are never paired.
    """
    matches = NameMatches()
    holes = [tuple(_holes(normal(name))) for name in names]
    _set_aside_duplicates(names, sides, matches)
    left = {index for index in range(len(names)) if index not in matches.ambiguous}
    claimed: dict[int, dict[str, str]] = defaultdict(dict)
    for _ in range(_ROUNDS):
        ranked = _ranked(holes, left, claimed, sides, task, least)
        if not ranked:
            break
        best = ranked[0]
        rivals = [c for c in ranked[1:] if abs(c.score - best.score) < 1e-9]
        contested = _contested(best, rivals, names)
        matches.ambiguous.update(contested)
        for first, second, hole, other in best.pairs:
            if not {first, second} & contested.keys():
                matches.pairs.append(_named(first, second, hole, other, best, task, sides))
                left -= {first, second}
        left -= contested.keys()
        for index in left:
            for hole in holes[index]:
                if hole.value and hole.value in best.words:
                    missing = best.words[1 - best.words.index(hole.value)]
                    claimed[index][hole.value] = missing
    _explain(left, names, holes, claimed, matches)
    return matches


def _holes(name: str) -> Iterator[_Hole]:
    """Every way to take one word out of ``name``; also none at all."""
    person = person_of(name)
    parts = COARSE.findall(name)
    yield _Hole((name.casefold(), "-"), "", "", name, person)
    start = 0
    for place, part in enumerate(parts):
        if part[0].isalnum():
            before, after = name[:start], name[start + len(part) :]
            yield _hole(before, part, after, person)
            pieces = FINE.findall(part)
            if len(pieces) > 1 and "".join(pieces) == part:
                offset = 0
                for piece in pieces:
                    end = offset + len(piece)
                    yield _hole(before + part[:offset], piece, part[end:] + after, person)
                    offset = end
            if len(parts) > 2 and place in (0, len(parts) - 1):
                rest = "".join(parts[2:] if place == 0 else parts[:-2])
                yield _Hole((rest.casefold(), "-"), part.casefold(), part, rest, person)
        start += len(part)


def _hole(before: str, word: str, after: str, person: str) -> _Hole:
    head, tail = before.strip(" _-."), after.strip(" _-.")
    shared = f"{head}_{tail}" if head and tail else head or tail
    return _Hole((before.casefold(), after.casefold() + "|"), word.casefold(), word, shared, person)


def _set_aside_duplicates(
    names: Sequence[str], sides: Sequence[str] | None, matches: NameMatches
) -> None:
    seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        seen[sides[index] if sides else "", normal(name).casefold()].append(index)
    for places in seen.values():
        if len(places) > 1:
            for index in places:
                text = "{0} files here are called “{1}”"
                matches.ambiguous[index] = Said(text, len(places), names[index])


def _ranked(
    holes: Sequence[tuple[_Hole, ...]],
    left: set[int],
    claimed: dict[int, dict[str, str]],
    sides: Sequence[str] | None,
    task: str | None,
    least: float,
) -> list[_Candidate]:
    """Acceptable word pairs, best first."""
    by_key: dict[tuple[str, str], dict[str, tuple[int, _Hole]]] = defaultdict(dict)
    for index in sorted(left):
        for hole in holes[index]:
            if not claimed[index] or hole.value in claimed[index] or hole.value == "":
                slot = f"{hole.value}/{sides[index]}" if sides else hole.value
                by_key[hole.key].setdefault(slot, (index, hole))
    candidates: dict[tuple[str, str], _Candidate] = {}
    for found in by_key.values():
        if not 2 <= len(found) <= _MOST_VALUES:
            continue
        numbers = sum(hole.value.isdecimal() for _, hole in found.values())
        for one, other in combinations(found.values(), 2):
            _add(candidates, one, other, numbers, sides)
    for candidate in candidates.values():
        candidate.strength = _strength(candidate, task, sides)
    good = [c for c in candidates.values() if c.strength >= least and c.pairs]
    return sorted(good, key=lambda c: (-c.score, c.words))


def _add(
    candidates: dict[tuple[str, str], _Candidate],
    one: tuple[int, _Hole],
    other: tuple[int, _Hole],
    numbers: int,
    sides: Sequence[str] | None,
) -> None:
    (first, hole), (second, partner) = sorted((one, other), key=lambda item: item[1].value)
    same_side = sides is not None and sides[first] == sides[second]
    if first == second or same_side or hole.value == partner.value:
        return
    if hole.person and partner.person and hole.person != partner.person:
        return
    words = (hole.value, partner.value)
    candidate = candidates.setdefault(words, _Candidate(words))
    if all(word.isdecimal() for word in words) and numbers > 2:
        candidate.crowded += 1  # one of a row of numbers: a sequence, not a pair
        return
    candidate.clean += 1
    if not {first, second} & candidate.used:  # one name may show the same word in two ways
        candidate.used |= {first, second}
        candidate.pairs.append((first, second, hole, partner))


def _strength(candidate: _Candidate, task: str | None, sides: Sequence[str] | None) -> float:
    words = candidate.words
    numeric = all(word.isdecimal() for word in words)
    known = _known(words, task)
    if known:
        return known
    if numeric and sides is not None and not _steady(candidate, sides):
        return 0.0
    if numeric:
        if candidate.crowded > candidate.clean or _all_one_side(candidate, task):
            return 0.0
        in_habit = tuple(sorted(map(int, words))) in ((0, 1), (1, 2))
        return NUMBERS if in_habit or (len(candidate.pairs) > 2 and not candidate.crowded) else 0.0
    if any(word.isdecimal() for word in words):
        return 0.0
    return LEARNED_WORDS if len(candidate.pairs) > 1 else 0.0


def _known(words: tuple[str, str], task: str | None) -> float:
    """How much two words count that are known from a task, or from habit."""
    best = HABIT_WORDS if tuple(sorted(words)) in GENERIC_WORDS else 0.0
    for name in TASKS:
        lone = "" in words and any(side_of_word(word, name) for word in words)
        if lone or sides_together(*words, name):
            best = max(best, TASK_WORDS if name == task else HINT_WORDS)
    return best


def _all_one_side(candidate: _Candidate, task: str | None) -> bool:
    """Numbers do not pair ``mri_1`` with ``mri_2``: both say that they are the same source."""
    names = (task,) if task in TASKS else tuple(TASKS)
    return all(
        any(side_of_word(word, name) for word in words_of(hole.shared) for name in names)
        for _, _, hole, _ in candidate.pairs
    )


def _steady(candidate: _Candidate, sides: Sequence[str]) -> bool:
    """Numbers tell two folders apart only when each folder keeps to one, and names share more."""
    shared = all(hole.shared for _, _, hole, _ in candidate.pairs)
    return shared and len(candidate.pairs) > 1 and len({sides[i] for i, *_ in candidate.pairs}) == 1


def _contested(best: _Candidate, rivals: list[_Candidate], names: Sequence[str]) -> dict[int, str]:
    """Names for which an equally good pair of words has another partner."""
    partner: dict[int, int] = {}
    for first, second, *_ in best.pairs:
        partner[first], partner[second] = second, first
    found: dict[int, str] = {}
    for rival in rivals:
        for first, second, *_ in rival.pairs:
            for index, other in ((first, second), (second, first)):
                mine = partner.get(index)
                if mine is not None and mine != other:
                    both = Said("it fits both “{0}” and “{1}”", names[mine], names[other])
                    found.setdefault(index, both)
                    text = Said("“{0}” fits it and others equally well", names[index])
                    found.setdefault(mine, text)
                    found.setdefault(other, text)
    return found


def _named(
    first: int,
    second: int,
    hole: _Hole,
    other: _Hole,
    candidate: _Candidate,
    task: str | None,
    sides: Sequence[str] | None,
) -> NamePair:
    swap, sure = _order(candidate.words, task)
    if sides is not None:
        swap, sure = sides[first] == "b", True
    if swap:
        first, second, hole, other = second, first, other, hole
    shared = hole.shared or other.shared
    return NamePair(first, second, hole.written, other.written, shared, candidate.strength, sure)


def _order(words: tuple[str, str], task: str | None) -> tuple[bool, bool]:
    """(whether the second word is A, whether that is sure). ``words`` are in order of letters."""
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
    holes: Sequence[tuple[_Hole, ...]],
    claimed: dict[int, dict[str, str]],
    matches: NameMatches,
) -> None:
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    for index in left:
        for hole in holes[index]:
            rows[hole.key].add(hole.value)
    for index in sorted(left):
        if claimed[index]:
            word, missing = next(iter(claimed[index].items()))
            matches.unmatched[index] = (
                Said("there is no file of that name with “{0}” in place of “{1}”", missing, word)
                if missing
                else Said("there is no file of that name without “{0}”", word)
            )
            continue
        row = max((len(rows[hole.key]) for hole in holes[index] if hole.value), default=0)
        matches.unmatched[index] = (
            Said("one of {0} names that differ in one place: a row, not a pair", row)
            if row > 2
            else Said("no other name differs from it in just one telling word")
        )
