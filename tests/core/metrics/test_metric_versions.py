"""Kept scores are of a version of a metric: whoever changes its values must raise that version."""

from __future__ import annotations

import numpy as np
import pytest

from core.metrics import METRICS, Luma, evaluate

PINNED: dict[str, tuple[int, float]] = {
    "MI": (1, 4.3846964),
    "NMI": (1, 0.644021702),
    "NMI_lit": (1, 0.664737605),
    "NCIE": (1, 0.815101891),
    "CE": (1, 0.13474769),
    "CE_paper": (1, 2.01968969e-06),
    "FMI_pixel": (1, 0.427085166),
    "FMI_gradient": (1, 0.42773864),
    "FMI_wavelet": (1, 0.450616455),
    "Qabf": (1, 0.401306582),
    "Nabf": (1, 3.23045687e-07),
    "SSIM": (1, 0.646917096),
    "SSIM_paper": (1, 0.646917096),
    "MS_SSIM": (1, 0.706733879),
    "MS_SSIM_paper": (1, 0.706733879),
    "Qy": (1, 0.996951783),
    "Qy_lit": (1, 0.847507171),
    "Q0": (1, 0.632535934),
    "Qw": (1, 0.632057995),
    "Qe": (1, 0.251821172),
    "VIF": (1, 0.566515037),
    "VIF_lit": (1, 0.318567518),
    "Qcb": (1, 0.648535205),
    "Qcb_paper": (1, 0.651228854),
    "CC": (1, 0.671340011),
    "PSNR": (1, 21.6683734),
    "PSNR_paper": (1, 69.799177),
    "SCD": (1, 1.41825588),
    "MSE": (1, 0.00681024376),
    "EN": (1, 6.38552213),
    "AG": (1, 11.83564),
    "SF": (1, 23.4332031),
    "SD": (1, 20.7019436),
}
"""Version and value of every metric on the images below."""


def soft(seed: int) -> Luma:
    """Noise of 48×64, smoothed in whole numbers, so that it is the same on every machine."""
    noise = np.random.default_rng(seed).integers(0, 256, (50, 66))
    rows = (noise[:-2] + 2 * noise[1:-1] + noise[2:]) // 4
    return ((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) // 4).astype(np.uint8)


def values() -> dict[str, float]:
    a, b = soft(7), soft(8)
    return evaluate(a, b, ((2 * a.astype(int) + b) // 3).astype(np.uint8))


def test_a_metric_that_gives_other_values_has_another_version() -> None:
    """If this fails, raise ``version`` of the metric and write both new numbers here."""
    found = {name: (METRICS[name].version, value) for name, value in values().items()}
    assert found.keys() == PINNED.keys()
    for name, (version, value) in PINNED.items():
        assert found[name] == (version, pytest.approx(value, rel=1e-6, abs=1e-9)), name
