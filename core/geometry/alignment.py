"""Whether two volumes may be laid over each other as they are."""

from __future__ import annotations

from enum import Enum

import numpy as np

from core.geometry.grids import grid_of
from core.types import Transform, Volume


class Alignment(Enum):
    """What is known of how two volumes lie to each other.

    ``AS_ACQUIRED``: one frame of reference, so their millimetres are the same. The patient may have
    moved between the two nevertheless. ``NOT_REGISTERED``: nothing is known; coordinates of one
    mean nothing in the other. ``REGISTERED``: a transform leads from one to the other. ``APART``:
    they share no place, so one is moved to be seen beside the other, and nothing may be fused.
    """

    AS_ACQUIRED = "as acquired"
    NOT_REGISTERED = "not registered"
    REGISTERED = "registered"
    APART = "apart"


def lined_up(a: Volume, b: Volume) -> Alignment:
    """By the frame of reference; never across patients who are known to be two."""
    if a.patient and b.patient and a.patient != b.patient:
        return Alignment.NOT_REGISTERED
    if a.frame_of_reference and a.frame_of_reference == b.frame_of_reference:
        return Alignment.AS_ACQUIRED
    return Alignment.NOT_REGISTERED


def centring(fixed: Volume, moving: Volume) -> Transform:
    """A shift that lays the middle of one field of view on that of the other: fixed to moving."""
    one, other = (
        grid.to_patient((np.array(grid.shape[::-1]) - 1) / 2)
        for grid in (grid_of(fixed), grid_of(moving))
    )
    matrix = np.eye(4)
    matrix[:3, 3] = np.asarray(other) - np.asarray(one)
    return Transform.of("translation", matrix)
