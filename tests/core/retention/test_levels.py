"""Grey levels that are lost and places that are set apart, by hand on made-up images."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from core.retention.levels import Levels, regions_apart, uptake_lost


def _levels(*rows: list[int]) -> Levels:
    return np.array(rows, np.int16)


def _flat(value: int, shape: tuple[int, int] = (120, 160)) -> Levels:
    return np.full(shape, value, np.int16)


def test_uptake_is_lost_where_it_was_the_brighter_one() -> None:
    pet, mri = _levels([200, 200, 200, 50]), _levels([100, 100, 100, 100])
    assert uptake_lost(pet, mri, _levels([196, 195, 200, 0])) == pytest.approx(100 / 3)
    assert isnan(uptake_lost(_flat(1), _flat(2), _flat(2)))


def test_a_source_that_changes_from_place_to_place_sets_places_apart() -> None:
    """One half of a uniform tissue from each source: 40 levels apart, where A has 0 and B 10."""
    a, b = _flat(100, (160, 160)), _flat(60, (160, 160))
    b[:, 80:] = 70
    halves = np.where(np.arange(160) < 80, b, a).astype(np.int16)
    # 16 × 16 places in four groups that are apart: seven columns of 60, then one each of about 67
    # and 93, which the blur leaves between, and seven of 100. Pairs within a group are not.
    within = 2 * (112 * 111 + 16 * 15) // 2
    assert regions_apart(a, b, halves) == pytest.approx(100 * (1 - within / (256 * 255 // 2)))
    for rule in (a, b, np.maximum(a, b), np.minimum(a, b), ((a + b) // 2).astype(np.int16)):
        assert regions_apart(a, b, rule) == 0


def test_what_a_source_shows_apart_may_be_apart() -> None:
    a, b = _flat(100, (160, 160)), _flat(60, (160, 160))
    b[:, 80:] = 90  # not alike in B: the difference is no invention
    halves = np.where(np.arange(160) < 80, b, a).astype(np.int16)
    assert regions_apart(a, b, halves) < 20  # of places beside the change, which are alike
    assert isnan(regions_apart(_flat(3), _flat(16), _flat(200)))  # background
