"""Voxel grids: where the voxels of a volume lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from core.types import Affine, Volume, read_only, spans_space

Coordinates = npt.NDArray[np.float64]
"""…×3. Of voxels (column i, row j, slice k), of the patient (x, y, z) in mm, LPS."""

_SAME = 1e-4
"""Voxels by which grids may differ that are the same: what decimal strings round off."""
_SAMPLE = 32
"""Coordinates along each axis that coverage is found from."""


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """Attributes:
    shape: (slices K, rows J, columns I).
    affine: 4×4 float64, voxel centre (i, j, k) → patient mm (LPS).
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not spans_space(affine):
            raise ValueError("the affine of a grid must be 4×4 and have an inverse")
        if min(self.shape) < 1:
            raise ValueError(f"a grid without voxels: {self.shape}")
        object.__setattr__(self, "affine", read_only(affine))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from voxel to voxel along (slices, rows, columns)."""
        column, row, between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between), float(row), float(column)

    def to_patient(self, voxels: npt.ArrayLike) -> Coordinates:
        """Patient mm of (i, j, k), which need not be whole or inside."""
        return transformed(self.affine, voxels)

    def to_voxel(self, points: npt.ArrayLike) -> Coordinates:
        """(i, j, k) of patient mm, not rounded and not held inside."""
        return transformed(inverse_of(self.affine), points)

    def holds(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each point lies in a voxel: up to half a voxel around the centres."""
        voxels = self.to_voxel(points)
        most = np.array(self.shape[::-1]) - 0.5
        return np.asarray(((voxels >= -0.5 - _SAME) & (voxels <= most + _SAME)).all(axis=-1))

    def corners(self) -> Coordinates:
        """8×3, the outer corners of the corner voxels in patient mm."""
        slices, rows, columns = self.shape
        ends = [(-0.5, count - 0.5) for count in (columns, rows, slices)]
        return self.to_patient(list(product(*ends)))

    def is_same(self, other: VoxelGrid) -> bool:
        """Whether both have the same voxels at the same places."""
        if self.shape != other.shape:
            return False
        mine = self.to_voxel(other.corners())
        return bool(np.abs(mine - self.to_voxel(self.corners())).max() <= _SAME)


def grid_of(volume: Volume) -> VoxelGrid:
    """The grid that a volume's voxels lie on."""
    return VoxelGrid(volume.shape, volume.affine)


def inverse_of(affine: Affine) -> Affine:
    """Patient mm → (i, j, k)."""
    return np.asarray(np.linalg.inv(affine), dtype=np.float64)


def transformed(affine: Affine, points: npt.ArrayLike) -> Coordinates:
    """…×3 places through a 4×4 matrix."""
    given = np.asarray(points, dtype=np.float64)
    return given @ affine[:3, :3].T + affine[:3, 3]


@dataclass(frozen=True)
class Box:
    """A box along the patient's axes: its least and greatest (x, y, z) in mm."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    @property
    def size(self) -> tuple[float, float, float]:
        """Extents in mm."""
        x, y, z = (high - low for low, high in zip(self.low, self.high, strict=True))
        return x, y, z


def bounding_box(grid: VoxelGrid) -> Box:
    """The smallest box that holds all voxels whole."""
    corners = grid.corners()
    return _box(corners.min(axis=0), corners.max(axis=0))


def common_box(a: VoxelGrid, b: VoxelGrid) -> Box | None:
    """What the bounding boxes of two grids share; None where they are apart."""
    first, second = bounding_box(a), bounding_box(b)
    low = np.maximum(first.low, second.low)
    high = np.minimum(first.high, second.high)
    return _box(low, high) if (low < high).all() else None


def _box(low: Coordinates, high: Coordinates) -> Box:
    return Box(
        (float(low[0]), float(low[1]), float(low[2])),
        (float(high[0]), float(high[1]), float(high[2])),
    )


def coverage(of: VoxelGrid, by: VoxelGrid) -> float:
    """Which share of the voxels of one grid lies inside another, from evenly spread ones."""
    axes = [np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).round()) for n in of.shape[::-1]]
    voxels = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return float(by.holds(of.to_patient(voxels)).mean())
