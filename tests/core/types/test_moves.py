"""Moves of a picture on another one, by values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Transform
from core.types.moves import (
    by_size,
    motion_parts,
    moved,
    scale_about,
    shift_by,
    turn_about,
    volume_motion_parts,
    with_motion,
    with_volume_motion,
)

SIZES = ((40, 30), (40, 30))


def test_a_picture_moved_to_the_right_is_read_further_to_the_left():
    transform = moved(Transform.identity(), shift_by((3, 1)))
    np.testing.assert_allclose(transform.apply([10, 10]), [7, 9])
    assert transform.kind == "translation"
    parts = motion_parts(transform, *SIZES)
    assert parts.shift == (3, 1)
    assert (parts.angles[0], parts.scale) == (0, 1)


def test_a_quarter_turn_leaves_its_centre():
    turn = turn_about((10, 20), 90)
    np.testing.assert_allclose(turn.apply([[10, 20], [11, 20]]), [[10, 20], [10, 21]], atol=1e-12)
    # Around x, from y to z.
    solid = turn_about((1, 2, 3), 90, (2, 0, 0))
    np.testing.assert_allclose(solid.apply([1, 3, 3]), [1, 2, 4], atol=1e-12)


def test_an_enlarged_picture_is_read_in_smaller_steps():
    transform = moved(Transform.identity(), scale_about((10, 10), 2))
    np.testing.assert_allclose(transform.apply([[10, 10], [14, 10]]), [[10, 10], [12, 10]])
    assert motion_parts(transform, *SIZES).scale == pytest.approx(2)


def test_moves_add_up_in_the_order_they_are_made():
    transform = moved(Transform.identity(), shift_by((5, 0)))
    transform = moved(transform, turn_about((0, 0), 90))
    # A point of the picture at (1, 0) goes to (6, 0), and then to (0, 6).
    np.testing.assert_allclose(transform.apply([0, 6]), [1, 0], atol=1e-12)
    assert transform.kind == "rigid"


def test_borders_lie_on_borders_whatever_the_sizes():
    transform = by_size((80, 60), (40, 30))
    np.testing.assert_allclose(
        transform.apply([[-0.5, -0.5], [39.5, 29.5]]), [[-0.5, -0.5], [79.5, 59.5]]
    )
    assert transform.kind == "similarity"
    assert by_size((80, 30), (40, 30)).kind == "affine"
    parts = motion_parts(transform, (80, 60), (40, 30))
    np.testing.assert_allclose(
        [*parts.shift, parts.angles[0], parts.scale], [0, 0, 0, 1], atol=1e-12
    )


def test_a_homography_is_described_at_the_centre():
    bent = Transform.of("homography", [[1, 0, 4], [0, 1, 0], [0, 0, 1]])
    assert motion_parts(bent, *SIZES).shift == pytest.approx((-4, 0))


@given(
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    st.floats(-170, 170),
    st.floats(0.2, 5),
    st.sampled_from([((40, 30), (40, 30)), ((80, 60), (40, 30)), ((33, 60), (40, 30))]),
)
def test_what_is_set_is_what_is_read(shift, angle, scale, sizes):
    transform = with_motion(by_size(*sizes), sizes, shift=shift, angle=angle, scale=scale)
    parts = motion_parts(transform, *sizes)
    np.testing.assert_allclose(parts.shift, shift, atol=1e-6)
    assert math.isclose(parts.scale, scale, rel_tol=1e-6)
    assert abs(parts.angles[0] - angle) < 1e-6
    # One value at a time leaves the others.
    turned = motion_parts(with_motion(transform, sizes, angle=10), *sizes)
    np.testing.assert_allclose(turned.shift, shift, atol=1e-6)
    assert turned.angles[0] == pytest.approx(10)


def test_a_volume_moved_to_the_left_is_read_further_to_the_right():
    transform = with_volume_motion(Transform.identity(3), (10, 20, 30), shift=(5, 0, -2))
    np.testing.assert_allclose(transform.apply([10, 20, 30]), [5, 20, 32])
    turned = with_volume_motion(transform, (10, 20, 30), angles=(0, 0, 90))
    # The centre stays where it was moved to; what was beside it in x is now beside it in y.
    np.testing.assert_allclose(
        turned.apply([[15, 20, 28], [15, 21, 28]]), [[10, 20, 30], [11, 20, 30]]
    )
    assert turned.kind == "rigid"


@given(
    st.tuples(*[st.floats(-80, 80)] * 3),
    st.tuples(st.floats(-80, 80), *[st.floats(-170, 170)] * 2),
)
def test_what_is_set_of_a_volume_is_what_is_read(shift, angles):
    centre = (10, -20, 30)
    start = with_volume_motion(Transform.identity(3), centre, shift=(1, 2, 3), angles=(10, 20, 30))
    parts = volume_motion_parts(
        with_volume_motion(start, centre, shift=shift, angles=angles), centre
    )
    np.testing.assert_allclose(parts.shift, shift, atol=1e-6)
    np.testing.assert_allclose(parts.angles, angles, atol=1e-6)
