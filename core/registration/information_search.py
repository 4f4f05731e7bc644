"""Where two small pictures may share most information: all shifts at once, by Fourier transforms.

The joint histogram of a shift is the cross-correlation of where each picture has each of its few
grey levels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import fft

from core.registration.coarse import LEAST_OVERLAP, REACH, Pose, maxima
from core.registration.levels import Level, warped
from core.registration.motion import Array
from core.types import BoolArray, FloatArray

_BINS = 8
_SMALLEST_RANGE = 1e-3
Spectrum = npt.NDArray[np.complex64]


class InformationPattern:
    """The fixed picture, transformed once."""

    def __init__(self, fixed: Level) -> None:
        height, width = fixed.grey.shape
        self._pad = (round(height * REACH), round(width * REACH))
        self._size = (width + 2 * self._pad[1], height + 2 * self._pad[0])
        self._shape = tuple(fft.next_fast_len(n, real=True) for n in self._size[::-1])
        self._count = int(fixed.valid.sum())
        parts = _indicators(fixed.grey, fixed.valid, fixed)
        self._fixed = [np.conj(self._transform(part)) for part in parts]

    def _transform(self, part: FloatArray) -> Spectrum:
        return np.asarray(fft.rfft2(part, self._shape))

    def _back(self, values: Spectrum) -> FloatArray:
        rows, columns = 2 * self._pad[0] + 1, 2 * self._pad[1] + 1
        return np.asarray(fft.irfft2(values, self._shape)[:rows, :columns], np.float32)

    def poses(self, moving: Level, matrix: Array) -> Iterator[Pose]:
        """The best shifts after ``matrix``."""
        offset = np.array([[1, 0, -self._pad[1]], [0, 1, -self._pad[0]], [0, 0, 1]], np.float64)
        there = warped(moving, matrix @ offset, self._size)
        theirs = [self._transform(p) for p in _indicators(there.grey, there.valid, moving)]
        if len(theirs) < 2 or len(self._fixed) < 2:
            return
        joint = np.stack([[self._back(one * mine) for one in theirs] for mine in self._fixed])
        joint = np.maximum(joint, 0)
        overlap = joint.sum(axis=(0, 1))
        joint /= np.maximum(overlap, 1)
        both = _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0))
        together = _entropy(joint.reshape(-1, *overlap.shape))
        score = both / np.maximum(together, 1e-6) - 1
        score = np.where((overlap > LEAST_OVERLAP * self._count) & (together > 1e-6), score, -1)
        for row, column, value in maxima(score):
            shift = np.array([[1, 0, column], [0, 1, row], [0, 0, 1]], np.float64)
            yield Pose(matrix @ offset @ shift, value)


def _indicators(grey: FloatArray, valid: BoolArray, whole: Level) -> list[FloatArray]:
    """Where ``grey`` has each of a few levels between the ends of ``whole``; none if it is flat."""
    inside = whole.grey[whole.valid]
    if not inside.size or float(np.ptp(inside)) < _SMALLEST_RANGE:
        return []
    low = float(inside.min())
    index = ((grey - low) * (_BINS / float(np.ptp(inside)))).astype(np.intp)
    index = np.clip(index, 0, _BINS - 1)
    parts = [((index == level) & valid).astype(np.float32) for level in range(_BINS)]
    return [part for part in parts if part.any()]


def _entropy(shares: FloatArray) -> FloatArray:
    """Of distributions along the first axis, in nats."""
    return np.asarray(-(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=0))
