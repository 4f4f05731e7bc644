"""The frozen backbone never changes, runs once for both sources, and takes only its own files."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import BackboneMissing, PackError
from core.models.backbone import (
    Dinov3Backbone,
    EncoderBackbone,
    build_backbone,
    check_backbone_file,
    file_sha256,
)
from core.models.config import BackboneConfig
from core.models.network import UniFusionNet
from core.packs.external_backbone import attach_backbone
from core.packs.format import read_pack, tensors_sha256
from tests.tiny import (
    TINY_ENCODER,
    TINY_VIT,
    backbone_file,
    tiny_network,
    tiny_pack,
    tiny_paper,
)
from trainer.config.config import TrainConfig
from trainer.data.sampler import Batch
from trainer.optimization.bilevel import BilevelStep


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return backbone_file(tmp_path / "dino.safetensors")


def _loaded(weights: Path) -> UniFusionNet:
    network = UniFusionNet(tiny_paper(in_channels=1))
    attach_backbone(network, "", weights, "test")
    return network


def _hash_of(network: UniFusionNet) -> str:
    assert isinstance(network.backbone, Dinov3Backbone)
    return tensors_sha256(network.backbone.vit.state_dict())


def test_after_construction_every_tensor_is_the_files(weights: Path) -> None:
    network = _loaded(weights)
    file = load_file(weights)
    assert isinstance(network.backbone, Dinov3Backbone)
    own = network.backbone.vit.state_dict()
    assert own.keys() == file.keys()
    assert all(torch.equal(own[name], file[name]) for name in file)
    assert _hash_of(network) == tensors_sha256(file)


@pytest.mark.parametrize("bilevel", [True, False], ids=["bilevel", "joint"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_leaves_it_bit_identical(weights: Path, bilevel: bool, precision: str) -> None:
    network = _loaded(weights)
    before = _hash_of(network)
    trained = {name: p.detach().clone() for name, p in (*network.phi(), *network.theta())}
    config = TrainConfig(
        task="mif", network=network.config, bilevel=bilevel, precision=precision, lr_lower=1e-2
    )
    step = BilevelStep(network.train(), config)
    for index in range(3):
        step(Batch.of(torch.rand(2, 1, 32, 32), torch.rand(2, 1, 32, 32)), index)
    assert _hash_of(network) == before == tensors_sha256(load_file(weights))
    assert isinstance(network.backbone, Dinov3Backbone)
    assert all(p.grad is None for p in network.backbone.parameters())
    now = dict(network.named_parameters())
    assert all(not torch.equal(now[name], old) for name, old in trained.items())


def test_a_pack_neither_carries_nor_changes_it(weights: Path, tmp_path: Path) -> None:
    network = _loaded(weights)
    pack = tmp_path / "p.safetensors"
    tiny_pack(pack, network=network, backbone_sha256=file_sha256(weights))
    assert not [name for name in load_file(pack) if name.startswith("backbone.")]
    again, _ = read_pack(pack, weights)
    assert _hash_of(again) == _hash_of(network) == tensors_sha256(load_file(weights))
    assert pack.stat().st_size < weights.stat().st_size + 2e6


def test_it_stays_in_eval_mode_and_frozen(weights: Path) -> None:
    network = _loaded(weights).train()
    assert network.training
    assert network.fusion.training
    assert not any(module.training for module in network.backbone.modules())
    assert not any(p.requires_grad for p in network.backbone.parameters())
    x = torch.rand(1, 1, 32, 32)
    first, second = network.backbone(x), network.backbone(x)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("config", [TINY_VIT, TINY_ENCODER], ids=["dinov3", "encoder"])
def test_both_sources_go_through_in_one_call(config: BackboneConfig) -> None:
    network = tiny_network(tiny_paper(backbone=config))
    calls: list[torch.Size] = []
    tokens = network.backbone.tokens

    def watched(images: torch.Tensor) -> list[torch.Tensor]:
        calls.append(images.shape)
        return tokens(images)

    network.backbone.tokens = watched  # type: ignore[method-assign]
    network.encode(torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 48))
    assert calls == [torch.Size([2, 3, 32, 48])]


def test_grey_is_seen_as_three_equal_channels_normalised_as_dinov3_was(weights: Path) -> None:
    backbone = _loaded(weights).backbone
    assert isinstance(backbone, Dinov3Backbone)
    grey = torch.rand(1, 1, 32, 32)
    rgb = grey.repeat(1, 3, 1, 1)
    seen: list[torch.Tensor] = []
    backbone.vit.patch_embed.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    maps, maps_rgb = backbone(grey), backbone(rgb)
    assert all(torch.equal(a, b) for a, b in zip(maps, maps_rgb, strict=True))
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        expected = (grey[:, 0] - mean) / std
        torch.testing.assert_close(seen[0][:, channel], expected, rtol=1e-5, atol=1e-6)


def test_the_four_taps_are_the_blocks_that_were_asked_for(weights: Path) -> None:
    """The maps are timm's own intermediate layers: after those blocks and the final norm."""
    config = BackboneConfig(dim=48, depth=6, heads=3, mlp_ratio=2.0, taps=(0, 2, 3, 5))
    backbone = Dinov3Backbone(config)
    outputs: dict[int, torch.Tensor] = {}
    for index, block in enumerate(backbone.vit.blocks):
        block.register_forward_hook(lambda _m, _i, out, index=index: outputs.update({index: out}))
    maps = backbone(torch.rand(1, 3, 32, 48))
    prefix = backbone.vit.num_prefix_tokens
    for tap, got in zip(config.taps, maps, strict=True):
        tokens = backbone.vit.norm(outputs[tap])[:, prefix:]
        expected = tokens.transpose(1, 2).reshape(1, 48, 2, 3)
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("kind", ["dinov3", "encoder"])
@pytest.mark.parametrize("patches", [(4, 6), (1, 40), (40, 1)])
@torch.no_grad()
def test_large_pictures_are_shown_smaller(kind: str, patches: tuple[int, int]) -> None:
    base = TINY_VIT if kind == "dinov3" else TINY_ENCODER
    limit = 6
    config = BackboneConfig(
        kind=base.kind, dim=48, depth=4, heads=3, mlp_ratio=2.0, taps=base.taps, max_tokens=limit
    )
    backbone = build_backbone(config, 3)
    sizes: list[int] = []
    whole = backbone.tokens

    def counted(images: torch.Tensor) -> list[torch.Tensor]:
        sizes.append(images.shape[-2] // 16 * (images.shape[-1] // 16))
        assert images.shape[-2] % 16 == images.shape[-1] % 16 == 0
        return whole(images)

    backbone.tokens = counted  # type: ignore[method-assign]
    maps = backbone(torch.rand(1, 3, patches[0] * 16, patches[1] * 16))
    assert [tuple(m.shape) for m in maps] == [(1, 48, *patches)] * 4
    assert all(torch.isfinite(m).all() for m in maps)
    assert len(sizes) == 1
    assert 1 <= sizes[0] <= limit


@pytest.mark.parametrize("base", [TINY_VIT, TINY_ENCODER], ids=["dinov3", "encoder"])
@torch.no_grad()
def test_a_reduced_backbone_sees_means_of_two_by_two_pixels(base: BackboneConfig) -> None:
    whole = build_backbone(base, 1)
    reduced = build_backbone(replace(base, reduction=2), 1)
    reduced.load_state_dict(whole.state_dict())
    image = torch.rand(1, 1, 64, 96)
    half = torch.stack([image[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]).mean(dim=0)
    for got, expected in zip(reduced.reduced_tokens(image), whole.tokens(half), strict=True):
        torch.testing.assert_close(got, expected)
    assert [tuple(m.shape[2:]) for m in reduced(image)] == [(4, 6)] * 4


@pytest.mark.parametrize(
    ("reduction", "limit", "patches", "tokens"),
    [
        (1, 0, (40, 60), (40, 60)),
        (2, 0, (40, 60), (20, 30)),
        (2, 0, (1, 3), (1, 2)),
        (2, 600, (40, 60), (20, 30)),
        (2, 150, (40, 60), (10, 15)),
        (1, 150, (40, 60), (10, 15)),
        (2, 6, (1, 40), (1, 6)),
    ],
)
def test_the_token_grid(
    reduction: Any, limit: int, patches: tuple[int, int], tokens: tuple[int, int]
) -> None:
    config = replace(TINY_ENCODER, reduction=reduction, max_tokens=limit)
    assert EncoderBackbone(config, 1).token_grid(*patches) == tokens


@torch.no_grad()
def test_pictures_within_the_limit_are_shown_as_they_are() -> None:
    torch.manual_seed(0)
    free = EncoderBackbone(TINY_ENCODER, 1)
    limited = EncoderBackbone(
        BackboneConfig(
            kind="encoder", dim=32, depth=4, heads=2, mlp_ratio=1.0, taps=(0, 1, 2, 3), max_tokens=6
        ),
        1,
    )
    limited.load_state_dict(free.state_dict())
    x = torch.rand(1, 1, 32, 48)
    assert all(torch.equal(a, b) for a, b in zip(free(x), limited(x), strict=True))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackboneMissing, match="not there"):
        Dinov3Backbone(TINY_VIT).load_weights(tmp_path / "none.safetensors")


def test_another_file_than_the_packs_is_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))  # where nothing was fetched
    pack = tmp_path / "p.safetensors"
    tiny_pack(pack, network=_loaded(weights), backbone_sha256=file_sha256(weights))
    other = backbone_file(tmp_path / "other.safetensors", seed=8)
    with pytest.raises(PackError, match="sha256"):
        read_pack(pack, other)
    with pytest.raises(BackboneMissing, match="--backbone"):
        read_pack(pack)


