"""Axial, coronal and sagittal slices of volumes, turned as radiologists look at them.

Slices are those of the volume's own voxels: of an oblique volume, “axial” is along the voxel axis
that is nearest to the patient's. No value is interpolated.

=========  ==================  ==================  ======================
plane      columns to the      rows down to the    slices counted to the
=========  ==================  ==================  ======================
axial      patient's left      back                head
coronal    patient's left      feet                back
sagittal   back                feet                left
=========  ==================  ==================  ======================
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from core.geometry.grids import Coordinates, VoxelGrid, grid_of, inverse_of, transformed
from core.types import Affine, BoolArray, FloatArray, Volume, read_only

PlaneName = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[PlaneName, ...] = ("axial", "coronal", "sagittal")

_Voxels = TypeVar("_Voxels", FloatArray, BoolArray)
_X, _Y, _Z = 0, 1, 2
# Columns, rows and slices: which patient axis (LPS), and whether along or against it.
_DIRECTIONS: dict[PlaneName, tuple[tuple[int, int], ...]] = {
    "axial": ((_X, 1), (_Y, 1), (_Z, 1)),
    "coronal": ((_X, 1), (_Z, -1), (_Y, 1)),
    "sagittal": ((_Y, 1), (_Z, -1), (_X, 1)),
}
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
_LEAST_SHARE = 0.1
"""Of a direction along a patient axis, to be named by its letter (about 6 degrees)."""


@dataclass(frozen=True, eq=False)
class PlaneAxes:
    """How the voxels of a grid become the slices of a plane.

    Attributes:
        plane: its name.
        shape: (slices, rows, columns) as the plane counts them.
        affine: 4×4 float64, (column, row, slice) of the plane → patient mm (LPS).
        order: axes of the volume's data that are slices, rows and columns of the plane.
        flipped: which of the three run against the volume's.
    """

    plane: PlaneName
    shape: tuple[int, int, int]
    affine: Affine
    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from (slice to slice, row to row, column to column)."""
        column, row, between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(between), float(row), float(column)

    def position_of(self, point: npt.ArrayLike) -> Coordinates:
        """(column, row, slice) of a point in patient mm, neither rounded nor held inside."""
        return transformed(inverse_of(self.affine), point)

    def point_of(self, column: float, row: float, index: float) -> Coordinates:
        """Patient mm of a place in the plane."""
        return transformed(self.affine, (column, row, index))

    def index_of(self, point: npt.ArrayLike) -> int | None:
        """The slice that a point in patient mm lies in; None beyond the first and the last."""
        index = int(np.floor(self.position_of(point)[2] + 0.5))
        return index if 0 <= index < self.shape[0] else None

    def offset_of(self, index: float) -> float:
        """Millimetres of a slice along its normal, which for planes of the patient's axes is the
        x, y or z of all its points.
        """
        normal = np.cross(self.affine[:3, 0], self.affine[:3, 1])
        normal /= np.linalg.norm(normal)
        if normal @ self.affine[:3, 2] < 0:
            normal = -normal
        return float(normal @ self.point_of(0, 0, index))

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """What lies at the left, right, top and bottom border: “R”, “L”, “A”, “P” … or “LP”."""
        across, down = self.affine[:3, 0], self.affine[:3, 1]
        return direction(-across), direction(across), direction(-down), direction(down)


def direction(vector: npt.ArrayLike) -> str:
    """Letters of a direction in the patient (LPS), the strongest first: “L”, “LP”, “HAR”."""
    unit = np.asarray(vector, dtype=np.float64)
    unit = unit / np.linalg.norm(unit)
    strongest = sorted(range(3), key=lambda axis: -round(abs(float(unit[axis])), 9))
    named = [axis for axis in strongest if abs(unit[axis]) >= _LEAST_SHARE]
    return "".join(_LETTERS[axis][int(unit[axis] > 0)] for axis in named)


