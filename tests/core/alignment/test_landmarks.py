"""Transforms from pairs of points: values computed by hand, exact recovery, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from core.alignment.landmarks import LEAST_POINTS, fit_landmarks, landmark_residuals
from core.errors import InputError
from core.types import TRANSFORM_KINDS, Transform

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


def test_a_shift_is_the_difference_of_the_means():
    found = fit_landmarks("translation", [[0, 0], [10, 0]], [[3, 1], [15, 1]])
    np.testing.assert_allclose(found.apply([0, 0]), [4, 1])
    np.testing.assert_allclose(
        landmark_residuals(found, [[0, 0], [10, 0]], [[3, 1], [15, 1]]), [1, 1]
    )


def test_a_rotation_of_three_points_by_hand():
    # A right angle with legs 2 and 1, turned by 90° from x to y and shifted by (5, 5); the third
    # point is off by (0, 3): its part along the rotation is shared by least squares.
    fixed = [[0, 0], [2, 0], [0, 1]]
    moving = [[5, 5], [5, 7], [4, 5]]
    found = fit_landmarks("rigid", fixed, moving)
    np.testing.assert_allclose(found.array, [[0, -1, 5], [1, 0, 5], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(landmark_residuals(found, fixed, moving), 0, atol=1e-12)


def test_residuals_of_a_similarity_by_hand():
    # The square, with every corner pulled outwards along the diagonal but one: of the doubled
    # square, (20, 20) is marked at (24, 24).
    moving = [[0, 0], [20, 0], [24, 24], [0, 20]]
    found = fit_landmarks("similarity", SQUARE, moving)
    # Centred, Σ moving·fixed / Σ fixed²: fixed is (±5, ±5), so the sum of squares is 200; the
    # numerator is 5·((-1, -1, 1, 1)·x + (-1, 1, 1, -1)... ) = 5·(44 + 44) = 440.
    assert found.array[0, 0] == pytest.approx(2.2)
    assert found.array[1, 0] == pytest.approx(0)
    # Means: (11, 11) on (5, 5), so (0, 0) goes to (0, 0) and (10, 10) to (22, 22).
    np.testing.assert_allclose(
        landmark_residuals(found, SQUARE, moving), [0, 2, np.hypot(2, 2), 2], atol=1e-9
    )


def test_there_are_no_reflections():
    mirrored = [[0, 0], [-10, 0], [-10, 10], [0, 10]]
    for kind in ("rigid", "similarity"):
        assert (
            np.linalg.det(
                fit_landmarks(kind, SQUARE[:3] + [[3, 20]], mirrored[:3] + [[-3, 20]]).array
            )
            > 0
        )


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_points_without_error_give_the_transform_back(kind):
    matrices = {
        "translation": [[1, 0, 4], [0, 1, -2], [0, 0, 1]],
        "rigid": [[0.8, -0.6, 4], [0.6, 0.8, -2], [0, 0, 1]],
        "similarity": [[1.6, -1.2, 4], [1.2, 1.6, -2], [0, 0, 1]],
        "affine": [[1.1, 0.3, 4], [-0.2, 0.9, -2], [0, 0, 1]],
        "homography": [[1.1, 0.3, 4], [-0.2, 0.9, -2], [1e-3, 2e-3, 1]],
    }
    truth = Transform.of(kind, matrices[kind])
    points = np.random.default_rng(5).uniform(0, 300, (LEAST_POINTS[kind] + 2, 2))
    for count in (LEAST_POINTS[kind], len(points)):
        found = fit_landmarks(kind, points[:count], truth.apply(points[:count]))
        np.testing.assert_allclose(found.apply(points), truth.apply(points), atol=1e-6)


@pytest.mark.parametrize("kind", ["translation", "rigid", "similarity", "affine"])
def test_in_millimetres_of_volumes(kind):
    turn = np.array([[0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]])
    linear = {"translation": np.eye(3), "rigid": turn, "similarity": 2 * turn, "affine": turn + 0.1}
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear[kind], (10, -20, 30)
    truth = Transform.of(kind, matrix)
    points = np.random.default_rng(6).uniform(-100, 100, (5, 3))
    found = fit_landmarks(kind, points, truth.apply(points))
    np.testing.assert_allclose(found.array, truth.array, atol=1e-9)


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_too_few_points_are_refused(kind):
    points = np.array(SQUARE[: LEAST_POINTS[kind] - 1], float).reshape(-1, 2)
    with pytest.raises(InputError, match=f"takes at least {LEAST_POINTS[kind]}"):
        fit_landmarks(kind, points, points)


@pytest.mark.parametrize("kind", ["rigid", "similarity", "affine", "homography"])
def test_points_that_determine_nothing_are_refused(kind):
    same = [[3, 4]] * 5
    with pytest.raises(InputError):
        fit_landmarks(kind, same, same)
    if kind in ("affine", "homography"):
        line = [[k, 2 * k] for k in range(5)]
        with pytest.raises(InputError):
            fit_landmarks(kind, line, line)
