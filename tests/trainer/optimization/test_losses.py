"""The objectives against independent implementations and numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.metrics import structural_similarity

from core.metrics import evaluate, to_luma8
from core.metrics.information import en, mi
from core.metrics.perception import vif_lit
from core.models.salience import target_map
from core.tasks import TASKS, LossWeights
from tests.tiny import smooth
from trainer.optimization.losses import (
    artefact_loss,
    daylight_loss,
    edge_loss,
    floor_loss,
    fusion_terms,
    gradient_loss,
    gradient_magnitude,
    information_loss,
    intensity_loss,
    intensity_target,
    mutual_loss,
    reconstruction_loss,
    sobel,
    ssim,
    ssim_loss,
)


def _tensor(*images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack([p.transpose(2, 0, 1) for p in images]).copy())


def test_sobel_is_scipys() -> None:
    image = smooth(17, 23, 3)
    gx, gy = sobel(_tensor(image))
    for channel in range(3):
        plane = image[..., channel]
        wanted_x = ndimage.sobel(plane, axis=1, mode="nearest")
        wanted_y = ndimage.sobel(plane, axis=0, mode="nearest")
        np.testing.assert_allclose(gx[0, channel].numpy(), wanted_x, atol=1e-5)
        np.testing.assert_allclose(gy[0, channel].numpy(), wanted_y, atol=1e-5)
        both = np.abs(wanted_x) + np.abs(wanted_y)
        got = gradient_magnitude(_tensor(image))[0, channel].numpy()
        np.testing.assert_allclose(got, both, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_is_scikit_images_on_the_valid_region(channels: int) -> None:
    xs = [smooth(40, 33, channels, seed) for seed in (1, 2)]
    ys = [np.clip(x + 0.1 * smooth(40, 33, channels, 9) - 0.05, 0, 1) for x in xs]
    got = ssim(_tensor(*xs), _tensor(*ys))
    for value, x, y in zip(got.tolist(), xs, ys, strict=True):
        _, full = structural_similarity(
            x,
            y,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=2,
            full=True,
        )
        assert value == pytest.approx(full[5:-5, 5:-5].mean(), abs=2e-5)


def test_ssim_of_a_picture_with_itself_is_one() -> None:
    x = _tensor(smooth(32, 32))
    assert ssim(x, x).item() == pytest.approx(1, abs=1e-5)
    assert ssim(x, 1 - x).item() < 0.2


def test_intensity_by_hand() -> None:
    a = torch.tensor([[0.2, 0.8], [0.5, 0.0]]).view(1, 1, 2, 2)
    b = torch.tensor([[0.6, 0.4], [0.5, 1.0]]).view(1, 1, 2, 2)
    fused = torch.full((1, 1, 2, 2), 0.5)
    # To the maximum: |.5−.6| + |.5−.8| + 0 + |.5−1| = 0.9. To the mean: .1 + .1 + 0 + 0 = 0.2.
    assert intensity_loss(fused, a, b, "max").item() == pytest.approx(0.9 / 4)
    assert intensity_loss(fused, a, b, "mean").item() == pytest.approx(0.2 / 4)


def test_gradient_by_hand() -> None:
    """A vertical step of height h has |gx| = 4h in the two columns beside it, and no gy."""
    a, b, fused = (torch.zeros(1, 1, 6, 8) for _ in range(3))
    a[..., 4:] = 0.25
    fused[..., 4:] = 0.5
    b[..., 2:, :] = 0.1  # rows: |gy| = 0.4 in two rows
    wanted = np.zeros((6, 8))
    wanted[:, 3:5] = 1.0
    wanted[1:3, :] = np.maximum(wanted[1:3, :], 0.4)
    got = np.zeros((6, 8))
    got[:, 3:5] = 2.0
    loss = gradient_loss(fused, a, b).item()
    assert loss == pytest.approx(np.abs(got - wanted).mean(), abs=1e-6)


def test_gradient_target_is_the_larger_source_at_each_pixel() -> None:
    a, b = _tensor(smooth(20, 20, 1, 1)), _tensor(smooth(20, 20, 1, 2))
    magnitudes = [
        np.abs(ndimage.sobel(t[0, 0].numpy(), 1, mode="nearest"))
        + np.abs(ndimage.sobel(t[0, 0].numpy(), 0, mode="nearest"))
        for t in (a, b)
    ]
    expected = np.maximum(*magnitudes).mean()
    assert gradient_loss(torch.zeros_like(a), a, b).item() == pytest.approx(expected, rel=1e-4)


def test_the_brighter_target_leans_to_the_brighter_pixel() -> None:
    a, b = torch.tensor([0.0, 0.9, 0.3]), torch.tensor([0.6, 0.3, 0.3])
    target = intensity_target(a.view(1, 1, 1, 3), b.view(1, 1, 1, 3), "brighter")
    torch.testing.assert_close(target.flatten(), torch.tensor([0.4, 0.7, 0.3]))


def test_the_sharper_target_picks_the_sharp_side() -> None:
    sharp = np.random.default_rng(0).uniform(0, 1, (64, 64, 1)).astype(np.float32)
    blurred = ndimage.gaussian_filter(sharp, (2, 2, 0))
    left = np.where(np.arange(64)[None, :, None] < 32, sharp, blurred)
    right = np.where(np.arange(64)[None, :, None] < 32, blurred, sharp)
    target = intensity_target(_tensor(left), _tensor(right), "sharper")[0, 0].numpy()
    for columns in (np.s_[:, :27], np.s_[:, 37:]):
        np.testing.assert_array_equal(target[columns], sharp[..., 0][columns])
    swapped = intensity_target(_tensor(right), _tensor(left), "sharper")[0, 0].numpy()
    np.testing.assert_array_equal(swapped, target)


def test_ssim_weights_are_halves_or_shares_of_the_mean_gradient() -> None:
    a, b = smooth(32, 32, 1, 1), 0.5 + 0.2 * (smooth(32, 32, 1, 2) - 0.5)
    f = (a + b) / 2
    strengths = [
        (np.abs(ndimage.sobel(p[..., 0], 1, mode="nearest"))
         + np.abs(ndimage.sobel(p[..., 0], 0, mode="nearest"))).mean()
        for p in (a, b)
    ]  # fmt: skip
    ta, tb, tf = _tensor(a), _tensor(b), _tensor(f)
    loss_a, loss_b = (1 - ssim(tf, t).item() for t in (ta, tb))
    share = strengths[0] / sum(strengths)
    assert share > 0.6
    weighted = share * loss_a + (1 - share) * loss_b
    assert ssim_loss(tf, ta, tb, "gradient").item() == pytest.approx(weighted, abs=1e-4)
    equal = (loss_a + loss_b) / 2
    assert ssim_loss(tf, ta, tb, "equal").item() == pytest.approx(equal, abs=1e-6)


def test_each_picture_of_a_batch_has_its_own_ssim_weights() -> None:
    rich, flat = _tensor(smooth(32, 32, 1, 1)), torch.full((1, 1, 32, 32), 0.5)
    f = _tensor(smooth(32, 32, 1, 3))
    one = ssim_loss(f, rich, flat, "gradient")
    two = ssim_loss(f, flat, rich, "gradient")
    both = ssim_loss(
        torch.cat([f, f]), torch.cat([rich, flat]), torch.cat([flat, rich]), "gradient"
    )
    assert both.item() == pytest.approx((one.item() + two.item()) / 2, abs=1e-6)


def test_reconstruction_is_half_for_each_source() -> None:
    a, b = torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    loss = reconstruction_loss((a + 0.1, b - 0.3), a, b)
    assert loss.item() == pytest.approx((0.1 + 0.3) / 2)


def _framed(seed: int) -> np.ndarray:
    """A structured picture in a black frame: the metric sees zeros outside, the loss its border."""
    image = ndimage.gaussian_filter(smooth(64, 64, 1, seed), (1, 1, 0))
    image[:2] = image[-2:] = 0
    image[:, :2] = image[:, -2:] = 0
    return image.astype(np.float32)


def test_the_edge_loss_is_one_minus_qabf() -> None:
    a, b = _framed(1), _framed(2)
    candidates = {
        "a": a,
        "average": (a + b) / 2,
        "maximum": np.maximum(a, b),
        "blurred": ndimage.gaussian_filter((a + b) / 2, (2, 2, 0)),
        "black": np.zeros_like(a),
    }
    losses, scores = [], []
    for fused in candidates.values():
        losses.append(edge_loss(_tensor(fused), _tensor(a), _tensor(b)).item())
        scores.append(evaluate(to_luma8(a), to_luma8(b), to_luma8(fused), ("Qabf",))["Qabf"])
    assert np.argsort(losses).tolist() == np.argsort(scores)[::-1].tolist()
    # The metric takes the angles 89° and −89° for opposite; the loss for nearly the same line. So
    # the loss is never the stricter one, and close.
    kept = 1 - np.array(losses)
    assert (kept >= np.array(scores) - 0.005).all()
    np.testing.assert_allclose(kept, scores, atol=0.06)


def _lines_kept(f: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Q^{AB/F} with angles of undirected lines, from the definition, in double precision."""

    def strength_and_angle(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        plane = image[..., 0].astype(np.float64)
        gx, gy = (ndimage.sobel(plane, axis, mode="nearest") for axis in (1, 0))
        return np.hypot(gx, gy), np.arctan2(gy, gx) % np.pi

    strength_f, angle_f = strength_and_angle(f)
    kept = total = 0.0
    for source in (a, b):
        strength, angle = strength_and_angle(source)
        low, high = np.minimum(strength, strength_f), np.maximum(strength, strength_f)
        relative = np.where(high > 1e-6, low / np.maximum(high, 1e-6), 1.0)
        apart = np.abs(angle - angle_f)
        likeness = 1 - np.minimum(apart, np.pi - apart) / (np.pi / 2)
        by_strength = 0.9994 / (1 + np.exp(-15 * (relative - 0.5)))
        by_angle = 0.9879 / (1 + np.exp(-22 * (likeness - 0.8)))
        kept += float((by_strength * by_angle * strength).sum())
        total += float(strength.sum())
    return kept / total


def test_the_edge_loss_is_its_definition_in_numpy() -> None:
    a, b = _framed(1), _framed(2)
    blurred = ndimage.gaussian_filter((a + b) / 2, (2, 2, 0)).astype(np.float32)
    for fused in (a, (a + b) / 2, np.maximum(a, b), blurred):
        loss = edge_loss(_tensor(fused), _tensor(a), _tensor(b)).item()
        assert 1 - loss == pytest.approx(_lines_kept(fused, a, b), abs=3e-3)


def test_the_edge_loss_of_a_perfect_copy_is_nearly_zero() -> None:
    a = _tensor(_framed(1))
    # The constants of the measure reach 0.9994/(1+e^−7.5) · 0.9879/(1+e^−4.4) at the best.
    best = 0.9994 / (1 + np.exp(-7.5)) * 0.9879 / (1 + np.exp(-4.4))
    assert edge_loss(a, a, a).item() == pytest.approx(1 - best, abs=0.01)


def test_an_edge_neither_source_has_costs_its_height_at_every_scale() -> None:
    flat = torch.full((1, 1, 32, 32), 0.5)
    step = flat.clone()
    step[..., 16:] = 0.75
    # A step of 0.25 has a Sobel response of 4 · 0.25 in the two columns beside it, at each scale:
    # 2 of 32, 16, 8 and 4 columns. It lies on a border of squares of 2, 4 and 8, so stays sharp.
    wanted = np.mean([2 / columns for columns in (32, 16, 8, 4)])
    assert artefact_loss(step, flat, flat).item() == pytest.approx(wanted, rel=1e-6)
    assert artefact_loss(step, flat, step).item() == 0
    assert artefact_loss(flat, step, step).item() == 0


def test_copies_of_either_source_have_no_artefacts_but_a_patchwork_has() -> None:
    a, b = _tensor(smooth(64, 64, 1, 1)) * 0.3, _tensor(smooth(64, 64, 1, 2)) * 0.3 + 0.6
    assert artefact_loss(a, a, b).item() == 0
    assert artefact_loss(b, a, b).item() == 0
    chosen = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    chosen[..., 20:40, 10:50] = True
    patchwork = artefact_loss(torch.where(chosen, a, b), a, b).item()
    # Also where the seam is too soft to be seen at full resolution.
    soft = torch.nn.functional.avg_pool2d(chosen.float(), 9, stride=1, padding=4)
    softened = artefact_loss(soft * a + (1 - soft) * b, a, b).item()
    assert patchwork > softened > 0.01


def test_information_is_vif_where_contrast_only_falls() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (96, 80)).astype(np.uint8)
    fused = np.round(0.4 * a + 60 + 20 * smooth(96, 80, 1, 4)[..., 0]).astype(np.uint8)
    x, f = (torch.from_numpy(p.astype(np.float32) / 255)[None, None] for p in (a, fused))
    wanted = 1 - vif_lit(a, a, fused) / 2
    assert information_loss(f, x, x).item() == pytest.approx(wanted, abs=2e-3)


