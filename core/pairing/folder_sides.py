"""Selects the two source folders of a set by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from core.messages import Message
from core.pairing.folder_tree import Node, Sides
from core.pairing.known_folders import kind_beside_sources
from core.pairing.name_matching import match_names
from core.pairing.patients import different_patients
from core.pairing.source_words import side_of_word, specs_for, words_of
from core.pairing.word_pairs import HABIT_WORDS, HINT_WORDS, NUMBERS, TASK_WORDS

_NUMBERED = frozenset(
    ("source", "sources", "src", "input", "inputs", "img", "imgs", "image", "images", "quelle")
)
"""Words before the numbers 1 and 2 that make two folders the two sources of a set."""
_LESSER = frozenset(
    ("16", "raw", "hr", "hd", "original", "originals", "orig", "unaligned", "preview", "annotated")
)
"""Words for a processed version of a source; the original version is preferred."""


@dataclass
class SideChoice:
    """Result of the selection, with indices of folders.

    Attributes:
        sides: pairs of folders with the common part of their names.
        rest: folders that belong to no pair.
        ambiguous: folders with several possible partners, with the reason.
        reasons: specific reasons why some of ``rest`` are in no pair.
        notes: remarks about the folders as a whole.
    """

    sides: list[tuple[Sides, str]] = field(default_factory=list)
    rest: list[Node] = field(default_factory=list)
    ambiguous: dict[int, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def choose_sides(nodes: Sequence[Node], task: str | None, explicit: bool) -> SideChoice:
    """Pairs of folders whose names differ in source words, as in file names; otherwise those of
    which one contains words for source A and another for source B (``cropinfrared``,
    ``crop_LR_visible``).

    Args:
        explicit: the folders were given one by one; two with the same name are then examined.
    """
    names = [node.path.name for node in nodes]
    found = match_names(names, task, least=HABIT_WORDS)
    choice = SideChoice(notes=found.notes)
    inside = {i for i in found.ambiguous if i in found.series or (explicit and i in found.doubles)}
    choice.ambiguous = {i: why for i, why in found.ambiguous.items() if i not in inside}
    choice.reasons = {id(nodes[i]): found.unmatched[i] for i in found.series & {*found.unmatched}}
    choice.rest = [nodes[index] for index in sorted(found.unmatched.keys() | inside)]
    for pair in found.pairs:
        sides = Sides(nodes[pair.a], nodes[pair.b], pair.strength, pair.sure)
        if sides.plain:
            sides = replace(sides, weight=HINT_WORDS)
        choice.sides.append((sides, pair.shared if len(found.pairs) > 1 else ""))
    if not found.pairs:
        _add(choice, _numbered(choice.rest) or _by_words(choice, task))
    return choice


def _add(choice: SideChoice, sides: Sides | None) -> None:
    if sides is not None:
        choice.sides.append((sides, ""))
        choice.rest = [node for node in choice.rest if node not in (sides.a, sides.b)]


def _numbered(nodes: Sequence[Node]) -> Sides | None:
    """``source_1`` and ``source_2``, if there are no others like them."""
    able = [node for node in nodes if words_of(node.path.name) & _NUMBERED]
    found = match_names([node.path.name for node in able], least=NUMBERS).pairs
    if len(found) != 1:
        return None
    a, b = able[found[0].a], able[found[0].b]
    return Sides(a, b, HABIT_WORDS, sure=True) if a.shared(b) else None


def _by_words(choice: SideChoice, task: str | None) -> Sides | None:
    """The only folder with words for A and the only one with words for B of one task.

    Among several, the one that is the original version; otherwise they are ambiguous.
    """
    for spec in sorted(specs_for(None), key=lambda spec: spec.name != task):
        of: dict[str, list[Node]] = {"a": [], "b": []}
        for node in choice.rest:
            sides = {side_of_word(word, spec.name) for word in words_of(node.path.name)} - {""}
            if len(sides) == 1 and not kind_beside_sources(node.path.name):
                of[next(iter(sides))].append(node)
        best_a, best_b = _least_marked(of["a"]), _least_marked(of["b"])
        only = len(best_a) == len(best_b) == 1
        fitting = [
            (a, b)
            for a, b in product(best_a, best_b)
            if not different_patients(a.path, b.path) and (only or a.shared(b))
        ]
        if len(fitting) == 1:
            a, b = fitting[0]
            return Sides(a, b, TASK_WORDS if spec.name == task else HINT_WORDS, sure=True)
        if fitting:
            listed = ", ".join(f"{n.path.name}/" for n in {*best_a, *best_b})
            choice.reasons |= {
                id(node): Message("several folders fit each other: {0}", listed)
                for node in (*best_a, *best_b)
            }
    return None


def _least_marked(nodes: Sequence[Node]) -> list[Node]:
    """The folders with the fewest words for a processed version."""
    lesser = [len(words_of(node.path.name) & _LESSER) for node in nodes]
    return [node for node, count in zip(nodes, lesser, strict=True) if count == min(lesser)]
