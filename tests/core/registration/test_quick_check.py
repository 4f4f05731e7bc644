from __future__ import annotations

import numpy as np
import pytest

from core.io import read_image
from core.registration.quick_check import looks_misaligned
from tests.core.registration.scenes import image_of, texture


def _said(a, b, task="mff"):
    return looks_misaligned(image_of(a), image_of(b), task)


@pytest.mark.parametrize("shift", [(5, 0), (-4, 3), (25, -20)])
def test_a_shift_is_seen(shift):
    grey = texture(500, 400)
    dx, dy = shift
    a, b = grey[40:360, 50:450], grey[40 - dy : 360 - dy, 50 - dx : 450 - dx]
    found = _said(a, b)
    assert found.verdict == "shifted"
    assert found.shift == pytest.approx(np.hypot(dx, dy), abs=0.3)


def test_aligned_pictures_are_silent():
    grey = texture(500, 400)
    noise = np.random.default_rng(0).normal(0, 0.02, grey.shape)
    found = _said(grey, grey + noise)
    assert found.verdict == "aligned"
    assert found.shift < 0.3


def test_nothing_is_said_of_what_cannot_be_compared():
    grey = texture(500, 400)
    assert _said(grey, texture(500, 400, seed=3)).verdict == "unknown"
    assert _said(grey, np.full_like(grey, 0.5)).verdict == "unknown"
    assert _said(grey, grey[:300]).verdict == "unknown"
    assert _said(grey[:50, :50], grey[:50, :50]).verdict == "unknown"


def test_a_shift_counts_in_pixels_of_the_picture():
    grey = texture(1100, 900)
    found = _said(grey[50:850, 50:1050], grey[50:850, 38:1038])
    assert found.verdict == "shifted"
    assert found.shift == pytest.approx(12, abs=0.5)


@pytest.mark.parametrize("folder", ["misaligned_mff", "misaligned_mef"])
def test_real_shifted_pairs_are_seen(shared_data, folder):
    pairs = sorted((shared_data / "extra" / folder / "a").iterdir())
    assert pairs
    for path in pairs:
        a, b = read_image(path), read_image(path.parents[1] / "b" / path.name)
        assert looks_misaligned(a, b, folder[-3:]).verdict == "shifted", path.name


@pytest.mark.parametrize(
    ("task", "name"),
    [("mff", "nyud_048.jpg"), ("mef", "fusiondn_12.png"), ("ivif", "llvip_190001.jpg")],
)
def test_real_aligned_pairs_are_silent(shared_data, task, name):
    a, b = (read_image(shared_data / "val" / task / side / name) for side in "ab")
    assert looks_misaligned(a, b, task).verdict != "shifted"
