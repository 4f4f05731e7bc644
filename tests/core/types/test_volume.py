"""A volume: voxels, where they lie, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from core.types import Volume

# Columns 2 mm apart to the left, rows 3 mm to the back, slices 5 mm to the head.
_AFFINE = np.array([[2.0, 0, 0, -10], [0, 3, 0, -20], [0, 0, 5, 30], [0, 0, 0, 1]])


def test_shape_and_spacing_count_slices_first() -> None:
    volume = Volume(data=np.zeros((4, 6, 8), np.float32), affine=_AFFINE)
    assert volume.shape == (4, 6, 8)
    assert volume.spacing == (5.0, 3.0, 2.0)


def test_spacing_of_an_oblique_volume_is_along_its_own_axes() -> None:
    angle = np.deg2rad(30)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = Volume(data=np.zeros((4, 6, 8), np.float32), affine=turn @ _AFFINE)
    assert volume.spacing == pytest.approx((5.0, 3.0, 2.0))


def test_arrays_cannot_be_written_to_and_the_caller_keeps_his_own() -> None:
    affine = _AFFINE.copy()
    volume = Volume(data=np.zeros((4, 6, 8), np.float32), affine=affine)
    affine[0, 3] = 99
    assert volume.affine[0, 3] == -10
    with pytest.raises(ValueError, match="read-only"):
        volume.data[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        volume.affine[0, 0] = 1


def test_a_mask_that_says_nothing_is_none() -> None:
    data = np.zeros((4, 6, 8), np.float32)
    assert Volume(data=data, affine=_AFFINE, mask=np.ones((4, 6, 8), bool)).mask is None
    part = np.ones((4, 6, 8), bool)
    part[0] = False
    kept = Volume(data=data, affine=_AFFINE, mask=part).mask
    assert kept is not None
    np.testing.assert_array_equal(kept, part)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"data": np.zeros((6, 8), np.float32)}, "expected slices×rows×columns"),
        ({"data": np.zeros((0, 6, 8), np.float32)}, "expected slices×rows×columns"),
        ({"affine": np.eye(3)}, "its place in the patient"),
        ({"affine": np.full((4, 4), np.nan)}, "its place in the patient"),
        ({"affine": np.diag([2.0, 0.0, 5.0, 1.0])}, "no extent"),
        ({"window": (1.0, 1.0)}, "empty display window"),
        ({"mask": np.ones((4, 6), bool)}, "another shape"),
    ],
)
def test_what_is_no_volume_is_refused(change: dict[str, object], why: str) -> None:
    right: dict[str, object] = {"data": np.zeros((4, 6, 8), np.float32), "affine": _AFFINE}
    with pytest.raises(InputError, match=why):
        Volume(**(right | change))  # type: ignore[arg-type]
