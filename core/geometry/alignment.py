"""Whether two volumes may be laid over each other as they are."""

from __future__ import annotations

from enum import Enum

from core.types import Volume


class Alignment(Enum):
    """What is known of how two volumes lie to each other.

    ``AS_ACQUIRED``: one frame of reference, so their millimetres are the same. The patient may have
    moved between the two nevertheless. ``NOT_REGISTERED``: nothing is known; coordinates of one
    mean nothing in the other. ``REGISTERED``: a transform leads from one to the other.
    """

    AS_ACQUIRED = "as acquired"
    NOT_REGISTERED = "not registered"
    REGISTERED = "registered"


def lined_up(a: Volume, b: Volume) -> Alignment:
    """By the frame of reference; never across patients who are known to be two."""
    if a.patient and b.patient and a.patient != b.patient:
        return Alignment.NOT_REGISTERED
    if a.frame_of_reference and a.frame_of_reference == b.frame_of_reference:
        return Alignment.AS_ACQUIRED
    return Alignment.NOT_REGISTERED
