"""Whether a registration can be relied on.

The limits were set on pairs moved by known transforms, on the same with noise, and on pairs of
different scenes (``benchmarks/registration.py``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.messages import Message
from core.registration.features import measure_of
from core.registration.motion import degrees_of_freedom
from core.registration.pictures import PictureFit
from core.registration.volumes import VolumeFit
from core.types import TransformKind, Verdict, Volume

ACCURACY: dict[str, float] = {"mff": 1.0, "mef": 1.0, "ivif": 3.0, "mif": 3.0}
"""Pixels at the corners up to which a result of a task is right."""
_ACCURACY = 2.0
"""Of pictures of no task."""
_FAILS_BELOW = 0.12
"""Share of agreeing blocks; those of different scenes agree by chance."""
_GOOD_FROM = 0.25
_UNLIKE = 0.05
_ALIKE = 0.15
"""Similarity; that of different scenes stayed below it."""
_BLOCKS_PER_POINT = 2.0
"""Agreeing blocks for each point that a kind is determined by."""
_TILES = 0.3
_RIVAL = 0.9
_INFORMATION_FAILS_BELOW = 0.01
_INFORMATION_ALIKE = 0.02
_INFORMATION_RIVAL = 0.97
_OVERLAP = 0.3
_MILLIMETRES = 3.0
_FAILS_FROM = 3.0
"""Times the accuracy that is asked for."""
_BODY_OVERLAP = 0.5


def accuracy(task: str) -> float:
    """Pixels at the corners up to which a result is right."""
    return ACCURACY.get(task, _ACCURACY)


def judged(
    found: PictureFit, kind: TransformKind, task: str
) -> tuple[Verdict, tuple[Message, ...]]:
    """The verdict on a fit and its reasons."""
    if measure_of(task) == "information":
        return _judged_by_information(found, task)
    evidence = found.evidence
    least = _BLOCKS_PER_POINT * degrees_of_freedom(kind) / 2
    if evidence.offered < least:
        return "failed", (Message("The pictures share too little structure to be compared."),)
    if evidence.share < _FAILS_BELOW or evidence.agreeing < least or found.after < _UNLIKE:
        return "failed", (
            Message(
                "Only {0} % of the picture agrees on where the other one lies, as few as of "
                "different scenes.",
                round(100 * evidence.share),
            ),
        )
    reasons = tuple(_doubts(found, task))
    return ("doubtful" if reasons else "good"), reasons


def _judged_by_information(found: PictureFit, task: str) -> tuple[Verdict, tuple[Message, ...]]:
    """The verdict on a fit by mutual information, which knows no blocks but halves and redraws."""
    limit, spread = accuracy(task), found.evidence.spread
    if found.after <= 0 or not np.isfinite(spread):
        return "failed", (Message("The pictures share too little structure to be compared."),)
    if spread > _FAILS_FROM * limit or found.after < _INFORMATION_FAILS_BELOW:
        return "failed", (
            Message("Parts of the picture are found at places that contradict each other."),
        )
    reasons = tuple(
        _common_doubts(found, limit, alike=_INFORMATION_ALIKE, rival=_INFORMATION_RIVAL)
    )
    return ("doubtful" if reasons else "good"), reasons


def _doubts(found: PictureFit, task: str) -> Iterator[Message]:
    evidence = found.evidence
    yield from _common_doubts(found, accuracy(task), alike=_ALIKE, rival=_RIVAL)
    if evidence.share < _GOOD_FROM:
        yield Message(
            "Only {0} % of the picture agrees on where the other one lies.",
            round(100 * evidence.share),
        )
    if evidence.tiles < _TILES:
        yield Message("What agrees lies in a small part of the picture.")


def _common_doubts(
    found: PictureFit, limit: float, *, alike: float, rival: float
) -> Iterator[Message]:
    if found.evidence.spread > limit:
        yield Message(
            "Parts of the picture disagree by {0} pixels at its corners.",
            round(found.evidence.spread, 1),
        )
    if found.after < alike:
        yield Message("The pictures remain little alike.")
    if found.rival > rival:
        yield Message("Another position fits nearly as well.")
    if found.overlap < _OVERLAP:
        yield Message("The pictures share only {0} % of the scene.", round(100 * found.overlap))


def volume_accuracy(fixed: Volume, moving: Volume) -> float:
    """Millimetres at the corners of the body up to which a result is right.

    The larger of 3 mm and the coarsest voxel: finer than that, fusion shows no difference.
    """
    return max(_MILLIMETRES, *fixed.spacing, *moving.spacing)


def judged_volumes(
    found: VolumeFit, fixed: Volume, moving: Volume
) -> tuple[Verdict, tuple[Message, ...]]:
    """The verdict on a fit of volumes and its reasons."""
    if found.after <= 0:
        return "failed", (
            Message("The volumes hold no structure to be compared, or share no place."),
        )
    limit = volume_accuracy(fixed, moving)
    if not found.spread < _FAILS_FROM * limit:
        return "failed", (
            Message("Parts of the body are found at places that contradict each other."),
        )
    reasons = tuple(_volume_doubts(found, limit))
    return ("doubtful" if reasons else "good"), reasons


def _volume_doubts(found: VolumeFit, limit: float) -> Iterator[Message]:
    if found.spread > limit:
        yield Message(
            "Parts of the body disagree by {0} mm at its corners.", round(found.spread, 1)
        )
    if found.rivals > limit:
        yield Message(
            "Another position, {0} mm away at the corners, fits nearly as well.",
            round(found.rivals, 1),
        )
    # On one grid nothing is interpolated, and equal volumes fit best where they lie.
    if found.after < found.before and found.moved > limit:
        yield Message("As the files place them, the volumes fit better.")
    if found.overlap < _BODY_OVERLAP:
        yield Message("The volumes share only {0} % of the body.", round(100 * found.overlap))
