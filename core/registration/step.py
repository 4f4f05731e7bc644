"""Two pictures at one size, brought nearer to each other by displacements of blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.progress import Progress
from core.registration.blocks import BlockGrid, BlockMatches, match_blocks
from core.registration.consistency import DRAWS, NOTHING, Evidence, evidence_of
from core.registration.features import FeatureKind, correlation, features
from core.registration.levels import Level, eroded, warped
from core.registration.motion import Array, degrees_of_freedom, exponential, fit, mapped
from core.types import BoolArray, FloatArray
from core.types.transform import TransformKind

_ITERATIONS = 4
_SETTLED = 0.02
"""Pixels by which the last iteration may still move a corner."""
_SCALE = 2.0
"""Residual in pixels beyond which a block has no weight."""
_LEAST_OVERLAP = 0.1


@dataclass(frozen=True, eq=False)
class Improved:
    """A better matrix, its score as poses are ranked by, and what supports it when asked."""

    matrix: Array
    score: float
    evidence: Callable[[], Evidence]


class Step(Protocol):
    """Two pictures at one size, one of which is brought nearer to the other."""

    def score(self, matrix: Array) -> float:
        """Similarity at ``matrix``; higher is better."""
        ...

    def improved(self, matrix: Array) -> Improved:
        """A better matrix than ``matrix``."""
        ...


class AlignmentStep:
    """Two pictures at one size, one brought nearer to the other by the displacements of blocks."""

    def __init__(
        self,
        fixed: Level,
        moving: Level,
        kind: TransformKind,
        compared: FeatureKind,
        *,
        grid: BlockGrid,
        progress: Progress,
    ) -> None:
        self._fixed, self._moving = fixed, moving
        self._kind, self._compared = kind, compared
        self._grid, self._progress = grid, progress
        self._valid = eroded(fixed.valid, 2)
        self._features = features(fixed.grey, self._valid, compared)

    def _shown(self, matrix: Array) -> tuple[FloatArray, FloatArray, BoolArray]:
        there = warped(self._moving, matrix, self._fixed.size)
        valid = self._valid & eroded(there.valid, 3)
        mine = self._features
        if not valid.all():
            mine = np.where(valid[..., np.newaxis], mine, np.float32(0))
        return mine, features(there.grey, valid, self._compared), valid

    def score(self, matrix: Array) -> float:
        """Correlation of the features at ``matrix``; −1 where less than a tenth overlaps."""
        mine, theirs, valid = self._shown(matrix)
        return correlation(mine, theirs, valid) if valid.mean() > _LEAST_OVERLAP else -1.0

    def improved(self, matrix: Array) -> Improved:
        """See :meth:`refined`."""
        matrix, matches, parameters = self.refined(matrix)
        return Improved(
            matrix,
            self.score(matrix),
            lambda: NOTHING if matches is None else self.evidence(matches, parameters),
        )

    def refined(
        self, matrix: Array, iterations: int = _ITERATIONS
    ) -> tuple[Array, BlockMatches | None, Array]:
        """A better matrix, the matches of the last iteration and the motion fitted to them."""
        frame = self._fixed.frame
        into = frame.matrix
        back = np.linalg.inv(into)
        corners = mapped(into, frame.corners)
        kept: BlockMatches | None = None
        parameters = np.zeros(degrees_of_freedom(self._kind))
        for _ in range(iterations):
            mine, theirs, valid = self._shown(matrix)
            matches = match_blocks(mine, theirs, valid, self._grid, self._progress)
            if len(matches.displacements) * 2 <= len(parameters):
                break
            kept = matches
            parameters, _ = fit(self._kind, matches.displacements, _SCALE)
            motion = exponential(self._kind, parameters)
            matrix = matrix @ back @ motion @ into
            moved = np.linalg.norm(mapped(motion, corners) - corners, axis=1).max()
            if moved * matches.displacements.unit < _SETTLED:
                break
        return matrix, kept, parameters

    def evidence(self, matches: BlockMatches, parameters: Array, draws: int = DRAWS) -> Evidence:
        """For the motion that was fitted to ``matches``."""
        return evidence_of(
            self._kind,
            matches.displacements,
            parameters,
            similarity=matches.similarity,
            offered=matches.offered,
            density=min(1.0, (self._grid.step / self._grid.side) ** 2),
            frame=self._fixed.frame,
            scale=_SCALE,
            draws=draws,
        )
