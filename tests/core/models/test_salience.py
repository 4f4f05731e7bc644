"""Which source gives the brightness of a fused infrared/visible image."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from benchmarks.naturalness import targets
from core.models.guided_filter import reduced
from core.models.salience import (
    SALIENCE_REACH,
    activities,
    brightness,
    detail_logit,
    lead_of,
    night_of,
    surroundings,
    target_map,
)

DAY, NIGHT = torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1)


def _images(level_x: float, level_y: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((1, 1, 160, 200), level_x), torch.full((1, 1, 160, 200), level_y)


def test_night_is_told_by_the_mean_of_the_visible_image() -> None:
    images = torch.stack(
        [torch.full((1, 8, 12), level / 255) for level in (40, 144, 146, 148, 220)]
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
    # By night x, and what y shows as a lamp; what y shows brighter, but even, is none.
    x, y = _images(0.3, 0.4)
    y[..., 60:100, 80:110] = 0.9
    by_night = brightness(x, y, NIGHT)
    assert by_night[0, 0, 80, 95].item() == pytest.approx(0.9, abs=0.04)
    assert by_night[0, 0, 10, 10].item() == pytest.approx(0.3, abs=0.01)
    x[..., 60:100, 80:110] = 0.7  # warm as well: no hole in the lamp
    assert brightness(x, y, NIGHT)[0, 0, 80, 95].item() == pytest.approx(0.9, abs=0.02)
    x, y = _images(0.5, 0.4)  # brighter everywhere, hotter than its surroundings nowhere
    assert brightness(x, y, DAY).mean().item() == pytest.approx(0.4, abs=0.006)
    assert brightness(x, y, NIGHT / 2).mean().item() == pytest.approx(0.45, abs=0.006)


def test_surroundings_are_means_of_both_around_a_pixel() -> None:
    x, y = torch.rand(2, 1, 3, 160, 200, generator=torch.Generator().manual_seed(0))
    around = surroundings(*(reduced(image) for image in (x, y)))
    assert around.shape == (1, 2, 40, 50)
    for image, got in zip((x, y), around[0], strict=True):
        coarse = image[0].numpy().mean(axis=0).reshape(40, 4, 50, 4).mean(axis=(1, 3))
        wanted = ndimage.uniform_filter(ndimage.uniform_filter(coarse, 17, mode="nearest"), 17)
        np.testing.assert_allclose(got.numpy()[9:-9, 9:-9], wanted[9:-9, 9:-9], atol=1e-5)
    # Strips take them from the whole image.
    assert torch.equal(target_map(x, y), target_map(x, y, around))


def test_detail_is_that_of_the_brightness_unless_the_other_source_is_clearly_more_active() -> None:
    of_both = torch.full((1, 2, 4, 30), 0.1)  # mean near 0.1, so 0.02 is noise
    of_both[:, 0, :, :5], of_both[:, 1, :, :5] = 0.3, 0.1
    of_both[:, 0, :, 5:10], of_both[:, 1, :, 5:10] = 0.05, 0.15
    of_both[:, 0, :, 10:15], of_both[:, 1, :, 10:15] = 0.02, 0.002
    of_both[:, 0, :, 15:20], of_both[:, 1, :, 15:20] = 0.105, 0.1
    by_day, by_night = detail_logit(of_both, DAY)[0, 0, 0], detail_logit(of_both, NIGHT)[0, 0, 0]
    for logit in (by_day, by_night):
        assert logit[0] == 16
        assert logit[7] == -16
    for column in (12, 25):  # noise; both alike
        assert by_day[column] == pytest.approx(-4, abs=1e-4)
        assert by_night[column] == pytest.approx(4, abs=1e-4)
    assert by_day[17] < 0, "a little more active is not enough"
    # The choice does not depend on the contrast of the scene; without any it is as for noise.
    torch.testing.assert_close(detail_logit(of_both / 8, DAY), detail_logit(of_both, DAY))
    torch.testing.assert_close(detail_logit(of_both * 0, DAY), torch.full((1, 1, 4, 30), -4.0))


def test_the_source_that_shows_more_of_a_scene_leads_with_a_start_for_infrared() -> None:
    of_both = torch.full((1, 2, 4, 30), 0.1)
    assert lead_of(of_both).item() == pytest.approx(1 / (1 + np.exp(-2.4)), abs=1e-4)
    of_both[:, 1] = 0.1 * np.exp(0.3)
    assert lead_of(of_both).item() == pytest.approx(0.5, abs=0.01)
    of_both[:, 1] = 0.2
    wanted = 1 / (1 + np.exp(8 * (np.log(2) - 0.3)))
    assert lead_of(of_both).item() == pytest.approx(wanted, abs=2e-3)


def test_activity_depends_on_no_pixel_beyond_the_reach() -> None:
    x, y = torch.rand(2, 1, 1, 96, 32, generator=torch.Generator().manual_seed(0))
    before = activities(x, y)
    x[..., 48:52, :] = 0
    touched = ((activities(x, y) - before).abs().sum(dim=(0, 1, 3)) > 0).nonzero().flatten()
    reach = SALIENCE_REACH - 3  # to whole coarse pixels
    assert (touched.min(), touched.max()) == (48 - reach, 51 + reach)
