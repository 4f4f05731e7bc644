"""The detail head: the brighter source, and detail within bounds, whatever the weights are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.bounding import bounds, detail_bounds, detail_of
from core.models.network import UniFusionNet
from core.models.rule_heads import DetailHead
from tests.tiny import tiny_compact


def _detail_head(bias: float = 0.0, seed: int | None = None, strength: float = 1.0) -> UniFusionNet:
    network = UniFusionNet(tiny_compact(head="detail")).eval()
    head = network.fusion.head
    assert isinstance(head, DetailHead)
    if seed is not None:
        generator = torch.Generator().manual_seed(seed)
        weight = head.decide.weight
        weight.copy_(torch.randn(weight.shape, generator=generator) * strength)
    assert head.decide.bias is not None
    head.decide.bias.fill_(bias)
    return network


@torch.no_grad()
def test_a_fresh_detail_head_shows_the_brighter_source() -> None:
    x, y = torch.rand(2, 1, 1, 32, 48)
    network = _detail_head()
    torch.testing.assert_close(network.fuse(network.encode(x, y), x, y), torch.maximum(x, y))


@torch.no_grad()
def test_a_detail_head_moves_no_brightness_between_even_regions() -> None:
    # The bias asks for half of the darker source everywhere, and for half of the range on top.
    network = _detail_head(bias=5.0)
    x, y = torch.full((2, 1, 1, 96, 160), 0.4)
    y[..., 80:] = 0.3
    torch.testing.assert_close(network.fuse(network.encode(x, y), x, y)[..., :60], x[..., :60])
    y[:] = 0.1
    torch.testing.assert_close(network.fuse(network.encode(x, y), x, y), x)


def test_detail_by_hand() -> None:
    change = torch.zeros(1, 1, 40, 40)
    change[..., 20, 20] = 1
    detail = detail_of(change)
    # The peak of two boxes of 13 × 13 is 13 of 169 in rows and in columns.
    assert detail[0, 0, 20, 20].item() == pytest.approx(1 - (13 / 169) ** 2)
    assert detail[0, 0, 20, 32].item() == pytest.approx(-(13 / 169) * (1 / 169))
    assert detail[0, 0, 20, 33].item() == 0
    assert detail.sum().item() == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(detail_of(torch.full((1, 1, 40, 40), 0.7)), 0 * change)


def test_bounds_of_detail_by_hand() -> None:
    x = torch.tensor([0.6, 0.2, 0.6, 0.04, 0.0])
    y = torch.tensor([0.2, 0.6, 0.58, 0.0, 0.0])
    lowest, highest = detail_bounds(x, y)
    slack, shade = 4 / 255, 24 / 255
    wanted = torch.tensor([0.6 - shade, 0.2 - slack, 0.58 - slack, 0.03, 0.0])
    torch.testing.assert_close(lowest, wanted)
    torch.testing.assert_close(highest, bounds(x, y)[1])


@given(st.integers(0, 2**31), st.floats(0.1, 50))
@settings(max_examples=30, deadline=None)
@torch.no_grad()
def test_no_weights_leave_the_bounds_of_detail(seed: int, strength: float) -> None:
    network = _detail_head(seed=seed, strength=strength)
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.rand(2, 1, 1, 32, 48, generator=generator).round(decimals=1)
    fused = network.fuse(network.encode(x, y), x, y)
    lowest, highest = detail_bounds(x, y)
    assert ((fused >= lowest - 1e-6) & (fused <= highest + 1e-6)).all()
    assert (fused[x > y] >= x[x > y] - 24 / 255 - 1e-6).all()
    assert not torch.equal(fused, torch.maximum(x, y))  # free within them
