"""Which source gives the brightness of a fused infrared/visible image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.naturalness import targets
from core.models.salience import SALIENCE_REACH, brightness, night_of, target_map

DAY, NIGHT = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)


def _images(level_x: float, level_y: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((1, 1, 160, 200), level_x), torch.full((1, 1, 160, 200), level_y)


def test_night_is_told_by_the_mean_of_the_visible_image() -> None:
    images = torch.stack(
        [torch.full((1, 8, 12), level / 255) for level in (40, 142, 150, 158, 220)]
    )
    one = 1 / (1 + np.e)
    got = night_of(images).flatten().tolist()
    assert got == pytest.approx([1, 1 - one, 0.5, one, 0], abs=1e-3)
    assert night_of(images).shape == (5, 1, 1, 1)


def test_a_hot_figure_is_a_target_unless_the_visible_image_shows_it_too() -> None:
    x, y = _images(0.3, 0.4)
    x[..., 60:100, 80:110] = 0.9
    found = target_map(x, y)
    assert found[..., 62:98, 82:108].min() > 0.95
    assert found[..., :40, :].max() < 0.06
    assert target_map(y, x).max() < 0.06, "what is hot in B is no target of A"
    y[..., 60:100, 80:110] = 0.95
    assert target_map(x, y).max() < 0.06


def test_targets_are_those_that_the_benchmark_counts() -> None:
    x, y = _images(0.3, 0.4)
    x[..., 60:100, 80:110], x[..., 10:20, 10:20], x[..., 130:150, 20:40] = 0.9, 0.35, 0.8
    y[..., 130:150, 20:40] = 0.9
    soft = target_map(x, y)[0, 0].numpy() > 0.5
    levels = (np.round(255 * image[0, 0].numpy()).astype(np.int16) for image in (x, y))
    assert (soft == targets(*levels)).mean() > 0.99


def test_brightness_by_hand() -> None:
    x, y = _images(0.3, 0.6)
    x[..., 60:100, 80:110] = 0.9
    by_day = brightness(x, y, DAY)
    assert by_day[0, 0, 80, 95].item() == pytest.approx(0.9, abs=0.02)
    assert by_day[0, 0, 10, 10].item() == pytest.approx(0.6)
    assert torch.equal(brightness(x, y, NIGHT), torch.maximum(x, y))
    x, y = _images(0.5, 0.4)  # brighter everywhere, hotter than its surroundings nowhere
    assert brightness(x, y, DAY).mean().item() == pytest.approx(0.4, abs=0.006)
    assert brightness(x, y, NIGHT / 2).mean().item() == pytest.approx(0.45, abs=0.006)


def test_no_pixel_beyond_the_reach_decides() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 1, 1, 256, 32, generator=generator)
    before = target_map(x, y)
    x[..., 128:132, :] = 0
    touched = ((target_map(x, y) - before).abs().sum(dim=(0, 1, 3)) > 0).nonzero().flatten()
    assert touched.min() >= 128 - SALIENCE_REACH
    assert touched.max() < 132 + SALIENCE_REACH
    assert len(touched) > 60
