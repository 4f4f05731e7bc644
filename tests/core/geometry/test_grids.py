"""Grids: where voxels lie, and how two grids lie to each other."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.grids import VoxelGrid, bounding_box, common_box, coverage, grid_of
from core.types import Volume

# Columns 2 mm apart to the left, rows 3 mm to the back, slices 5 mm to the head.
_AFFINE = np.array([[2.0, 0, 0, -10], [0, 3, 0, -20], [0, 0, 5, 30], [0, 0, 0, 1]])
_GRID = VoxelGrid((4, 6, 8), _AFFINE)


def moved(grid: VoxelGrid, *by: float) -> VoxelGrid:
    affine = grid.affine.copy()
    affine[:3, 3] += by
    return VoxelGrid(grid.shape, affine)


def test_voxels_and_millimetres_by_hand() -> None:
    assert _GRID.spacing == (5, 3, 2)
    np.testing.assert_allclose(_GRID.to_patient([1, 2, 3]), [-8, -14, 45])
    np.testing.assert_allclose(
        _GRID.to_voxel([[-8, -14, 45], [-10, -20, 30]]), [[1, 2, 3], [0] * 3]
    )
    grid = grid_of(Volume(data=np.zeros((4, 6, 8), np.float32), affine=_AFFINE))
    assert grid.is_same(_GRID)


def test_box_goes_to_the_outer_faces_of_the_voxels() -> None:
    box = bounding_box(_GRID)
    assert box.low == (-11, -21.5, 27.5)
    assert box.high == (5, -3.5, 47.5)
    assert box.size == (16, 18, 20)


def test_a_turned_grid_needs_a_larger_box() -> None:
    turn = np.eye(4)
    half = np.sqrt(0.5)
    turn[:2, :2] = [[half, -half], [half, half]]
    box = bounding_box(VoxelGrid((1, 10, 10), turn))
    assert box.size == pytest.approx((10 * np.sqrt(2), 10 * np.sqrt(2), 1))


def test_points_half_a_voxel_around_the_centres_are_held() -> None:
    assert _GRID.holds([-11, -21.5, 27.5])
    assert not _GRID.holds([-11.1, -20, 30])
    assert _GRID.holds([[5, -3.5, 47.5], [5.1, -3.5, 47.5]]).tolist() == [True, False]


def test_sameness_is_about_places_not_digits() -> None:
    assert _GRID.is_same(moved(_GRID, 1e-5, 0, 0))
    assert not _GRID.is_same(moved(_GRID, 0.01, 0, 0))
    assert not _GRID.is_same(VoxelGrid((4, 6, 7), _AFFINE))
    flipped = _AFFINE @ np.array([[-1.0, 0, 0, 7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert not _GRID.is_same(VoxelGrid((4, 6, 8), flipped))


def test_what_two_grids_share() -> None:
    shared = common_box(_GRID, moved(_GRID, 8, 0, 0))
    assert shared is not None
    assert (shared.low, shared.high) == ((-3, -21.5, 27.5), (5, -3.5, 47.5))
    assert common_box(_GRID, moved(_GRID, 16, 0, 0)) is None
    assert coverage(_GRID, _GRID) == 1
    assert coverage(_GRID, moved(_GRID, 8, 0, 0)) == 0.5
    assert coverage(_GRID, moved(_GRID, 160, 0, 0)) == 0


@pytest.mark.parametrize(
    ("shape", "affine"),
    [((4, 6, 8), np.eye(3)), ((4, 6, 8), np.diag([1.0, 0, 1, 1])), ((0, 6, 8), np.eye(4))],
)
def test_what_is_no_grid(shape, affine) -> None:
    with pytest.raises(ValueError, match="grid"):
        VoxelGrid(shape, affine)
