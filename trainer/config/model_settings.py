"""Settings of what is trained: the task, the network and the weights it starts from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated

from core.errors import Message
from core.models.config import NetworkConfig, compact_config
from core.setting import Setting


@dataclass(frozen=True)
class ModelSettings:
    """Task, network and initial weights.

    Attributes:
        task: name of a task; sets the default losses, and the colour policy of one-channel
            networks.
        network: the network to train.
        backbone: file of DINOv3 weights, required by a ``dinov3`` network; "" uses the downloaded
            ones.
        init: pack to start from ("" trains from scratch); only its file name is recorded.
    """

    task: str
    _: KW_ONLY
    network: NetworkConfig = field(default_factory=compact_config)
    backbone: Annotated[
        str,
        Setting(
            Message("DINOv3 file"),
            Message("Weights of DINOv3 ViT-S/16, needed by that backbone."),
            "",
            Message("Network"),
            file=True,
        ),
    ] = ""
    init: Annotated[
        str,
        Setting(
            Message("Start from"),
            Message("Pack to start from; empty is from scratch."),
            "",
            Message("Network"),
            file=True,
        ),
    ] = ""
