"""Summary of the notes on many pairs: each kind once, with the number of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.cli.console import note
from core.errors import Message


def print_notes(of_pairs: Mapping[object, Sequence[str]]) -> None:
    """Print the notes on all pairs.

    Notes that differ only in their numbers are one kind, e.g. those on the windows of a thousand
    images.

    Args:
        of_pairs: the notes on every pair, also empty ones, by any key of the pair.
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
    """A key that is equal for notes that differ only in their numbers."""
    if isinstance(text, Message):
        return text.template, *map(_kind, text.values)
    return text if isinstance(text, str) else None
