"""A quick look whether two pictures of one size lie on each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.progress import NullProgress
from core.registration.blocks import BlockGrid
from core.registration.coarse import FeaturePattern, search
from core.registration.consistency import NOTHING, Evidence
from core.registration.features import feature_kind
from core.registration.levels import CHECKED_SIDE, Level, ReducedPair, level_of, resized
from core.registration.motion import Array, mapped
from core.registration.result import Misalignment
from core.registration.step import AlignmentStep
from core.types import Image

_SIDE = CHECKED_SIDE // 2
_SMALL = 128
_GRID = BlockGrid(48, 32, 6)
_LEAST_SIDE = 96
_ITERATIONS = 2
_DRAWS = 12
_LEAST_SHARE = 0.25
_LEAST_TILES = 0.3
_PIXELS = 2.5
_SHARE = 0.01
_SHARES = {"mff": 0.0, "mef": 0.0, "ivif": 0.025, "mif": 0.025}
"""Of the longer side: the sources of the data sets differ by as much."""


UNKNOWN = Misalignment("unknown", 0.0, float("inf"))


def looks_misaligned(a: Image, b: Image, task: str = "") -> Misalignment:
    """Whether ``b`` is shifted, turned or scaled against ``a``, without finding out exactly how.

    Takes less than a third of a second for a megapixel. Where the sizes differ, or a picture is too
    small, it says “unknown”.
    """
    return UNKNOWN if a.size != b.size else judge_reduced(ReducedPair.of(a, b), task)


def judge_reduced(pair: ReducedPair, task: str = "") -> Misalignment:
    """:func:`looks_misaligned` of two images that were reduced for it."""
    if min(pair.size) < _LEAST_SIDE:
        return UNKNOWN
    shift, evidence = measured(pair, task)
    if evidence.share < _LEAST_SHARE or evidence.tiles < _LEAST_TILES:
        return UNKNOWN
    limit = tolerance(pair.size, task)
    if shift - evidence.spread > limit:
        return Misalignment("shifted", shift, evidence.spread)
    if shift + evidence.spread < limit:
        return Misalignment("aligned", shift, evidence.spread)
    return Misalignment("unknown", shift, evidence.spread)


def tolerance(size: tuple[int, int], task: str) -> float:
    """Pixels by which the corners of an image may be off and it counts as aligned.

    Args:
        size: (width, height) of the image.
    """
    return max(_PIXELS, _SHARES.get(task, _SHARE) * max(size))


def measured(pair: ReducedPair, task: str) -> tuple[float, Evidence]:
    """Mean distance of the corners from where they should be in pixels, and the evidence."""
    one, other = level_of(pair.a), level_of(pair.b)
    step, to_step = _step(one, other, task)
    matrix, matches, parameters = step.refined(_start(one, other, task, step, to_step), _ITERATIONS)
    if matches is None:
        return 0.0, NOTHING
    evidence = step.evidence(matches, parameters, _DRAWS)
    corners = mapped(to_step, one.frame.corners)
    shift = float(np.linalg.norm(mapped(matrix, corners) - corners, axis=1).mean())
    pixels = pair.factor / float(to_step[0, 0])
    return shift * pixels, replace(evidence, spread=evidence.spread * pixels)


def _step(one: Level, other: Level, task: str) -> tuple[AlignmentStep, Array]:
    scale = _SIDE / max(one.size)
    fixed, matrix = resized(one, scale)
    moving, _ = resized(other, scale)
    compared = feature_kind(task)
    step = AlignmentStep(fixed, moving, "similarity", compared, grid=_GRID, progress=NullProgress())
    return step, matrix


def _start(one: Level, other: Level, task: str, step: AlignmentStep, to_step: Array) -> Array:
    """As they are, or shifted if that fits better."""
    small, to_small = resized(one, _SMALL / max(one.size))
    found = search(
        small,
        resized(other, _SMALL / max(one.size))[0],
        np.eye(3),
        pattern=FeaturePattern(small, feature_kind(task)),
        turns=[(0.0, 1.0)],
        count=1,
        progress=NullProgress(),
    )
    between = to_step @ np.linalg.inv(to_small)
    shifted = [between @ pose.matrix @ np.linalg.inv(between) for pose in found]
    return max((np.eye(3), *shifted), key=step.score)
