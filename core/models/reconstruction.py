"""Reconstruction: the proof that the adapted features lost nothing (paper §3.2, eq. 2)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from core.models.blocks import TransformerBlock
from core.models.config import NetworkConfig


class Reconstruction(nn.Module):
    """The branch of one source: transformer blocks, then a projection back to the picture.

    It sees the adapted features alone, never the picture.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, s = config.channels, config.stride
        self.blocks = nn.Sequential(
            *(
                TransformerBlock(c, config.heads, config.expansion)
                for _ in range(config.reconstruction_blocks)
            )
        )
        self.project = nn.Conv2d(c, config.in_channels * s * s, 3, padding=1)
        self.shuffle = nn.PixelShuffle(s)

    def forward(self, features: Tensor) -> Tensor:
        """N×C×H/s×W/s → N×ch×H×W, nominally in [0, 1], not clipped."""
        return cast(Tensor, self.shuffle(self.project(self.blocks(features))))
