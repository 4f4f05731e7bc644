"""Adapters: refine token maps of four depths to pixel resolution (paper §3.1, Fig. 2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blocks import UpConv, conv3
from core.models.config import NetworkConfig

ADAPTER_REACH = 48
"""Receptive field radius of an adapter in pixels: bilinear steps and 3×3 convolutions from 1/16."""


class Adapter(nn.Module):
    """The hierarchical adapter of one source.

    u₁ = Up(f₈ + f₁₁), v = Up(f₅), w = Up(Up(f₂)); then Up(u₁ + v) + w, and further Up steps until
    the working resolution is reached (two for stride 1, none for stride 4). A convolution of the
    image itself is concatenated before the final 1×1 convolution, because a token grid of 16×16
    pixels cannot carry fine texture.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        dim, stride = config.backbone.dim, config.stride
        widths = [dim // 2, dim // 4, dim // 8, dim // 16]
        self.up_deep = UpConv(dim, widths[0])
        self.up_middle = UpConv(dim, widths[0])
        self.up_shallow = nn.Sequential(UpConv(dim, widths[0]), UpConv(widths[0], widths[1]))
        self.up_joint = UpConv(widths[0], widths[1])
        finer = {4: 0, 2: 1, 1: 2}[stride]
        self.up_fine = nn.Sequential(*(UpConv(widths[1 + i], widths[2 + i]) for i in range(finer)))
        self.unshuffle = nn.PixelUnshuffle(stride)
        detail = config.in_channels * stride * stride
        self.detail = conv3(detail, config.channels)
        self.project = nn.Conv2d(widths[1 + finer] + config.channels, config.channels, 1)

    def forward(self, f2: Tensor, f5: Tensor, f8: Tensor, f11: Tensor, image: Tensor) -> Tensor:
        """Four N×D×H/16×W/16 maps and the N×ch×H×W image → N×C×H/stride×W/stride."""
        joint = self.up_joint(self.up_deep(f8 + f11) + self.up_middle(f5))
        semantic = self.up_fine(joint + self.up_shallow(f2))
        detail = self.detail(self.unshuffle(image))
        adapted: Tensor = self.project(torch.cat([semantic, detail], dim=1))
        return adapted


class PlainUpsampling(nn.Module):
    """Ablation "w/o adapter": the mean token map, upsampled; a 1×1 convolution adapts the width."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.scale = 16 // config.stride
        self.project = nn.Conv2d(config.backbone.dim, config.channels, 1)

    def forward(self, f2: Tensor, f5: Tensor, f8: Tensor, f11: Tensor, image: Tensor) -> Tensor:
        """As :meth:`Adapter.forward`; the image is ignored."""
        mean = torch.stack([f2, f5, f8, f11]).mean(dim=0)
        narrow = self.project(mean)
        return F.interpolate(
            narrow, scale_factor=float(self.scale), mode="bilinear", align_corners=False
        )


def build_adapter(config: NetworkConfig) -> nn.Module:
    """The adapter, or its ablation, for ``config``."""
    return Adapter(config) if config.adapter else PlainUpsampling(config)
