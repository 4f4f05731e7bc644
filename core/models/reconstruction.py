"""Reconstruction branches, which keep the adapted features complete (paper §3.2, eq. 2)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from core.models.blocks import TransformerBlock, conv3
from core.models.config import NetworkConfig
from core.models.tiling import WHOLE_IMAGE, TilingStrategy


class Reconstruction(nn.Module):
    """The branch of one source: transformer blocks and a projection to the image.

    Its only input are the adapted features, not the image.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, s = config.channels, config.stride
        self.blocks = nn.ModuleList(
            TransformerBlock(c, config.heads, config.expansion)
            for _ in range(config.reconstruction_blocks)
        )
        self.project = conv3(c, config.in_channels * s * s)
        self.shuffle = nn.PixelShuffle(s)

    def forward(self, features: Tensor, tiling: TilingStrategy = WHOLE_IMAGE) -> Tensor:
        """N×C×H/s×W/s → N×ch×H×W, nominally in [0, 1], not clipped."""
        for block in self.blocks:
            features = tiling.block(cast(TransformerBlock, block), features, features)
        return tiling.local(self._to_image, features, reach=16)

    def _to_image(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.shuffle(self.project(features)))
