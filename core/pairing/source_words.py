"""Interprets words in file and folder names: the source of an image, and the task it suggests.

Pairing, drag and drop, batch, trainer and command line all use this module to decide which of two
files is A. No file is opened.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from core.pairing.exposures import compare_exposures
from core.tasks import TASKS, TaskSpec, has_exposure_series

COARSE = re.compile(r"[\W_]+|[^\W_]+")
"""Words and separators."""
FINE = re.compile(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|[^\W\d_]+")
"""Parts of a word, split where letters, digits or case change."""
_SIGNS = re.compile(r"(?:\+|(?<=[_ .(])-)(?=\d)")
"""Signs of numbers, as opposed to hyphens."""
GENERIC_WORDS = (("a", "b"), ("left", "right"), ("l", "r"), ("first", "second"))
"""Words for A and B that do not belong to a task."""
_LONG = 6
"""Smallest length of a stem that may occur anywhere in a word (``cropinfrared``)."""
_LEVELS = 4
"""Number of path components (the file and its parent folders) that may suggest a task."""


def normal(name: str) -> str:
    """Unicode-normalised name (é as one or as two characters)."""
    return unicodedata.normalize("NFC", name)


@lru_cache(maxsize=65536)
def words_of(name: str) -> frozenset[str]:
    """Lower-case words of ``name``, whole and split where letters, digits or case change."""
    found: set[str] = set()
    for part in COARSE.findall(normal(name)):
        if part[0].isalnum():
            found.add(part.casefold())
            found.update(fine.casefold() for fine in FINE.findall(part))
    return frozenset(found)


@cache
def side_of_word(word: str, task: str) -> str:
    """``"a"`` or ``"b"`` if ``word`` (lower case) denotes that source of ``task``, else ``""``."""
    spec = TASKS[task]
    for side, hints, stems in (
        ("a", spec.hints_a, spec.stems_a),
        ("b", spec.hints_b, spec.stems_b),
    ):
        plural = len(word) > 3 and word.endswith("s") and word[:-1] in hints
        if word in hints or plural or any(_has_stem(word, stem) for stem in stems):
            return side
    return ""


def _has_stem(word: str, stem: str) -> bool:
    return stem in word if len(stem) >= _LONG else word.startswith(stem)


@cache
def is_source_word(word: str) -> bool:
    """Whether ``word`` (lower case) denotes a source of any task."""
    return any(side_of_word(word, task) for task in TASKS)


@cache
def sides_together(one: str, other: str, task: str) -> str:
    """Which source ``one`` is if ``other`` is the other one: ``"a"``, ``"b"`` or ``""``.

    Includes words that denote a source only beside a word of the other source.
    """
    spec = TASKS[task]
    for side, first, second in (("a", one, other), ("b", other, one)):
        is_a = side_of_word(first, task) == "a" or first in spec.only_together_a
        is_b = side_of_word(second, task) == "b" or second in spec.only_together_b
        if is_a and is_b:
            return side
    return ""


@lru_cache(maxsize=65536)
def glued_words(word: str) -> tuple[tuple[str, str, str], ...]:
    """(before, source word, after) where one starts or ends ``word``: ``scene``, ``ir``, "".

    For lower-case words of letters only; counts only if another name contains its partner.
    """
    if not word.isalpha():
        return ()
    hints = {hint for spec in TASKS.values() for hint in (*spec.hints_a, *spec.hints_b)}
    found = []
    for cut in range(2, len(word) - 1):
        if word[cut:].casefold() in hints:
            found.append((word[:cut], word[cut:], ""))
        if word[:cut].casefold() in hints:
            found.append(("", word[:cut], word[cut:]))
    return tuple(found)


def specs_for(task: str | None) -> tuple[TaskSpec, ...]:
    """The task called ``task``; all tasks if it is None or unknown."""
    return (TASKS[task],) if task in TASKS else tuple(TASKS.values())


def _sides(words: frozenset[str] | set[str], task: str) -> set[str]:
    return {side for word in words if (side := side_of_word(word, task))}


def source_of(name: str, task: str | None, known: str = "") -> str:
    """``"a"`` or ``"b"`` if words of a task indicate only that side, else ``""``.

    Args:
        known: text whose source words exclude the tasks they belong to.
    """
    words, others = words_of(name), words_of(known)
    for spec in specs_for(task):
        sides = _sides(words, spec.name)
        if len(sides) == 1 and not _sides(others, spec.name):
            return next(iter(sides))
    return ""


def side_of(name: str, task: str | None) -> str:
    """``"a"`` or ``"b"`` if the words of ``name`` indicate only that side, else ``""``."""
    words, source = words_of(name), source_of(name, task)
    if source:
        return source
    return "a" if "a" in words and "b" not in words else "b" if "b" in words else ""


def is_side(name: str) -> bool:
    """Whether ``name`` is that of a source folder: ``a``, ``left``, ``ir``."""
    habit = {word for pair in GENERIC_WORDS for word in pair}
    return normal(name).casefold() in habit or bool(source_of(name, None))


# --- two paths ---------------------------------------------------------------------------------


def _parts(a: Path, b: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Differing path components (of ``a``, of ``b``) from the outermost one, and common parents.

    Compares components from the common parent downwards; the last ones are the file names without
    suffix. If one path is deeper, its additional folders are compared with "".
    """
    one, other = ([*path.parts[:-1], path.stem] for path in (a, b))
    shared = _common_prefix_length(one[:-1], other[:-1])
    above, one, other = one[:shared], one[shared:], other[shared:]
    depth = max(len(one), len(other))
    padded = [[*names[:-1], *[""] * (depth - len(names)), names[-1]] for names in (one, other)]
    return list(zip(*padded, strict=True)), above