def test_a_pack_made_with_a_backbone_nobody_has_is_refused(weights: Path, tmp_path: Path) -> None:
    pack = tmp_path / "p.safetensors"
    tiny_pack(pack, network=UniFusionNet(tiny_paper(in_channels=1)))
    with pytest.raises(PackError, match="not kept"):
        read_pack(pack, weights)


def test_files_that_are_no_dinov3_are_refused(weights: Path, tmp_path: Path) -> None:
    state = load_file(weights)
    name = next(iter(sorted(state)))
    wrong = {
        "missing": {k: v for k, v in state.items() if k != name},
        "unknown": state | {"head.weight": torch.zeros(2)},
        "misshapen": state | {name: torch.zeros(1, 2, 3)},
        "another number type": state | {name: state[name].to(torch.int8)},
    }
    for what, tensors in wrong.items():
        path = tmp_path / "wrong.safetensors"
        save_file(tensors, path)
        backbone = Dinov3Backbone(TINY_VIT)
        before = tensors_sha256(backbone.vit.state_dict())
        with pytest.raises(PackError, match=f"1 (of )?{what}"):
            backbone.load_weights(path)
        assert tensors_sha256(backbone.vit.state_dict()) == before
        with pytest.raises(PackError, match=f"1 (of )?{what}"):
            check_backbone_file(path, TINY_VIT)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(
    weights: Path, tmp_path: Path, number: float
) -> None:
    state = load_file(weights)
    name = max(state, key=lambda n: state[n].numel())
    state[name].view(-1)[-1] = number
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(PackError, match=f"NaN or infinite numbers .in {name}"):
        Dinov3Backbone(TINY_VIT).load_weights(tmp_path / "nan.safetensors")


