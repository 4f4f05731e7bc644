"""Volumes as ITK images of several resolutions, with what of them counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy import ndimage

from core.geometry.grids import VoxelGrid, grid_of
from core.geometry.resample import resample_onto
from core.progress import Progress
from core.registration.motion import Array
from core.types import BoolArray, FloatArray, Volume

_FINEST = 128
"""Voxels along the longest side at the finest level."""
_MARGIN = 8.0
"""Millimetres around the body that count as well: its outline is its strongest edge."""
_RANGE = (0.5, 99.8)
"""Percentiles between which values differ; beyond is metal, vessels or a hot bladder."""

Itk = Any
"""An image or a transform of SimpleITK, whose stubs name no types."""


@dataclass(frozen=True, eq=False)
class VolumeLevel:
    """One volume at one resolution.

    Attributes:
        data: K×J×I float32.
        counts: K×J×I, the voxels that are compared.
        valid: K×J×I, the voxels that hold data.
        grid: where the voxels lie; its axes are at right angles.
    """

    data: FloatArray
    counts: BoolArray
    valid: BoolArray
    grid: VoxelGrid

    @property
    def centre(self) -> Array:
        """Patient mm of the centre of what counts."""
        at = np.argwhere(self.counts)[:, ::-1].mean(axis=0)
        return np.asarray(self.grid.to_patient(at))

    @property
    def corners(self) -> Array:
        """8×3 patient mm of the corners of the box around what counts."""
        at = np.argwhere(self.counts)[:, ::-1]
        ends = np.stack([at.min(axis=0), at.max(axis=0)])
        places = [
            [ends[pick[axis], axis] for axis in range(3)] for pick in product((0, 1), repeat=3)
        ]
        return np.asarray(self.grid.to_patient(np.array(places, np.float64)))

    def image(self) -> Itk:
        """As an image of SimpleITK."""
        return _placed(self.data, self.grid)

    def mask(self, part: BoolArray) -> Itk:
        """K×J×I as a mask of SimpleITK."""
        return _placed(part.astype(np.uint8), self.grid)


def _placed(values: Any, grid: VoxelGrid) -> Itk:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(values)
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((grid.affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(grid.affine[:3, 3].tolist())
    return image


def levels_of(volume: Volume, factors: tuple[float, ...], progress: Progress) -> list[VolumeLevel]:
    """``volume`` at the finest resolution times each of ``factors``.

    Raises:
        Cancelled: by ``progress``.
    """
    finite = np.isfinite(volume.data)
    if not finite.all():
        mask = finite if volume.mask is None else finite & volume.mask
        volume = replace(volume, data=np.where(finite, volume.data, np.float32(0)), mask=mask)
    extent = np.array(volume.shape) * volume.spacing
    finest = max(float(extent.max()) / _FINEST, min(volume.spacing))
    levels = []
    source = volume
    for factor in sorted(factors):
        source = resample_onto(source, _square(grid_of(volume), finest * factor), progress=progress)
        levels.append(_level(source))
    return levels[::-1]


def _square(grid: VoxelGrid, spacing: float) -> VoxelGrid:
    """A grid over ``grid`` with axes at right angles; no axis finer than it was."""
    steps = np.linalg.norm(grid.affine[:3, :3], axis=0)
    turn, upper = np.linalg.qr(grid.affine[:3, :3])
    turn = turn * np.sign(np.diag(upper))
    corners = grid.corners() @ turn
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.maximum(steps, spacing)
    counts = np.maximum(1, np.round((high - low) / size)).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = turn * size
    affine[:3, 3] = turn @ ((low + high) / 2 - (counts - 1) / 2 * size)
    columns, rows, slices = (int(count) for count in counts)
    return VoxelGrid((slices, rows, columns), affine)


def _level(volume: Volume) -> VolumeLevel:
    valid = np.ones(volume.shape, np.bool_) if volume.mask is None else volume.mask
    data = volume.data
    if valid.any():
        low, high = np.percentile(data[valid], _RANGE)
        data = np.clip(data, low, high)
    grid = grid_of(volume)
    return VolumeLevel(data, _body(data, valid, grid), valid, grid)


def _body(data: FloatArray, valid: BoolArray, grid: VoxelGrid) -> BoolArray:
    """What is brighter than the background, filled, and some millimetres around it."""
    import SimpleITK as sitk

    inside = data[valid]
    if not inside.size or inside.min() == inside.max():
        return np.zeros(data.shape, np.bool_)
    values = sitk.GetImageFromArray(inside[np.newaxis])
    threshold = sitk.OtsuThresholdImageFilter()
    threshold.Execute(values)
    # Half way between background and what the threshold takes for bright: dim tissue counts.
    background = float(np.median(inside[inside <= threshold.GetThreshold()]))
    limit = (background + threshold.GetThreshold()) / 2
    body = ndimage.binary_fill_holes((data > limit) & valid)
    reach = np.maximum(1, np.round(_MARGIN / np.array(grid.spacing))).astype(int)
    reach = np.minimum(reach, grid.shape)
    spread: BoolArray = ndimage.maximum_filter(body, size=tuple(2 * reach + 1))
    return spread & valid
