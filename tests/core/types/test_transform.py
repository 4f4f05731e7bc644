"""Transforms of points: what they do to them, what is refused, what they are called."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from core.errors import InputError
from core.types import TRANSFORM_KINDS, Transform
from core.types.transform import euler_angles

_QUARTER = ((0.0, -1.0, 10.0), (1.0, 0.0, 20.0), (0.0, 0.0, 1.0))
"""A quarter turn from x to y, then 10 to the right and 20 down."""
_PERSPECTIVE = ((1.1, 0.05, -4.0), (-0.02, 0.95, 6.0), (1e-4, -2e-4, 1.0))


def rotation(degrees: float, scale: float = 1.0) -> np.ndarray:
    """3×3 about the first pixel."""
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def test_points_are_mapped_as_computed_by_hand():
    turned = Transform("rigid", _QUARTER)
    assert turned.apply([[0, 0], [3, 0], [0, 3]]).tolist() == [[10, 20], [10, 23], [7, 20]]
    # (100, 50): depth 1 + 0.01 - 0.01 = 1; x = 110 + 2.5 - 4; y = -2 + 47.5 + 6.
    near = Transform("homography", _PERSPECTIVE)
    assert near.apply([100, 50]) == pytest.approx([108.5, 51.5])
    # (0, 50): depth 0.99; x = -1.5 / 0.99; y = 53.5 / 0.99.
    assert near.apply([0, 50]) == pytest.approx([-1.5 / 0.99, 53.5 / 0.99])


def test_points_of_volumes_are_in_millimetres():
    moved = Transform.of("translation", [[1, 0, 0, 4], [0, 1, 0, -5], [0, 0, 1, 6], [0, 0, 0, 1]])
    assert moved.dimension == 3
    assert moved.apply(np.ones((2, 5, 3))).shape == (2, 5, 3)
    assert moved.apply([1, 2, 3]).tolist() == [5, -3, 9]


def test_points_on_the_horizon_lie_nowhere():
    tilted = Transform.of("homography", [[1, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    assert np.isnan(tilted.apply([100, 7])).all()


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_the_inverse_brings_points_back(kind):
    matrices = {
        "translation": [[1, 0, 3.5], [0, 1, -2], [0, 0, 1]],
        "rigid": _QUARTER,
        "similarity": rotation(17, 1.3) + [[0, 0, 5], [0, 0, -9], [0, 0, 0]],
        "affine": [[1.1, 0.2, 3], [-0.1, 0.8, 4], [0, 0, 1]],
        "homography": _PERSPECTIVE,
    }
    transform = Transform.of(kind, matrices[kind])
    points = np.array([[0, 0], [640, 0], [12.5, 480], [-3, 7]])
    back = transform.inverse()
    assert back.kind == kind
    assert back.apply(transform.apply(points)) == pytest.approx(points, abs=1e-8)
    assert back.compose(transform).array == pytest.approx(np.eye(3), abs=1e-10)


def test_composition_applies_the_argument_first():
    turned = Transform("rigid", _QUARTER)
    moved = Transform.of("translation", [[1, 0, 100], [0, 1, 0], [0, 0, 1]])
    assert turned.compose(moved).apply([0, 0]).tolist() == [10, 120]
    assert moved.compose(turned).apply([0, 0]).tolist() == [110, 20]
    assert turned.compose(moved).kind == "rigid"
    bent = Transform("homography", _PERSPECTIVE)
    points = np.array([[3.0, 4], [50, 60]])
    assert bent.compose(turned).apply(points) == pytest.approx(bent.apply(turned.apply(points)))
    assert bent.compose(turned).kind == turned.compose(bent).kind == "homography"


def test_pictures_and_volumes_are_not_composed():
    with pytest.raises(ValueError, match="volumes"):
        Transform.identity(2).compose(Transform.identity(3))


def test_the_identity_is_known():
    for dimension in (2, 3):
        same = Transform.identity(dimension)
        assert same.is_identity
        assert same.dimension == dimension
    assert not Transform("rigid", _QUARTER).is_identity


@pytest.mark.parametrize(
    ("kind", "matrix", "why"),
    [
        ("rigid", np.eye(2), "3×3"),
        ("rigid", np.eye(5), "3×3"),
        ("affine", np.eye(3)[:, :2], "3×3"),
        ("affine", [[1, 0, math.nan], [0, 1, 0], [0, 0, 1]], "not finite"),
        ("affine", [[1, 2, 0], [2, 4, 0], [0, 0, 1]], "no inverse"),
        ("affine", np.zeros((3, 3)) + [[0, 0, 0], [0, 0, 0], [0, 0, 1]], "no inverse"),
        ("affine", [[1, 0, 0], [0, 1, 0], [0.1, 0, 1]], "last row"),
        ("homography", [[1, 0, 0], [0, 1, 0], [0, 0, 0]], "last row"),
        ("homography", [[1, 0, 1], [0, 1, 1], [1, 0, 1]], "no inverse"),
        ("homography", np.eye(4), "not for volumes"),
        ("translation", rotation(0.1), "not one of the kind"),
        ("rigid", rotation(10, 1.01), "not one of the kind"),
        ("similarity", [[1, 0.1, 0], [0, 1, 0], [0, 0, 1]], "not one of the kind"),
        ("rigid", np.diag([-1, 1, 1]), "mirrors"),
        ("similarity", np.diag([2, 2, -2, 1]), "mirrors"),
        ("bent", np.eye(3), "no kind"),
    ],
)
def test_matrices_that_are_no_transform_of_their_kind_are_refused(kind, matrix, why):
    with pytest.raises(InputError, match=why) as refused:
        Transform.of(kind, matrix)
    assert refused.value.remedy


def test_each_kind_includes_those_before_it():
    moved = Transform.of("translation", [[1, 0, 3], [0, 1, 4], [0, 0, 1]])
    for kind in TRANSFORM_KINDS:
        assert Transform(kind, moved.matrix).apply([1, 1]).tolist() == [4, 5]
    with pytest.raises(InputError):
        Transform("translation", Transform("rigid", _QUARTER).matrix)


def test_the_parts_are_those_it_was_made_of():
    centre = np.array([320.0, 240.0])
    about = np.eye(3)
    about[:2, 2] = centre + [7, -3]
    back = np.eye(3)
    back[:2, 2] = -centre
    parts = Transform.of("similarity", about @ rotation(-12, 0.9) @ back).parts(centre)
    assert parts.shift == pytest.approx((7, -3))
    assert parts.angles == pytest.approx((-12,))
    assert parts.scale == pytest.approx(0.9)
    assert parts.stretch == pytest.approx(1)
    assert not parts.is_mirrored
    stretched = Transform.of("affine", np.diag([2, -0.5, 1])).parts()
    assert (stretched.scale, stretched.stretch) == pytest.approx((1, 4))
    assert stretched.is_mirrored


def test_a_homography_is_described_where_it_is_asked():
    bent = Transform("homography", _PERSPECTIVE)
    at, step = np.array([300.0, 200.0]), 1e-4
    slopes = [
        (bent.apply(at + step * unit) - bent.apply(at - step * unit)) / (2 * step)
        for unit in np.eye(2)
    ]
    grown = abs(np.linalg.det(np.stack(slopes, axis=1)))
    assert bent.parts(at).scale == pytest.approx(math.sqrt(grown), rel=1e-6)
    assert bent.parts(at).shift == pytest.approx(tuple(bent.apply(at) - at))


_ANGLES = st.floats(-1.5, 1.5)


@given(_ANGLES, _ANGLES, st.floats(-3.1, 3.1))
def test_angles_of_volumes_are_in_the_order_of_itk(x, y, z):
    turned = Rotation.from_euler("ZXY", [z, x, y]).as_matrix()
    assert euler_angles(turned) == pytest.approx((x, y, z), abs=1e-6)
    matrix = np.eye(4)
    matrix[:3, :3] = turned
    assert Transform.of("rigid", matrix).parts().angles == pytest.approx(
        np.degrees([x, y, z]), abs=1e-4
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_right_angle_around_x_has_angles_that_give_the_same_rotation(sign):
    turned = Rotation.from_euler("ZXY", [0.4, sign * math.pi / 2, 0.3]).as_matrix()
    x, y, z = euler_angles(turned)
    assert Rotation.from_euler("ZXY", [z, x, y]).as_matrix() == pytest.approx(turned, abs=1e-6)
