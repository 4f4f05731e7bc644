"""Building blocks shared by adapters, reconstruction and fusion.

The transformer blocks attend across channels, not pixels (the Restormer kind used by the paper's
release): their cost is linear in pixels and their attention statistics are global over the picture.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EPS = 1e-24
"""Least energy of a channel; below, its direction means nothing."""


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


class Correlation(NamedTuple):
    """Sums over pixels that attention across channels stands on; they add up over stripes.

    Attributes:
        products: Σ q kᵀ, N×heads×C/h×C/h, float32.
        query_energy, key_energy: Σ q² and Σ k², N×heads×C/h, float32.
    """

    products: Tensor
    query_energy: Tensor
    key_energy: Tensor

    def plus(self, other: Correlation) -> Correlation:
        """The sums over both parts of a picture."""
        return Correlation(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


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

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns N×C×H×W."""
        query, key, value = self.look(x, other)
        return self.mix(self.weigh(self.correlate(query, key)), value)

    def look(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, N×C×H×W each; a pixel sees its neighbours, no further."""
        query = self.query_local(self.query(x))
        key, value = self.key_value_local(self.key_value(other)).chunk(2, dim=1)
        return query, key, value

    def correlate(self, query: Tensor, key: Tensor) -> Correlation:
        """What the attention needs to know of all pixels."""
        with torch.autocast(query.device.type, enabled=False):
            q, k = self._split_heads(query).float(), self._split_heads(key).float()
            return Correlation(
                q @ k.transpose(-2, -1), q.square().sum(dim=-1), k.square().sum(dim=-1)
            )

    def weigh(self, correlation: Correlation) -> Tensor:
        """N×heads×C/h×C/h weights, each row adding up to one."""
        products, query_energy, key_energy = correlation
        rows = query_energy.clamp(min=_EPS).rsqrt().unsqueeze(-1)
        columns = key_energy.clamp(min=_EPS).rsqrt().unsqueeze(-2)
        return (products * rows * columns * self.temperature).softmax(dim=-1)

    def mix(self, weights: Tensor, value: Tensor) -> Tensor:
        """The values' channels mixed by ``weights`` and projected, N×C×H×W."""
        mixed = (weights.to(value.dtype) @ self._split_heads(value)).reshape(value.shape)
        projected: Tensor = self.project(mixed.contiguous(memory_format=torch.channels_last))
        return projected

    def _split_heads(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.reshape(n, self.heads, c // self.heads, h * w)


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


class Block(nn.Module, ABC):
    """Attention across channels and gated feed-forward, pre-norm, residual.

    Split into what looks at pixels and their neighbours (:meth:`look`, :meth:`finish`) and what
    knows the whole picture (the weights between them), so that it can be walked through in stripes.
    """

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__()
        self.attention = ChannelAttention(channels, heads)
        self.norm_feed = ChannelNorm(channels)
        self.feed = GatedFeedForward(channels, expansion)

    @abstractmethod
    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """What asks and what answers, normalised: N×C×H×W each."""

    def look(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of x, keys and values of ``other``: N×C×H×W each."""
        return self.attention.look(*self.normed(x, other))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Both residual steps, N×C×H×W."""
        x = x + attended
        fed: Tensor = self.feed(self.norm_feed(x))
        return x + fed

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns the new x."""
        return self.finish(x, self.attention(*self.normed(x, other)))


class TransformerBlock(Block):
    """Self-attention: x asks itself."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__(channels, heads, expansion)
        self.norm_attention = ChannelNorm(channels)

    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x twice; ``other`` is x as well."""
        normed = self.norm_attention(x)
        return normed, normed


class CrossBlock(Block):
    """One direction of a cross-attention block: x asks, ``other`` answers."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__(channels, heads, expansion)
        self.norm_query = ChannelNorm(channels)
        self.norm_other = ChannelNorm(channels)

    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x and ``other``, each by its own norm."""
        return self.norm_query(x), self.norm_other(other)