def _common_prefix_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the common prefix of two sequences."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(one), len(other)))


def _differing(one: str, other: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Words that only one of two names has, for increasingly fine splits."""
    first, second = words_of(one), words_of(other)
    yield first - second, second - first
    one, other = one.casefold(), other.casefold()
    head, tail = _common_prefix_length(one, other), _common_prefix_length(one[::-1], other[::-1])
    for rest_one, rest_other in (
        (one[head:], other[head:]),
        (one[: len(one) - tail], other[: len(other) - tail]),
    ):
        if len(rest_one) > 1 and len(rest_other) > 1:  # "sceneir" and "scenevis"
            yield frozenset((rest_one,)), frozenset((rest_other,))


@lru_cache(maxsize=4096)
def _source_by_words(one: str, other: str, task: str) -> str:
    """``"a"`` or ``"b"``, the source of ``one``, if the differing words identify both sources."""
    for first, second in _differing(one, other):
        found = {s for x in first for y in second if (s := sides_together(x, y, task))}
        if len(found) == 1:
            return next(iter(found))
    return ""


def words_apart(one: str, other: str, task: str) -> tuple[str, str] | None:
    """Two differing words that identify both sources of ``task``, as (of ``one``, of ``other``).

    None also if the remainders of the names denote two scenes: they have the same pattern with
    different numbers, or nothing in common (``7_pet``, ``8_mri``; ``anna_pet``, ``berta_mri``).
    """
    if not _source_by_words(one, other, task):
        return None
    for first, second in _differing(one, other):
        for x in sorted(first):
            for y in sorted(second):
                if sides_together(x, y, task) and not _two_scenes(one, x, other, y):
                    return x, y
    return None


def _two_scenes(one: str, word: str, other: str, partner: str) -> bool:
    rests = [
        [w for w in map(str.casefold, FINE.findall(normal(n))) if w != skip]
        for n, skip in ((one, word), (other, partner))
    ]
    numbers = [[int(w) for w in rest if w.isdecimal()] for rest in rests]
    if _SIGNS.findall(one) != _SIGNS.findall(other):
        return bool(_SIGNS.search(one) and _SIGNS.search(other))
    alike = [re.sub(r"[^\W_]+", "w", normal(name)) for name in (one, other)]
    if not all(rests) or alike[0] != alike[1]:
        return False
    return numbers[0] != numbers[1] or not {*rests[0]} & {*rests[1]}


@lru_cache(maxsize=4096)
def _source_by_one_word(one: str, other: str, task: str) -> str:
    """As :func:`_source_by_words`, if only one of the two names contains a source word."""
    first, second = next(_differing(one, other))
    mine, theirs = _sides(first, task), _sides(second, task)
    if len(mine | theirs) == 1 and not (mine and theirs):
        return next(iter(mine)) if mine else "ab".replace(next(iter(theirs)), "")
    return ""


def _source_by_convention(one: str, other: str) -> str:
    first, second = next(_differing(one, other))
    for a, b in GENERIC_WORDS:
        if a in first and b in second:
            return "a"
        if b in first and a in second:
            return "b"
    numbers = [[int(w) for w in words if w.isdecimal()] for words in (first, second)]
    if len(numbers[0]) == len(numbers[1]) == 1 and numbers[0] != numbers[1]:
        return "a" if numbers[0] < numbers[1] else "b"
    return ""


def which_source(a: Path, b: Path, task: str | None = None, habit: bool = True) -> str:
    """Which source ``a`` is if ``b`` is the other one: ``"a"``, ``"b"``, or ``""`` if unknown.

    Uses folders called ``a`` and ``b`` and words of ``task`` first, from the outermost differing
    component to the file name; then words of the other tasks, exposures, and, with ``habit``,
    conventions that may be accidental (left/right, 1/2).
    """
    pairs, _ = _parts(a, b)
    ordered = sorted(TASKS, key=lambda name: name != task)
    for names in (ordered[:1], ordered[1:]) if task in TASKS else (ordered,):
        for one, other in pairs:
            if (one.casefold(), other.casefold()) in (("a", "b"), ("b", "a")):
                return one.casefold()
            for ask in (_source_by_words, _source_by_one_word):
                for name in names:
                    if side := ask(one, other, name):
                        return side
    for one, other in pairs:
        if (order := compare_exposures(one, other, sure=not has_exposure_series(task))) != 0:
            return "a" if order < 0 else "b"
    if not habit:
        return ""
    return next((side for one, other in pairs if (side := _source_by_convention(one, other))), "")


def in_order(first: Path, second: Path, task: str | None = None) -> tuple[Path, Path]:
    """The two files as (A, B) according to their names, otherwise in the given order."""
    return (second, first) if which_source(first, second, task) == "b" else (first, second)


def suggest_task(a: Path, b: Path) -> str:
    """The only task that the words of two paths suggest; "" for none or several.

    First by the words in which the names differ (``001_ir`` and ``001_vis``, ``PET/1`` and
    ``MRI/1``), then by their common words, the nearest component first (``PET-MRI``, ``Lytro``).
    """
    pairs, above = _parts(a, b)
    for ask in (_source_by_words, _source_by_one_word, _same_source):
        found = {name for name in TASKS for one, other in pairs if ask(one, other, name)}
        if ask is _source_by_words and any(compare_exposures(one, other) for one, other in pairs):
            found.update(filter(has_exposure_series, TASKS))
        if found:
            return next(iter(found)) if len(found) == 1 else ""
    shared = [words_of(one) & words_of(other) for one, other in reversed(pairs)]
    for words in [*shared, *map(words_of, reversed(above))][:_LEVELS]:
        found = {task for task in TASKS if _mentions_task(words, task)}
        if found:
            return next(iter(found)) if len(found) == 1 else ""
    return ""


def suggest_task_of(path: Path) -> str:
    """As :func:`suggest_task` for one file, by its name and those of its parent folders."""
    names = [path.stem, *reversed(path.parts[:-1])][:_LEVELS]
    for words in map(words_of, names):
        found = {task for task in TASKS if _sides(words, task) or _mentions_task(words, task)}
        if found:
            return next(iter(found)) if len(found) == 1 else ""
    return ""


def _same_source(one: str, other: str, task: str) -> bool:
    """Whether both names denote the same source by different words: PET and CT, T1 and T2."""
    first, second = next(_differing(one, other))
    return bool(_sides(first, task) and _sides(first, task) == _sides(second, task))


@lru_cache(maxsize=4096)
def _mentions_task(words: frozenset[str], task: str) -> bool:
    """Whether words of both denote the task: its name, that of a data set, or ``CT-MRI``."""
    return bool(words & {*TASKS[task].contexts}) or _sides(words, task) == {"a", "b"}