def test_half_precision_weights_are_taken_as_they_are(weights: Path, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in load_file(weights).items()}
    save_file(half, tmp_path / "half.safetensors")
    check_backbone_file(tmp_path / "half.safetensors", TINY_VIT)
    backbone = Dinov3Backbone(TINY_VIT)
    backbone.load_weights(tmp_path / "half.safetensors")
    own = backbone.vit.state_dict()
    assert all(torch.equal(own[name], tensor.float()) for name, tensor in half.items())


def test_what_is_no_dinov3_is_told_by_its_header(weights: Path, tmp_path: Path) -> None:
    check_backbone_file(weights, TINY_VIT)
    pack = Path(__file__).parents[3] / "resources" / "packs" / "mif-compact.safetensors"
    with pytest.raises(PackError, match=r"not a vit_small_patch16_dinov3"):
        check_backbone_file(pack)
    with pytest.raises(PackError, match=r"not a vit_small_patch16_dinov3"):
        check_backbone_file(weights)
    for content in (b"", b"{}", b"\xff" * 100, weights.read_bytes()[:100]):
        (tmp_path / "other.safetensors").write_bytes(content)
        with pytest.raises(PackError, match="cannot be read as weights"):
            check_backbone_file(tmp_path / "other.safetensors")
    with pytest.raises(BackboneMissing):
        check_backbone_file(tmp_path / "none.safetensors")


def test_plain_pth_weights_are_taken(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "dino.pth"
    torch.save(load_file(weights), path)
    backbone = Dinov3Backbone(TINY_VIT)
    assert backbone.load_weights(path) == file_sha256(path)
    assert tensors_sha256(backbone.vit.state_dict()) == tensors_sha256(load_file(weights))


class _Bomb:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.victim),)


def test_a_pth_with_code_inside_is_refused_and_not_run(weights: Path, tmp_path: Path) -> None:
    victim = tmp_path / "ran"
    with_torch, bare = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save({"x": _Bomb(victim)}, with_torch)
    bare.write_bytes(pickle.dumps(_Bomb(victim)))
    for path in (with_torch, bare):
        with pytest.raises(PackError, match="plain weights"):
            Dinov3Backbone(TINY_VIT).load_weights(path)
    assert not victim.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x00" * 64])
def test_damaged_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(PackError, match="bad"):
        Dinov3Backbone(TINY_VIT).load_weights(path)


def test_a_pth_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pth"
    torch.save([torch.zeros(1)], path)
    with pytest.raises(PackError, match="table"):
        Dinov3Backbone(TINY_VIT).load_weights(path)
