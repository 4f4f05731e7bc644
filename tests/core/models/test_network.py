"""The networks of METHOD.md: shapes, parameter groups, attention by definition."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import ndimage

from core.models.backbone import resize_tokens
from core.models.blend_head import BlendHead, _icnr, consistency_filter, leaky_clamp
from core.models.blocks import (
    ChannelAttention,
    ChannelNorm,
    CrossBlock,
    LearnedMixing,
    UpConv,
)
from core.models.bounding import activity_logit, bounds, clamp_to_bounds
from core.models.config import (
    CONFIGS,
    BackboneConfig,
    NetworkConfig,
    compact_config,
    dinov3_compact_config,
    network_adapter,
    paper_config,
)
from core.models.guided_filter import box_mean, guided_filter
from core.models.network import UniFusionNet, pad_to_patches
from tests.tiny import TINY_ENCODER, TINY_VIT, smooth, tiny_compact, tiny_network, tiny_paper


def _count(parameters: object) -> int:
    return sum(p.numel() for _, p in parameters)  # type: ignore[attr-defined]


def test_the_papers_network_has_the_size_the_release_has() -> None:
    with torch.device("meta"):  # counted, not filled
        network = UniFusionNet(paper_config())
    trained = _count(network.phi()) + _count(network.theta())
    total = sum(p.numel() for p in network.parameters())
    # The release: 27.0 M in all, 5.44 M trained; ours has four, not two, reconstruction blocks.
    assert 26e6 < total < 29e6
    assert 4.5e6 < trained < 6.5e6
    assert sum(p.numel() for p in network.backbone.parameters()) == total - trained


def test_the_compact_network_is_small_and_all_of_it_is_trained() -> None:
    with torch.device("meta"):  # counted, not filled
        network = UniFusionNet(compact_config())
    total = sum(p.numel() for p in network.parameters())
    assert total == _count(network.phi()) + _count(network.theta())
    assert total * 4 < 12e6


def test_the_compact_network_with_dinov3_trains_little_more_than_the_compact_one() -> None:
    with torch.device("meta"):
        network = UniFusionNet(dinov3_compact_config())
        compact = UniFusionNet(compact_config())
    trained = _count(network.phi()) + _count(network.theta())
    assert network.has_frozen_backbone
    # Two adapters for tokens of three times the width; no encoder.
    assert _count(network.theta()) == _count(compact.theta())
    assert trained * 4 < 32e6
    assert set(network.own_state()) < set(network.state_dict())


VARIANTS = {
    "paper": tiny_paper(),
    "paper, stride 2": tiny_paper(stride=2),
    "paper, luma": tiny_paper(in_channels=1),
    "paper, w/o adapter": tiny_paper(adapter=False),
    "paper, w/o DINOv3": tiny_paper(backbone=TINY_ENCODER),
    "paper, w/o reconstruction": tiny_paper(reconstruction=False),
    "compact": tiny_compact(),
    "compact, learned mixing": tiny_compact(learned_mixing=("ask_x.0", "ask_y.0")),
    "compact, RGB": tiny_compact(in_channels=3),
    "compact, stride 1": tiny_compact(stride=1),
    "compact, stride 2, direct head": tiny_compact(stride=2, head="direct"),
    "compact, decision head": tiny_compact(head="decision"),
    "compact, layered head": tiny_compact(head="layered"),
    "compact, bounded head": tiny_compact(head="bounded"),
    "compact, bounded blend": tiny_compact(head="bounded_blend"),
    "compact, salient head": tiny_compact(head="salient"),
    "compact, salient head, RGB": tiny_compact(head="salient", in_channels=3),
    "compact, detail head": tiny_compact(head="detail"),
    "compact, focus head": tiny_compact(head="focus"),
    "compact, w/o adapter": tiny_compact(adapter=False),
    "compact on DINOv3": tiny_compact(backbone=TINY_VIT),
    "compact, w/o reconstruction": tiny_compact(reconstruction=False),
}


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
@torch.no_grad()
def test_every_variant_gives_the_documented_shapes(config: NetworkConfig) -> None:
    network = tiny_network(config)
    x, y = (torch.rand(2, config.in_channels, 32, 48) for _ in range(2))
    features = network.encode(x, y)
    small = (2, config.channels, 32 // config.stride, 48 // config.stride)
    assert features.x.shape == features.y.shape == small
    fused = network.fuse(features, x, y)
    assert fused.shape == x.shape
    assert torch.isfinite(fused).all()
    reconstructions = network.reconstruct(features)
    if config.reconstruction:
        assert reconstructions is not None
        assert all(r.shape == x.shape and torch.isfinite(r).all() for r in reconstructions)
    else:
        assert reconstructions is None
        assert not [name for name in network.own_state() if "reconstruction" in name]


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_phi_and_theta_are_disjoint_and_are_all_that_is_trained(config: NetworkConfig) -> None:
    network = UniFusionNet(config)
    phi, theta = dict(network.phi()), dict(network.theta())
    assert not phi.keys() & theta.keys()
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    assert phi.keys() | theta.keys() == trained
    assert all(name.startswith("fusion.") for name in theta)
    frozen = {name for name, _ in network.named_parameters()} - trained
    assert all(name.startswith("backbone.") for name in frozen)
    assert bool(frozen) == (config.backbone.kind == "dinov3")


@pytest.mark.parametrize("kind", ["paper", "compact"])
@pytest.mark.parametrize("size", [(1, 1), (1, 37), (15, 16), (17, 31), (40, 33)])
@torch.no_grad()
def test_odd_sizes_and_one_pixel_work_by_padding(kind: str, size: tuple[int, int]) -> None:
    config = tiny_paper() if kind == "paper" else tiny_compact()
    network = tiny_network(config)
    x, padding = pad_to_patches(torch.rand(1, config.in_channels, *size))
    y, _ = pad_to_patches(torch.rand(1, config.in_channels, *size))
    assert x.shape[-2] % 16 == x.shape[-1] % 16 == 0
    assert (x.shape[-2] - padding.bottom, x.shape[-1] - padding.right) == size
    features = network.encode(x, y)
    assert network.fuse(features, x, y).shape == x.shape
    assert torch.isfinite(network.fuse(features, x, y)).all()


@given(st.integers(1, 70), st.integers(1, 70))
@settings(max_examples=40, deadline=None)
def test_padding_keeps_the_picture_and_is_what_numpy_makes_of_it(height: int, width: int) -> None:
    image = torch.rand(1, 1, height, width)
    padded, (bottom, right) = pad_to_patches(image)
    mode = "reflect" if bottom < height and right < width else "edge"
    expected = np.pad(image[0, 0].numpy(), ((0, bottom), (0, right)), mode=mode)
    assert np.array_equal(padded[0, 0].numpy(), expected)
    assert 0 <= bottom < 16
    assert 0 <= right < 16


@pytest.mark.parametrize("head", ["blend", "decision", "layered"])
@torch.no_grad()
def test_a_fresh_blend_head_gives_back_what_both_sources_share(head: str) -> None:
    network = UniFusionNet(tiny_compact(head=head)).eval()
    x = torch.rand(1, 1, 32, 32)
    # Bases and details are summed again, which rounds; the other heads give the very bits.
    atol = 1e-6 if head == "layered" else 0
    torch.testing.assert_close(network.fuse(network.encode(x, x), x, x), x, rtol=0, atol=atol)
    y = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(network.fuse(network.encode(x, y), x, y), (x + y) / 2)


@pytest.mark.parametrize(("bias", "copied"), [(0.5, 0), (9.0, 0), (-0.5, 1), (-9.0, 1)])
@torch.no_grad()
def test_a_sure_decision_copies_one_source_to_the_bit(bias: float, copied: int) -> None:
    network = UniFusionNet(tiny_compact(head="decision")).eval()
    head = network.fusion.head
    assert isinstance(head, BlendHead)
    assert head.decide.bias is not None
    head.decide.bias.copy_(torch.tensor([bias, 3.0]))  # a residual that must not be heard
    sources = torch.rand(2, 1, 1, 32, 32)
    x, y = sources
    assert torch.equal(network.fuse(network.encode(x, y), x, y), sources[copied])


@pytest.mark.parametrize("shape", [(40, 56), (7, 9), (2, 5), (1, 1)])
@pytest.mark.parametrize("reach", [3, 15])
def test_means_see_the_picture_mirrored_beyond_its_border(shape: tuple[int, int], reach: int):
    image = torch.rand(1, 1, *shape)
    wanted = ndimage.uniform_filter(image[0, 0].double().numpy(), 2 * reach + 1, mode="mirror")
    torch.testing.assert_close(
        box_mean(image, reach)[0, 0], torch.from_numpy(wanted).float(), rtol=0, atol=1e-6
    )


def guided_by_hand(image: np.ndarray, guide: np.ndarray, reach: int, edge: float) -> np.ndarray:
    """The guided filter of H×W pictures from its definition, at a quarter of the resolution."""
    height, width = image.shape
    p, g = (a.reshape(height // 4, 4, width // 4, 4).mean(axis=(1, 3)) for a in (image, guide))

    def mean(plane: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(plane, 2 * reach + 1, mode="mirror")

    slope = (mean(g * p) - mean(g) * mean(p)) / (mean(g * g) - mean(g) ** 2 + edge)
    offset = mean(p) - slope * mean(g)
    slope, offset = (
        cv2.resize(mean(plane), (width, height), interpolation=cv2.INTER_LINEAR)
        for plane in (slope, offset)
    )
    return slope * guide + offset


@pytest.mark.parametrize("shape", [(48, 64), (16, 128), (4, 4)])
@pytest.mark.parametrize(("reach", "edge"), [(2, 0.001), (4, 0.02), (11, 0.01)])
def test_the_guided_filter_is_what_its_definition_says(shape, reach: int, edge: float) -> None:
    image, guide = np.random.default_rng(0).random((2, *shape))
    wanted = guided_by_hand(image, guide, reach, edge)
    planes = (torch.from_numpy(plane)[None, None] for plane in (image, guide))
    torch.testing.assert_close(
        guided_filter(*planes, reach, edge)[0, 0], torch.from_numpy(wanted), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("shape", [(33, 50), (1, 1), (3, 130)])
def test_the_guided_filter_takes_any_size_and_keeps_what_is_flat(shape) -> None:
    flat = torch.full((2, 3, *shape), 0.25)
    smoothed = guided_filter(flat, torch.rand(2, 3, *shape), 4, 0.02)
    torch.testing.assert_close(smoothed, flat, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_layered_head_weighs_base_and_detail_apart() -> None:
    network = UniFusionNet(tiny_compact(head="layered")).eval()
    head = network.fusion.head
    assert isinstance(head, BlendHead)
    assert head.decide.bias is not None
    assert head.base.bias is not None
    x, y = torch.rand(2, 1, 1, 48, 64)
    bases = [
        torch.from_numpy(guided_by_hand(p, p, 4, 0.02)) for p in (x[0, 0].numpy(), y[0, 0].numpy())
    ]
    # All detail from x; the base's own bias turns the same decision to y.
    head.decide.bias.copy_(torch.tensor([20.0, 0.0]))
    head.base.bias.fill_(-40.0)
    fused = network.fuse(network.encode(x, y), x, y)[0, 0]
    torch.testing.assert_close(fused, x[0, 0] - bases[0] + bases[1], rtol=0, atol=1e-5)
    # Without a bias of its own the base follows: a copy of x.
    head.base.bias.zero_()
    fused = network.fuse(network.encode(x, y), x, y)
    torch.testing.assert_close(fused, x, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_warm_figure_before_dark_ground_has_neither_rim_nor_halo(monkeypatch) -> None:
    head = UniFusionNet(tiny_compact(head="layered")).eval().fusion.head
    assert isinstance(head, BlendHead)
    x, y = torch.full((1, 1, 96, 96), 0.3), torch.full((1, 1, 96, 96), 0.1)
    x[..., 32:64, 32:64] = 1.0
    # The network takes the figure, and a strip around it by mistake, from x; the rest from y.
    decision = torch.zeros(1, 3, 96, 96)
    decision[:, 0] = -6.0
    decision[:, 0, 28:68, 28:68] = 6.0
    monkeypatch.setattr(head, "predict_blend", lambda *_: decision)
    fused = head(torch.zeros(1), x, y)[0, 0]
    outside = torch.ones(96, 96, dtype=torch.bool)
    outside[32:64, 32:64] = False
    assert fused[outside].min() > 0.1 - 0.03
    inside = fused[32:64, 32:64]
    assert inside.min() > 0.85
    assert inside.max() - inside.min() < 0.15


def _scene(sky: float, trees: float, ground: float) -> torch.Tensor:
    """1×1×128×160: sky, a jagged row of trees, ground."""
    image = torch.full((1, 1, 128, 160), ground)
    image[..., :80, :] = trees
    for column in range(160):
        image[..., : 30 + 5 * (column // 8 % 3), column] = sky
    return image


@torch.no_grad()
def test_a_fresh_salient_head_keeps_the_daylight_and_shows_what_is_hot() -> None:
    network = UniFusionNet(tiny_compact(head="salient")).eval()
    x, y = _scene(0.25, 0.3, 0.3), _scene(0.95, 0.34, 0.75)
    texture = 0.08 * torch.rand(40, 160, generator=torch.Generator().manual_seed(0))
    x[..., 40:80, :] += texture
    x[..., 90:120, 60:90] = 0.95
    fused = network.fuse(network.encode(x, y), x, y)
    # The sky is that of y up to the trees, although x is dark there: no halo.
    assert (fused - y)[..., :28, :].abs().max() < 0.02
    assert (fused - y)[..., 84:86, 8:40].abs().max() < 0.05
    # Trees keep the brightness of y and get the texture of x.
    inner = np.s_[0, 0, 52:72, 8:-8]
    assert (fused - y)[inner].mean().abs() < 0.03
    shown = torch.corrcoef(torch.stack([fused[inner].flatten(), x[inner].flatten()]))[0, 1]
    assert shown > 0.85
    # The hot figure is shown as bright as in x.
    assert fused[0, 0, 95:115, 65:85].min() > 0.85


@torch.no_grad()
def test_by_night_a_fresh_salient_head_shows_infrared_and_the_lamps_of_the_visible_image() -> None:
    network = UniFusionNet(tiny_compact(head="salient")).eval()
    # A sky that is hazy in y and dark in x, with faint noise that makes y the more active source
    # here and x there: it is dark everywhere.
    x, y = _scene(0.1, 0.4, 0.5), torch.full((1, 1, 128, 160), 0.35)
    x[..., 80:, :] += 0.2 * (torch.arange(160) // 8 % 2)
    random = torch.Generator().manual_seed(0)
    x[..., :24, :80] += 0.01 * torch.rand(24, 80, generator=random)
    y[..., :24, 80:] += 0.01 * torch.rand(24, 80, generator=random)
    y[..., 8:20, 40:52] = 0.95
    fused = network.fuse(network.encode(x, y), x, y)
    sky = fused[0, 0, :24].clone()
    sky[4:, 32:60] = 0.1
    assert (sky - 0.1).abs().max() < 0.09, "the haze is 0.25 above"
    assert (sky - 0.1).abs().mean() < 0.03
    assert fused[0, 0, 10:18, 42:50].min() > 0.85, "the lamp"
    assert (fused - x)[..., 84:, :].abs().mean() < 0.03
    # Where x is bright but even, and y shows the scene, the scene stays as it is in y.
    x, y = torch.full_like(x, 0.4), 0.3 * x
    fused = network.fuse(network.encode(x, y), x, y)
    assert (fused - y)[..., 84:, :].abs().max() < 0.05


def test_a_saturated_decision_learns_its_way_back_and_runs_no_further() -> None:
    for push in (1.0, -1.0):
        value = torch.tensor([-2.0, 0.0, 0.25, 1.0, 3.0], requires_grad=True)
        weight = leaky_clamp(value)
        assert weight.tolist() == [0.0, 0.0, 0.25, 1.0, 1.0]
        (push * weight).sum().backward()
        assert value.grad is not None
        below, *within, above = value.grad.tolist()
        assert within == [push] * 3
        # Descent moves against the gradient: a negative one lifts a value that is too low.
        assert (-1 < below < 0) if push < 0 else below == 0
        assert (0 < above < 1) if push > 0 else above == 0


@torch.no_grad()
def test_a_fresh_bounded_head_takes_the_more_active_source() -> None:
    network = UniFusionNet(tiny_compact(head="bounded")).eval()
    x, y = torch.full((2, 1, 1, 96, 160), 0.5)
    x[..., :64] = torch.rand(96, 64)
    y[..., 96:] = torch.rand(96, 64)
    fused = network.fuse(network.encode(x, y), x, y)
    torch.testing.assert_close(fused[..., :48], x[..., :48], rtol=0, atol=1e-3)
    torch.testing.assert_close(fused[..., 112:], y[..., 112:], rtol=0, atol=1e-3)
    # Equal sources, and flat ones, are averaged.
    assert torch.equal(activity_logit(x, x), torch.zeros_like(x))
    assert torch.equal(activity_logit(x * 0 + 0.2, x * 0 + 0.9), torch.zeros_like(x))


@torch.no_grad()
def test_activity_is_the_smoothed_gradient() -> None:
    image = smooth(60, 70, 1, 5)
    gradients = [np.abs(ndimage.sobel(image[..., 0], axis=axis, mode="nearest")) for axis in (0, 1)]
    blurred = gradients[0] + gradients[1]
    for _ in range(2):
        blurred = ndimage.uniform_filter(blurred, 25, mode="nearest")
    tensor = torch.from_numpy(image[..., 0])[None, None]
    wanted = 8 * (np.log(blurred + 4e-3) - np.log(4e-3))
    got = activity_logit(tensor, torch.zeros_like(tensor))[0, 0].numpy()
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-3)


def test_bounds_by_hand() -> None:
    x = torch.tensor([0.6, 0.2, 1.0, 0.0, 0.01])
    y = torch.tensor([0.2, 0.6, 0.5, 0.0, 0.02])
    lowest, highest = bounds(x, y)
    slack = 4 / 255
    wanted = torch.tensor([0.2 - slack, 0.2 - slack, 0.5 - slack, 0.0, 0.005])
    torch.testing.assert_close(lowest, wanted)
    torch.testing.assert_close(highest, torch.tensor([0.6 + slack, 0.6 + slack, 1.0, 0.0, 0.025]))


def test_what_both_show_black_stays_black() -> None:
    x, y = torch.tensor([0.0, 0.0, 0.5]), torch.tensor([0.0, 0.0, 0.5])
    kept = clamp_to_bounds(torch.tensor([1.0, -1.0, 0.505]), x, y)
    assert kept[:2].tolist() == [0.0, 0.0]
    assert kept[2].item() == pytest.approx(0.505)


@pytest.mark.parametrize("kind", ["bounded", "bounded_blend", "salient"])
@given(st.integers(0, 2**31), st.floats(0.1, 50))
@settings(max_examples=30, deadline=None)
@torch.no_grad()
def test_no_weights_leave_the_bounds(kind: str, seed: int, strength: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    network = UniFusionNet(tiny_compact(head=kind)).eval()
    head = network.fusion.head
    assert isinstance(head, BlendHead)
    layers = [head.decide, head.base] if head.two_maps else [head.decide]
    for layer in layers:
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * strength)
    x, y = torch.rand(2, 1, 1, 32, 48, generator=generator).round(decimals=1)
    fused = network.fuse(network.encode(x, y), x, y)
    lowest, highest = bounds(x, y)
    assert ((fused >= lowest - 1e-6) & (fused <= highest + 1e-6)).all()
    assert not torch.equal(fused, torch.maximum(x, y))  # free within them


@pytest.mark.parametrize("residual", [0.5, -0.5])
@torch.no_grad()
def test_a_bounded_blend_is_the_blend_cut_off_at_the_bounds(residual: float) -> None:
    free = tiny_network(tiny_compact(head="blend"))
    assert isinstance(free.fusion.head, BlendHead)
    free.fusion.head.decide.bias[1] = residual
    kept = UniFusionNet(tiny_compact(head="bounded_blend")).eval()
    kept.load_state_dict(free.state_dict())
    x, y = torch.rand(2, 1, 1, 32, 48, generator=torch.Generator().manual_seed(0))
    wide, narrow = (one.fuse(one.encode(x, y), x, y) for one in (free, kept))
    lowest, highest = bounds(x, y)
    assert ((wide > highest) | (wide < lowest)).float().mean() > 0.5
    torch.testing.assert_close(narrow, torch.clamp(wide, lowest, highest))


@torch.no_grad()
def test_a_network_without_backbone_is_the_one_with_maps_of_zeros() -> None:
    network = tiny_network(tiny_compact(backbone=replace(TINY_ENCODER, kind="none")))
    x, y = torch.rand(2, 2, 1, 32, 48)
    (token, *_) = network.backbone.reduced_tokens(x, y)
    assert token.shape == (4, TINY_ENCODER.dim, 1, 1)
    whole = [resize_tokens(token, 2, 3)] * 4
    assert not torch.count_nonzero(whole[0])
    for one, other in zip(network.encode(x, y), network.encode(x, y, tokens=whole), strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_a_trained_blend_head_uses_the_features() -> None:
    network = tiny_network()
    assert isinstance(network.fusion.head, BlendHead)
    x, y = torch.rand(2, 1, 1, 32, 32)
    features = network.encode(x, y)
    moved = features._replace(x=features.x + 1)
    assert not torch.equal(network.fuse(features, x, y), network.fuse(moved, x, y))


@pytest.mark.parametrize("config", [tiny_paper(), tiny_compact()], ids=["paper", "compact"])
@torch.no_grad()
def test_a_pair_does_not_depend_on_its_neighbours_in_the_batch(config: NetworkConfig) -> None:
    # In double precision: what differs then is more than another order of adding up.
    network = tiny_network(config).double()
    x, y = torch.rand(2, 3, config.in_channels, 32, 48, dtype=torch.float64)
    together = network.encode(x, y)
    fused = network.fuse(together, x, y)
    for i in range(3):
        one = network.encode(x[i : i + 1], y[i : i + 1])
        torch.testing.assert_close(one.x, together.x[i : i + 1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(one.y, together.y[i : i + 1], rtol=1e-5, atol=1e-6)
        alone = network.fuse(one, x[i : i + 1], y[i : i + 1])
        torch.testing.assert_close(alone, fused[i : i + 1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
@torch.no_grad()
def test_no_layer_knows_where_the_border_is(config: NetworkConfig) -> None:
    network = tiny_network(config).double()
    if isinstance(network.fusion.head, BlendHead):
        # As before training: otherwise sub-pixels differ, and the outermost have none beside them.
        _icnr(network.fusion.head.up, config.stride)
    x, y = (torch.full((1, config.in_channels, 64, 80), level).double() for level in (0.2, 0.7))
    features = network.encode(x, y)
    images = [*features, *(network.reconstruct(features) or ()), network.fuse(features, x, y)]
    for image in images:
        # Every patch of a scene without content is the one in the middle.
        side = image.shape[-1] // 5
        middle = image[..., side : 2 * side, 2 * side : 3 * side]
        torch.testing.assert_close(image, middle.repeat(1, 1, 4, 5), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_each_source_has_its_own_adapter_and_sees_only_itself() -> None:
    network = tiny_network()
    x, y, other = torch.rand(3, 1, 1, 32, 32)
    first, second = network.encode(x, y), network.encode(x, other)
    torch.testing.assert_close(first.x, second.x, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(first.y, second.y)
    twice = network.encode(x, x)
    assert not torch.allclose(twice.x, twice.y)


@torch.no_grad()
def test_the_new_x_is_what_y_asks() -> None:
    """In each block x attends to y first, then y to the *new* x (paper §3.3)."""
    network = tiny_network()
    asked: list[torch.Tensor] = []
    answered: list[torch.Tensor] = []
    network.fusion.ask_y[0].register_forward_hook(lambda _m, _i, out: answered.append(out))
    network.fusion.ask_x[0].register_forward_hook(lambda _m, inputs, _o: asked.append(inputs[1]))
    x, y = torch.rand(2, 1, 1, 32, 32)
    network.fuse(network.encode(x, y), x, y)
    assert torch.equal(asked[0], answered[0])


def test_channel_norm_is_layer_norm_over_channels() -> None:
    norm = ChannelNorm(5)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(5) + 0.5)
        norm.bias.copy_(torch.rand(5))
    x = torch.randn(2, 5, 3, 4)
    values = x.numpy().astype(np.float64)
    mean = values.mean(axis=1, keepdims=True)
    variance = values.var(axis=1, keepdims=True)
    normed = (values - mean) / np.sqrt(variance + 1e-5)
    weight, bias = (p.detach().numpy().reshape(1, 5, 1, 1) for p in (norm.weight, norm.bias))
    np.testing.assert_allclose(norm(x).detach().numpy(), normed * weight + bias, atol=1e-5)


def _convolved(x: np.ndarray, conv: torch.nn.Conv2d) -> np.ndarray:
    """A 1×1 or depthwise 3×3 convolution of C×H×W, written as loops."""
    assert conv.bias is not None
    weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    _, height, width = x.shape
    out = np.zeros((weight.shape[0], height, width))
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    for o in range(weight.shape[0]):
        for i in range(height):
            for j in range(width):
                if conv.groups == 1:
                    value = sum(weight[o, c, 0, 0] * x[c, i, j] for c in range(x.shape[0]))
                else:
                    value = (weight[o, 0] * padded[o, i : i + 3, j : j + 3]).sum()
                out[o, i, j] = value + bias[o]
    return out


def test_channel_attention_against_loops() -> None:
    torch.manual_seed(3)
    attention = ChannelAttention(6, heads=2)
    with torch.no_grad():
        attention.temperature.copy_(torch.tensor([0.7, 1.9]).view(2, 1, 1))
    x, other = torch.randn(2, 1, 6, 4, 5)
    query = _convolved(_convolved(x[0].numpy(), attention.query), attention.query_local)
    both = _convolved(_convolved(other[0].numpy(), attention.key_value), attention.key_value_local)
    key, value = both[:6], both[6:]
    mixed = np.zeros((6, 4, 5))
    for head, temperature in enumerate((0.7, 1.9)):
        channels = range(3 * head, 3 * head + 3)
        for i in channels:
            scores = []
            for j in channels:
                cosine = (query[i] * key[j]).sum() / (
                    math.sqrt((query[i] ** 2).sum()) * math.sqrt((key[j] ** 2).sum())
                )
                scores.append(temperature * cosine)
            exponentials = [math.exp(score) for score in scores]
            for j, weight in zip(channels, exponentials, strict=True):
                mixed[i] += weight / sum(exponentials) * value[j]
    expected = _convolved(mixed, attention.project)
    np.testing.assert_allclose(attention(x, other)[0].detach().numpy(), expected, atol=1e-5)


def test_attention_survives_a_map_of_zeros() -> None:
    attention = ChannelAttention(4, heads=2)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.zero_()
    zeros = torch.zeros(1, 4, 8, 8, requires_grad=True)
    out = attention(zeros, zeros)
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert zeros.grad is not None
    assert torch.isfinite(zeros.grad).all()


def test_learned_mixing_against_loops() -> None:
    torch.manual_seed(3)
    mixing = LearnedMixing(6, heads=2)
    with torch.no_grad():
        mixing.scores.normal_()
    x, other = torch.randn(2, 1, 6, 4, 5)
    value = _convolved(_convolved(other[0].numpy(), mixing.value), mixing.value_local)
    mixed = np.zeros((6, 4, 5))
    for head, scores in enumerate(mixing.scores.detach().numpy()):
        for i in range(3):
            for j in range(3):
                share = math.exp(scores[i, j]) / sum(math.exp(score) for score in scores[i])
                mixed[3 * head + i] += share * value[3 * head + j]
    expected = _convolved(mixed, mixing.project)
    np.testing.assert_allclose(mixing(x, other)[0].detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("learned", [True, False])
def test_only_learned_mixing_does_the_same_to_a_part_as_to_the_whole(learned: bool) -> None:
    torch.manual_seed(4)
    block = CrossBlock(8, heads=2, expansion=2.0, learned=learned)
    x, other = torch.randn(2, 1, 8, 24, 24)
    other[..., 16:] *= 9  # what is out of view is another kind of scene
    with torch.no_grad():
        whole, part = block(x, other), block(x[..., :16], other[..., :16])
    same = torch.allclose(whole[..., :12], part[..., :12], atol=1e-5)
    assert same == learned


def test_up_conv_doubles_both_sides() -> None:
    assert UpConv(6, 4)(torch.rand(1, 6, 3, 5)).shape == (1, 4, 6, 10)


@pytest.mark.parametrize("name", CONFIGS)
def test_configurations_survive_json(name: str) -> None:
    config = CONFIGS[name]()
    assert network_adapter.validate_json(network_adapter.dump_json(config)) == config


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"channels": 9, "heads": 2}, "multiple of heads"),
        ({"heads": 0}, "heads"),
        ({"stride": 3}, "stride"),
        ({"fusion_blocks": 0}, "fusion_blocks"),
        ({"learned_mixing": ["ask_x.4"]}, r"ask_x\.4.* none of"),
        ({"learned_mixing": ["refine"]}, "none of"),
        ({"expansion": 0.0}, "expansion"),
        ({"colour": True}, "colour"),
        ({"backbone": {"taps": [0, 2, 1, 3]}}, "taps"),
        ({"backbone": {"depth": 4}}, "beyond the last"),
        ({"backbone": {"heads": 0}}, "heads"),
        ({"backbone": {"dim": 24, "heads": 4}}, "multiple of 4"),
        ({"backbone": {"max_tokens": -1}}, "max_tokens"),
    ],
)
def test_networks_that_cannot_be_are_refused(change: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        network_adapter.validate_python(change)


def test_the_smallest_rotary_backbone_the_config_allows_is_built() -> None:
    config = BackboneConfig(dim=16, depth=4, heads=4, mlp_ratio=0.5, taps=(0, 1, 2, 3))
    network = tiny_network(tiny_paper(backbone=config))
    x = torch.rand(1, 3, 16, 16)
    assert torch.isfinite(network.fuse(network.encode(x, x), x, x)).all()


def test_consistent_decisions_drop_specks_and_keep_straight_outlines() -> None:
    decision = torch.full((1, 1, 60, 80), 2.0)
    decision[..., 40:] = -2.0
    decision[..., 30, 10] = -2.0
    weight = consistency_filter(decision)
    assert weight[..., 30, 10] == 1, "a speck among sure neighbours is overruled, to the bit"
    assert (weight[..., :36] == 1).all()
    assert (weight[..., 44:] == 0).all()
    middle = weight[0, 0, 5, 39:41]
    assert middle.sum() == pytest.approx(1, abs=1e-6), "the outline stays where it was"
    assert (consistency_filter(torch.zeros(1, 1, 5, 3)) == 0.5).all()
