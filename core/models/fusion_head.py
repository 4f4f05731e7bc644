"""The fusion network F (paper §3.3, eq. 3): cross-attention blocks and an output head."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blend_head import BlendHead
from core.models.blocks import CrossBlock, TransformerBlock, conv3
from core.models.config import NetworkConfig
from core.models.rule_heads import BoundedHead, DetailHead, FocusHead, SalientHead
from core.models.tiling import WHOLE_IMAGE, TilingStrategy

_CONV_REACH = 16
"""Receptive field radius, in image pixels, of a few 3×3 convolutions at the working resolution."""


class Fusion(nn.Module):
    """Cross-attention blocks (x attends to y, then y to the new x), merging, output head.

    A head that fuses by rule needs none of the layers before it, and the network has none.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, heads, expansion = config.channels, config.heads, config.expansion

        def direction(name: str) -> nn.ModuleList:
            return nn.ModuleList(
                CrossBlock(c, heads, expansion, learned=f"{name}.{i}" in config.learned_mixing)
                for i in range(config.fusion_blocks)
            )

        if config.learns_fusion:
            self.ask_y, self.ask_x = direction("ask_y"), direction("ask_x")
            self.merge = conv3(2 * c, c)
            self.refine = TransformerBlock(c, heads, expansion)
        heads_by_name = {
            "direct": DirectHead,
            "focus": FocusHead,
            "bounded": BoundedHead,
            "salient": SalientHead,
            "detail": DetailHead,
        }
        self.head = heads_by_name.get(config.head, BlendHead)(config)

    def forward(
        self,
        z_x: Tensor,
        z_y: Tensor,
        x: Tensor,
        y: Tensor,
        tiling: TilingStrategy = WHOLE_IMAGE,
        *,
        inplace: bool = False,
    ) -> Tensor:
        """Adapted maps N×C×H/s×W/s and images N×ch×H×W → fused N×ch×H×W, not clipped.

        ``inplace``: the maps may be overwritten.
        """
        if isinstance(self.head, FocusHead):
            return cast(Tensor, self.head(z_x, x, y, tiling))
        return cast(Tensor, self.head(self.join(z_x, z_y, tiling, inplace=inplace), x, y, tiling))

    def join(
        self, z_x: Tensor, z_y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE, *, inplace: bool
    ) -> Tensor:
        """Adapted maps N×C×H/s×W/s → the fused one of the same size, from which the head draws.

        ``inplace``: the maps may be overwritten.
        """
        for ask_y, ask_x in zip(self.ask_y, self.ask_x, strict=True):
            z_x = tiling.block(cast(CrossBlock, ask_y), z_x, z_y, inplace=inplace)
            z_y = tiling.block(cast(CrossBlock, ask_x), z_y, z_x, inplace=inplace)
            inplace = True
        merged = tiling.local(self._merge_maps, z_x, z_y, reach=_CONV_REACH, out=z_x)
        tiling.release(z_y)
        return tiling.block(self.refine, merged, merged, inplace=True)

    def _merge_maps(self, z_x: Tensor, z_y: Tensor) -> Tensor:
        return cast(Tensor, self.merge(torch.cat([z_x, z_y], dim=1)))


class DirectHead(nn.Module):
    """Convolutions to the image, as in the paper."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c, s = config.channels, config.stride
        self.conv = conv3(c, c)
        self.project = conv3(c, config.in_channels * s * s)
        self.shuffle = nn.PixelShuffle(s)

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """N×C×H/s×W/s → N×ch×H×W. The images are ignored."""
        return tiling.local(self._to_image, features, reach=_CONV_REACH)

    def _to_image(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.shuffle(self.project(F.gelu(self.conv(features)))))
