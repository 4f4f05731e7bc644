"""Initialises a network from the pack it starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from core.errors import InputError, Message, PackError
from core.models.blocks import ChannelAttention, CrossBlock, LearnedMixing
from core.models.config import CONFIGS, NetworkConfig
from core.models.network import UniFusionNet
from core.packs.format import load_own_state, read_manifest, read_pack
from trainer.config.config import TrainConfig


def with_network_of_parent(config: TrainConfig, family: str = "") -> TrainConfig:
    """``config`` with the network of the pack it starts from; unchanged without a pack.

    Args:
        family: requested name in :data:`core.models.config.CONFIGS`, "" for none. The pack must
            belong to it; output head and mixing are always those of the pack.

    Raises:
        InputError: the pack belongs to another family. PackError: it cannot be read.
    """
    if not config.init:
        return config
    manifest = read_manifest(Path(config.init))
    if family and not _belongs(manifest.network, family):
        raise InputError(
            Message("Network “{0}”", family),
            Message("the pack to start from, “{0}”, is of another network", manifest.name),
            Message("Leave out --network, which takes the pack's, or start from another pack."),
        )
    return replace(config, network=manifest.network)


def _belongs(network: NetworkConfig, family: str) -> bool:
    """Whether a network has the backbone of a family, or none instead of a trained encoder."""
    backbone = CONFIGS[family]().backbone
    return network.backbone == backbone or (network.backbone.kind, backbone.kind) == (
        "none",
        "encoder",
    )


def start_from(network: UniFusionNet, path: Path, backbone: Path | None) -> str:
    """Copy the weights of the pack at ``path``; returns its name and the first digits of its hash.

    The output head may differ from that of the parent (``blend``, ``decision``, ``layered``): these
    share their tensors, and additional ones keep their initial values. Learned mixing is
    initialised from the attention weights.

    Raises:
        InputError: the pack has another network than ``network``. PackError: it cannot be used.
    """
    parent, manifest = read_pack(path, backbone)
    fresh = {k: v for k, v in network.own_state().items() if k.startswith("fusion.head.")}
    try:
        load_own_state(network, fresh | _converted_state(network, parent), str(path))
    except PackError as error:
        raise InputError(
            str(path),
            Message("it is of another network than the one to train"),
            Message("Leave the network to the pack, start from another one, or from scratch."),
        ) from error
    return f"{manifest.name} {manifest.weights_sha256[:12]}"


def _converted_state(network: UniFusionNet, parent: UniFusionNet) -> dict[str, Tensor]:
    """The parent's state, with attention converted to learned mixing where ``network`` uses it."""
    state, theirs = parent.own_state(), dict(parent.named_modules())
    for name, block in network.named_modules():
        before = theirs.get(name)
        if not isinstance(block, CrossBlock) or not isinstance(before, CrossBlock):
            continue
        mixing, attention = block.attention, before.attention
        if isinstance(mixing, LearnedMixing) and isinstance(attention, ChannelAttention):
            gone = (f"{name}.attention.", f"{name}.norm_query.")
            state = {k: v for k, v in state.items() if not k.startswith(gone)}
            taken = mixing.state_dict() | LearnedMixing.from_attention(attention.state_dict())
            state |= {f"{name}.attention.{part}": tensor for part, tensor in taken.items()}
    return state
