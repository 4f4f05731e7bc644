"""What a person should know of a pair: what reading took, and where the data ends."""

from __future__ import annotations

import numpy as np

from core.errors import Message
from core.types import (
    SourcePair,
)


def notes_of(pair: SourcePair) -> tuple[str, ...]:
    """What a person should know of both sources: what reading them took, and where data ends."""
    return (*_pair_notes(pair), *_hole_notes(pair))


def _hole_notes(pair: SourcePair) -> tuple[str, ...]:
    """What a person should know of a pair with pixels without data, besides their number."""
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
    """The readers' notes, each with its source; a note about both is said once, as it is."""
    both = [note for note in pair.a.notes if note in pair.b.notes]
    single = [
        Message("{0}: {1}", side, note)
        for side, image in (("A", pair.a), ("B", pair.b))
        for note in image.notes
        if note not in both
    ]
    return (*both, *single)
