"""Spots of made-up images: what their contrast is, and what is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.retention.appearance import ViewGrid
from core.retention.spots import SeenImage, diameters_on, find_spots, local_contrast
from core.types import FloatArray, Image


def _flat(lightness: float, side: int = 120) -> FloatArray:
    lab = np.zeros((side, side, 3), np.float32)
    lab[..., 0] = lightness
    return lab


def _disc(lab: FloatArray, at: tuple[int, int], diameter: float, change: list[float]) -> FloatArray:
    rows, columns = np.indices(lab.shape[:2])
    inside = np.hypot(rows - at[0], columns - at[1]) <= diameter / 2
    return lab + inside[..., np.newaxis] * np.array(change, np.float32)


def test_pixels_are_square_and_not_finer_than_spots_need() -> None:
    unknown = ViewGrid.of(Image(np.zeros((256, 300, 1), np.float32)))
    assert (unknown.size, unknown.mm) == ((300, 256), 240 / 256)
    assert ViewGrid.of(Image(np.zeros((1024, 2048, 1), np.float32))).size == (600, 300)
    slanted = ViewGrid.of(Image(np.zeros((50, 100, 1), np.float32), spacing=(2.0, 1.0)))
    assert (slanted.size, slanted.mm, slanted.scale) == ((100, 100), 1.0, (1.0, 0.5))


def test_images_are_seen_in_cielab() -> None:
    grid = ViewGrid.of(Image(np.zeros((4, 4, 1), np.float32), spacing=(1.0, 1.0)))
    # sRGB 0.5 is 0.21404 of the light of white; L* = 116 · 0.21404^(1/3) − 16.
    assert grid.lab(np.full((4, 4, 1), 0.5, np.float32), None)[0, 0] == pytest.approx(
        [53.389, 0, 0], abs=0.02
    )
    red = np.tile(np.float32([1, 0, 0]), (4, 4, 1))
    assert grid.lab(red, None)[2, 2] == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


def test_pixels_without_data_say_nothing() -> None:
    grid = ViewGrid.of(Image(np.zeros((8, 8, 1), np.float32), spacing=(1.0, 1.0)))
    shown, valid = np.full((8, 8, 1), 0.5, np.float32), np.ones((8, 8), np.bool_)
    shown[:, 4:], valid[:, 4:] = 0, False
    assert grid.lab(shown, valid)[..., 0] == pytest.approx(53.389, abs=0.02)
    assert grid.valid(valid).sum() == 32


def test_the_contrast_of_a_disc_is_its_difference() -> None:
    lab = _disc(_flat(40), (60, 60), 12, [6, 0, 8])
    vector = local_contrast(lab, 12)[60, 60]
    assert vector == pytest.approx([6, 0, 8], rel=0.02)
    assert np.linalg.norm(local_contrast(_flat(40), 12), axis=2).max() < 1e-4


@pytest.mark.parametrize("diameter", [6, 9.5, 15])
@pytest.mark.parametrize("change", [[20, 0, 0], [-20, 0, 0], [0, 15, 0]])
def test_a_disc_is_one_spot_of_its_size(diameter: float, change: list[float]) -> None:
    found = find_spots(SeenImage(_disc(_flat(50), (50, 70), diameter, change)), 1.0)
    assert len(found) == 1
    assert np.hypot(found.rows[0] - 50, found.columns[0] - 70) <= 1
    assert found.diameters[0] == diameter
    assert found.contrasts[0] == pytest.approx(np.linalg.norm(change), rel=0.1)


def test_edges_lines_and_faint_spots_are_none() -> None:
    edge, line = _flat(20), _flat(20)
    edge[:, 60:, 0] = 80
    line[:, 58:62, 0] = 80
    faint = _disc(_flat(50), (60, 60), 9.5, [4, 0, 0])
    for lab in (_flat(50), edge, line, faint):
        assert len(find_spots(SeenImage(lab), 1.0)) == 0


def test_a_spot_within_texture_of_its_kind_is_none() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (120, 120)).astype(np.float32)
    texture = _flat(50)
    texture[..., 0] += 10 * noise / noise.std()
    texture = cv2.GaussianBlur(texture, (0, 0), 1.0)
    alone = find_spots(SeenImage(_disc(_flat(50), (60, 60), 9.5, [14, 0, 0])), 1.0)
    buried = find_spots(SeenImage(_disc(texture, (60, 60), 9.5, [3, 0, 0])), 1.0)
    assert len(alone) == 1
    near = np.hypot(buried.rows - 60, buried.columns - 60) < 3
    assert not (near & (buried.diameters > 9)).any()


def test_spots_are_looked_for_where_asked() -> None:
    lab = _disc(_disc(_flat(50), (30, 30), 9.5, [20, 0, 0]), (90, 90), 9.5, [15, 0, 0])
    where = np.ones((120, 120), np.bool_)
    assert list(find_spots(SeenImage(lab), 1.0, where).rows) == [30, 90]
    where[:60] = False
    assert list(find_spots(SeenImage(lab), 1.0, where).rows) == [90]


def test_coarse_pixels_show_larger_spots_alone() -> None:
    assert diameters_on(1.0) == (4.0, 6.0, 9.5, 15.0)
    assert diameters_on(4.0) == pytest.approx((2.5, 3.75))
