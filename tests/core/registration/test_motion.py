from __future__ import annotations

import numpy as np
import pytest

from core.registration.motion import (
    CentredFrame,
    Displacements,
    degrees_of_freedom,
    directions,
    exponential,
    fit,
    mapped,
)
from core.types.transform import TRANSFORM_KINDS, Transform


def _displacements(matrix: np.ndarray, count: int = 80, seed: int = 0) -> Displacements:
    points = np.random.default_rng(seed).uniform(-0.7, 0.7, (count, 2))
    shifts = mapped(matrix, points) - points
    return Displacements(points, shifts, np.broadcast_to(np.eye(2), (count, 2, 2)), 300.0)


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_motions_stay_in_their_group(kind):
    parameters = np.random.default_rng(1).uniform(-0.1, 0.1, degrees_of_freedom(kind))
    matrix = exponential(kind, parameters)
    Transform.of(kind, matrix)  # raises where it is of another kind
    undone = matrix @ exponential(kind, -parameters)
    np.testing.assert_allclose(undone / undone[2, 2], np.eye(3), atol=1e-9)


def test_a_quarter_turn_is_the_exponential_of_its_angle():
    matrix = exponential("rigid", np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(matrix, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-9)


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_directions_are_the_derivatives(kind):
    points = np.array([[0.3, -0.5], [-0.2, 0.1], [0.6, 0.6]])
    rows = directions(kind, points)
    for index in range(rows.shape[2]):
        step = np.zeros(rows.shape[2])
        step[index] = 1e-6
        moved = mapped(exponential(kind, step), points) - points
        np.testing.assert_allclose(rows[:, :, index], moved / 1e-6, atol=1e-5)


@pytest.mark.parametrize("kind", TRANSFORM_KINDS)
def test_a_motion_is_found_although_two_fifths_are_wrong(kind):
    truth = np.random.default_rng(2).uniform(-0.03, 0.03, degrees_of_freedom(kind))
    given = _displacements(exponential(kind, truth))
    wrong = np.random.default_rng(3).uniform(-0.05, 0.05, (32, 2))
    shifts = given.shifts.copy()
    shifts[:32] += wrong + np.sign(wrong) * 0.01
    found, weights = fit(kind, Displacements(given.points, shifts, given.information, 300.0), 2.0)
    np.testing.assert_allclose(exponential(kind, found), exponential(kind, truth), atol=1e-5)
    assert weights[:32].max() == 0
    assert weights[32:].min() > 0.99


def test_what_is_known_along_one_direction_counts_along_it_only():
    points = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
    shifts = np.array([[0.01, 0.004], [0.01, 0.004], [0.006, 0.002]])
    across, down = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    given = Displacements(points, shifts, np.array([across, across, down]), 100.0)
    found, _ = fit("translation", given, 3.0, np.zeros(2))
    np.testing.assert_allclose(found, [0.01, 0.002], atol=1e-6)


def test_corners_lie_at_one_half_diagonal():
    frame = CentredFrame(301, 401)
    distance = np.linalg.norm(mapped(frame.matrix, frame.corners), axis=1)
    np.testing.assert_allclose(distance, np.hypot(300, 400) / np.hypot(301, 401))
