"""The peak: the mean of a sphere of 1 cm³, placed where that mean is highest.

The sphere is centred on each voxel of the region in turn; it may reach beyond the region, but not
beyond what was measured. Each voxel counts by the share of its volume that lies in the sphere, so
that the sphere has its 1 cm³ on every grid. (Counting voxels whose centre lies in it, as the
“global intensity peak” of the Image Biomarker Standardisation Initiative does, takes 1.22 cm³ on
voxels of 4 mm and changes in steps from scanner to scanner.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from core.progress import Progress
from core.regions.masks import RegionMask
from core.types import Affine, Volume

PEAK_RADIUS = (3000 / (4 * math.pi)) ** (1 / 3)
"""Of a sphere of 1000 mm³, in mm: 6.2035."""
_FINEST = 0.35
"""Millimetres at which the share of a voxel is sampled."""
_MOST_SAMPLES = 15
_AT_ONCE = 1 << 17
"""Voxels that the sphere is put around at a time."""

_Weights = npt.NDArray[np.float64]


def sphere_weights(affine: Affine, radius: float = PEAK_RADIUS) -> _Weights:
    """The share of each voxel that lies in a sphere around the centre of the middle one.

    Args:
        affine: of the grid, to mm.
        radius: of the sphere, in mm.

    Returns:
        Odd sizes (slices, rows, columns); from 0 to 1, sampled on a regular grid in each voxel.
    """
    axes = affine[:3, :3]
    rows = np.linalg.norm(np.linalg.inv(axes), axis=1)
    reach = [math.ceil(radius * float(one) - 0.5 - 1e-9) for one in rows]
    counts = [
        min(max(math.ceil(float(one) / _FINEST), 3), _MOST_SAMPLES)
        for one in np.linalg.norm(axes, axis=0)
    ]
    inner = [(np.arange(count) + 0.5) / count - 0.5 for count in counts]
    samples = np.array(list(product(*inner))) @ axes.T
    weights = np.empty([2 * one + 1 for one in reversed(reach)])
    for place in np.ndindex(weights.shape):
        offset = np.array(place[::-1]) - reach
        apart = samples + axes @ offset
        weights[place] = ((apart**2).sum(axis=1) <= radius**2).mean()
    return weights


def peak_of(
    volume: Volume, mask: RegionMask, progress: Progress
) -> tuple[float, tuple[int, int, int], int] | None:
    """The highest mean, the (i, j, k) that the sphere is centred on, and how many voxels of the
    region could not be a centre, because the sphere would reach beyond what was measured.

    None where no voxel can be a centre. Some megabytes are needed beside the volume and the mask.

    Raises:
        Cancelled: by ``progress``.
    """
    weights = _trimmed(sphere_weights(volume.affine))
    offsets = np.argwhere(weights > 0)
    shares = weights[weights > 0] / weights.sum()
    reach = np.array(weights.shape) // 2
    # Flat addresses of what lies around a voxel, from that of the voxel.
    strides = np.array([volume.shape[1] * volume.shape[2], volume.shape[2], 1])
    around = (offsets - reach) @ strides
    best: tuple[float, int] | None = None
    fitting = 0
    for centres in _centres(volume, mask, reach):
        means, are_whole = _means(volume, centres @ strides, (around, shares), progress)
        fitting += int(np.count_nonzero(are_whole))
        if are_whole.any():
            at = int(np.argmax(np.where(are_whole, means, -np.inf)))
            if best is None or means[at] > best[0]:
                best = float(means[at]), int(centres[at] @ strides)
    if best is None:
        return None
    k, j, i = (int(one) for one in np.unravel_index(best[1], volume.shape))
    return best[0], (i, j, k), mask.count - fitting


def _trimmed(weights: _Weights) -> _Weights:
    """Without outer layers in which nothing counts: symmetric, as the weights are."""
    for axis in range(3):
        while weights.shape[axis] > 1 and not np.take(weights, 0, axis).any():
            weights = np.take(weights, range(1, weights.shape[axis] - 1), axis)
    return weights


def _centres(
    volume: Volume, mask: RegionMask, reach: npt.NDArray[np.intp]
) -> Iterator[npt.NDArray[np.intp]]:
    """N×3 (k, j, i) of voxels around which the sphere lies within the grid, some at a time."""
    most = np.array(volume.shape) - reach
    for number, layer in enumerate(mask.voxels):
        if not layer.any():
            continue
        rows, columns = np.nonzero(layer)
        slices = np.full_like(rows, number)
        voxels = np.stack([slices, rows, columns], axis=1) + np.array(mask.start)
        voxels = voxels[((voxels >= reach) & (voxels < most)).all(axis=1)]
        for first in range(0, len(voxels), _AT_ONCE):
            yield voxels[first : first + _AT_ONCE]


def _means(
    volume: Volume,
    at: npt.NDArray[np.intp],
    sphere: tuple[npt.NDArray[np.intp], _Weights],
    progress: Progress,
) -> tuple[_Weights, npt.NDArray[np.bool_]]:
    """The mean of the sphere around each voxel, and whether all of it was measured.

    Args:
        volume: any.
        at: flat addresses of the voxels.
        sphere: flat addresses of what lies around each, from its own, and their shares.
        progress: may cancel.
    """
    values = volume.data.reshape(-1)
    known = None if volume.mask is None else volume.mask.reshape(-1)
    means, are_whole = np.zeros(len(at)), np.ones(len(at), np.bool_)
    for step, share in zip(*sphere, strict=True):
        progress.check()
        there = at + step
        means += share * values[there]
        if known is not None:
            are_whole &= known[there]
    return means, are_whole
