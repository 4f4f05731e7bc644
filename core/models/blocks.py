"""Building blocks shared by adapters, reconstruction and fusion.

The transformer blocks attend across channels, not pixels (the Restormer kind used by the paper's
release): their cost is linear in pixels and their attention statistics are global over the picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Layer norm over the channels of an N×C×H×W map, pixel by pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, the same out. In channels-last memory both permutes are free."""
        last = x.permute(0, 2, 3, 1)
        normed = F.layer_norm(last, (x.shape[1],), self.weight, self.bias)
        return normed.permute(0, 3, 1, 2)


class UpConv(nn.Module):
    """Bilinear ×2, 3×3 convolution, norm, activation: the Up-Conv of the paper's Fig. 2."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = ChannelNorm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×H×W → N×C_out×2H×2W."""
        up = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.gelu(self.norm(self.conv(up)))


class ChannelAttention(nn.Module):
    """Attention across channels: queries from one map, keys and values from another.

    Per head the C/h × C/h matrix softmax(t · q̂ k̂ᵀ) mixes the channels of v, where q̂ and k̂ are
    L2-normalised over all pixels and t is a learned temperature. Self-attention when both maps are
    the same.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.query = nn.Conv2d(channels, channels, 1)
        self.query_local = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.key_value = nn.Conv2d(channels, 2 * channels, 1)
        self.key_value_local = nn.Conv2d(
            2 * channels, 2 * channels, 3, padding=1, groups=2 * channels
        )
        self.project = nn.Conv2d(channels, channels, 1)

    def _split_heads(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.reshape(n, self.heads, c // self.heads, h * w)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns N×C×H×W."""
        query = self._split_heads(self.query_local(self.query(x)))
        key, value = self.key_value_local(self.key_value(other)).chunk(2, dim=1)
        key, value = self._split_heads(key), self._split_heads(value)
        query = F.normalize(query.float(), dim=-1)
        key = F.normalize(key.float(), dim=-1)
        weights = (query @ key.transpose(-2, -1) * self.temperature).softmax(dim=-1)
        mixed = (weights.to(value.dtype) @ value).reshape(x.shape)
        projected: Tensor = self.project(mixed.contiguous(memory_format=torch.channels_last))
        return projected


class GatedFeedForward(nn.Module):
    """1×1 expansion, depthwise 3×3, one half gates the other, 1×1 back."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.expand = nn.Conv2d(channels, 2 * hidden, 1)
        self.local = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden)
        self.reduce = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, the same out."""
        gate, value = self.local(self.expand(x)).chunk(2, dim=1)
        reduced: Tensor = self.reduce(F.gelu(gate) * value)
        return reduced


class TransformerBlock(nn.Module):
    """Channel self-attention and gated feed-forward, pre-norm, residual."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.norm_attention = ChannelNorm(channels)
        self.attention = ChannelAttention(channels, heads)
        self.norm_feed = ChannelNorm(channels)
        self.feed = GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, the same out."""
        normed = self.norm_attention(x)
        x = x + self.attention(normed, normed)
        fed: Tensor = self.feed(self.norm_feed(x))
        return x + fed


class CrossBlock(nn.Module):
    """One direction of a cross-attention block: x asks, ``other`` answers."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.norm_query = ChannelNorm(channels)
        self.norm_other = ChannelNorm(channels)
        self.attention = ChannelAttention(channels, heads)
        self.norm_feed = ChannelNorm(channels)
        self.feed = GatedFeedForward(channels, expansion)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns the new x."""
        x = x + self.attention(self.norm_query(x), self.norm_other(other))
        fed: Tensor = self.feed(self.norm_feed(x))
        return x + fed
