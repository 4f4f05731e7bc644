"""Building blocks shared by adapters, reconstruction and fusion.

The transformer blocks attend across channels, not pixels (as in Restormer, which the paper's
release uses): their cost is linear in the number of pixels, and their attention statistics are
global over the image. Optionally a block mixes channels with learned weights instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EPS = 1e-24
"""Smallest energy of a channel for normalisation; below it the direction is undefined."""


def conv3(channels_in: int, channels_out: int, *, groups: int = 1) -> nn.Conv2d:
    """A 3×3 convolution N×C_in×H×W → N×C_out×H×W with replicated border pixels.

    Zero padding would reveal the position of the image border to every layer, and uniform areas
    would change in brightness near it.
    """
    return nn.Conv2d(
        channels_in, channels_out, 3, padding=1, padding_mode="replicate", groups=groups
    )


def pad_replicate(image: Tensor, by: int = 1) -> Tensor:
    """``image`` N×C×H×W with its border replicated ``by`` times on each side.

    For 3×3 convolutions without padding: the padding of :func:`conv3` where one copy serves several
    layers, or where a map has fewer channels before a 1×1 convolution than after it.
    """
    return F.pad(image, (by, by, by, by), mode="replicate")


class ChannelNorm(nn.Module):
    """Layer norm over the channels of an N×C×H×W map, for each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W → N×C×H×W. In channels-last memory both permutations are free."""
        last = x.permute(0, 2, 3, 1)
        normed = F.layer_norm(last, (x.shape[1],), self.weight, self.bias)
        return normed.permute(0, 3, 1, 2)


class UpConv(nn.Module):
    """Bilinear ×2, 3×3 convolution, norm, activation: the Up-Conv of Fig. 2 in the paper."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = conv3(channels_in, channels_out)
        self.norm = ChannelNorm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×H×W → N×C_out×2H×2W."""
        up = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.gelu(self.norm(self.conv(up)))


class AttentionStatistics(NamedTuple):
    """Sums over pixels from which channel attention is computed; additive over strips.

    Attributes:
        products: Σ q kᵀ, N×heads×C/h×C/h, float32.
        query_energy, key_energy: Σ q² and Σ k², N×heads×C/h, float32.
    """

    products: Tensor
    query_energy: Tensor
    key_energy: Tensor

    def plus(self, other: AttentionStatistics) -> AttentionStatistics:
        """The sums over two disjoint parts of an image."""
        return AttentionStatistics(
            *(mine + theirs for mine, theirs in zip(self, other, strict=True))
        )


class ChannelAttention(nn.Module):
    """Attention across channels: queries from one map, keys and values from another.

    For each head the C/h × C/h matrix softmax(t · q̂ k̂ᵀ) mixes the channels of v, where q̂ and k̂ are
    L2-normalised over all pixels and t is a learned temperature. It is self-attention if both maps
    are the same.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.query = nn.Conv2d(channels, channels, 1)
        self.query_local = nn.Conv2d(channels, channels, 3, groups=channels)
        self.key_value = nn.Conv2d(channels, 2 * channels, 1)
        self.key_value_local = nn.Conv2d(2 * channels, 2 * channels, 3, groups=2 * channels)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each → N×C×H×W."""
        query, key, value = self.qkv(x, other)
        return self.apply_attention(self.attention_weights(self.correlate(query, key)), value)

    def qkv(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, N×C×H×W each; the receptive field is 3×3."""
        query = self.query_local(self.query(pad_replicate(x)))
        key, value = self.key_value_local(self.key_value(pad_replicate(other))).chunk(2, dim=1)
        return query, key, value

    def values(self, other: Tensor) -> Tensor:
        """The values, N×C×H×W."""
        value: Tensor = self.key_value_local(self.key_value(pad_replicate(other))).chunk(2, dim=1)[
            1
        ]
        return value

    def correlate(self, query: Tensor, key: Tensor) -> AttentionStatistics:
        """Attention statistics over the pixels of the maps."""
        with torch.autocast(query.device.type, enabled=False):
            q, k = (_split_heads(part, self.heads).float() for part in (query, key))
            return AttentionStatistics(
                q @ k.transpose(-2, -1), q.square().sum(dim=-1), k.square().sum(dim=-1)
            )

    def attention_weights(self, correlation: AttentionStatistics) -> Tensor:
        """Weights N×heads×C/h×C/h; each row sums to 1."""
        products, query_energy, key_energy = correlation
        rows = query_energy.clamp(min=_EPS).rsqrt().unsqueeze(-1)
        columns = key_energy.clamp(min=_EPS).rsqrt().unsqueeze(-2)
        return (products * rows * columns * self.temperature).softmax(dim=-1)

    def apply_attention(self, weights: Tensor, value: Tensor) -> Tensor:
        """The channels of the values mixed with ``weights`` and projected, N×C×H×W."""
        projected: Tensor = self.project(_mix_channels(weights, value))
        return projected


