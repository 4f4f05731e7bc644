"""From arrays to pictures: values computed by hand or by another road."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QImage

from app.render import (
    FeatureView,
    basis_of,
    common_basis,
    feature_picture,
    feature_pixels,
    picture,
    result_pictures,
)
from core.types import DeviceChoice, FusionResult


def pixels_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def test_values_are_rounded_clipped_and_never_nan():
    grey = np.array([[[0.0], [1.0], [0.5], [2.0], [-1.0], [np.nan], [np.inf]]], np.float32)
    shown = pixels_of(picture(grey).levels[0])
    assert shown[0, :, 0].tolist() == [0, 255, 128, 255, 0, 0, 255]
    assert (shown == shown[..., :1]).all()


def test_channels_keep_their_order():
    red = np.zeros((2, 3, 3), np.float32)
    red[..., 0] = 1
    assert pixels_of(picture(red).levels[0])[1, 2].tolist() == [255, 0, 0]


@given(st.integers(1, 700), st.integers(1, 700))
def test_levels_halve_and_the_first_is_whole(width: int, height: int):
    made = picture(np.zeros((height, width, 1), np.float32))
    sizes = [(level.width(), level.height()) for level in made.levels]
    assert sizes[0] == (width, height) == made.size
    for (w, h), (next_w, next_h) in pairwise(sizes):
        assert (next_w, next_h) == (w // 2, h // 2)
    assert max(sizes[-1]) <= 256 or min(sizes[-1]) < 2


def test_a_fine_pattern_averages_to_grey_when_halved():
    board = (np.indices((512, 512)).sum(axis=0) % 2).astype(np.float32)[..., None]
    half = pixels_of(picture(board).levels[1])
    assert set(np.unique(half)) == {128}


def maps(seed: int, channels: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(channels, channels))
    a, b = (rng.gamma(2.0, size=(channels, 12, 15)) for _ in range(2))
    return tuple(np.tensordot(mix, x, 1).astype(np.float32) for x in (a, b))


def test_basis_is_the_svd_of_both_maps_together():
    a, b = maps(1)
    basis = common_basis(a, b)
    both = np.concatenate([x.reshape(6, -1).T for x in (a, b)]).astype(np.float64)
    _, _, rows = np.linalg.svd(both - both.mean(axis=0), full_matrices=False)
    for found, expected in zip(basis.axes, rows[:3], strict=True):
        assert abs(float(found @ expected)) == pytest.approx(1, abs=1e-4)


def test_equal_features_have_equal_colours_in_a_and_b():
    a, b = maps(2)
    b[:, 3, 4] = a[:, 7, 8]
    basis = common_basis(a, b)
    shown_a, shown_b = (feature_pixels(x, FeatureView(), basis) for x in (a, b))
    assert shown_a.shape == (12, 15, 3)
    np.testing.assert_allclose(shown_b[3, 4], shown_a[7, 8], atol=1e-5)


def test_what_fills_the_picture_is_dark():
    a, b = maps(5)
    for x in (a, b):
        x[:, :9] = x[:, :1, :1]
    b[:, :9] = a[:, :1, :1]
    for sign in (1, -1):
        basis = common_basis(sign * a, sign * b)
        assert feature_pixels(sign * a, FeatureView(), basis)[4, 4].max() <= 0.5


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_few_channels_and_flat_maps_have_pictures(channels):
    a, b = maps(3, channels)
    for x, y in ((a, b), (np.ones_like(a), np.ones_like(b))):
        shown = feature_pixels(x, FeatureView(), common_basis(x, y))
        assert np.isfinite(shown).all()
        assert shown.min() >= 0
        assert shown.max() <= 1


def test_mean_and_channel_views():
    a, b = maps(4)
    basis = common_basis(a, b)
    mean = feature_pixels(a, FeatureView(mode="mean"), basis)[..., 0]
    channel = feature_pixels(a, FeatureView(mode="channel", channel=2), basis)[..., 0]
    for shown, plane in ((mean, a.mean(axis=0)), (channel, a[2])):
        inside = (shown > 0) & (shown < 1)
        low, high = np.percentile(plane, (1, 99))
        np.testing.assert_allclose(shown[inside], ((plane - low) / (high - low))[inside], atol=1e-4)
    beyond = feature_pixels(a, FeatureView(mode="channel", channel=99), basis)
    last = feature_pixels(a, FeatureView(mode="channel", channel=5), basis)
    np.testing.assert_array_equal(beyond, last)


def result(features: np.ndarray | None, height: int, width: int) -> FusionResult:
    return FusionResult(
        fused=np.zeros((height, width, 1), np.float32),
        task="mif",
        method="m",
        device=DeviceChoice("cpu", "CPU", "test"),
        bit_depth=8,
        features_a=features,
        features_b=features,
    )


@pytest.mark.parametrize(("height", "width"), [(45, 62), (48, 64), (33, 70)])
def test_coarse_features_cover_whole_cells(height, width):
    features = np.random.default_rng(0).random((4, -(-height // 4), -(-width // 4)), np.float32)
    made = result(features, height, width)
    shown = feature_picture(made, FeatureView(), basis_of(made))
    assert shown.size == (-(-width // 4) * 4, -(-height // 4) * 4)


def test_a_result_without_features_has_only_the_fused_picture():
    assert set(result_pictures(result(None, 4, 4), FeatureView(), None)) == {"fused"}
