"""Which voxels of a grid a region holds: those whose centre lies in it.

Each voxel counts whole or not at all. So every figure is of values that were measured, the maximum
is that of a voxel, a mask that is written as a segmentation has the very figures that were shown,
and another program finds the same from it. What that costs is the volume of small regions, rounded
to whole voxels (decision 0044).

A flat region without a thickness takes one layer: in each column of voxels along the axis that is
nearest to the normal of its plane, the voxel whose centre is nearest to the plane.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from core.geometry.grids import Coordinates, VoxelGrid, inverse_of, transformed
from core.progress import NullProgress, Progress
from core.regions.shapes import DrawingPlane, FlatRegion, SphereRegion
from core.types import BoolArray, read_only

_TIE = 1e-6
"""Voxels by which a centre may lie off the middle between two and count as on it."""
_Start: TypeAlias = tuple[int, int, int]
_Inside: TypeAlias = Callable[[Coordinates], npt.NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class RegionMask:
    """The voxels of a region, as a block of the grid that holds them all.

    Attributes:
        shape: (slices K, rows J, columns I) of the grid.
        start: (k, j, i) of the first voxel of the block.
        voxels: bool, of the size of the block; it may be empty.
        is_cut: the region goes on beyond the border of the grid.
    """

    shape: tuple[int, int, int]
    start: _Start
    voxels: BoolArray
    is_cut: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", read_only(np.asarray(self.voxels, np.bool_)))

    @property
    def count(self) -> int:
        """How many voxels there are."""
        return int(np.count_nonzero(self.voxels))

    @property
    def block(self) -> tuple[slice, slice, slice]:
        """Where the block lies in arrays of the grid."""
        k, j, i = (
            slice(start, start + size)
            for start, size in zip(self.start, self.voxels.shape, strict=True)
        )
        return k, j, i

    @property
    def meets_border(self) -> bool:
        """Whether its block reaches the border of the grid."""
        ends = zip(self.start, self.voxels.shape, self.shape, strict=True)
        return bool(self.count) and any(
            start == 0 or start + size == count for start, size, count in ends
        )

    def whole(self) -> BoolArray:
        """K×J×I, of the size of the grid."""
        mask = np.zeros(self.shape, np.bool_)
        mask[self.block] = self.voxels
        return mask

    def where(self, chosen: BoolArray) -> RegionMask:
        """Those of its voxels that hold in ``chosen``, which has the size of the block.

        Its block is the smallest one.
        """
        kept = self.voxels & chosen
        if not kept.any():
            nothing = np.zeros((0, 0, 0), np.bool_)
            return RegionMask(self.shape, self.start, nothing, self.is_cut)
        parts, start = [], []
        for axis, first in enumerate(self.start):
            found = np.flatnonzero(kept.any(axis=tuple({0, 1, 2} - {axis})))
            parts.append(slice(found[0], found[-1] + 1))
            start.append(first + int(found[0]))
        k, j, i = start
        return RegionMask(self.shape, (k, j, i), kept[tuple(parts)], self.is_cut)


def rasterised(
    region: FlatRegion | SphereRegion, grid: VoxelGrid, progress: Progress | None = None
) -> RegionMask:
    """The voxels of ``grid`` whose centre lies in ``region``.

    Args:
        region: any shape but one of a threshold.
        grid: its affine leads to the millimetres of the region.
        progress: may cancel.

    Raises:
        Cancelled: by ``progress``.
    """
    progress = progress or NullProgress()
    if isinstance(region, SphereRegion):
        corners = _ball_corners(region, grid)
        return _evaluated(grid, corners, lambda points: region.holds(points), progress)
    plane = region.plane
    reach = plane.thickness or 2 * _step(plane, grid)[1]
    u, v = region.extent
    ends = product((-u, u), (-v, v), (-reach / 2, reach / 2))
    corners = grid.to_voxel([plane.point_of(*end) for end in ends])
    return _evaluated(grid, corners, _flat_test(region, grid), progress)


def same_place(
    mask: RegionMask, own: VoxelGrid, other: VoxelGrid, progress: Progress | None = None
) -> RegionMask:
    """The voxels of ``other`` whose centre lies in a voxel of ``mask``, which is of ``own``.

    Both affines lead to the same millimetres.

    Raises:
        Cancelled: by ``progress``.
    """
    ends = [(part.start - 0.5, part.stop - 0.5) for part in reversed(mask.block)]
    corners = other.to_voxel(own.to_patient(list(product(*ends))))
    start, size = np.array(mask.start), np.array(mask.voxels.shape)
    to_own = inverse_of(own.affine)

    def holds(points: Coordinates) -> npt.NDArray[np.bool_]:
        nearest = np.floor(transformed(to_own, points) + 0.5 + _TIE).astype(np.intp)
        at = nearest[..., ::-1] - start
        known = ((at >= 0) & (at < size)).all(axis=-1)
        k, j, i = np.moveaxis(np.where(known[..., np.newaxis], at, 0), -1, 0)
        return np.asarray(known & mask.voxels[k, j, i])

    if not mask.count:
        return RegionMask(other.shape, (0, 0, 0), np.zeros((0, 0, 0), np.bool_))
    found = _evaluated(other, corners, holds, progress or NullProgress())
    return RegionMask(found.shape, found.start, found.voxels, found.is_cut or mask.is_cut)


def _ball_corners(region: SphereRegion, grid: VoxelGrid) -> Coordinates:
    """2×3, the least and the greatest (i, j, k) of a sphere."""
    inverse = inverse_of(grid.affine)
    middle = transformed(inverse, region.centre)
    reach = region.radius * np.linalg.norm(inverse[:3, :3], axis=1)
    return np.array([middle - reach, middle + reach])


def _step(plane: DrawingPlane, grid: VoxelGrid) -> tuple[float, float]:
    """Millimetres along the normal from voxel to voxel of the axis nearest to it, and its amount.

    Signed as the axis runs.
    """
    along = np.array(plane.normal) @ grid.affine[:3, :3]
    step = float(along[np.argmax(np.abs(along))])
    return step, abs(step)


def _flat_test(region: FlatRegion, grid: VoxelGrid) -> _Inside:
    plane, thickness = region.plane, region.plane.thickness
    step, _ = _step(plane, grid)

    def holds(points: Coordinates) -> npt.NDArray[np.bool_]:
        u, v, off = np.moveaxis(plane.coordinates(points), -1, 0)
        if thickness is not None:
            near = np.abs(off) <= thickness / 2 + 1e-6
        else:
            # Half open, so that a plane in the middle between two layers takes one of them.
            before = -off / step
            near = (before >= -0.5 - _TIE) & (before < 0.5 - _TIE)
        return np.asarray(near & region.covers(u, v))

    return holds


def _evaluated(
    grid: VoxelGrid, corners: npt.ArrayLike, holds: _Inside, progress: Progress
) -> RegionMask:
    """Ask for each voxel between ``corners``, N×3 (i, j, k), and for those next to the border.

    A region is of one piece, so that it goes on outside where it has a voxel just outside. Slices
    are asked one after the other: beside the block, three numbers a voxel of one of them are held.
    """
    at = np.asarray(corners, np.float64)
    low = np.maximum(np.floor(at.min(axis=0) - _TIE), -1).astype(int)[::-1]
    shape = np.array(grid.shape)
    high = np.minimum(np.ceil(at.max(axis=0) + _TIE), shape[::-1]).astype(int)[::-1]
    sizes = np.maximum(high - low + 1, 0)
    around = np.zeros(tuple(sizes), np.bool_)
    if around.size:
        rows, columns = np.indices(around.shape[1:]) + low[1:, np.newaxis, np.newaxis]
        voxels = np.stack([columns, rows, np.full_like(rows, low[0])], axis=-1)
        lowest = transformed(grid.affine, voxels)
        for n in range(len(around)):
            progress.check()
            around[n] = holds(lowest + n * grid.affine[:3, 2])
    first = np.maximum(low, 0)
    inner = tuple(
        slice(int(begin - start), max(int(min(end, count - 1) - start + 1), 0))
        for begin, start, end, count in zip(first, low, high, shape, strict=True)
    )
    block = around[inner]
    is_cut = int(np.count_nonzero(block)) < int(np.count_nonzero(around))
    start = int(first[0]), int(first[1]), int(first[2])
    return RegionMask(grid.shape, start, block, is_cut)
