"""What is to be said of many pairs: each kind of note once, with the number of its pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.cli.console import note
from core.errors import Message


def print_notes(of_pairs: Mapping[object, Sequence[str]]) -> None:
    """Print the notes of all pairs.

    Notes that differ in nothing but their numbers are one kind: a window of its own for each of a
    thousand images would drown the rest.

    Args:
        of_pairs: the notes of every pair, none included, by anything that names the pair.
    """
    kinds: dict[object, list[str]] = {}
    for texts in of_pairs.values():
        for text in dict.fromkeys(texts):
            kinds.setdefault(_kind(text), []).append(text)
    for found in kinds.values():
        if len(of_pairs) == 1:
            note(found[0])
            continue
        others = ", with other numbers in some" if len(set(found)) > 1 else ""
        note(f"{found[0]} ({len(found)} of {len(of_pairs)} pairs{others})")


def _kind(text: object) -> object:
    """What notes have in common that differ only in their numbers."""
    if isinstance(text, Message):
        return text.template, *map(_kind, text.values)
    return text if isinstance(text, str) else None
