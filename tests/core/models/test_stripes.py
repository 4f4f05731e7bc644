"""A picture fused stripe by stripe is the picture fused whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import core.fusion.engine
from core.errors import Cancelled
from core.fusion.engine import FusionEngine
from core.models.adapter import ADAPTER_REACH
from core.models.blend_head import BlendHead
from core.models.config import NetworkConfig
from core.models.fusion_head import DirectHead
from core.models.network import Features, UniFusionNet
from core.models.tiling import StripTiling
from core.packs.registry import Catalogue
from core.types import FusionRequest
from tests.tiny import (
    TINY_ENCODER,
    TINY_VIT,
    pair,
    tiny_compact,
    tiny_network,
    tiny_pack,
    tiny_paper,
)

HEIGHT, WIDTH = 112, 48

VARIANTS = {
    "paper": tiny_paper(),
    "paper, stride 2, luma": tiny_paper(stride=2, in_channels=1),
    "paper, w/o adapter": tiny_paper(adapter=False),
    "compact": tiny_compact(),
    "compact, DINOv3 at half the size": tiny_compact(backbone=replace(TINY_VIT, reduction=2)),
    "compact, no backbone": tiny_compact(backbone=replace(TINY_ENCODER, kind="none")),
    "compact, direct head": tiny_compact(head="direct"),
    "compact, decision head": tiny_compact(head="decision"),
    "compact, layered head": tiny_compact(head="layered"),
    "compact, bounded head": tiny_compact(head="bounded"),
    "compact, bounded blend": tiny_compact(head="bounded_blend"),
    "compact, salient head": tiny_compact(head="salient"),
    "compact, detail head": tiny_compact(head="detail"),
    "compact, focus head": tiny_compact(head="focus"),
    "compact, learned mixing": tiny_compact(learned_mixing=("ask_x.0",)),
    "compact, stride 1, RGB": tiny_compact(stride=1, in_channels=3, backbone=TINY_ENCODER),
}


def _images(config: NetworkConfig) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    x, y = torch.rand(2, 1, config.in_channels, HEIGHT, WIDTH, generator=generator)
    # The upper half of x is dark: half a picture's statistics are not those of the whole.
    x[..., : HEIGHT // 2, :] *= 0.1
    return x, y


def _everything(network: UniFusionNet, x: Tensor, y: Tensor, **tiling: StripTiling) -> list[Tensor]:
    with torch.no_grad():
        features = network.encode(x, y, **tiling)
        reconstructions = network.reconstruct(features, **tiling)
        assert reconstructions is not None
        return [*features, network.fuse(features, x, y, **tiling), *reconstructions]


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
@pytest.mark.parametrize("rows", [1, 16, 40, 96, 500])
def test_stripes_give_what_the_whole_gives(config: NetworkConfig, rows: int) -> None:
    network = tiny_network(config)
    x, y = _images(config)
    whole = _everything(network, x, y)
    striped = _everything(network, x, y, tiling=StripTiling(HEIGHT, rows))
    for one, other in zip(whole, striped, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=2e-5)


def test_independent_tiles_would_not() -> None:
    """So that the test above means something: it is the statistics that make the difference."""
    network = tiny_network(tiny_paper())
    x, y = _images(network.config)
    half = HEIGHT // 2 - HEIGHT // 2 % 16
    with torch.no_grad():
        features = network.encode(x, y)
        whole = network.fuse(features, x, y)[:, :, :half]
        upper = Features(*(f[:, :, :half] for f in features))
        tile = network.fuse(upper, x[:, :, :half], y[:, :, :half])
    inner = slice(0, half - 16)  # away from the seam
    assert (tile - whole)[:, :, inner].abs().max() > 1e-3


@pytest.mark.parametrize("adapter", [True, False])
def test_an_adapter_looks_no_further_than_it_says(adapter: bool) -> None:
    network = tiny_network(tiny_paper(adapter=adapter))
    maps = [torch.rand(1, 48, HEIGHT // 16, 3) for _ in range(4)]
    image = torch.rand(1, 3, HEIGHT, 48)
    with torch.no_grad():
        before = network.adapter_x(*maps, image)
        row = 3
        for m in maps:
            m[:, :, row] += 1
        image[:, :, 16 * row : 16 * row + 16] += 1
        changed = (network.adapter_x(*maps, image) - before).abs().sum(dim=(0, 1, 3)) > 0
    touched = changed.nonzero().flatten()
    assert touched.min() >= 16 * row - ADAPTER_REACH
    assert touched.max() < 16 * (row + 1) + ADAPTER_REACH
    assert changed[16 * row : 16 * row + 16].all()


@pytest.mark.parametrize("head", ["direct", "blend", "layered"])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_head_decides_within_sixteen_pixels(head: str, stride: int) -> None:
    network = tiny_network(tiny_compact(head=head, stride=stride))
    module = network.fusion.head
    features = torch.rand(1, 8, HEIGHT // stride, 48 // stride)
    x, y = torch.rand(2, 1, 1, HEIGHT, 48)

    def judged() -> Tensor:
        if isinstance(module, DirectHead):
            return module(features, x, y)
        assert isinstance(module, BlendHead)
        return module.predict_blend(features, x, y)

    with torch.no_grad():
        before = judged()
        features[:, :, 48 // stride : 64 // stride] += 1
        x[:, :, 48:64] += 1
        touched = ((judged() - before).abs().sum(dim=(0, 1, 3)) > 0).nonzero().flatten()
    assert touched.min() >= 48 - 16
    assert touched.max() < 64 + 16


def test_no_stripe_is_begun_once_the_caller_said_stop() -> None:
    network = tiny_network(tiny_compact())
    x, y = _images(network.config)
    begun = []

    def between() -> None:
        if len(begun) == 5:
            raise Cancelled
        begun.append(None)

    with pytest.raises(Cancelled):
        _everything(network, x, y, tiling=StripTiling(HEIGHT, 16, between))
    assert len(begun) == 5


class _StopsLate:
    """Says stop at the given check within one stage."""

    def __init__(self, stage: str, checks: int) -> None:
        self.stage, self.left, self.now = stage, checks, ""

    def report(self, done: float, total: float, stage: str) -> None:
        self.now = stage

    def check(self) -> None:
        if self.now == self.stage:
            self.left -= 1
            if self.left == 0:
                raise Cancelled


@pytest.fixture
def engine(tmp_path: Path) -> FusionEngine:
    tiny_pack(tmp_path / "mif-tiny.safetensors", task="mif")
    return FusionEngine("cpu", Catalogue([tmp_path]))


def test_the_engine_works_in_tiles_when_asked_and_by_itself_when_the_picture_is_large(
    engine: FusionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = pair(150, 61, (3, 1))
    request = FusionRequest(sources, "mif", reconstructions=True, features=True)
    tiled = FusionRequest(sources, "mif", reconstructions=True, features=True, tiles=True)
    whole = engine.fuse(request)
    monkeypatch.setattr(core.fusion.engine, "_TILE_PIXELS", 64 * 20)
    results = [engine.fuse(tiled)]
    monkeypatch.setattr(core.fusion.engine, "_STRIPE_PIXELS", 64 * 50)
    results.append(engine.fuse(request))
    for result in results:
        for name in ("fused", "reconstruction_a", "reconstruction_b", "features_a", "features_b"):
            one, other = getattr(whole, name), getattr(result, name)
            assert one.shape == other.shape
            assert abs(one - other).max() < 2e-5
    # It did go through in stripes: a stop within a stage is heeded there.
    with pytest.raises(Cancelled):
        engine.fuse(request, _StopsLate("fusing", 4))
    monkeypatch.undo()
    engine.fuse(request, _StopsLate("fusing", 4))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())
def test_no_stripe_is_much_more_than_its_own_rows(config: NetworkConfig, monkeypatch) -> None:
    """A margin of the whole picture gives the same numbers, at the price of all rows per stripe."""
    network, rows = tiny_network(config), 32
    height, most, local = 1024, [0], StripTiling.local

    def watched(self, layers, *inputs, reach, out=None, strip_divisor=1):
        def counted(*parts: Tensor) -> Tensor:
            seen = [
                part.shape[2] * height // one.shape[2]
                for part, one in zip(parts, inputs, strict=True)
            ]
            seen = [n for n, one in zip(seen, inputs, strict=True) if one.shape[2] > 1]
            most[0] = max(most[0], *seen)
            return layers(*parts)

        return local(self, counted, *inputs, reach=reach, out=out, strip_divisor=strip_divisor)

    monkeypatch.setattr(StripTiling, "local", watched)
    x, y = torch.rand(2, 1, config.in_channels, height, 16)
    with torch.no_grad():
        tiling = StripTiling(height, rows)
        network.fuse(network.encode(x, y, tiling=tiling), x, y, tiling=tiling)
    assert rows < most[0] <= rows + 2 * 192  # of which decisions of guided filters need most
