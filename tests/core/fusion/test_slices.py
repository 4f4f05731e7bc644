"""Pairs of slices out of two volumes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.baselines import BASELINES
from core.errors import TwoPatients, VolumesApart
from core.fusion.classical_engine import fuse_classically
from core.fusion.slices import VolumePair, align, lone_slice, slice_pair
from core.geometry.alignment import Alignment
from core.geometry.grids import common_box, grid_of
from core.geometry.planes import PLANES, slice_at
from core.types import FusionRequest, Volume


def _volume(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    **fields: Any,
) -> Volume:
    """Random values; ``spacing`` along (slices, rows, columns)."""
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = origin
    data = np.random.default_rng(3).uniform(0, 10, shape).astype(np.float32)
    made: dict[str, Any] = {"frame_of_reference": "1.2", "patient": "p", "window": (0.0, 10.0)}
    return Volume(data=data, affine=affine, **made | fields)


def _pet(**fields: Any) -> Volume:
    """Reaches over the first six of the ten slices of :func:`_mr`."""
    return _volume((3, 4, 5), (4.0, 4.0, 4.0), modality="PT", unit="SUVbw", **fields)


def _mr(**fields: Any) -> Volume:
    return _volume((10, 8, 9), (2.0, 2.0, 1.5), modality="MR", **fields)


def test_a_takes_the_grid_of_b() -> None:
    a, b = _pet(), _mr()
    pair = align(a, b)
    assert pair.b is b
    assert pair.a.shape == b.shape
    assert (pair.a.unit, pair.a.window) == ("SUVbw", (0.0, 10.0))
    assert pair.alignment is Alignment.AS_ACQUIRED
    # Voxel (0, 4, 2) of B lies at (0, 8, 4) mm: on voxel (0, 2, 1) of A.
    assert pair.a.data[2, 4, 0] == a.data[1, 2, 0]
    # Half way between two voxels of A along z.
    assert pair.a.data[1, 0, 0] == pytest.approx((a.data[0, 0, 0] + a.data[1, 0, 0]) / 2)


def test_one_grid_is_kept_bit_for_bit() -> None:
    a = _volume((4, 6, 5), (3.0, 1.0, 1.0), modality="PT")
    b = _volume((4, 6, 5), (3.0, 1.0, 1.0), modality="MR")
    pair = align(a, b)
    np.testing.assert_array_equal(pair.a.data, a.data)
    assert pair.a.mask is None


def test_two_patients_are_refused_unless_accepted() -> None:
    a, b = _pet(patient="one"), _mr(patient="two")
    with pytest.raises(TwoPatients, match="two different patients"):
        align(a, b)
    assert align(a, b, accept={"patients"}).alignment is Alignment.NOT_REGISTERED
    assert align(_pet(patient=""), b).alignment is Alignment.AS_ACQUIRED


def test_other_frame_of_reference_is_said() -> None:
    assert align(_pet(frame_of_reference="9"), _mr()).alignment is Alignment.NOT_REGISTERED


@pytest.mark.parametrize("z", [50.0, -50.0])
def test_volumes_apart_are_refused(z: float) -> None:
    with pytest.raises(VolumesApart, match="share no place"):
        align(_pet(origin=(0.0, 0.0, z)), _mr())


def test_boxes_that_meet_without_a_common_voxel_are_apart() -> None:
    """Turned by 45 degrees, A's box reaches into B's; A itself does not."""
    turned = np.eye(4)
    turned[:2, :2] = [[0.7071, -0.7071], [0.7071, 0.7071]]
    turned[:3, 3] = (20.0, 0.0, 0.0)
    a = Volume(data=np.ones((3, 20, 20), np.float32), affine=turned)
    b = Volume(data=np.ones((3, 8, 9), np.float32), affine=np.eye(4))
    assert common_box(grid_of(a), grid_of(b)) is not None
    with pytest.raises(VolumesApart):
        align(a, b)


@pytest.mark.parametrize("plane", PLANES)
def test_slices_are_those_of_the_planes(plane: Any) -> None:
    pair = align(_pet(), _mr())
    for index in range(pair.slices(plane)):
        if lone_slice(pair, plane, index) is not None:
            continue
        found = slice_pair(pair, plane, index)
        for image, volume in ((found.a, pair.a), (found.b, pair.b)):
            seen = slice_at(volume, plane, index)
            np.testing.assert_array_equal(image.data[..., 0], seen.pixels)
            assert image.data.flags.c_contiguous
            assert image.spacing == seen.spacing
            if seen.mask is not None and not seen.mask.all():
                np.testing.assert_array_equal(image.mask, seen.mask)
    with pytest.raises(IndexError):
        slice_pair(pair, plane, pair.slices(plane))


def test_what_the_images_say() -> None:
    pair = align(_pet(notes=("Odd.",)), _mr())
    found = slice_pair(pair, "axial", 0)
    assert (found.a.unit, found.a.window, found.a.notes) == ("SUVbw", (0.0, 10.0), ("Odd.",))
    assert (found.a.bit_depth, found.a.spacing) == (32, (2.0, 1.5))
    assert found.a.palette is not None
    assert found.a.palette.name == "hot_iron"
    assert found.b.palette is None
    assert found.a.origin is None
    other = slice_pair(pair, "axial", 0, windows=((1.0, 5.0), None), palettes=("inverted", "pet"))
    assert (other.a.window, other.b.window) == ((1.0, 5.0), (0.0, 10.0))
    assert other.a.palette is not None
    assert other.b.palette is not None
    assert (other.a.palette.name, other.b.palette.name) == ("inverted", "pet")
    assert slice_pair(pair, "axial", 0, palettes=("grey", None)).a.palette is None
    with pytest.raises(ValueError, match="no palette"):
        slice_pair(pair, "axial", 0, palettes=("gold", None))


def test_slices_outside_of_a_are_black_there() -> None:
    pair = align(_pet(), _mr())
    outside = [index for index in range(10) if lone_slice(pair, "axial", index)]
    assert outside == [6, 7, 8, 9]  # A ends at 10 mm, half a voxel behind its last centre
    found = slice_pair(pair, "axial", 9, windows=((2.0, 5.0), None))
    assert lone_slice(pair, "axial", 9) == "b"
    assert found.a.mask is None
    assert not found.a.levels().any()
    assert found.a.notes == ("This slice is outside of its field of view.",)
    np.testing.assert_array_equal(found.b.data[..., 0], pair.b.data[9])


def test_slices_that_b_has_not() -> None:
    mask = np.ones((10, 8, 9), bool)
    mask[0] = False
    pair = align(_pet(), _mr(mask=mask))
    assert lone_slice(pair, "axial", 0) == "a"
    assert lone_slice(pair, "axial", 1) is None
    assert slice_pair(pair, "axial", 0).b.mask is None


def test_two_masks_without_a_common_pixel() -> None:
    mask = np.zeros((10, 8, 9), bool)
    mask[:, :, 4:] = True
    a, b = _mr(mask=mask), _mr(mask=~mask)
    found = slice_pair(VolumePair(a, b, Alignment.AS_ACQUIRED), "axial", 0)
    assert found.valid is None
    assert not found.a.levels()[~mask[0]].any()
    np.testing.assert_array_equal(found.a.levels()[mask[0]][:, 0], a.data[0][mask[0]] / 10)


def test_slices_can_be_fused() -> None:
    pair = align(_pet(), _mr())
    method = next(iter(BASELINES))
    for plane in PLANES:
        found = slice_pair(pair, plane, 2)
        result = fuse_classically(FusionRequest(found, "mif", method))
        assert result.fused.shape == (*found.b.data.shape[:2], 3)
