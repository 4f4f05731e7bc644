"""The network of a run: new, or with averaged weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch

from core.errors import FusionError
from core.models.fusion_head import Fusion
from core.models.network import UniFusionNet
from core.packs.format import attach_backbone
from trainer.config.config import TrainConfig
from trainer.optimization.bilevel import BilevelStep
from trainer.run.warm_start import start_from

_TO_TRAIN = "The network to train"


class Diverged(FusionError):
    """A loss or weight became NaN or infinite; the last checkpoint before it is kept."""


def new_network(config: TrainConfig, resuming: bool = False) -> tuple[UniFusionNet, str, str]:
    """The network before its first step, the hash of its backbone file, name of its parent.

    Raises:
        InputError: the parent is of another network. PackError: it or the backbone cannot be used.
    """
    torch.manual_seed(config.seed)
    network = UniFusionNet(config.network)
    backbone = _backbone_of(config)
    # Without its backbone's file a pack could never be opened again: refused before training.
    digest = attach_backbone(network, "", backbone, _TO_TRAIN)
    # The parent may have been replaced or deleted since: a resumed run does not look at it.
    parent = (
        start_from(network, Path(config.init), backbone) if config.init and not resuming else ""
    )
    return network, digest, parent


def _backbone_of(config: TrainConfig) -> Path | None:
    return Path(config.backbone) if config.backbone else None


@contextmanager
def averaged(step: BilevelStep) -> Iterator[UniFusionNet]:
    """The network as it will be shipped: θ replaced by its average, in eval mode."""
    live = step.network.fusion
    step.network.fusion = cast(Fusion, step.ema.module)
    step.network.eval()
    try:
        yield step.network
    finally:
        step.network.fusion = live
        step.network.train()
