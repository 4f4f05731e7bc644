"""How far the estimates from other parts of the pictures lie from the one of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.registration.motion import (
    Array,
    CentredFrame,
    Displacements,
    degrees_of_freedom,
    exponential,
    fit,
    mapped,
    residuals,
)
from core.types.transform import TransformKind

_TILES = 4
"""Along each side. Displacements within a tile are not independent, whole tiles are redrawn."""
DRAWS = 48
"""Enough for the spread to vary by a tenth."""
_WITHIN = 95
_WIDER = 1.25
_FLOOR = 0.1
"""Pixels that all parts may be off alike, by interpolation. With both, 96 to 100 % of the repeated
registrations of focus and exposure pairs lay within the spread, and 95 % of infrared pairs of which
a quarter or more agreed; without, 79 to 92 %.
"""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What supports a motion.

    Attributes:
        offered: blocks with content, overlapping ones counted as their share of area.
        agreeing: those that the motion explains within a pixel, counted likewise.
        share: agreeing / offered.
        tiles: share of tiles of the picture with an agreeing block.
        residual: root mean square of what the motion leaves in agreeing blocks, in pixels.
        spread: see :class:`core.registration.result.Registration`, in pixels of this level.
        similarity: mean similarity of agreeing blocks.
    """

    offered: float
    agreeing: float
    share: float
    tiles: float
    residual: float
    spread: float
    similarity: float


NOTHING = Evidence(
    offered=0,
    agreeing=0,
    share=0,
    tiles=0,
    residual=float("inf"),
    spread=float("inf"),
    similarity=0,
)


def evidence_of(
    kind: TransformKind,
    of: Displacements,
    parameters: Array,
    *,
    similarity: Array,
    offered: int,
    density: float,
    frame: CentredFrame,
    scale: float,
    draws: int = DRAWS,
) -> Evidence:
    """Evidence for the motion ``parameters``.

    Args:
        kind: of the motion.
        of: displacements of all blocks that were found.
        parameters: of the motion fitted to them.
        similarity: N, of the blocks.
        offered: number of blocks that had content.
        density: share of a block's area that is its own.
        frame: of the fixed picture.
        scale: residual in pixels beyond which a block has no weight in the fit.
        draws: number of estimates that the spread is taken from.
    """
    left = np.linalg.norm(residuals(kind, of, parameters), axis=1)
    agrees = left < 1.0
    if np.count_nonzero(agrees) * 2 <= degrees_of_freedom(kind):
        return NOTHING
    tiles = _tiles(of.points)
    return Evidence(
        offered=offered * density,
        agreeing=float(agrees.sum()) * density,
        share=float(agrees.sum()) / max(offered, 1),
        tiles=len(np.unique(tiles[agrees])) / _TILES**2,
        residual=float(np.sqrt(np.mean(left[agrees] ** 2))),
        spread=_spread(kind, of, parameters, tiles=tiles, frame=frame, scale=scale, draws=draws),
        similarity=float(similarity[agrees].mean()),
    )


def _tiles(points: Array) -> Array:
    low, high = points.min(axis=0), points.max(axis=0)
    index = np.floor((points - low) / np.maximum(high - low, 1e-9) * _TILES * 0.9999)
    return np.asarray(index[:, 1] * _TILES + index[:, 0])


def _spread(
    kind: TransformKind,
    of: Displacements,
    parameters: Array,
    *,
    tiles: Array,
    frame: CentredFrame,
    scale: float,
    draws: int,
) -> float:
    generator = np.random.default_rng(0)
    members = [np.flatnonzero(tiles == tile) for tile in np.unique(tiles)]
    corners = mapped(frame.matrix, frame.corners)
    whole = mapped(exponential(kind, parameters), corners)
    off = []
    for _ in range(draws):
        drawn = generator.integers(0, len(members), len(members))
        chosen = np.concatenate([members[index] for index in drawn])
        again, weights = fit(kind, of.part(chosen), scale, parameters)
        if weights.sum() * 2 <= len(parameters):
            off.append(np.full(4, np.inf))
            continue
        moved = mapped(exponential(kind, again), corners)
        off.append(np.linalg.norm(moved - whole, axis=1) * of.unit)
    return spread_of(np.mean(off, axis=1))


def spread_of(off: Iterable[float]) -> float:
    """The spread of estimates that lie ``off`` from the one of all, in the same unit."""
    ordered = np.sort(np.asarray(list(off), np.float64))
    return float(np.hypot(_WIDER * ordered[int(_WITHIN / 100 * (len(ordered) - 1))], _FLOOR))