class LearnedMixing(nn.Module):
    """Mixes the channels of a map with learned weights that are the same for every image.

    An alternative to :class:`ChannelAttention`, whose weights depend on the statistics of the whole
    image: here the result of a region does not depend on the rest of the scene.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        per_head = channels // heads
        self.scores = nn.Parameter(torch.zeros(heads, per_head, per_head))
        self.value = nn.Conv2d(channels, channels, 1)
        self.value_local = nn.Conv2d(channels, channels, 3, groups=channels)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each → N×C×H×W; ``x`` is ignored."""
        return self.apply_attention(self.weights(), self.values(other))

    def weights(self) -> Tensor:
        """Weights 1×heads×C/h×C/h; each row sums to 1."""
        return self.scores.softmax(dim=-1).unsqueeze(0)

    def values(self, other: Tensor) -> Tensor:
        """The values to mix, N×C×H×W."""
        value: Tensor = self.value_local(self.value(pad_replicate(other)))
        return value

    def apply_attention(self, weights: Tensor, value: Tensor) -> Tensor:
        """The channels of the values mixed with ``weights`` and projected, N×C×H×W."""
        projected: Tensor = self.project(_mix_channels(weights, value))
        return projected

    @staticmethod
    def from_attention(attention: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that a :class:`ChannelAttention` with this state shares; scores are new."""
        kept = {name: tensor for name, tensor in attention.items() if name.startswith("project.")}
        for part in ("value", "value_local"):
            for kind in ("weight", "bias"):
                kept[f"{part}.{kind}"] = attention[f"key_{part}.{kind}"].chunk(2)[1]
        return kept


def _split_heads(x: Tensor, heads: int) -> Tensor:
    n, c, h, w = x.shape
    return x.reshape(n, heads, c // heads, h * w)


def _mix_channels(weights: Tensor, value: Tensor) -> Tensor:
    mixed = weights.to(value.dtype) @ _split_heads(value, weights.shape[1])
    return mixed.reshape(value.shape).contiguous(memory_format=torch.channels_last)


class GatedFeedForward(nn.Module):
    """1×1 expansion, depthwise 3×3, gating of one half by the other, 1×1 projection."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.expand = nn.Conv2d(channels, 2 * hidden, 1)
        self.local = nn.Conv2d(2 * hidden, 2 * hidden, 3, groups=2 * hidden)
        self.reduce = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W → N×C×H×W."""
        gate, value = self.local(self.expand(pad_replicate(x))).chunk(2, dim=1)
        reduced: Tensor = self.reduce(F.gelu(gate) * value)
        return reduced


class Block(nn.Module, ABC):
    """Channel attention and gated feed-forward layer, pre-norm, residual.

    Local operations (:meth:`correlate`, :meth:`attend`) are separated from the attention weights,
    which depend on the whole image, so that the block can be computed in strips.
    """

    attention: ChannelAttention | LearnedMixing

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        self.norm_feed = ChannelNorm(channels)
        self.feed = GatedFeedForward(channels, expansion)

    @abstractmethod
    def normalized(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised inputs of queries and of keys and values: N×C×H×W each."""

    def correlate(
        self, x: Tensor, other: Tensor, inner: Callable[[Tensor], Tensor]
    ) -> AttentionStatistics:
        """Statistics of a part of an image; ``inner`` removes the margin around it."""
        assert isinstance(self.attention, ChannelAttention)
        query, key, _ = self.attention.qkv(*self.normalized(x, other))
        return self.attention.correlate(inner(query), inner(key))

    def attend(self, weights: Tensor, x: Tensor, other: Tensor) -> Tensor:
        """The new x of a part of an image, given the attention weights of the whole image."""
        values = self.attention.values(self.normalized(x, other)[1])
        return self.finish(x, self.attention.apply_attention(weights, values))

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """Add both residual branches, N×C×H×W."""
        x = x + attended
        fed: Tensor = self.feed(self.norm_feed(x))
        return x + fed

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each → the new x."""
        return self.finish(x, self.attention(*self.normalized(x, other)))


class TransformerBlock(Block):
    """Self-attention of x."""

    def __init__(self, channels: int, heads: int, expansion: float) -> None:
        super().__init__(channels, expansion)
        self.attention = ChannelAttention(channels, heads)
        self.norm_attention = ChannelNorm(channels)

    def normalized(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x normalised, twice; ``other`` is x as well."""
        normed = self.norm_attention(x)
        return normed, normed


class CrossBlock(Block):
    """One direction of a cross-attention block: queries from x, keys and values from ``other``."""

    def __init__(self, channels: int, heads: int, expansion: float, *, learned: bool) -> None:
        """``learned``: the values are mixed by :class:`LearnedMixing` instead of attention."""
        super().__init__(channels, expansion)
        self.attention = (LearnedMixing if learned else ChannelAttention)(channels, heads)
        self.norm_query = nn.Identity() if learned else ChannelNorm(channels)
        self.norm_other = ChannelNorm(channels)

    def normalized(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x and ``other``, each with its own norm."""
        return self.norm_query(x), self.norm_other(other)
