"""The five classical methods: contract, symmetry, hand-computed cases, and what they are for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from core.baselines import BASELINES
from core.baselines.guided import guided_filter
from core.baselines.pyramid import collapse, laplacian_pyramid, pyramid_levels
from core.errors import InputError, SizeMismatch
from core.types import FloatArray

NAMES = ("average", "maximum", "laplacian", "guided", "mertens")
SHAPES = [(1, 1, 1), (1, 1, 3), (1, 7, 1), (5, 1, 3), (2, 3, 3), (64, 64, 3), (65, 37, 1)]


def noise(shape: tuple[int, ...], seed: int) -> FloatArray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def texture(height: int = 128, width: int = 128) -> FloatArray:
    """A smooth random picture with detail at several scales, in [0, 1], H×W×1."""
    rng = np.random.default_rng(5)
    total = sum(
        sigma * ndimage.gaussian_filter(rng.standard_normal((height, width)), sigma)
        for sigma in (1, 2, 6)
    )
    total -= total.min()
    return (total / total.max()).astype(np.float32)[:, :, None]


def blurred(image: FloatArray, sigma: float = 3.0) -> FloatArray:
    return cv2.GaussianBlur(image, (0, 0), sigma).reshape(image.shape)


def test_registry_names_every_method_by_its_key() -> None:
    assert tuple(BASELINES) == NAMES
    assert all(key == baseline.name for key, baseline in BASELINES.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_shape_range_and_inputs_untouched(name: str, shape: tuple[int, int, int]) -> None:
    a, b = noise(shape, 1), noise(shape, 2)
    kept = a.copy(), b.copy()
    a.flags.writeable = b.flags.writeable = False
    fused = BASELINES[name].fuse(a, b)
    assert fused.shape == shape
    assert fused.dtype == np.float32
    assert fused.min() >= 0.0
    assert fused.max() <= 1.0
    np.testing.assert_array_equal((a, b), kept)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 20000, 1), (20000, 2, 3)])
def test_long_strips(name: str, shape: tuple[int, int, int]) -> None:
    a, b = noise(shape, 3), noise(shape, 4)
    fused = BASELINES[name].fuse(a, b)
    assert fused.shape == shape
    # Not a copy of either source somewhere along the strip, and no drift at its ends.
    assert np.isfinite(fused).all()
    assert abs(float(fused.mean()) - 0.5) < 0.2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_with_itself_gives_itself(name: str, shape: tuple[int, int, int]) -> None:
    a = noise(shape, 6)
    np.testing.assert_allclose(BASELINES[name].fuse(a, a), a, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
    levels=st.integers(2, 256),
    seed=st.integers(0, 999),
)
def test_order_of_sources_does_not_matter(
    name: str, height: int, width: int, channels: int, levels: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # Few grey levels make ties frequent.
    a, b = (
        (rng.integers(0, levels, (height, width, channels)) / (levels - 1)).astype(np.float32)
        for _ in range(2)
    )
    fuse = BASELINES[name].fuse
    np.testing.assert_allclose(fuse(a, b), fuse(b, a), atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_constant_pictures_stay_constant(name: str) -> None:
    dark, light = np.full((20, 30, 1), 0.25, np.float32), np.full((20, 30, 1), 0.75, np.float32)
    fused = BASELINES[name].fuse(dark, light)
    # No detail to choose by: all but the maximum meet in the middle.
    np.testing.assert_allclose(fused, 0.75 if name == "maximum" else 0.5, atol=1e-6)


def test_average_and_maximum_by_hand() -> None:
    a = np.array([[[0.0], [0.5]], [[1.0], [0.25]]], dtype=np.float32)
    b = np.array([[[1.0], [0.25]], [[0.5], [0.75]]], dtype=np.float32)
    np.testing.assert_array_equal(BASELINES["average"].fuse(a, b).ravel(), [0.5, 0.375, 0.75, 0.5])
    np.testing.assert_array_equal(BASELINES["maximum"].fuse(a, b).ravel(), [1.0, 0.5, 1.0, 0.75])


def test_values_outside_the_range_are_clipped() -> None:
    a = np.array([[[-1.0], [2.0]]], dtype=np.float32)
    np.testing.assert_array_equal(BASELINES["maximum"].fuse(a, a).ravel(), [0.0, 1.0])


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 13, 3), (64, 33, 1)])
@pytest.mark.parametrize("levels", [1, 3])
def test_pyramid_rebuilds_the_picture(shape: tuple[int, int, int], levels: int) -> None:
    image = noise(shape, 8)
    pyramid = laplacian_pyramid(image, levels)
    assert len(pyramid) == levels + 1
    np.testing.assert_allclose(collapse(pyramid), image, atol=1e-6)


def test_pyramid_halves_and_its_rest_is_the_burt_adelson_average() -> None:
    image = noise((8, 8, 1), 9)
    rest = laplacian_pyramid(image, 1)[-1]
    assert rest.shape == (4, 4, 1)
    kernel = np.array([1, 4, 6, 4, 1]) / 16.0
    around = image[2:7, 2:7, 0].astype(np.float64)  # centred on pixel (4, 4)
    assert rest[2, 2, 0] == pytest.approx(float(kernel @ around @ kernel), abs=1e-6)


@pytest.mark.parametrize(
    ("size", "levels"),
    [((1, 1), 1), ((20000, 2), 1), ((32, 500), 2), ((64, 64), 3), ((9000, 4000), 5)],
)
def test_levels_follow_the_shorter_side(size: tuple[int, int], levels: int) -> None:
    assert pyramid_levels(*size) == levels


def test_laplacian_takes_the_detail_of_the_source_that_has_it() -> None:
    flat = np.full((64, 64, 1), 0.5, dtype=np.float32)
    checker = flat + np.float32(0.2) * (np.indices((64, 64)).sum(axis=0) % 2 * 2 - 1)[..., None]
    fused = BASELINES["laplacian"].fuse(flat, checker.astype(np.float32))
    np.testing.assert_allclose(fused, checker, atol=1e-3)


def test_laplacian_invents_no_colour() -> None:
    # Per-channel decisions would mix red from one source with blue from the other.
    grey_a, grey_b = (np.repeat(noise((48, 48, 1), seed), 3, axis=2) for seed in (11, 12))
    fused = BASELINES["laplacian"].fuse(grey_a, grey_b)
    assert float(np.ptp(fused, axis=2).max()) < 1e-6


def direct_guided_filter(
    guide: np.ndarray, source: np.ndarray, radius: int, eps: float
) -> np.ndarray:
    """The filter from its definition: a least-squares line in every window, then their mean."""
    height, width = guide.shape

    def window(y: int, x: int) -> tuple[slice, slice]:
        return (
            slice(max(0, y - radius), y + radius + 1),
            slice(max(0, x - radius), x + radius + 1),
        )

    slope, offset = np.zeros((2, height, width))
    for y in range(height):
        for x in range(width):
            g, s = guide[window(y, x)], source[window(y, x)]
            slope[y, x] = ((g - g.mean()) * (s - s.mean())).mean() / (g.var() + eps)
            offset[y, x] = s.mean() - slope[y, x] * g.mean()
    result = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            result[y, x] = slope[window(y, x)].mean() * guide[y, x] + offset[window(y, x)].mean()
    return result


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-6), (3, 0.3), (45, 0.3)])
def test_guided_filter_against_its_definition(radius: int, eps: float) -> None:
    rng = np.random.default_rng(13)
    guide, source = rng.random((2, 11, 9))
    np.testing.assert_allclose(
        guided_filter(guide, source, radius, eps),
        direct_guided_filter(guide, source, radius, eps),
        atol=1e-9,
    )


def test_mertens_prefers_the_well_exposed_source() -> None:
    scene = texture()
    good, dark = 0.3 + 0.4 * scene, 0.04 * scene
    fused = BASELINES["mertens"].fuse(good, dark)
    to_good, to_dark = np.abs(fused - good).mean(), np.abs(fused - dark).mean()
    assert to_good < 0.05
    assert to_dark > 5 * to_good


def test_mertens_lets_a_grey_picture_stored_as_rgb_take_part() -> None:
    scene = texture()
    grey = np.repeat(0.3 + 0.4 * scene, 3, axis=2)
    coloured = np.concatenate([0.04 * scene, 0.02 * scene, 0.06 * scene], axis=2)
    fused = BASELINES["mertens"].fuse(grey, coloured)
    assert np.abs(fused - grey).mean() < 0.05


@pytest.mark.parametrize("name", ["laplacian", "guided", "mertens"])
def test_multi_focus_comes_closer_to_the_sharp_picture_than_the_average(name: str) -> None:
    sharp = texture()
    soft = blurred(sharp)
    left = np.arange(128)[None, :, None] < 64
    near, far = np.where(left, sharp, soft), np.where(left, soft, sharp)
    error = {
        method: float(((BASELINES[method].fuse(near, far) - sharp) ** 2).mean())
        for method in ("average", name)
    }
    assert error[name] < 0.5 * error["average"]


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_fused_is_refused(name: str) -> None:
    fuse = BASELINES[name].fuse
    grey = np.zeros((4, 5, 1), np.float32)
    with pytest.raises(SizeMismatch, match=r"5×4.*6×4"):
        fuse(grey, np.zeros((4, 6, 1), np.float32))
    with pytest.raises(InputError, match="1 channels and the other 3"):
        fuse(grey, np.zeros((4, 5, 3), np.float32))
    with pytest.raises(InputError, match="height×width"):
        fuse(np.zeros((4, 5), np.float32), grey)
    with pytest.raises(InputError, match="not numbers"):
        fuse(grey, np.full_like(grey, np.nan))
