"""Random changes of medical crops: functions of the generator, in range, of the claimed kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.types import FloatArray
from trainer.config.config import TrainConfig
from trainer.data.augmentation import Augmentation, made_up_uptake, noisy, toned
from trainer.data.sampler import CropSampler, TrainingPair


def _ramp(side: int = 64) -> FloatArray:
    return np.linspace(0, 1, side * side, dtype=np.float32).reshape(side, side, 1)


def _pairs() -> list[TrainingPair]:
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 65536, (2, 48, 48, 1), dtype=np.uint16)
    return [TrainingPair("p", a, b)]


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(6))
def test_a_tone_curve_keeps_black_and_equal_levels(seed: int) -> None:
    ramp = np.repeat(_ramp(), 2, axis=1)
    changed = toned(ramp, _rng(seed))
    assert changed.shape == ramp.shape
    assert changed.dtype == np.float32
    assert changed[0, 0, 0] == 0
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert np.array_equal(changed[:, 0::2], changed[:, 1::2])


def test_some_tone_curves_rise_throughout_and_others_do_not() -> None:
    rising = [bool((np.diff(toned(_ramp(), _rng(s)).ravel()) >= 0).all()) for s in range(40)]
    assert 8 <= sum(rising) <= 32


def test_made_up_uptake_is_smooth_and_follows_the_regions() -> None:
    mr = np.zeros((96, 96, 1), np.float32)
    mr[20:48, 20:76], mr[48:76, 20:76] = 0.3, 0.9
    fine = mr * (1 + 0.2 * _rng(1).standard_normal(mr.shape).astype(np.float32))
    contrasts = []
    for seed in range(20):
        uptake = made_up_uptake(fine.clip(0, 1), _rng(seed))
        assert uptake.shape == mr.shape
        assert uptake.dtype == np.float32
        assert uptake.min() >= 0
        assert 0.39 < uptake.max() <= 1
        # Finer than its resolution it shows nothing: neighbours differ less than in the MR.
        assert np.abs(np.diff(uptake, axis=0)).max() < np.abs(np.diff(fine, axis=0)).max()
        contrasts.append(abs(float(uptake[25:43, 25:71].mean() - uptake[53:71, 25:71].mean())))
    assert np.median(contrasts) > 0.05


def test_noise_is_as_strong_as_it_may_be_and_leaves_black_alone() -> None:
    flat = np.full((200, 200, 1), 0.5, np.float32)
    flat[:, :100] = 0
    found = [noisy(flat, 0.1, _rng(seed)) for seed in range(20)]
    assert all((x[:, :100] == 0).all() for x in found)
    strengths = np.array([x[:, 100:].std() / 0.5 for x in found])
    assert strengths.max() < 0.1 * 1.02
    assert strengths.max() > 0.06
    assert strengths.min() < 0.04


def test_a_crop_is_a_function_of_seed_and_step() -> None:
    config = TrainConfig("mif", crop=32, tone=0.7, uptake=0.5, noise=0.05, seed=3)
    pairs = _pairs()
    again = [CropSampler.of(pairs, config, 4)(step) for step in (5, 5, 6)]
    assert torch.equal(again[0].a, again[1].a)
    assert torch.equal(again[0].b, again[1].b)
    assert not torch.equal(again[0].a, again[2].a)
    # Both are changed, and the losses compare with what the network was shown.
    plain = CropSampler.of(pairs, TrainConfig("mif", crop=32, seed=3), 4)(5)
    assert not torch.equal(again[0].a, plain.a)
    assert torch.equal(again[0].wanted_a, again[0].a)
    assert torch.equal(again[0].wanted_b, again[0].b)


def test_without_augmentation_crops_are_those_of_before() -> None:
    pairs = _pairs()
    old = CropSampler(pairs, 4, 32, 7, swap=True, jitter=0.3)(2)
    new = CropSampler(pairs, 4, 32, 7, swap=True, jitter=0.3, augmentation=Augmentation())(2)
    assert all(torch.equal(x, y) for x, y in zip(old, new, strict=True))


def test_it_is_known_which_crops_show_uptake() -> None:
    a, b = (np.full((48, 48, 1), level, np.uint16) for level in (20000, 40000))
    pairs = [TrainingPair("pet_1", a, b), TrainingPair("ct_1", a, b)]

    plain = CropSampler(pairs, 64, 32, 3, functional=("pet_*",))(0).functional
    assert 0.3 < plain.mean() < 0.7
    assert CropSampler(pairs, 64, 32, 3)(0).functional.sum() == 0
    made_up = CropSampler(pairs, 64, 32, 3, augmentation=Augmentation(uptake=1.0))(0).functional
    assert made_up.min() == 1
    # An exchanged pair has its uptake in B.
    exchanged = CropSampler(pairs[:1], 64, 32, 3, functional=("pet_*",), swap=True)(0)
    is_a = exchanged.a.mean(dim=(1, 2, 3)) < 0.5
    assert torch.equal(exchanged.functional, is_a.float())


def test_crops_with_truth_and_in_colour_are_left_alone() -> None:
    pair = _pairs()[0]
    always = Augmentation(1.0, 1.0, 0.1)
    for changed in (
        TrainingPair("t", pair.a, pair.b, truth=pair.a),
        TrainingPair("c", np.repeat(pair.a, 3, axis=2), np.repeat(pair.b, 3, axis=2)),
    ):
        plain = CropSampler([changed], 2, 32, 1)(0)
        batch = CropSampler([changed], 2, 32, 1, augmentation=always)(0)
        assert all(torch.equal(x, y) for x, y in zip(plain, batch, strict=True))
