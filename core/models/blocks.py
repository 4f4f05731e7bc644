"""Building blocks shared by adapters, reconstruction and fusion.

The transformer blocks attend across channels, not pixels (the Restormer kind used by the paper's
release): their cost is linear in pixels and their attention statistics are global over the image.
Where that is unwanted, a block may mix channels by learned weights instead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_EPS = 1e-24
"""Least energy of a channel; below, its direction means nothing."""


def conv3(channels_in: int, channels_out: int, *, groups: int = 1) -> nn.Conv2d:
    """A 3×3 convolution N×C_in×H×W → N×C_out×H×W that finds the border's own pixels beyond it.

    Zeros there would tell every layer of a frame around the scene, and a sky would turn darker or
    brighter near the border than it does when there is more of it to see.
    """
    return nn.Conv2d(
        channels_in, channels_out, 3, padding=1, padding_mode="replicate", groups=groups
    )


def pad_replicate(image: Tensor, by: int = 1) -> Tensor:
    """``image`` N×C×H×W with its border repeated ``by`` times on each side.

    For 3×3 convolutions without padding: what :func:`conv3` sees, where one copy serves several
    layers, or a map that is narrower before a 1×1 convolution than after it.
    """
    return F.pad(image, (by, by, by, by), mode="replicate")


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
        self.conv = conv3(channels_in, channels_out)
        self.norm = ChannelNorm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×H×W → N×C_out×2H×2W."""
        up = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.gelu(self.norm(self.conv(up)))


class AttentionStatistics(NamedTuple):
    """Sums over pixels that attention across channels stands on; they add up over stripes.

    Attributes:
        products: Σ q kᵀ, N×heads×C/h×C/h, float32.
        query_energy, key_energy: Σ q² and Σ k², N×heads×C/h, float32.
    """

    products: Tensor
    query_energy: Tensor
    key_energy: Tensor

    def plus(self, other: AttentionStatistics) -> AttentionStatistics:
        """The sums over both parts of an image."""
        return AttentionStatistics(
            *(mine + theirs for mine, theirs in zip(self, other, strict=True))
        )


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
        self.query_local = nn.Conv2d(channels, channels, 3, groups=channels)
        self.key_value = nn.Conv2d(channels, 2 * channels, 1)
        self.key_value_local = nn.Conv2d(2 * channels, 2 * channels, 3, groups=2 * channels)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns N×C×H×W."""
        query, key, value = self.qkv(x, other)
        return self.apply_attention(self.attention_weights(self.correlate(query, key)), value)

    def qkv(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, N×C×H×W each; a pixel sees its neighbours, no further."""
        query = self.query_local(self.query(pad_replicate(x)))
        key, value = self.key_value_local(self.key_value(pad_replicate(other))).chunk(2, dim=1)
        return query, key, value

    def values(self, other: Tensor) -> Tensor:
        """The values alone, N×C×H×W."""
        value: Tensor = self.key_value_local(self.key_value(pad_replicate(other))).chunk(2, dim=1)[
            1
        ]
        return value

    def correlate(self, query: Tensor, key: Tensor) -> AttentionStatistics:
        """What the attention needs to know of all pixels."""
        with torch.autocast(query.device.type, enabled=False):
            q, k = (_split_heads(part, self.heads).float() for part in (query, key))
            return AttentionStatistics(
                q @ k.transpose(-2, -1), q.square().sum(dim=-1), k.square().sum(dim=-1)
            )

    def attention_weights(self, correlation: AttentionStatistics) -> Tensor:
        """N×heads×C/h×C/h weights, each row adding up to one."""
        products, query_energy, key_energy = correlation
        rows = query_energy.clamp(min=_EPS).rsqrt().unsqueeze(-1)
        columns = key_energy.clamp(min=_EPS).rsqrt().unsqueeze(-2)
        return (products * rows * columns * self.temperature).softmax(dim=-1)

    def apply_attention(self, weights: Tensor, value: Tensor) -> Tensor:
        """The values' channels mixed by ``weights`` and projected, N×C×H×W."""
        projected: Tensor = self.project(_mixed(weights, value))
        return projected


