"""The head that blends the sources by a full-resolution map; others are built on it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blocks import pad_replicate
from core.models.bounding import (
    clamp_to_bounds,
    leaky_clamp,
)
from core.models.config import NetworkConfig
from core.models.guided_filter import (
    GUIDED_DOWNSAMPLING,
    apply_coefficients,
    box_mean,
    guided_filter_coefficients,
    reduced,
)
from core.models.tiling import WHOLE_IMAGE, TilingStrategy

_CONSISTENCY_REACH = 11
"""Radius in pixels of the window of the consistency check."""
_STEEPNESS = 6.0
"""Slope of the weight over the averaged decision; it is 1 in training."""
PREDICTION_REACH = 4
"""Receptive field radius of the four full-resolution convolutions."""
STRIP_DIVISOR = 4
"""Memory per pixel of the full-resolution layers relative to that of a block."""
_BASE_REACH, _MAP_REACH, _DETAIL_REACH = 4, 11, 2
"""Window radii in coarse pixels for smoothing the bases, their map, and the map of the details."""
_BASE_EDGE, _MAP_EDGE, _DETAIL_EDGE = 0.02, 0.01, 0.001
"""Regularisation ε of these filters: variance (of an image, of the bases' contrast) of an edge."""


class BlendHead(nn.Module):
    """Fused = m·x + (1−m)·y + r with a full-resolution weight map m and a residual r.

    Differs from the paper: what both sources share is preserved, so that the network only learns
    the selection, and it starts from the average. With ``config.head`` "decision" the map is
    clamped instead of passed through a sigmoid, so that it can copy a source exactly. With
    "layered" the images are split into base (edge-preserving smoothing) and detail, as in
    guided-filter fusion (Li et al. 2013): m weights the detail, and a second map, smooth except at
    edges of the bases, weights the base, so that the selection of fine detail creates neither
    patches in uniform areas nor halos around bright objects. With "bounded_blend" the result is
    clamped to :func:`core.models.bounding.bounds` of the sources.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, s = config.head_channels, config.stride
        ch = config.in_channels
        self.decisive, self.layered = config.head == "decision", config.head == "layered"
        self.bounded = config.head == "bounded_blend"
        self.two_maps = config.head in ("layered", "salient")
        self.up = nn.Conv2d(config.channels, width * s * s, 1)
        self.shuffle = nn.PixelShuffle(s)
        # Without padding of their own, which would copy each full-resolution map.
        # The attribute names are tensor names in packs and must not change.
        self.look = nn.Conv2d(2 * ch, width, 3)
        self.mix = nn.Conv2d(2 * width, width, 3)
        self.refine = nn.Conv2d(width, width, 3)
        self.decide = nn.Conv2d(width, 1 + ch, 3)
        _icnr(self.up, s)
        layers = [self.decide]
        if self.two_maps:
            self.base = nn.Conv2d(width, 1, 3)
            layers.append(self.base)
        for layer in layers:
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """N×C×H/s×W/s features, which are overwritten, and N×ch×H×W images → N×ch×H×W."""
        if not (self.layered or self.decisive):
            return tiling.local(
                self._blend_sources,
                features,
                x,
                y,
                reach=PREDICTION_REACH,
                strip_divisor=STRIP_DIVISOR,
            )
        decision = tiling.local(
            self.predict_blend,
            features,
            x,
            y,
            reach=PREDICTION_REACH,
            strip_divisor=STRIP_DIVISOR,
        )
        tiling.release(features)
        if self.layered:
            return self._fuse_layers(decision, x, y, tiling)
        return tiling.local(
            self._select, decision, x, y, reach=_CONSISTENCY_REACH, strip_divisor=STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        decision = self.predict_blend(features, x, y)
        fused = blend(torch.sigmoid(decision[:, :1]), x, y) + decision[:, 1:]
        return clamp_to_bounds(fused, x, y) if self.bounded else fused

    def _select(self, decision: Tensor, x: Tensor, y: Tensor) -> Tensor:
        weight = (
            leaky_clamp(decision[:, :1] + 0.5)
            if self.training
            else consistency_filter(decision[:, :1])
        )
        # The residual is zero where one source is copied.
        return blend(weight, x, y) + decision[:, 1:] * (4 * weight * (1 - weight))

    def predict_blend(self, features: Tensor, *images: Tensor) -> Tensor:
        """Per-pixel predictions, float32: N×1×H×W map, residual, and for layers the base map."""
        # The margin of the four convolutions, replicated as in ``conv3``, but only once.
        cells = -(-4 // self.shuffle.upscale_factor)
        edge = cells * self.shuffle.upscale_factor
        context = self.shuffle(self.up(pad_replicate(features, cells)))
        detail = self.look(pad_replicate(torch.cat(images, dim=1), edge))
        # ReLU: at full resolution GELU would cost as much as a convolution.
        hidden = F.relu(self.mix(torch.cat([_without_border(context), detail], dim=1)))
        hidden = _without_border(hidden) + F.relu(self.refine(hidden))
        decision: Tensor = self.decide(hidden).float()
        if self.two_maps:
            decision = torch.cat([decision, self.base(hidden).float()], dim=1)
        return decision

    def _fuse_layers(
        self, decision: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy
    ) -> Tensor:
        filter_x, filter_y = (
            guided_filter_coefficients(coarse, coarse, _BASE_REACH, _BASE_EDGE)
            for coarse in (tiling.local(reduced, image, reach=0) for image in (x, y))
        )
        # Transitions between the sources follow the contrast of the bases.
        contrast, decisions, base = tiling.local(
            self._coarse_decisions,
            decision,
            filter_x,
            filter_y,
            x,
            y,
            reach=GUIDED_DOWNSAMPLING,
            strip_divisor=STRIP_DIVISOR,
        ).chunk(3, dim=1)
        detail_filter = guided_filter_coefficients(decisions, contrast, _DETAIL_REACH, _DETAIL_EDGE)
        # The map of the bases is predicted relative to that of the details.
        base_filter = guided_filter_coefficients(decisions + base, contrast, _MAP_REACH, _MAP_EDGE)
        return tiling.local(
            self._blend_layers, decision, filter_x, filter_y, detail_filter, base_filter, x, y,
            reach=GUIDED_DOWNSAMPLING, strip_divisor=STRIP_DIVISOR,
        )  # fmt: skip

    def _coarse_decisions(
        self, decision: Tensor, filter_x: Tensor, filter_y: Tensor, x: Tensor, y: Tensor
    ) -> Tensor:
        contrast = _contrast(apply_coefficients(filter_x, x), apply_coefficients(filter_y, y))
        return reduced(torch.cat([contrast, decision[:, :1], decision[:, -1:]], dim=1))

    def _blend_layers(  # noqa: PLR0917 (called with positional arguments by the tiling strategy)
        self,
        decision: Tensor,
        filter_x: Tensor,
        filter_y: Tensor,
        detail_filter: Tensor,
        base_filter: Tensor,
        x: Tensor,
        y: Tensor,
    ) -> Tensor:
        base_x, base_y = (
            apply_coefficients(filter_x, x),
            apply_coefficients(filter_y, y),
        )
        contrast = _contrast(base_x, base_y)
        detail_weight, base_weight = (
            torch.sigmoid(apply_coefficients(coefficients, contrast))
            for coefficients in (detail_filter, base_filter)
        )
        bases = blend(base_weight, base_x, base_y)
        details = blend(detail_weight, x - base_x, y - base_y)
        return bases + details + decision[:, 1:-1]


def blend(weight: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return weight * x + (1 - weight) * y


def _contrast(base_x: Tensor, base_y: Tensor) -> Tensor:
    return (base_x - base_y).mean(dim=1, keepdim=True)


def _without_border(image: Tensor) -> Tensor:
    """``image`` without its outermost pixels, like the output of a 3×3 convolution."""
    return image[..., 1:-1, 1:-1]


def consistency_filter(decision: Tensor) -> Tensor:
    """Weight map N×1×H×W in [0, 1] of a decision, for inference only.

    Focus is a property of regions: decisions, clamped to ±½, are averaged over 23×23 pixels (the
    consistency check of multi-focus fusion), which keeps straight outlines and removes specks, and
    are then sharpened.
    """
    return (_STEEPNESS * box_mean(decision.clamp(-0.5, 0.5), _CONSISTENCY_REACH) + 0.5).clamp(0, 1)


def _icnr(conv: nn.Conv2d, scale: int) -> None:
    """ICNR initialisation: equal sub-pixels per output channel, against checkerboard artefacts."""
    with torch.no_grad():
        group = scale * scale
        conv.weight.copy_(conv.weight[::group].repeat_interleave(group, dim=0))
        if conv.bias is not None:
            conv.bias.copy_(conv.bias[::group].repeat_interleave(group, dim=0))
