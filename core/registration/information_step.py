"""Two pictures at one size, one brought nearer to the other by their mutual information."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from core.progress import Progress
from core.registration.consistency import NOTHING, Evidence, spread_of
from core.registration.information import InformationMeasure
from core.registration.levels import Level
from core.registration.motion import Array, degrees_of_freedom, exponential, mapped, tangent
from core.registration.step import Improved
from core.types.transform import TransformKind

_ROUNDS = 2
_ITERATIONS = 15
_REACH = 0.12
"""Half diagonals that one round may move a parameter."""
_SETTLED = 0.05
"""Pixels below which there is no second round."""
_DRAWS = 24
_PRIOR = (0.0, 0.0, 0.3, 0.3, 2.0, 2.0, 2.0, 2.0)
"""Information that a motion has to be worth, by the square of each of its parameters: shifts are
free, a scale of a tenth costs .003, shear and perspective more. Without it some pairs of train were
bent by 30 pixels for .02 of information (two parts of the pictures are never fully alike)."""
_TILES = 4


class InformationStep:
    """Two pictures at one size; see the module."""

    def __init__(
        self, fixed: Level, moving: Level, kind: TransformKind, start: Array, progress: Progress
    ) -> None:
        self._measure = InformationMeasure(fixed, moving, kind)
        self._kind, self._frame, self._progress = kind, fixed.frame, progress
        self._start = start
        self._prior = np.array(_PRIOR[: degrees_of_freedom(kind)])

    def score(self, matrix: Array) -> float:
        """Normalised mutual information at ``matrix``, less one; 0 where too little overlaps."""
        return self._measure.value(matrix)

    def improved(self, matrix: Array) -> Improved:
        """The nearest maximum."""
        if self._measure.value(matrix) <= 0:
            return Improved(matrix, 0.0, lambda: NOTHING)
        matrix, score = self._ascended(matrix)
        return Improved(matrix, score, lambda: self._evidence(matrix))

    def _ascended(
        self, matrix: Array, weights: Array | None = None, rounds: int = _ROUNDS
    ) -> tuple[Array, float]:
        into = self._frame.matrix
        back = np.linalg.inv(into)
        count = degrees_of_freedom(self._kind)
        score = 0.0
        for _ in range(rounds):
            so_far = tangent(self._kind, into @ np.linalg.inv(self._start) @ matrix @ back)
            base = matrix

            def loss(
                parameters: Array, base: Array = base, so_far: Array = so_far
            ) -> tuple[float, Array]:
                self._progress.check()
                value, slope = self._measure.derivative(base, parameters, weights)
                whole = so_far + parameters
                return (
                    float(self._prior @ whole**2) - value,
                    2 * self._prior * whole - slope,
                )

            found = minimize(
                loss,
                np.zeros(count),
                jac=True,
                method="L-BFGS-B",
                bounds=[(-_REACH, _REACH)] * count,
                options={"maxiter": _ITERATIONS, "ftol": 1e-7},
            )
            matrix = base @ back @ exponential(self._kind, found.x) @ into
            score = -float(found.fun)
            if np.abs(found.x).max() / into[0, 0] < _SETTLED:
                break
        return matrix / matrix[2, 2], score

    def _evidence(self, matrix: Array) -> Evidence:
        """Where parts of the picture, drawn again and again, have their maxima."""
        tiles = self._tiles()
        corners = self._frame.corners
        whole = mapped(matrix, corners)
        generator = np.random.default_rng(0)
        off: list[float] = []
        for weights in (*_halves(tiles), *_drawn(tiles, generator)):
            again, _ = self._ascended(matrix, weights, rounds=1)
            off.append(float(np.linalg.norm(mapped(again, corners) - whole, axis=1).mean()))
        return Evidence(
            offered=1.0,
            agreeing=1.0,
            share=1.0,
            tiles=1.0,
            residual=float(np.median(off)),
            spread=spread_of(off),
            similarity=self.score(matrix),
        )

    def _tiles(self) -> Array:
        """The tile that each sample is in, 0…15."""
        points = self._measure.points
        low, high = points.min(axis=0), points.max(axis=0)
        index = np.floor((points - low) / np.maximum(high - low, 1e-9) * _TILES * 0.9999)
        return np.asarray(index[:, 1] * _TILES + index[:, 0])


def _halves(tiles: Array) -> list[Array]:
    """Weights of the samples: left and right, upper and lower half of the tiles."""
    column, row = tiles % _TILES, tiles // _TILES
    half = _TILES / 2
    return [
        np.asarray(side, np.float64)
        for side in (column < half, column >= half, row < half, row >= half)
    ]


def _drawn(tiles: Array, generator: np.random.Generator) -> list[Array]:
    """Weights of the samples: how often each tile was drawn, of as many draws as there are."""
    which = tiles.astype(np.intp)
    return [
        np.bincount(generator.integers(0, _TILES**2, _TILES**2), minlength=_TILES**2)[which].astype(
            np.float64
        )
        for _ in range(_DRAWS)
    ]