class LearnedMixing(nn.Module):
    """Mixes the channels of a map by weights that are learned, the same for every image.

    In place of :class:`ChannelAttention`, whose weights follow the statistics of the whole image:
    what it does to a place does not depend on how much of the scene around it is in view.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        per_head = channels // heads
        self.scores = nn.Parameter(torch.zeros(heads, per_head, per_head))
        self.value = nn.Conv2d(channels, channels, 1)
        self.value_local = nn.Conv2d(channels, channels, 3, groups=channels)
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """N×C×H×W each; returns N×C×H×W. Of ``x`` nothing is asked."""
        return self.apply_attention(self.weights(), self.values(other))

    def weights(self) -> Tensor:
        """1×heads×C/h×C/h, each row adding up to one."""
        return self.scores.softmax(dim=-1).unsqueeze(0)

    def values(self, other: Tensor) -> Tensor:
        """What is mixed, N×C×H×W."""
        value: Tensor = self.value_local(self.value(pad_replicate(other)))
        return value

    def apply_attention(self, weights: Tensor, value: Tensor) -> Tensor:
        """The values' channels mixed by ``weights`` and projected, N×C×H×W."""
        projected: Tensor = self.project(_mixed(weights, value))
        return projected

    @staticmethod
    def taken_over(attention: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a :class:`ChannelAttention` of the given state has for this; the scores are new."""
        kept = {name: tensor for name, tensor in attention.items() if name.startswith("project.")}
        for part in ("value", "value_local"):
            for kind in ("weight", "bias"):
                kept[f"{part}.{kind}"] = attention[f"key_{part}.{kind}"].chunk(2)[1]
        return kept


def _split_heads(x: Tensor, heads: int) -> Tensor:
    n, c, h, w = x.shape
    return x.reshape(n, heads, c // heads, h * w)


def _mixed(weights: Tensor, value: Tensor) -> Tensor:
    mixed = weights.to(value.dtype) @ _split_heads(value, weights.shape[1])
    return mixed.reshape(value.shape).contiguous(memory_format=torch.channels_last)


class GatedFeedForward(nn.Module):
    """1×1 expansion, depthwise 3×3, one half gates the other, 1×1 back."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        hidden = int(channels * expansion)
        self.expand = nn.Conv2d(channels, 2 * hidden, 1)
        self.local = nn.Conv2d(2 * hidden, 2 * hidden, 3, groups=2 * hidden)
        self.reduce = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W in, the same out."""
        gate, value = self.local(self.expand(pad_replicate(x))).chunk(2, dim=1)
        reduced: Tensor = self.reduce(F.gelu(gate) * value)
        return reduced


class Block(nn.Module, ABC):
    """Attention across channels and gated feed-forward, pre-norm, residual.

    Split into what looks at pixels and their neighbours (:meth:`correlate`, :meth:`attend`) and
    what knows the whole image (the weights between them), so that it can be walked through in
    stripes.
    """

    attention: ChannelAttention | LearnedMixing

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        self.norm_feed = ChannelNorm(channels)
        self.feed = GatedFeedForward(channels, expansion)

    @abstractmethod
    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """What asks and what answers, normalised: N×C×H×W each."""

    def correlate(
        self, x: Tensor, other: Tensor, inner: Callable[[Tensor], Tensor]
    ) -> AttentionStatistics:
        """Statistics of a part of an image; ``inner`` cuts off what is seen around it."""
        assert isinstance(self.attention, ChannelAttention)
        query, key, _ = self.attention.qkv(*self.normed(x, other))
        return self.attention.correlate(inner(query), inner(key))

    def attend(self, weights: Tensor, x: Tensor, other: Tensor) -> Tensor:
        """The new x of a part of an image, given the weights of the whole one."""
        values = self.attention.values(self.normed(x, other)[1])
        return self.finish(x, self.attention.apply_attention(weights, values))

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
        super().__init__(channels, expansion)
        self.attention = ChannelAttention(channels, heads)
        self.norm_attention = ChannelNorm(channels)

    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x twice; ``other`` is x as well."""
        normed = self.norm_attention(x)
        return normed, normed


class CrossBlock(Block):
    """One direction of a cross-attention block: x asks, ``other`` answers."""

    def __init__(self, channels: int, heads: int, expansion: float, *, learned: bool) -> None:
        """Args: ``learned``: what ``other`` answers is mixed by :class:`LearnedMixing`."""
        super().__init__(channels, expansion)
        self.attention = (LearnedMixing if learned else ChannelAttention)(channels, heads)
        self.norm_query = nn.Identity() if learned else ChannelNorm(channels)
        self.norm_other = ChannelNorm(channels)

    def normed(self, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """x and ``other``, each by its own norm."""
        return self.norm_query(x), self.norm_other(other)