def test_exaggerated_contrast_earns_no_information() -> None:
    a = _tensor(smooth(64, 64, 1, 5)) * 0.5 + 0.25
    harder = (a - a.mean()) * 1.5 + a.mean()
    assert information_loss(a, a, a).item() == pytest.approx(0, abs=1e-4)
    assert information_loss(harder, a, a).item() >= 0
    softer = (a - a.mean()) * 0.5 + a.mean()
    assert information_loss(softer, a, a).item() > 0.02


def test_a_dull_source_may_be_shown_with_the_contrast_of_the_other_and_no_more() -> None:
    rich = _tensor(smooth(64, 64, 1, 5)) * 0.5 + 0.25
    dull = (rich - rich.mean()) * 0.3 + 0.1
    kept = information_loss(rich, dull, rich).item()
    assert kept < information_loss(dull, dull, rich).item()
    assert kept < -0.01  # more of the dull source is seen than in itself
    harder = (rich - rich.mean()) * 1.5 + rich.mean()
    assert information_loss(harder, dull, rich).item() >= kept - 1e-3


@pytest.mark.parametrize("seed", [1, 2])
def test_mutual_information_is_that_of_the_metric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, f = (rng.integers(0, 256, (40, 48, 1), dtype=np.uint8) // 16 * 16 for _ in range(3))
    f[:20] = a[:20]
    tensors = [_tensor(x / np.float32(255)) for x in (f, a, b)]
    luma = [x[..., 0] for x in (a, b, f)]
    entropies = sum(en(x, x, x) for x in luma[:2])
    wanted = 1 - mi(*luma) / (entropies + 1e-3)
    assert mutual_loss(*tensors).item() == pytest.approx(wanted, abs=1e-4)


def test_mutual_information_draws_values_to_the_level_that_tells_them_apart() -> None:
    a = _tensor((np.arange(32 * 32).reshape(32, 32, 1) % 4).astype(np.float32) / 255)
    wrong = a.clone()
    wrong[..., 0, 0] += 0.3 / 255  # between two levels that tell A's apart
    wrong.requires_grad_(True)
    mutual_loss(wrong, a, a).backward()
    assert wrong.grad is not None
    assert wrong.grad[0, 0, 0, 0].item() > 0  # descent moves it back to its own level


def test_the_floor_counts_what_is_darker_than_a() -> None:
    a = torch.full((2, 1, 8, 8), 100 / 255)
    fused = a.clone()
    fused[:, :, :4] -= 10 / 255  # six levels beyond the slack, in half of the image
    fused[:, :, 4:] += 50 / 255
    share = (100 / 255) ** 8
    for kinds, wanted in (
        ([1.0, 1.0], 3.0),
        ([1.0, 0.0], 1.5 * (1 + share)),
        ([0.0] * 2, 3 * share),
    ):
        assert floor_loss(fused, a, torch.tensor(kinds)).item() == pytest.approx(wanted, abs=1e-4)
    assert floor_loss(a - 3 / 255, a, torch.ones(2)).item() == 0  # within the slack


def test_daylight_by_hand() -> None:
    a, b = torch.full((2, 1, 1, 160, 160), 0.2)
    b += 0.6  # day: nothing is hot, so the brightness is that of B
    assert daylight_loss(b, a, b).item() == pytest.approx(0, abs=1e-3)  # day is soft
    # Targets have no say in the coarse brightness; where nothing is hot they weigh 1/20.
    assert daylight_loss(b - 0.1, a, b).item() == pytest.approx(0.1, rel=0.06)
    texture = 0.1 * (torch.arange(160) % 2 * 2 - 1)
    assert daylight_loss(b + texture, a, b).item() < 0.01  # detail is free, but at the border
    # By night the distance from A counts, in the share of its lead where neither has the detail.
    a, b = torch.full_like(a, 0.4), torch.full_like(a, 0.1)
    found = daylight_loss(b, a, b) - 0.3 * target_map(a, b).mean()
    assert found.item() == pytest.approx(0.3 / (1 + math.exp(-2.4)), rel=0.1)


def test_daylight_counts_targets_that_are_darker_than_in_a() -> None:
    a, b = torch.full((2, 1, 1, 160, 160), 0.3)
    b += 0.4
    a[..., 60:100, 60:100] = 0.95
    shown = b.clone()
    shown[..., 60:100, 60:100] = 0.95
    lost = daylight_loss(b, a, b) - daylight_loss(shown, a, b)
    assert lost.item() == pytest.approx(0.25 * (40 * 40) / (160 * 160), rel=0.1)


LOSSES = {
    "intensity max": lambda f, a, b: intensity_loss(f, a, b, "max"),
    "intensity mean": lambda f, a, b: intensity_loss(f, a, b, "mean"),
    "intensity brighter": lambda f, a, b: intensity_loss(f, a, b, "brighter"),
    "intensity sharper": lambda f, a, b: intensity_loss(f, a, b, "sharper"),
    "gradient": gradient_loss,
    "ssim equal": lambda f, a, b: ssim_loss(f, a, b, "equal"),
    "ssim gradient": lambda f, a, b: ssim_loss(f, a, b, "gradient"),
    "edge": edge_loss,
    "artefact": artefact_loss,
    "information": information_loss,
    "mutual": mutual_loss,
    "daylight": daylight_loss,
    "reconstruction": lambda f, a, b: reconstruction_loss((f, f), a, b),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
@given(
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([-0.5, 0.0, 0.5, 1.0, 1.5]),
    st.booleans(),
)
@settings(max_examples=12, deadline=None)
def test_losses_and_gradients_are_finite_even_on_constant_pictures(
    loss: object, a: float, b: float, f: float, noisy: bool
) -> None:
    sources = [torch.full((2, 1, 32, 32), value) for value in (a, b)]
    if noisy:
        sources[0] = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    fused = torch.full((2, 1, 32, 32), f, requires_grad=True)
    value = loss(fused, *sources)  # type: ignore[operator]
    assert value.shape == ()
    assert torch.isfinite(value)
    assert value.item() >= -1e-6
    value.backward()
    assert fused.grad is not None
    assert torch.isfinite(fused.grad).all()


@pytest.mark.parametrize("name", ["gradient", "ssim equal", "edge", "intensity max"])
def test_gradients_agree_with_finite_differences(name: str) -> None:
    a, b, f = (_tensor(smooth(14, 14, 1, seed)).double() for seed in (1, 2, 3))
    f.requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda fused: LOSSES[name](fused, a, b), (f,), eps=1e-6, atol=1e-4, nondet_tol=0
    )


@pytest.mark.parametrize("task", TASKS)
def test_the_terms_are_weighted_and_named(task: str) -> None:
    weights = TASKS[task].losses
    a, b, f = (_tensor(smooth(32, 32, 1, seed)) for seed in (1, 2, 3))
    terms = fusion_terms(f, a, b, weights, edge=0.0)
    assert list(terms) == ["intensity", "gradient", "ssim"]
    wanted = {
        "intensity": weights.intensity * intensity_loss(f, a, b, weights.intensity_target),
        "gradient": weights.gradient * gradient_loss(f, a, b),
        "ssim": weights.ssim * ssim_loss(f, a, b, weights.ssim_weighting),
    }
    assert all(terms[name].item() == pytest.approx(wanted[name].item()) for name in wanted)
    more = fusion_terms(f, a, b, weights, edge=7.0, artefact=3.0, information=2.0, mutual=5.0,
                        daylight=4.0)  # fmt: skip
    assert list(more) == [*terms, "edge", "artefact", "information", "mutual", "daylight"]
    assert more["edge"].item() == pytest.approx(7 * edge_loss(f, a, b).item())
    assert more["artefact"].item() == pytest.approx(3 * artefact_loss(f, a, b).item())
    assert more["information"].item() == pytest.approx(2 * information_loss(f, a, b).item())
    assert more["mutual"].item() == pytest.approx(5 * mutual_loss(f, a, b).item())
    assert more["daylight"].item() == pytest.approx(4 * daylight_loss(f, a, b).item())


def test_the_release_weights_are_those_of_the_paper() -> None:
    wanted = {"ivif": (20, 20, 10, 5), "mif": (20, 100, 50, 20), "mef": (20, 20, 10, 5),
              "mff": (20, 20, 10, 10)}  # fmt: skip
    for task, numbers in wanted.items():
        w: LossWeights = TASKS[task].losses
        assert (w.intensity, w.gradient, w.ssim, w.reconstruction) == numbers
        assert w.intensity_target == ("max" if task in ("ivif", "mif") else "mean")
        assert w.ssim_weighting == ("gradient" if task in ("ivif", "mff") else "equal")
