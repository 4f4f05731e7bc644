"""Where two small pictures may fit: an exhaustive search over shift, rotation and scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import fft

from core.progress import Progress
from core.registration.features import FeatureKind, features
from core.registration.levels import Level, eroded, warped
from core.registration.motion import Array, CentredFrame, mapped
from core.types import FloatArray

REACH = 0.25
"""Greatest shift as a share of the side."""
LEAST_OVERLAP = 0.3
_PEAKS = 2
"""Maxima taken from each rotation and scale."""
_APART = 0.03
"""Distance of corners, as a share of the diagonal, within which two poses are one."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A candidate. ``matrix``: 3×3, fixed → moving pixels. ``score``: −1…1, higher is better."""

    matrix: Array
    score: float


class Pattern(Protocol):
    """A fixed picture, prepared for the comparison with moving ones at all shifts."""

    def poses(self, moving: Level, matrix: Array) -> Iterator[Pose]:
        """The best shifts of ``moving`` after ``matrix``."""
        ...


def search(
    fixed: Level,
    moving: Level,
    start: Array,
    *,
    pattern: Pattern,
    turns: Sequence[tuple[float, float]],
    count: int,
    progress: Progress,
) -> list[Pose]:
    """The best poses around ``start``, the best first.

    Args:
        fixed, moving: at most about 200 pixels wide.
        start: 3×3, fixed → moving, of the pose in the middle.
        pattern: of ``fixed``, which says what is compared.
        turns: (degrees, scale) to be tried.
        count: of poses wanted.
        progress: may cancel.
    """
    found: list[Pose] = []
    for degrees, scale in turns:
        progress.check()
        found.extend(pattern.poses(moving, start @ _turn(fixed.frame, degrees, scale)))
    return distinct(found, fixed.frame, count)


def distinct(poses: Sequence[Pose], frame: CentredFrame, count: int) -> list[Pose]:
    """The best ``count`` poses that differ from one another, the best first."""
    limit = _APART * float(np.hypot(frame.width, frame.height))
    kept: list[Pose] = []
    for pose in sorted(poses, key=lambda one: -one.score):
        places = mapped(pose.matrix, frame.corners)
        if all(
            np.linalg.norm(mapped(other.matrix, frame.corners) - places, axis=1).max() > limit
            for other in kept
        ):
            kept.append(pose)
        if len(kept) == count:
            break
    return kept


def _turn(frame: CentredFrame, degrees: float, scale: float) -> Array:
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    coordinates = frame.matrix
    return np.asarray(np.linalg.inv(coordinates) @ turn @ coordinates)


class FeaturePattern:
    """The features of the fixed picture, transformed once."""

    def __init__(self, fixed: Level, compared: FeatureKind) -> None:
        self._compared = compared
        height, width = fixed.grey.shape
        self._pad = (round(height * REACH), round(width * REACH))
        self._size = (width + 2 * self._pad[1], height + 2 * self._pad[0])
        self._shape = tuple(fft.next_fast_len(n, real=False) for n in self._size[::-1])
        valid = eroded(fixed.valid, 2)
        found = _field(features(fixed.grey, valid, compared))
        self._field = np.conj(self._transform(found))
        self._power = np.conj(self._transform(np.abs(found) ** 2))
        self._mask = np.conj(self._transform(valid.astype(np.float32)))
        self._count = int(valid.sum())

    def _transform(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.complex64]:
        return np.asarray(fft.fft2(values.astype(np.complex64), self._shape))

    def poses(self, moving: Level, matrix: Array) -> Iterator[Pose]:
        """The best shifts after ``matrix``."""
        offset = np.array([[1, 0, -self._pad[1]], [0, 1, -self._pad[0]], [0, 0, 1]], np.float64)
        there = warped(moving, matrix @ offset, self._size)
        valid = eroded(there.valid, 2)
        found = _field(features(there.grey, valid, self._compared))
        # Two real maps share one complex transform.
        power_and_mask = np.abs(found) ** 2 + 1j * valid.astype(np.float32)
        both = self._transform(power_and_mask)
        product = self._back(self._transform(found) * self._field).real
        energy = self._back(both * self._mask)
        overlap = energy.imag
        mine = self._back(both * self._power).imag
        least = LEAST_OVERLAP * self._count
        usable = overlap > max(least, 1)
        norm = np.sqrt(np.maximum(energy.real, 1e-6) * np.maximum(mine, 1e-6))
        score = np.where(usable, product / np.maximum(norm, 1e-6), -1)
        score *= np.sqrt(np.clip(overlap / max(self._count, 1), 0, 1))
        for row, column, value in maxima(score):
            shift = np.array([[1, 0, column], [0, 1, row], [0, 0, 1]], np.float64)
            yield Pose(matrix @ offset @ shift, value)

    def _back(self, values: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
        rows, columns = 2 * self._pad[0] + 1, 2 * self._pad[1] + 1
        return np.asarray(fft.ifft2(values)[:rows, :columns])


def _field(found: FloatArray) -> npt.NDArray[np.complex64]:
    if found.shape[2] == 1:
        return found[..., 0].astype(np.complex64)
    return np.asarray(found[..., 0] + 1j * found[..., 1])


def maxima(score: npt.NDArray[np.floating]) -> Iterator[tuple[int, int, float]]:
    """Row, column and value of the highest places that are positive and apart."""
    left = score.copy()
    for _ in range(_PEAKS):
        row, column = divmod(int(np.argmax(left)), left.shape[1])
        value = float(left[row, column])
        if value <= 0:
            return
        yield row, column, value
        left[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5] = -1
