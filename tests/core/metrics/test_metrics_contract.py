"""What every metric promises: finite or undefined, bounded, symmetric, seeing what it should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PilImage

from core.errors import InputError, SizeMismatch
from core.metrics import (
    DEFINITIONS,
    MAIN_METRICS,
    METRIC_ALIASES,
    METRIC_GROUPS,
    METRICS,
    TABLE1_METRICS,
    UNDEFINED,
    Luma,
    evaluate,
    evaluate_timed,
    mean_defined,
    to_luma8,
)

ROUNDING = 1e-9


def structured(seed: int) -> Luma:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (16, 16)).astype(np.uint8)
    return np.asarray(PilImage.fromarray(coarse).resize((128, 128), PilImage.Resampling.BICUBIC))


def assert_bounded(scores: dict[str, float]) -> None:
    for name, value in scores.items():
        low, high = METRICS[name].bounds
        if np.isnan(value):
            assert METRICS[name].undefined_when, name
        else:
            assert np.isfinite(value), (name, value)
            assert low - ROUNDING <= value <= high + ROUNDING, (name, value)


def test_registry_is_complete() -> None:
    wanted = {"MI", "NMI", "VIF", "Qabf", "Nabf", "Qy", "CC", "PSNR", "SSIM", "SSIM_paper"}
    wanted |= {"MS_SSIM", "SD", "EN", "AG", "SF", "SCD", "Qcb", "MSE", "CE", "NCIE", "Qw"}
    wanted |= {"FMI_pixel", "FMI_gradient", "FMI_wavelet"}
    assert wanted <= METRICS.keys()
    assert {*MAIN_METRICS, *TABLE1_METRICS, *METRIC_ALIASES.values()} <= METRICS.keys()
    groups = [metric.group for metric in METRICS.values()]
    assert sorted(groups, key=list(METRIC_GROUPS).index) == groups
    assert set(groups) == METRIC_GROUPS.keys()
    for key, metric in METRICS.items():
        assert key == metric.name
        assert metric.explanation.endswith(".")
        assert "\n" not in metric.explanation
        assert metric.bounds[0] < metric.bounds[1]
        assert metric.variant_of in {"", *METRICS}
        assert metric.definition in DEFINITIONS
    lower = {name for name, metric in METRICS.items() if metric.direction == "lower"}
    assert lower == {"Nabf", "MSE", "CE", "CE_paper"}


UNDEFINED_ON_CONSTANTS = {"NMI", "NMI_lit", "VIF", "VIF_lit", "Qabf", "Nabf", "Qw", "Qe", "Qcb"}
UNDEFINED_ON_CONSTANTS |= {"Qcb_paper", "CC", "SCD"}


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (16, 40)])
@pytest.mark.parametrize("levels", [(0, 0, 0), (0, 0, 200), (255, 0, 128), (9, 9, 9)])
def test_constant_pictures_have_some_undefined_scores(
    shape: tuple[int, int], levels: tuple[int, int, int]
) -> None:
    scores = evaluate(*(np.full(shape, level, np.uint8) for level in levels))
    assert_bounded(scores)
    undefined = set(UNDEFINED_ON_CONSTANTS)
    if min(shape) < 3:
        undefined |= {"FMI_pixel", "FMI_gradient"}
    if levels[2] not in levels[:2] or levels[0] != levels[1]:
        undefined.add("CE")
    assert {name for name, value in scores.items() if np.isnan(value)} == undefined


@pytest.mark.parametrize(
    ("constant", "undefined"),
    [
        ("a", {"VIF", "VIF_lit", "Qcb", "Qcb_paper", "CC", "SCD"}),
        ("f", {"Qcb", "Qcb_paper", "CC"}),
    ],
)
def test_undefined_where_one_picture_is_constant(constant: str, undefined: set[str]) -> None:
    pictures = {name: structured(seed) for seed, name in enumerate("abf")}
    pictures[constant] = np.full_like(pictures["a"], 90)
    scores = evaluate(**pictures)
    assert {name for name, value in scores.items() if np.isnan(value)} == undefined


def test_a_copy_of_a_source_added_nothing_to_correlate() -> None:
    a, b = structured(1), structured(2)
    assert np.isnan(evaluate(a, b, a, ["SCD"])["SCD"])


def test_cross_entropy_is_undefined_without_a_common_grey_level() -> None:
    a, f = np.array([[0, 1]], np.uint8), np.array([[2, 3]], np.uint8)
    assert np.isnan(evaluate(a, a, f, ["CE"])["CE"])


def test_undefined_values_are_counted_and_not_averaged() -> None:
    assert mean_defined([1.0, UNDEFINED, 4.0]) == (2.5, 2, 1)
    nothing = mean_defined([UNDEFINED])
    assert np.isnan(nothing.mean)
    assert nothing[1:] == (0, 1)


def test_scores_are_the_same_with_and_without_what_is_shared() -> None:
    a, b, f = (structured(seed)[:40, :50].copy() for seed in (1, 2, 3))
    timed = evaluate_timed(a, b, f)
    assert timed.values == {name: metric.function(a, b, f) for name, metric in METRICS.items()}
    assert timed.milliseconds.keys() == METRICS.keys()
    assert min(timed.milliseconds.values()) > 0
    # Nothing is left over for other pictures at the same address.
    a[:] = 255 - b
    assert evaluate(a, b, f, ["MI"])["MI"] == METRICS["MI"].function(a, b, f)


def test_other_names_of_metrics_are_understood() -> None:
    a, b, f = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
    assert evaluate(a, b, f, ["Qmi"]) == evaluate(a, b, f, ["NMI_lit"])


@settings(max_examples=12, deadline=None)
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
        assert scores[name] == pytest.approx(swapped[name], rel=1e-6, abs=1e-9, nan_ok=True), name


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
