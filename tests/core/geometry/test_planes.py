"""Slices as radiologists look at them: which way round, how large, and where in the patient."""

from __future__ import annotations

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from core.geometry.grids import VoxelGrid, grid_of
from core.geometry.planes import PLANES, axes_of, direction, projection, slice_at, turned
from core.geometry.probe import value_at
from core.types import Volume
from tests.core.geometry.loading import from_dicom, from_nifti

# A body of 6 (right to left) × 5 (front to back) × 4 (feet to head) voxels of 2×3×5 mm, stored as
# most CT is: columns to the left, rows to the back, slices to the head.
_AFFINE = np.array([[2.0, 0, 0, -10], [0, 3, 0, -20], [0, 0, 5, 30], [0, 0, 0, 1]])
_BODY = np.zeros((4, 5, 6), np.float32)
_BODY[:, :, 5] = 1  # leftmost
_BODY[:, 0, :] += 10  # foremost
_BODY[3] += 100  # nearest to the head


def stored(order: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same body with the axes of its data in another order and direction."""
    affine, data = _AFFINE.copy(), _BODY
    for axis, flip in enumerate(flips):  # of the data
        if flip:
            data = np.flip(data, axis)
            affine[:3, 3] += affine[:3, 2 - axis] * (data.shape[axis] - 1)
            affine[:3, 2 - axis] *= -1
    columns = [2 - axis for axis in order][::-1]
    affine[:, :3] = affine[:, columns]
    return Volume(data=data.transpose(order), affine=affine)


_ALL = [
    stored(order, flips)
    for order in permutations(range(3))
    for flips in product((False, True), repeat=3)
]


@pytest.mark.parametrize("volume", _ALL)
def test_any_storage_looks_the_same(volume) -> None:
    axial = slice_at(volume, "axial", 3)
    np.testing.assert_array_equal(axial.pixels, _BODY[3])
    assert (axial.spacing, axial.letters) == ((3, 2), ("R", "L", "A", "P"))
    coronal = slice_at(volume, "coronal", 0)
    np.testing.assert_array_equal(coronal.pixels, _BODY[::-1, 0])
    assert (coronal.spacing, coronal.letters) == ((5, 2), ("R", "L", "H", "F"))
    sagittal = slice_at(volume, "sagittal", 5)
    np.testing.assert_array_equal(sagittal.pixels, _BODY[::-1, :, 5])
    assert (sagittal.spacing, sagittal.letters) == ((5, 3), ("A", "P", "H", "F"))


def test_radiologists_see_the_patients_left_at_the_right_and_the_front_on_top() -> None:
    pixels = slice_at(stored((0, 1, 2), (False,) * 3), "axial", 0).pixels
    assert pixels[2].tolist() == [0, 0, 0, 0, 0, 1]
    assert pixels[:, 2].tolist() == [10, 0, 0, 0, 0]
    assert slice_at(stored((0, 1, 2), (False,) * 3), "coronal", 2).pixels[0, 2] == 100


@pytest.mark.parametrize("volume", _ALL[::5])
def test_places_in_a_plane_are_millimetres_in_the_patient(volume) -> None:
    for plane in PLANES:
        axes = axes_of(grid_of(volume), plane)
        data = turned(volume.data, axes)
        assert data.shape == axes.shape
        rng = np.random.default_rng(3)
        for _ in range(20):
            index, row, column = (int(rng.integers(0, n)) for n in axes.shape)
            point = axes.point_of(column, row, index)
            assert value_at(volume, point) == data[index, row, column]
            np.testing.assert_allclose(axes.position_of(point), [column, row, index], atol=1e-9)
            assert axes.index_of(point) == index


def test_slices_are_counted_to_the_head_to_the_back_and_to_the_left() -> None:
    for volume in _ALL[::7]:
        grid = grid_of(volume)
        assert [axes_of(grid, "axial").offset_of(n) for n in range(4)] == [30, 35, 40, 45]
        assert [axes_of(grid, "coronal").offset_of(n) for n in range(5)] == [-20, -17, -14, -11, -8]
        assert [axes_of(grid, "sagittal").offset_of(n) for n in (0, 5)] == [-10, 0]


def test_slices_beyond_the_ends() -> None:
    axes = axes_of(VoxelGrid((4, 5, 6), _AFFINE), "axial")
    assert axes.index_of([0, 0, 27.6]) == 0
    assert axes.index_of([0, 0, 27.4]) is None
    assert axes.index_of([500, -500, 47.4]) == 3
    assert axes.index_of([0, 0, 47.6]) is None
    volume = Volume(data=_BODY, affine=_AFFINE)
    for index in (-1, 4):
        with pytest.raises(IndexError):
            slice_at(volume, "axial", index)


def test_one_point_links_volumes_of_different_grids() -> None:
    fine = axes_of(VoxelGrid((40, 5, 6), _AFFINE @ np.diag([1, 1, 0.1, 1])), "axial")
    coarse = axes_of(VoxelGrid((4, 5, 6), _AFFINE), "axial")
    point = coarse.point_of(2, 2, 3)
    assert fine.index_of(point) == 30
    assert coarse.index_of(fine.point_of(0, 0, 26)) == 3


@pytest.mark.parametrize(
    ("vector", "letters"),
    [
        ((1, 0, 0), "L"),
        ((-2, 0, 0), "R"),
        ((0, 1, 0), "P"),
        ((0, -1, 0), "A"),
        ((0, 0, 1), "H"),
        ((0, 0, -9), "F"),
        ((0.9, 0.43, 0), "LP"),
        ((0.3, -0.9, 0.31), "AHL"),
        ((0.999, 0.04, 0), "L"),
        ((-1, 1, 0), "RP"),
    ],
)
def test_letters_of_directions(vector, letters) -> None:
    assert direction(vector) == letters


def test_oblique_volumes_are_looked_at_along_their_own_axes() -> None:
    angle = np.deg2rad(25)
    tilt = np.eye(4)
    tilt[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = Volume(data=_BODY, affine=tilt @ _AFFINE)
    axial = slice_at(volume, "axial", 3)
    np.testing.assert_array_equal(axial.pixels, _BODY[3])
    assert axial.letters == ("R", "L", "AF", "PH")
    assert axial.spacing == pytest.approx((3, 2))
    axes = axes_of(grid_of(volume), "axial")
    steps = np.diff([axes.offset_of(n) for n in range(4)])
    np.testing.assert_allclose(steps, 5)


def test_slices_are_views_and_masks_turn_along() -> None:
    mask = np.ones(_BODY.shape, bool)
    mask[3, 0, 5] = False
    volume = Volume(data=_BODY, affine=_AFFINE, mask=mask)
    coronal = slice_at(volume, "coronal", 0)
    assert np.shares_memory(coronal.pixels, volume.data)
    assert coronal.mask is not None
    assert np.argwhere(~coronal.mask).tolist() == [[0, 5]]
    assert slice_at(Volume(data=_BODY, affine=_AFFINE), "axial", 0).mask is None
    assert value_at(volume, [0, -20, 45]) is None


def test_projection_takes_the_greatest_measured_value() -> None:
    data = np.zeros((4, 5, 6), np.float32)
    data[0, 4, 1], data[3, 2, 3] = 7, 9
    volume = Volume(data=data, affine=_AFFINE)
    seen = projection(volume, "coronal")
    assert seen.pixels.shape == (4, 6)
    assert {tuple(at): float(seen.pixels[tuple(at)]) for at in np.argwhere(seen.pixels)} == {
        (3, 1): 7.0,
        (0, 3): 9.0,
    }
    assert seen.letters == ("R", "L", "H", "F")
    mask = np.ones(data.shape, bool)
    mask[3, 2, 3] = False
    mask[:, :, 0] = False
    partly = projection(Volume(data=data - 1, affine=_AFFINE, mask=mask), "coronal")
    assert partly.pixels.max() == 6
    assert partly.mask is not None
    assert not partly.mask[:, 0].any()
    assert partly.mask[:, 1:].all()


def test_values_are_those_of_the_voxel_around() -> None:
    volume = Volume(data=_BODY, affine=_AFFINE)
    assert value_at(volume, [0.9, -21.4, 47.4]) == 111
    assert value_at(volume, [-10.9, -8, 30]) == 0
    assert value_at(volume, [1.1, -20, 45]) is None


@pytest.mark.parametrize(("format_", "to_the_head"), [("dicom", -1), ("nifti", 1)])
def test_orientation_phantom(shared_data: Path, format_: str, to_the_head: int) -> None:
    """Each voxel holds the sum of its indices, so it grows to the left and to the back by 1.

    From feet to head it falls in the DICOM files and grows in the NIfTI file: the phantom's two
    forms are mirror images of each other by their own headers, which is not hidden.
    """
    folder = shared_data / "clinical" / "ibsi_digital" / "ibsi_2_digital_phantom"
    if format_ == "dicom":
        volume = from_dicom(folder / "dicom" / "orientation")
    else:
        volume = from_nifti(folder / "nifti" / "orientation" / "image" / "orientation.nii.gz")
    down_and_across = {
        "axial": (1, 1),
        "coronal": (-to_the_head, 1),
        "sagittal": (-to_the_head, 1),
    }
    for plane in PLANES:
        pixels = slice_at(volume, plane, 7).pixels
        down, across = down_and_across[plane]
        assert (np.diff(pixels, axis=0) == down).all()
        assert (np.diff(pixels, axis=1) == across).all()
        assert (
            slice_at(volume, plane, 8).pixels - pixels == (to_the_head if plane == "axial" else 1)
        ).all()


def test_template_stored_from_left_to_right_looks_as_others_do(shared_data: Path) -> None:
    """SPM's templates are stored flipped; the made-up MR from them is not."""
    clinical = shared_data / "clinical"
    template = from_nifti(clinical / "nifti_spm12" / "T1.nii")
    made = from_dicom(clinical / "dicom_synthetic" / "MR")
    axes = axes_of(grid_of(template), "axial")
    index = axes.shape[0] // 2
    own = slice_at(template, "axial", index).pixels
    rows, columns = np.mgrid[: own.shape[0], : own.shape[1]]
    affine = axes.affine
    points = (
        columns[..., None] * affine[:3, 0]
        + rows[..., None] * affine[:3, 1]
        + index * affine[:3, 2]
        + affine[:3, 3]
    )
    values = [value_at(made, point) for point in points.reshape(-1, 3)]
    known = np.array([value is not None for value in values])
    assert known.mean() > 0.5
    seen = np.array([value for value in values if value is not None])
    agreement = np.corrcoef(own.reshape(-1)[known], seen)[0, 1]
    mirrored = np.corrcoef(own[:, ::-1].reshape(-1)[known], seen)[0, 1]
    assert agreement > 0.998 > mirrored + 0.002
