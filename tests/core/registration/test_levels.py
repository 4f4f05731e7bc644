from __future__ import annotations

import numpy as np
import pytest

from core.registration.levels import Level, enlarged, eroded, level_of, reduced, resized, warped
from core.registration.motion import mapped
from core.types import Image

_X, _Y = np.meshgrid(np.arange(320), np.arange(240))


def _blob(x: float, y: float) -> Level:
    grey = np.exp(-((_X - x) ** 2 + (_Y - y) ** 2) / (2 * 20.0**2)).astype(np.float32)
    return Level(grey, np.ones(grey.shape, np.bool_))


def _centroid(level: Level) -> np.ndarray:
    height, width = level.grey.shape
    weights = level.grey / level.grey.sum()
    return np.array(
        [(weights.sum(0) * np.arange(width)).sum(), (weights.sum(1) * np.arange(height)).sum()]
    )


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.41, 0.25, 0.13])
def test_the_matrix_of_a_smaller_level_says_where_its_pixels_lie(scale):
    level = _blob(150.3, 110.7)
    smaller, matrix = resized(level, scale)
    np.testing.assert_allclose(
        _centroid(smaller), mapped(matrix, np.array([150.3, 110.7])), atol=0.05
    )
    assert matrix[0, 0] == matrix[1, 1] == scale


def test_warping_asks_the_level_where_the_matrix_says():
    shift = np.array([[1, 0, 12.5], [0, 1, -7.25], [0, 0, 1]])
    there = warped(_blob(160, 120), shift, (320, 240))
    np.testing.assert_allclose(_centroid(there), [147.5, 127.25], atol=0.05)
    assert not there.valid[:, -12:].any()
    assert not there.valid[:7].any()
    assert there.valid[8:, :-13].all()


def test_what_is_not_finite_is_no_data():
    data = np.full((40, 50, 1), 0.5, np.float32)
    data[3, 4], data[5, 6] = np.nan, np.inf
    mask = np.ones((40, 50), np.bool_)
    mask[0] = False
    level = level_of(Image(data, mask=mask))
    assert np.isfinite(level.grey).all()
    assert not level.valid[0].any()
    assert not level.valid[3, 4]
    assert level.valid[10:].all()


def test_erosion_keeps_borders_of_the_picture():
    valid = np.ones((20, 30), np.bool_)
    valid[10, 10] = False
    kept = eroded(valid, 2)
    assert (~kept).sum() == 25
    assert kept[0].all()


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_a_reduced_image_knows_where_its_pixels_lie(factor):
    level = _blob(150.3, 110.7)
    smaller = level_of(reduced(Image(level.grey[..., np.newaxis]), factor))
    np.testing.assert_allclose(
        mapped(enlarged(factor), _centroid(smaller)), [150.3, 110.7], atol=0.05
    )


def test_a_pixel_of_a_reduced_image_holds_data_where_all_of_it_does():
    mask = np.ones((30, 40), np.bool_)
    mask[7, 9] = False
    image = reduced(Image(np.zeros((30, 40, 3), np.float32), mask=mask), 3)
    assert image.size == (13, 10)
    assert image.mask is not None
    assert np.argwhere(~image.mask).tolist() == [[2, 3]]
    sparse = np.zeros((30, 40), np.bool_)
    sparse[4, 4] = True
    assert reduced(Image(np.zeros((30, 40, 1), np.float32), mask=sparse), 3).mask is None
