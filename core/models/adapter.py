"""Adapters: refine token maps of four depths to pixel resolution (paper §3.1, Fig. 2)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blocks import UpConv, conv3
from core.models.config import NetworkConfig

ADAPTER_REACH = 48
"""Receptive field radius of an adapter in pixels: bilinear steps and 3×3 convolutions from 1/16."""
IMAGE_REACH = 16
"""That of the convolution of the image alone, in whole patches."""


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
        """Four N×D×H/16×W/16 maps and the N×ch×H×W image → N×C×H/stride×W/stride.

        Maps of a single token N×D×1×1 stand for maps with this token everywhere.
        """
        semantic = self.semantic(f2, f5, f8, f11)
        detail = self.detail(self.unshuffle(image))
        if uniform(f2):
            # A constant map: what the projection makes of it is computed for one pixel.
            width = semantic.shape[1]
            weight = self.project.weight
            constant = F.conv2d(semantic[..., :1, :1], weight[:, :width], self.project.bias)
            return F.conv2d(detail, weight[:, width:]) + constant
        adapted: Tensor = self.project(torch.cat([semantic, detail], dim=1))
        return adapted

    def semantic(self, f2: Tensor, f5: Tensor, f8: Tensor, f11: Tensor) -> Tensor:
        """The token maps N×D×h×w, joined and upsampled to N×·×16h/stride×16w/stride."""
        joint = self.up_joint(self.up_deep(f8 + f11) + self.up_middle(f5))
        upsampled: Tensor = self.up_fine(joint + self.up_shallow(f2))
        return upsampled


class PlainUpsampling(nn.Module):
    """Ablation "w/o adapter": the mean token map, upsampled; a 1×1 convolution adapts the width."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.stride = config.stride
        self.project = nn.Conv2d(config.backbone.dim, config.channels, 1)

    def forward(self, f2: Tensor, f5: Tensor, f8: Tensor, f11: Tensor, image: Tensor) -> Tensor:
        """As :meth:`Adapter.forward`; of the image only the size counts."""
        mean = torch.stack([f2, f5, f8, f11]).mean(dim=0)
        narrow = self.project(mean)
        size = [side // self.stride for side in image.shape[-2:]]
        return F.interpolate(narrow, size=size, mode="bilinear", align_corners=False)


def uniform(tokens: Tensor) -> bool:
    """Whether a token map is a single token, which stands for the same one everywhere."""
    return tuple(tokens.shape[2:]) == (1, 1)


def build_adapter(config: NetworkConfig) -> nn.Module:
    """The adapter, or its ablation, for ``config``."""
    return Adapter(config) if config.adapter else PlainUpsampling(config)
