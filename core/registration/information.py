"""Mutual information of two pictures under a motion, with its derivative.

The measure is Studholme's normalised mutual information, (H(F) + H(M)) / H(F, M) (Pattern
Recognition 32, 1999), less one so that it is 0 where nothing is shared. The joint histogram and its
derivative are Mattes' (IEEE TMI 22, 2003): the fixed picture fills one bin, the moving one a cubic
B-spline over four. SimpleITK has the same for rigid and affine transforms; this one also knows
perspective and weights, of which the spread is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.registration.levels import Level, as_float
from core.registration.motion import Array, exponential, mapped, pulled_back
from core.types import FloatArray
from core.types.transform import TransformKind

_BINS = 32
_PADDED = _BINS + 4
"""The spline reaches two bins beyond the range on either side."""
_SIGMA = 1.5
"""Pixels by which both pictures are smoothed: finer structure is not common to modalities."""
_SAMPLES = 12_000
_STRIP = 32_000
"""Samples that cv2.remap takes at once."""
_LEAST_OVERLAP = 0.2
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class _Sampled:
    """What a motion makes of the samples: places, weights, first bin and place within it."""

    places: Array
    weights: Array
    index: npt.NDArray[np.intp]
    within: Array


class InformationMeasure:
    """Two pictures of about one scale, the fixed one at a seeded sample of its pixels.

    ``points``: N×2 samples in coordinates of the centred frame of the fixed picture.
    """

    def __init__(self, fixed: Level, moving: Level, kind: TransformKind) -> None:
        self._kind = kind
        frame = fixed.frame
        rows, columns = np.nonzero(fixed.valid)
        if len(rows) > _SAMPLES:
            chosen = np.random.default_rng(0).choice(len(rows), _SAMPLES, replace=False)
            rows, columns = rows[np.sort(chosen)], columns[np.sort(chosen)]
        self.points = mapped(frame.matrix, np.stack([columns, rows], axis=1).astype(np.float64))
        self._back = np.linalg.inv(frame.matrix)
        mine, theirs = _binned(fixed), _binned(moving)
        self.is_flat = mine is None or theirs is None or len(rows) == 0
        empty = np.zeros(moving.grey.shape, np.float32)
        self._fixed = np.zeros(0, np.intp) if mine is None else mine[rows, columns].astype(np.intp)
        self._moving = empty if theirs is None else theirs
        self._valid = moving.valid.astype(np.float32)
        self._slopes = tuple(
            as_float(cv2.Scharr(self._moving, cv2.CV_32F, dx, dy, scale=1 / 32))
            for dx, dy in ((1, 0), (0, 1))
        )

    def value(self, matrix: Array, weights: Array | None = None) -> float:
        """The measure at ``matrix``, fixed → moving pixels; 0 where less than a fifth overlaps."""
        sampled = None if self.is_flat else self._sampled(matrix @ self._back, self.points, weights)
        return 0.0 if sampled is None else _normalised(self._histogram(sampled))[0]

    def derivative(
        self, matrix: Array, parameters: Array, weights: Array | None = None
    ) -> tuple[float, Array]:
        """The measure where ``matrix`` follows the motion ``parameters``, and its K derivatives.

        Args:
            matrix: 3×3, fixed → moving pixels.
            parameters: K, of a small motion (:func:`core.registration.motion.exponential`).
            weights: N ≥ 0 of the samples; all 1 if None.
        """
        nothing = 0.0, np.zeros(len(parameters))
        if self.is_flat:
            return nothing
        moved = mapped(exponential(self._kind, parameters), self.points)
        outer = matrix @ self._back
        sampled = self._sampled(outer, moved, weights)
        if sampled is None:
            return nothing
        value, table = _normalised(self._histogram(sampled))
        t, flat = sampled.within, table.ravel()
        slope = np.zeros(len(t))
        for offset, factor in enumerate(_spline_slopes(t)):
            slope += factor * flat[sampled.index + offset]
        slope *= sampled.weights / sampled.weights.sum()
        by_place = [slope * _at(part, sampled.places) for part in self._slopes]
        return value, pulled_back(self._kind, outer, moved, np.stack(by_place, axis=1))

    def _sampled(self, outer: Array, points: Array, weights: Array | None) -> _Sampled | None:
        places = mapped(outer, points).astype(np.float32)
        inside = _at(self._valid, places) > 0.99
        if inside.mean() < _LEAST_OVERLAP:
            return None
        used = inside.astype(np.float64) if weights is None else inside * weights
        if used.sum() <= 0:
            return None
        # Two empty bins lie before the range: a spline around value 0 begins in the first of them.
        value = np.clip(_at(self._moving, places), 0, _BINS - 1).astype(np.float64)
        first = np.floor(value)
        index = self._fixed * _PADDED + first.astype(np.intp)
        return _Sampled(np.asarray(places, np.float64), used, index, value - first)

    def _histogram(self, sampled: _Sampled) -> Array:
        size = _BINS * _PADDED
        joint = np.zeros(size)
        for offset, factor in enumerate(_splines(sampled.within)):
            joint += np.bincount(sampled.index + offset, factor * sampled.weights, size)[:size]
        return np.asarray(joint.reshape(_BINS, _PADDED) / sampled.weights.sum())


def _binned(level: Level) -> FloatArray | None:
    """H×W grey levels of the smoothed picture in bins from 0 to below their number."""
    if not level.valid.any():
        return None
    smooth = as_float(cv2.GaussianBlur(level.grey, (0, 0), _SIGMA))
    inside = smooth[level.valid]
    low, high = float(inside.min()), float(inside.max())
    if high - low < 1e-3:  # a quarter of a level of 8 bits
        return None
    return np.asarray(np.clip((smooth - low) / (high - low), 0, 1) * (_BINS - 1e-3), np.float32)


def _at(values: FloatArray, places: npt.NDArray[np.floating]) -> Array:
    """Bilinear values at N×2 places; 0 outside."""
    found = np.empty(len(places), np.float32)
    x, y = (np.ascontiguousarray(places[:, axis], np.float32)[:, np.newaxis] for axis in (0, 1))
    for start in range(0, len(places), _STRIP):
        part = slice(start, start + _STRIP)
        found[part] = cv2.remap(
            values, x[part], y[part], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
        )[:, 0]
    return np.asarray(found, np.float64)


def _splines(t: Array) -> tuple[Array, ...]:
    """Cubic B-splines of the four bins around a place, t in [0, 1) after the second one."""
    return (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )


def _spline_slopes(t: Array) -> tuple[Array, ...]:
    return (
        -((1 - t) ** 2) / 2,
        (3 * t**2 - 4 * t) / 2,
        (-3 * t**2 + 2 * t + 1) / 2,
        t**2 / 2,
    )


def _normalised(joint: Array) -> tuple[float, Array]:
    """The measure of a joint distribution (fixed × moving), and its derivative by each entry.

    The marginal distribution of the fixed picture is taken as constant: only the overlap moves it.
    """
    fixed, moving = joint.sum(axis=1), joint.sum(axis=0)
    log_joint, log_moving = (np.log(np.maximum(p, _TINY)) for p in (joint, moving))
    entropy = -float((joint * log_joint).sum())
    if entropy < _TINY:
        return 0.0, np.zeros_like(joint)
    both = -float((fixed * np.log(np.maximum(fixed, _TINY))).sum() + (moving * log_moving).sum())
    slope = (both * log_joint - entropy * log_moving[np.newaxis]) / entropy**2
    return both / entropy - 1, slope
