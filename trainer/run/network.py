"""Building the network of a run, and the network with averaged weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch

from core.errors import FusionError
from core.models.fusion_head import Fusion
from core.models.network import UniFusionNet
from core.packs.external_backbone import attach_backbone
from trainer.config.config import TrainConfig
from trainer.optimization.bilevel import BilevelStep
from trainer.run.warm_start import start_from

_TO_TRAIN = "The network to train"


class Diverged(FusionError):
    """A loss or weight became NaN or infinite; the last checkpoint before that is kept."""


def new_network(config: TrainConfig, resuming: bool = False) -> tuple[UniFusionNet, str, str]:
    """The initial network, the hash of its backbone file, and the name of its parent.

    Raises:
        InputError: the parent has another network. PackError: it or the backbone cannot be used.
    """
    torch.manual_seed(config.seed)
    network = UniFusionNet(config.network)
    backbone = backbone_of(config)
    # Without the file of its backbone a pack could not be opened: refused before training.
    digest = attach_backbone(network, "", backbone, _TO_TRAIN)
    # A resumed run does not need its parent, which may have been replaced or deleted.
    parent = (
        start_from(network, Path(config.init), backbone) if config.init and not resuming else ""
    )
    return network, digest, parent


def backbone_of(config: TrainConfig) -> Path | None:
    """The file of DINOv3 weights of a run; None for the downloaded ones."""
    return Path(config.backbone) if config.backbone else None


@contextmanager
def averaged(step: BilevelStep) -> Iterator[UniFusionNet]:
    """The network to be exported: θ replaced by its moving average, in eval mode."""
    live = step.network.fusion
    step.network.fusion = cast(Fusion, step.ema.module)
    step.network.eval()
    try:
        yield step.network
    finally:
        step.network.fusion = live
        step.network.train()
