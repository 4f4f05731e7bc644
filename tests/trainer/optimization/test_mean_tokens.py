"""A pack without its backbone gives what its tokens gave on average."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from core.errors import InputError
from core.models.backbone import resize_tokens
from core.models.network import UniFusionNet
from core.packs.format import read_pack
from tests.tiny import TINY_ENCODER, smooth, tiny_compact, tiny_network, tiny_pack
from tools.packs.mean_tokens import mean_semantics, replace_by_mean, without_backbone

SIZES = ((48, 32), (32, 64))


def _pairs() -> list[tuple[Tensor, Tensor]]:
    return [
        tuple(torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(k)) for k in (1, 2))
        for size in SIZES
    ]  # type: ignore[misc]


def _fused(network: UniFusionNet, x: Tensor, y: Tensor) -> Tensor:
    with torch.no_grad():
        return network.fuse(network.encode(x, y), x, y)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for seed, folder in enumerate(("a", "b")):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for index, size in enumerate(SIZES):
            grey = np.round(255 * smooth(*size, seed=10 * seed + index)).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "data" / folder / f"{index}.png"), grey)
    return tmp_path / "data"


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_tokens_that_are_the_same_everywhere_are_replaced_exactly(stride: int) -> None:
    """Of a map made from no picture at all: whichever pairs the mean is over."""
    network = tiny_network(tiny_compact(stride=stride))
    with torch.no_grad():
        network.backbone.embed.weight.zero_()  # type: ignore[union-attr, operator]
    bare = without_backbone(network, mean_semantics(network, iter(_pairs())))
    x, y = torch.rand(2, 1, 1, 48, 80)
    torch.testing.assert_close(_fused(bare, x, y), _fused(network, x, y), rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        zeros = network.backbone.reduced_tokens(x, y)
        zeros = [torch.zeros_like(one) for one in zeros]
        apart = network.fuse(network.encode(x, y, tokens=zeros), x, y) - _fused(network, x, y)
    assert apart.abs().max() > 1e-3  # so that there was something to replace


def test_over_the_pairs_the_features_have_the_mean_they_had() -> None:
    network, pairs = tiny_network(), _pairs()
    bare = without_backbone(network, mean_semantics(network, iter(pairs)))
    for source in (0, 1):
        before, after = (
            torch.cat([net.encode(x, y)[source].flatten(2) for x, y in pairs], dim=2)
            for net in (network, bare)
        )
        assert before.std(dim=2).max() > 1e-2
        torch.testing.assert_close(after.mean(dim=2), before.mean(dim=2), rtol=1e-4, atol=1e-5)


def test_without_a_backbone_the_network_is_the_one_with_maps_of_zeros() -> None:
    network = tiny_network(tiny_compact(backbone=replace(TINY_ENCODER, kind="none")))
    x, y = torch.rand(2, 2, 1, 32, 48)
    with torch.no_grad():
        (token, *_) = network.backbone.reduced_tokens(x, y)
        assert token.shape == (4, TINY_ENCODER.dim, 1, 1)
        whole = [resize_tokens(token, 2, 3)] * 4
        wide = network.encode(x, y, tokens=whole)
        assert not torch.count_nonzero(whole[0])
        for one, other in zip(network.encode(x, y), wide, strict=True):
            torch.testing.assert_close(one, other)


def test_a_pack_is_written_and_tells_where_it_is_from(data: Path, tmp_path: Path) -> None:
    before = tiny_pack(tmp_path / "mine.safetensors", "mff")
    out = tmp_path / "bare.safetensors"
    told = replace_by_mean(tmp_path / "mine.safetensors", data, out)
    bare, manifest = read_pack(out)
    assert manifest == told
    assert manifest.name == "bare"
    assert manifest.network.backbone.kind == "none"
    assert manifest.training.parent == f"mine {before.weights_sha256[:12]}"
    assert not [name for name in bare.own_state() if name.startswith("backbone.")]
    (tmp_path / "again").mkdir()
    again = replace_by_mean(tmp_path / "mine.safetensors", data, tmp_path / "again" / out.name)
    assert again == told  # the same weights, bit for bit


def test_a_network_without_adapters_is_refused(data: Path, tmp_path: Path) -> None:
    pack = tmp_path / "plain.safetensors"
    tiny_pack(pack, network=tiny_network(tiny_compact(adapter=False)))
    with pytest.raises(InputError, match="no adapters"):
        replace_by_mean(pack, data, tmp_path / "out.safetensors")


def test_a_folder_without_pairs_is_refused() -> None:
    with pytest.raises(InputError, match="no pairs"):
        mean_semantics(tiny_network(), iter(()))
