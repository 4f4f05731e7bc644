"""Feature maps made visible: ranges, common colours, and PCA against the singular vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fusion.feature_maps import FeatureMode, common_basis, feature_pixels


def _maps(channels: int = 8, height: int = 12, width: int = 9, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scale = np.linspace(3, 0.2, channels)[:, None, None]
    return (rng.normal(size=(channels, height, width)) * scale).astype(np.float32)


def test_the_axes_are_the_leading_singular_vectors_of_both_maps_together() -> None:
    a, b = _maps(seed=1), _maps(seed=2) + 1
    basis = common_basis(a, b)
    samples = np.concatenate([a.reshape(8, -1).T, b.reshape(8, -1).T]).astype(np.float64)
    np.testing.assert_allclose(basis.mean, samples.mean(axis=0), rtol=1e-5, atol=1e-6)
    _, _, directions = np.linalg.svd(samples - samples.mean(axis=0), full_matrices=False)
    for axis, direction in zip(basis.axes, directions[:3], strict=True):
        assert abs(float(axis @ direction)) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(basis.axes @ basis.axes.T, np.eye(3), atol=1e-5)
    scores = (samples - samples.mean(axis=0)) @ basis.axes.T
    middle = np.median(scores, axis=0)
    assert (middle - basis.low <= basis.high - middle + 1e-3).all(), "the background is dark"
    np.testing.assert_allclose(basis.low, np.percentile(scores, 1, axis=0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(basis.high, np.percentile(scores, 99, axis=0), rtol=1e-3, atol=1e-4)


def _with_background(seed: int, ground: float) -> np.ndarray:
    """A disc of structure on a ground of one vector, which is another one for each seed."""
    rng = np.random.default_rng(seed)
    maps = np.repeat(rng.normal(size=(8, 1, 1)) * ground, 24, axis=1).repeat(20, axis=2)
    rows, columns = np.mgrid[:24, :20]
    inside = (rows - 12) ** 2 + (columns - 10) ** 2 < 49
    maps[:, inside] += _maps(8, 24, 20, seed + 10)[:, inside]
    return maps.astype(np.float32)


def test_a_background_is_the_same_dark_grey_in_both_pictures() -> None:
    a, b = _with_background(1, 4.0), _with_background(2, 9.0)
    basis = common_basis(a, b)
    one, two = feature_pixels(a, basis), feature_pixels(b, basis)
    ground = one[0, 0]
    assert ground.max() <= 0.21
    np.testing.assert_allclose(ground, ground[0], atol=1e-3)
    np.testing.assert_allclose(two[0, 0], ground, atol=1e-3)
    for shown in (one, two):
        inside = shown[8:16, 6:14]
        assert inside.max() > 0.8
        assert inside.std() > 0.1
    np.testing.assert_allclose(basis.axes @ basis.axes.T, np.eye(3), atol=1e-4)


def test_directions_nothing_lies_along_are_as_grey_as_the_background() -> None:
    a, b = _with_background(1, 4.0)[:1], _with_background(2, 9.0)[:1]
    basis = common_basis(np.concatenate([a, a * 0, a * 0]), np.concatenate([b, b * 0, b * 0]))
    shown = feature_pixels(np.concatenate([a, a * 0, a * 0]), basis)
    np.testing.assert_allclose(shown[0, 0], shown[0, 0, 0], atol=1e-3)
    assert shown[0, 0].max() <= 0.21


def test_a_background_in_one_picture_alone_changes_nothing() -> None:
    a, b = _with_background(1, 4.0), _maps(8, 24, 20, 3)
    samples = np.concatenate([a.reshape(8, -1).T, b.reshape(8, -1).T]).astype(np.float64)
    _, _, directions = np.linalg.svd(samples - samples.mean(axis=0), full_matrices=False)
    basis = common_basis(a, b)
    assert abs(float(basis.axes[0] @ directions[0])) == pytest.approx(1, abs=1e-4)


def test_equal_features_get_equal_colours_in_both_pictures() -> None:
    a, b = _maps(seed=1), _maps(seed=2)
    b[:, 3, 4] = a[:, 5, 6]
    basis = common_basis(a, b)
    one, two = feature_pixels(a, basis), feature_pixels(b, basis)
    np.testing.assert_array_equal(one[5, 6], two[3, 4])


@given(
    st.integers(1, 6),
    st.integers(1, 7),
    st.integers(1, 7),
    st.sampled_from(["pca", "mean", "channel"]),
    st.integers(-3, 9),
    st.floats(0, 1e4),
)
@settings(max_examples=60, deadline=None)
def test_every_view_has_its_shape_and_range(
    channels: int, height: int, width: int, mode: FeatureMode, channel: int, scale: float
) -> None:
    a = _maps(channels, height, width, 1) * np.float32(scale)
    b = _maps(channels, height, width, 2) * np.float32(scale)
    view = feature_pixels(a, common_basis(a, b), mode, channel)
    assert view.shape == (height, width, 3 if mode == "pca" else 1)
    assert view.dtype == np.float32
    assert np.isfinite(view).all()
    assert view.min() >= 0
    assert view.max() <= 1


def test_a_flat_map_is_mid_grey_in_every_mode() -> None:
    flat = np.full((4, 5, 6), 2.5, np.float32)
    basis = common_basis(flat, flat)
    for mode in ("pca", "mean", "channel"):
        np.testing.assert_array_equal(feature_pixels(flat, basis, mode), 0.5)


def test_mean_and_channel_show_what_they_say() -> None:
    ramp = np.linspace(0, 1, 200, dtype=np.float32).reshape(1, 1, 200)
    features = np.concatenate([ramp, 3 - ramp, ramp * 0])
    basis = common_basis(features, features)
    rising = feature_pixels(features, basis, "channel", 0)[0, :, 0]
    falling = feature_pixels(features, basis, "channel", 1)[0, :, 0]
    assert (np.diff(rising) >= 0).all()
    assert (rising[0], rising[-1]) == (0, 1)
    np.testing.assert_allclose(falling, rising[::-1], atol=1e-5)
    expected = np.clip((ramp[0, 0] - 0.01) / 0.98, 0, 1)
    np.testing.assert_allclose(rising, expected, atol=1e-5)
    # The mean of the three is flat.
    np.testing.assert_allclose(feature_pixels(features * 4, basis, "channel", 7), 0.5)


def test_large_maps_are_sampled_not_refused() -> None:
    rng = np.random.default_rng(0)
    big = rng.normal(size=(3, 300, 500)).astype(np.float32) * np.array([[[3]], [[2]], [[1]]])
    basis = common_basis(big.astype(np.float32), big.astype(np.float32))
    np.testing.assert_allclose(np.abs(np.diag(basis.axes)), 1, atol=0.02)
