"""What every metric promises: finite, bounded, symmetric, blind to nothing it should see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PilImage

from core.errors import InputError, SizeMismatch
from core.metrics import MAIN_METRICS, METRICS, Luma, evaluate, to_luma8

ROUNDING = 1e-9


def assert_bounded(scores: dict[str, float]) -> None:
    for name, value in scores.items():
        low, high = METRICS[name].bounds
        assert np.isfinite(value), (name, value)
        assert low - ROUNDING <= value <= high + ROUNDING, (name, value)


def test_registry_is_complete() -> None:
    wanted = {"MI", "NMI", "VIF", "Qabf", "Nabf", "Qy", "CC", "PSNR", "SSIM", "SSIM_paper"}
    wanted |= {"MS_SSIM", "SD", "EN", "AG", "SF", "SCD", "Qcb", "MSE", "CE"}
    assert wanted <= METRICS.keys()
    assert set(MAIN_METRICS) <= METRICS.keys()
    for key, metric in METRICS.items():
        assert key == metric.name
        assert metric.explanation.endswith(".")
        assert "\n" not in metric.explanation
        assert metric.bounds[0] < metric.bounds[1]
    lower = {name for name, metric in METRICS.items() if metric.direction == "lower"}
    assert lower == {"Nabf", "MSE", "CE", "CE_paper"}


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (16, 40)])
@pytest.mark.parametrize("levels", [(0, 0, 0), (0, 0, 200), (255, 0, 128), (9, 9, 9)])
def test_constant_pictures_give_finite_scores(
    shape: tuple[int, int], levels: tuple[int, int, int]
) -> None:
    assert_bounded(evaluate(*(np.full(shape, level, np.uint8) for level in levels)))


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    top=st.integers(1, 255),
    seed=st.integers(0, 999),
)
def test_bounded_and_symmetric_in_the_sources(height: int, width: int, top: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, f = rng.integers(0, top, (3, height, width), dtype=np.uint8, endpoint=True)
    scores, swapped = evaluate(a, b, f), evaluate(b, a, f)
    assert_bounded(scores)
    for name in METRICS.keys() - {"Qy"}:  # their unnormalised window cancels to noise on ties
        assert scores[name] == pytest.approx(swapped[name], rel=1e-6, abs=1e-9), name


def structured(seed: int) -> Luma:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (16, 16)).astype(np.uint8)
    return np.asarray(PilImage.fromarray(coarse).resize((128, 128), PilImage.Resampling.BICUBIC))


@pytest.mark.parametrize("name", ["VIF", "VIF_lit", "Qabf", "Qy_lit", "CC", "PSNR", "SSIM", "MI"])
def test_more_noise_scores_worse(name: str) -> None:
    a = structured(1)
    noise = np.random.default_rng(2).normal(size=a.shape)
    scores = [
        evaluate(a, a, np.clip(a + sigma * noise, 0, 255).astype(np.uint8), [name])[name]
        for sigma in (0, 5, 20, 80)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def test_the_authors_quality_rewards_noise_that_has_nothing_of_the_sources() -> None:
    """Why Qy alone proves nothing, pinned so that the docstring stays true."""
    a, b, f = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    scores = evaluate(a, b, f, ["Qy", "Qy_lit"])
    assert scores["Qy"] > 1.0
    assert scores["Qy_lit"] < 0.2


def test_inputs_are_left_alone() -> None:
    images = [structured(seed) for seed in (3, 4, 5)]
    kept = [image.copy() for image in images]
    for image in images:
        image.flags.writeable = False
    evaluate(*images)
    np.testing.assert_array_equal(images, kept)


def test_what_cannot_be_scored_is_refused() -> None:
    grey = np.zeros((4, 5), np.uint8)
    with pytest.raises(SizeMismatch):
        evaluate(grey, np.zeros((4, 6), np.uint8), grey)
    with pytest.raises(InputError, match=r"6×4.*5×4"):
        evaluate(grey, grey, np.zeros((4, 6), np.uint8))
    with pytest.raises(InputError, match="8-bit luma"):
        evaluate(grey, grey, np.zeros((4, 5), np.float32))
    with pytest.raises(InputError, match=r"“Beauty”.*Choose from: MI, NMI"):
        evaluate(grey, grey, grey, ["Beauty"])


def test_luma_is_that_of_the_written_file() -> None:
    rng = np.random.default_rng(6)
    eight_bit = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    expected = np.asarray(PilImage.fromarray(eight_bit).convert("L"))
    np.testing.assert_array_equal(to_luma8(eight_bit.astype(np.float32) / 255), expected)


def test_luma_rounds_and_clips() -> None:
    values = np.array([[-0.5, 0.0, 0.499 / 255, 0.501 / 255, 1.0, 7.0]], dtype=np.float32)
    expected = [[0, 0, 0, 1, 255, 255]]
    np.testing.assert_array_equal(to_luma8(values), expected)
    np.testing.assert_array_equal(to_luma8(values[:, :, None]), expected)
    with pytest.raises(ValueError, match="height×width"):
        to_luma8(np.zeros((2, 2, 4), np.float32))
