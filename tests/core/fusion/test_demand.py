"""Memory known before it is taken: the way is chosen by it, and what cannot fit is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import core.fusion.classical_engine
import core.fusion.engine
from core.baselines import BASELINES
from core.errors import DeviceMemoryError
from core.fusion.engine import FusionEngine
from core.memory_model import FusionWorkload, classical_bytes, decoding_bytes, network_bytes
from core.models.backbone import resize_tokens
from core.models.config import compact_config
from core.packs.registry import Catalogue
from core.types import FusionRequest, ImageHeader
from tests.tiny import pair, tiny_pack

STRIPES, TILES = FusionWorkload(2**19), FusionWorkload(2**18)


def test_each_way_takes_less_than_the_one_before():
    needs = [
        network_bytes(compact_config(), 4000, 3000, way)
        for way in (FusionWorkload(), STRIPES, TILES)
    ]
    assert needs == sorted(needs, reverse=True)
    assert needs[-1] < 0.7e9  # a true 12-megapixel pair beside its sources
    assert needs[0] > 3e9


def test_a_header_tells_what_decoding_takes():
    # 100×50 RGB of 8 bits: 60,000 bytes as float32 and three copies of 15,000 bytes on the way.
    assert decoding_bytes(ImageHeader("PNG", 100, 50, 3, 8)) == 60_000 + 45_000
    assert decoding_bytes(ImageHeader("PNG", 100, 50, 1, 16)) == 20_000 + 30_000


@pytest.fixture
def engine(tmp_path):
    tiny_pack(tmp_path / "mif-tiny.safetensors", task="mif")
    return FusionEngine("cpu", Catalogue([tmp_path]))


@pytest.mark.parametrize("room", ["none", "enough for tiles"])
def test_the_engine_takes_what_fits_or_refuses(engine, monkeypatch, room):
    monkeypatch.setattr(core.fusion.engine, "_STRIPE_PIXELS", 64 * 50)
    monkeypatch.setattr(core.fusion.engine, "_TILE_PIXELS", 64 * 20)
    request = FusionRequest(pair(150, 61, (3, 1)), "mif")
    expected = engine.fuse(request).fused
    config = engine._find(request).manifest.network
    ways = tuple(core.fusion.engine._tilings(61, 150, request))
    tiles = network_bytes(config, 61, 150, ways[-1])
    monkeypatch.setattr(
        core.fusion.engine, "available_bytes", lambda _d="cpu", **_: tiles - (room == "none")
    )
    if room == "none":
        with pytest.raises(DeviceMemoryError, match="MB are free") as caught:
            engine.fuse(request)
        assert not caught.value.tiles_may_do  # so that no one is told to try tiles
        return
    assert 0 < engine._choose_tiling(request, config).piece < 150 * 61
    np.testing.assert_allclose(engine.fuse(request).fused, expected, atol=2e-5)


def test_a_pair_is_refused_by_its_headers(engine, monkeypatch):
    header = ImageHeader("PNG", 12_000, 9_000, 3, 8)
    monkeypatch.setattr(core.fusion.classical_engine, "available_bytes", lambda **_: 2 * 10**9)
    for method in ("", "average"):
        with pytest.raises(DeviceMemoryError, match="12000×9000"):
            engine.check_memory(header, header, "mif", method)
    small = ImageHeader("PNG", 400, 300, 3, 8)
    engine.check_memory(small, small, "mif", "")


def test_classical_methods_go_in_bands_where_memory_is_scarce(monkeypatch):
    request = FusionRequest(pair(150, 61, (3, 1)), "mif", "guided")
    asked = []
    guided = BASELINES["guided"]
    monkeypatch.setattr(
        type(guided), "fuse", lambda _self, a, _b, piece=0: asked.append(piece) or a
    )
    least = classical_bytes("guided", 61, 150, 1, 2**20)
    for free in (10**12, None, least, least - 1):
        monkeypatch.setattr(
            core.fusion.classical_engine, "available_bytes", lambda *, wanted, free=free: free
        )
        if free == least - 1:
            with pytest.raises(DeviceMemoryError, match="MB are free"):
                core.fusion.classical_engine.fuse_classically(request)
        else:
            core.fusion.classical_engine.fuse_classically(request)
    assert len(asked) == 3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", BASELINES)
def test_bands_give_what_the_whole_gives(method, channels):
    rng = np.random.default_rng(5)
    a, b = rng.random((2, 811, 90, channels), dtype=np.float32)
    whole = BASELINES[method].fuse(a, b)
    for rows in (1, 100, 500):
        np.testing.assert_allclose(BASELINES[method].fuse(a, b, rows * 90), whole, atol=1e-6)


def test_some_rows_of_a_stretched_map_are_those_of_the_whole():
    tokens = torch.rand(1, 4, 13, 9)
    whole = resize_tokens(tokens, 50, 40)
    for first, last in ((0, 7), (6, 30), (44, 50), (0, 50)):
        part = resize_tokens(tokens, 50, 40, slice(first, last))
        torch.testing.assert_close(part, whole[:, :, first:last], rtol=0, atol=1e-5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "case",
    [
        ("network", "mff", "768", "512", "whole"),
        ("training", "mff", "96", "96", "batch 8"),
    ],
    ids=" ".join,
)
@pytest.mark.long
def test_what_is_expected_is_about_what_is_taken(case):
    """In a process of its own; generous: half of it may be kept from before, or be other pages."""
    command = [sys.executable, "-m", "benchmarks.memory", "--one", *case]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=True
    )
    taken, expected = json.loads(done.stdout.splitlines()[-1])
    assert expected / 3 < taken < expected * 1.5
