"""Notes for the user about a pair: conversions while reading, and missing data."""

from __future__ import annotations

import numpy as np

from core.errors import Message
from core.types import (
    SourcePair,
)


def notes_of(pair: SourcePair) -> tuple[str, ...]:
    """Notes about both sources: conversions while reading, and missing data."""
    return (*_pair_notes(pair), *_hole_notes(pair))


def _hole_notes(pair: SourcePair) -> tuple[str, ...]:
    """Notes about missing data of the pair beyond the number of pixels."""
    if pair.valid is None:
        return ()
    notes = [Message("Metrics count only where both sources hold data.")]
    neither = 0
    if pair.a.mask is not None and pair.b.mask is not None:
        neither = int(np.count_nonzero(~(pair.a.mask | pair.b.mask)))
    if neither:
        black = Message.plural(
            "{0} pixel holds no data in either source and is black.",
            "{0} pixels hold no data in either source and are black.",
            neither,
        )
        notes.insert(0, black)
    return tuple(notes)


def _pair_notes(pair: SourcePair) -> tuple[str, ...]:
    """Notes of the readers, prefixed with their source; notes common to both appear once."""
    both = [note for note in pair.a.notes if note in pair.b.notes]
    single = [
        Message("{0}: {1}", side, note)
        for side, image in (("A", pair.a), ("B", pair.b))
        for note in image.notes
        if note not in both
    ]
    return (*both, *single)
