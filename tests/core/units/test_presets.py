"""Windows that a volume is first shown with."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from core.types import Volume
from core.units.presets import (
    CT_PRESETS,
    SAMPLE,
    presets_for,
    sampled,
    suggest_window,
    window_of_volume,
)


def spread(low: float, high: float, count: int = 100_001) -> np.ndarray:
    """Evenly spread values in no order."""
    values = np.linspace(low, high, count, dtype=np.float32)
    np.random.default_rng(0).shuffle(values)
    return values.reshape(1, 1, -1)


def test_presets_of_ct_are_level_and_width() -> None:
    windows = {preset.name: preset.window for preset in CT_PRESETS}
    assert windows == {
        "Brain": (0, 80),
        "Stroke": (20, 60),
        "Bone": (-770, 1730),
        "Lung": (-1350, 150),
        "Soft tissue": (-160, 240),
    }
    assert presets_for("CT", "HU") == CT_PRESETS
    assert presets_for("CT", "") == ()
    assert all(preset.window[0] == 0 for preset in presets_for("PT", "SUVlbm"))
    assert presets_for("PT", "Bq/mL") == presets_for("MR", "") == ()


@pytest.mark.parametrize(("top", "expected"), [(2, 4.0), (10, 9.95), (100, 30.0)])
def test_suv_begins_at_zero_and_ends_between_4_and_30(top, expected) -> None:
    low, high = suggest_window(spread(0, top), "PT", "SUVbw", stated=(-5.0, 1.0))
    assert low == 0
    assert high == pytest.approx(expected, rel=1e-3)


def test_activity_and_counts_begin_at_zero_too() -> None:
    assert suggest_window(spread(-100, 20_000), "PT", "Bq/mL") == (0, pytest.approx(19_899.5))
    dark = np.zeros((10, 100, 100), np.float32)
    assert suggest_window(dark, "NM", "counts") == (0.0, 1.0)
    dark[5, 50, 50:60] = 7
    assert suggest_window(dark, "NM", "counts") == (0.0, 7.0)


def test_a_single_hot_voxel_does_not_make_a_pet_dark() -> None:
    values = np.array(spread(0, 8))
    values[0, 0, 17] = 5000
    assert suggest_window(values, "PT", "SUVbw")[1] == pytest.approx(7.96, rel=1e-3)


def test_ct_is_soft_tissue_unless_the_header_says_otherwise() -> None:
    assert suggest_window(spread(-1000, 1500), "CT", "HU") == (-160, 240)
    assert suggest_window(spread(-1000, 1500), "CT", "HU", stated=(-10.0, 90.0)) == (-10, 90)


def test_mr_loses_a_thousandth_at_either_end() -> None:
    assert suggest_window(spread(0, 1000), "MR", "") == pytest.approx((1, 999), rel=1e-3)
    assert suggest_window(spread(0, 1000), "MR", "", stated=(100.0, 700.0)) == (100, 700)


def test_a_single_wild_voxel_does_not_discredit_the_header() -> None:
    values = np.array(spread(0, 1000))
    values[0, 0, 5] = 1e7
    assert suggest_window(values, "MR", "", stated=(100.0, 700.0)) == (100, 700)


@pytest.mark.parametrize(
    "stated", [(-32768.0, 32768.0), (2000.0, 3000.0), (5.0, 5.0), (9.0, 1.0), (0.0, float("nan"))]
)
def test_windows_that_do_not_meet_the_data_are_not_believed(stated) -> None:
    window = suggest_window(spread(0, 600), "MR", "", stated=stated)
    assert window == pytest.approx((0.6, 599.4), rel=1e-3)


@pytest.mark.parametrize(
    ("value", "window"), [(0.0, (0.0, 1.0)), (5.0, (0.0, 5.0)), (-5.0, (-5.0, 0.0))]
)
def test_constants_have_a_window_too(value, window) -> None:
    assert suggest_window(np.full((2, 3, 4), value, np.float32), "MR", "") == window


def test_what_was_not_measured_does_not_count() -> None:
    values, mask = np.array(spread(0, 1000)), np.ones((1, 1, 100_001), bool)
    values[0, 0, ::2], mask[0, 0, ::2] = 1e6, False
    assert suggest_window(values, "MR", "", mask=mask) == pytest.approx((1, 999), abs=0.5)
    nothing = np.zeros((1, 1, 100_001), bool)
    assert suggest_window(values, "MR", "", mask=nothing) == (0.0, 1.0)
    volume = Volume(data=values, affine=np.eye(4), modality="MR", mask=mask)
    assert window_of_volume(volume) == suggest_window(values, "MR", "", mask=mask)


def test_samples_are_small_the_same_each_time_and_from_all_columns() -> None:
    data = np.broadcast_to(np.arange(200, dtype=np.float32), (200, 200, 200)).copy()
    tracemalloc.start()
    values = sampled(data)
    window = suggest_window(data, "MR", "")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values.size <= SAMPLE
    assert np.unique(values).size == 200
    assert suggest_window(data, "MR", "") == window == (0, 199)
    assert peak < 3 * SAMPLE * data.itemsize < data.nbytes