def axes_of(grid: VoxelGrid, plane: PlaneName) -> PlaneAxes:
    """How ``grid`` is looked at in ``plane``."""
    nearest = _nearest_axes(grid.affine)
    columns, rows, slices = (_along(grid, nearest, *one) for one in _DIRECTIONS[plane])
    turned = np.eye(4)
    turned[:3, :3] = 0
    for place, (axis, flip) in enumerate((columns, rows, slices)):
        turned[axis, place] = -1 if flip else 1
        if flip:
            turned[axis, 3] = grid.shape[2 - axis] - 1
    picked = (slices, rows, columns)
    order = [2 - axis for axis, _ in picked]
    return PlaneAxes(
        plane=plane,
        shape=(grid.shape[order[0]], grid.shape[order[1]], grid.shape[order[2]]),
        affine=read_only(grid.affine @ turned),
        order=(order[0], order[1], order[2]),
        flipped=(slices[1], rows[1], columns[1]),
    )


def _nearest_axes(affine: Affine) -> tuple[int, ...]:
    """For each patient axis the voxel axis (0 for i) that is nearest to it, each used once."""
    cosines = np.abs(affine[:3, :3]) / np.linalg.norm(affine[:3, :3], axis=0)
    return max(
        permutations(range(3)),
        key=lambda axes: round(sum(float(cosines[n, axis]) for n, axis in enumerate(axes)), 9),
    )


def _along(
    grid: VoxelGrid, nearest: tuple[int, ...], patient_axis: int, sign: int
) -> tuple[int, bool]:
    """The voxel axis for a patient axis, and whether it runs the other way."""
    axis = nearest[patient_axis]
    return axis, bool(grid.affine[patient_axis, axis] * sign < 0)


@dataclass(frozen=True, eq=False)
class PlaneSlice:
    """One slice to be looked at.

    Attributes:
        pixels: rows×columns float32, a view of the volume's data.
        mask: rows×columns, True where measured; None when everywhere.
        spacing: millimetres from (row to row, column to column).
        letters: at the left, right, top and bottom border.
    """

    pixels: FloatArray
    mask: BoolArray | None
    spacing: tuple[float, float]
    letters: tuple[str, str, str, str]


def slice_at(volume: Volume, plane: PlaneName, index: int) -> PlaneSlice:
    """A slice of a volume as radiologists look at it; nothing is copied.

    Args:
        volume: any.
        plane: see the table of this module.
        index: of the slice, as :class:`PlaneAxes` counts them, from 0.

    Raises:
        IndexError: there is no such slice.
    """
    axes = axes_of(grid_of(volume), plane)
    if not 0 <= index < axes.shape[0]:
        raise IndexError(f"slice {index} of {axes.shape[0]}")
    mask = None if volume.mask is None else turned(volume.mask, axes)[index]
    return PlaneSlice(turned(volume.data, axes)[index], mask, axes.spacing[1:], axes.letters)


def projection(volume: Volume, plane: PlaneName) -> PlaneSlice:
    """The maximum intensity projection along the normal of a plane.

    Voxels that were not measured do not count; a pixel with none measured holds the least value.
    """
    axes = axes_of(grid_of(volume), plane)
    data = turned(volume.data, axes)
    if volume.mask is None:
        return PlaneSlice(data.max(axis=0), None, axes.spacing[1:], axes.letters)
    mask = turned(volume.mask, axes)
    least = volume.data.min()
    highest = data.max(axis=0, where=mask, initial=least)
    measured: BoolArray = np.asarray(mask.any(axis=0))
    return PlaneSlice(highest, measured, axes.spacing[1:], axes.letters)


def turned(data: _Voxels, axes: PlaneAxes) -> _Voxels:
    """A view of slices×rows×columns of a volume as slices×rows×columns of a plane."""
    steps = tuple(slice(None, None, -1 if flip else 1) for flip in axes.flipped)
    view: _Voxels = data.transpose(axes.order)[steps]
    return view
