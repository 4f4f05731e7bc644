"""The fusion network F (paper §3.3, eq. 3): cross-attention blocks and an output head."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blocks import CrossBlock, TransformerBlock, conv3, pad_replicate
from core.models.bounding import (
    ACTIVITY_REACH,
    DETAIL_REACH,
    activity_logit,
    clamp_to_bounds,
    detail_bounds,
    detail_of,
    leaky_clamp,
    smoothed,
)
from core.models.config import NetworkConfig
from core.models.focus import FOCUS_REACH, sharper_view
from core.models.guided_filter import (
    GUIDED_DOWNSAMPLING,
    apply_coefficients,
    box_mean,
    guided_filter_coefficients,
    reduced,
)
from core.models.salience import (
    SALIENCE_REACH,
    activities,
    brightness,
    detail_logit,
    lead_of,
    night_of,
    surroundings,
)
from core.models.tiling import WHOLE_IMAGE, TilingStrategy

_CONV_REACH = 16
"""Receptive field radius, in image pixels, of a few 3×3 convolutions at the working resolution."""
_CONSISTENCY_REACH = 11
"""Radius in pixels of the window of the consistency check."""
_ACTIVITY_SCALE = 8.0
"""Logit that counts as 1 for the network in the map of a ``bounded`` head."""
_DETAIL_SCALE = 0.1
"""What the network draws by an output of 1, as a share of the range: training starts gently."""
_DETAIL_GAIN = 4.0
"""Contrast of the details of the sources in a ``detail`` head."""
_STEEPNESS = 6.0
"""Slope of the weight over the averaged decision; it is 1 in training."""
_PREDICTION_REACH = 4
"""Receptive field radius of the four full-resolution convolutions."""
_STRIP_DIVISOR = 4
"""Memory per pixel of the full-resolution layers relative to that of a block."""
_BASE_REACH, _MAP_REACH, _DETAIL_REACH = 4, 11, 2
"""Window radii in coarse pixels for smoothing the bases, their map, and the map of the details."""
_BASE_EDGE, _MAP_EDGE, _DETAIL_EDGE = 0.02, 0.01, 0.001
"""Regularisation ε of these filters: variance (of an image, of the bases' contrast) of an edge."""
_GUIDED_REACH, _GUIDED_EDGE = 8, 0.03
"""As these, for the bases of a ``salient`` head."""
_CHOICE_RADIUS = 1
"""Radius in pixels of the box that the choice of details of a ``salient`` head is averaged over,
twice: on even ground the outlines of a sharper choice show as patches."""


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
        for ask_y, ask_x in zip(self.ask_y, self.ask_x, strict=True):
            z_x = tiling.block(cast(CrossBlock, ask_y), z_x, z_y, inplace=inplace)
            z_y = tiling.block(cast(CrossBlock, ask_x), z_y, z_x, inplace=inplace)
            inplace = True
        merged = tiling.local(self._merge_maps, z_x, z_y, reach=_CONV_REACH, out=z_x)
        tiling.release(z_y)
        merged = tiling.block(self.refine, merged, merged, inplace=True)
        return cast(Tensor, self.head(merged, x, y, tiling))

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
                reach=_PREDICTION_REACH,
                strip_divisor=_STRIP_DIVISOR,
            )
        decision = tiling.local(
            self.predict_blend,
            features,
            x,
            y,
            reach=_PREDICTION_REACH,
            strip_divisor=_STRIP_DIVISOR,
        )
        tiling.release(features)
        if self.layered:
            return self._fuse_layers(decision, x, y, tiling)
        return tiling.local(
            self._select, decision, x, y, reach=_CONSISTENCY_REACH, strip_divisor=_STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        decision = self.predict_blend(features, x, y)
        fused = _blend(torch.sigmoid(decision[:, :1]), x, y) + decision[:, 1:]
        return clamp_to_bounds(fused, x, y) if self.bounded else fused

    def _select(self, decision: Tensor, x: Tensor, y: Tensor) -> Tensor:
        weight = (
            leaky_clamp(decision[:, :1] + 0.5)
            if self.training
            else consistency_filter(decision[:, :1])
        )
        # The residual is zero where one source is copied.
        return _blend(weight, x, y) + decision[:, 1:] * (4 * weight * (1 - weight))

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
            strip_divisor=_STRIP_DIVISOR,
        ).chunk(3, dim=1)
        detail_filter = guided_filter_coefficients(decisions, contrast, _DETAIL_REACH, _DETAIL_EDGE)
        # The map of the bases is predicted relative to that of the details.
        base_filter = guided_filter_coefficients(decisions + base, contrast, _MAP_REACH, _MAP_EDGE)
        return tiling.local(
            self._blend_layers, decision, filter_x, filter_y, detail_filter, base_filter, x, y,
            reach=GUIDED_DOWNSAMPLING, strip_divisor=_STRIP_DIVISOR,
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
        bases = _blend(base_weight, base_x, base_y)
        details = _blend(detail_weight, x - base_x, y - base_y)
        return bases + details + decision[:, 1:-1]


class BoundedHead(BlendHead):
    """Fused = m·x + (1−m)·y + r, clamped to :func:`core.models.bounding.bounds` of the sources.

    m starts as the choice of the locally more active source
    (:func:`core.models.bounding.activity_logit`), which the network sees and corrects; it and the
    residual r are the outputs of ``decide``. The bounds hold whatever the weights are.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.look = nn.Conv2d(2 * config.in_channels + 1, config.head_channels, 3)

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """As :meth:`BlendHead.forward`."""
        reach = _PREDICTION_REACH + ACTIVITY_REACH
        return tiling.local(
            self._blend_sources, features, x, y, reach=reach, strip_divisor=_STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        prior = activity_logit(x, y)
        decision = self.predict_blend(features, x, y, prior / _ACTIVITY_SCALE)
        weight = torch.sigmoid(prior + _ACTIVITY_SCALE * decision[:, :1])
        return clamp_to_bounds(_blend(weight, x, y) + decision[:, 1:], x, y)


class FocusHead(nn.Module):
    """The sharper view at each pixel (:func:`core.models.focus.sharper_view`): nothing is learnt.

    Fused = m·x + (1−m)·y, where m saturates at exactly 0 and 1.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """N×ch×H×W images → N×ch×H×W. The features are ignored."""
        return tiling.local(_sharper, x, y, reach=FOCUS_REACH, strip_divisor=_STRIP_DIVISOR)


class SalientHead(BlendHead):
    """Detail of both sources on the brightness that infrared (x) and visible (y) images call for.

    Fused = base + m·(x − base of x) + (1−m)·(y − base of y) + r, within the bounds of
    :class:`BoundedHead`. All bases are guided filters whose guide is
    :func:`core.models.salience.brightness`: by day y with the targets of x, by night x with those
    of y. So the edges of that image are no detail, whichever source shows them and with whatever
    sign, and a sky keeps no halo from a source that shows it dark. The base is that of the guide,
    moved by the network along the difference of the others; m starts as the choice of the more
    active source, which the network sees and corrects.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.look = nn.Conv2d(3 * config.in_channels + 1, config.head_channels, 3)

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """As :meth:`BlendHead.forward`."""
        coarse_x, coarse_y = (tiling.local(reduced, image, reach=0) for image in (x, y))
        around = surroundings(coarse_x, coarse_y)
        active = tiling.local(_coarse_activities, x, y, reach=SALIENCE_REACH)
        night = night_of(y) * lead_of(active)
        choice = detail_logit(active, night)
        guide = tiling.local(_coarse_guide, night, around, x, y, reach=GUIDED_DOWNSAMPLING)
        bases = torch.cat(
            [
                guided_filter_coefficients(image, guide, _GUIDED_REACH, _GUIDED_EDGE)
                for image in (coarse_x, coarse_y, guide)
            ],
            dim=1,
        )
        return tiling.local(
            self._add_detail, features, night, around, bases, choice, x, y,
            reach=_PREDICTION_REACH + 2 * _CHOICE_RADIUS + GUIDED_DOWNSAMPLING,
            strip_divisor=_STRIP_DIVISOR,
        )  # fmt: skip

    def _add_detail(  # noqa: PLR0917 (called with positional arguments by the tiling strategy)
        self,
        features: Tensor,
        night: Tensor,
        around: Tensor,
        bases: Tensor,
        choice: Tensor,
        x: Tensor,
        y: Tensor,
    ) -> Tensor:
        guide = brightness(x, y, night, around)
        choice = F.interpolate(choice, x.shape[2:], mode="bilinear", align_corners=False)
        decision = self.predict_blend(features, x, y, guide, choice / _ACTIVITY_SCALE)
        base_x, base_y, base = (apply_coefficients(b, guide) for b in bases.chunk(3, dim=1))
        weight = torch.sigmoid(choice + _ACTIVITY_SCALE * decision[:, :1])
        weight = smoothed(weight, _CHOICE_RADIUS)
        base = base + decision[:, -1:] * (base_x - base_y)
        detail = _blend(weight, x - base_x, y - base_y)
        return clamp_to_bounds(base + detail + decision[:, 1:-1], x, y)


def _coarse_activities(x: Tensor, y: Tensor) -> Tensor:
    return reduced(activities(x, y))


def _coarse_guide(night: Tensor, around: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return reduced(brightness(x, y, night, around))


class DetailHead(BlendHead):
    """Fused = max(x, y) + detail of (m·(min(x, y) − max(x, y)) + r), clamped.

    The base is the brighter source at each pixel, whatever the weights are: one rule for the whole
    image, so that the base never changes its source by what is around a pixel. The network, which
    starts from it and sees the detail of both sources (:func:`core.models.bounding.detail_of`),
    adds detail: of the darker source by m, and what it draws by r. The bounds of the result are
    :func:`core.models.bounding.detail_bounds`.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.look = nn.Conv2d(4 * config.in_channels, config.head_channels, 3)

    def forward(
        self, features: Tensor, x: Tensor, y: Tensor, tiling: TilingStrategy = WHOLE_IMAGE
    ) -> Tensor:
        """As :meth:`BlendHead.forward`."""
        reach = _PREDICTION_REACH + 2 * DETAIL_REACH
        return tiling.local(
            self._blend_sources, features, x, y, reach=reach, strip_divisor=_STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        details = (_DETAIL_GAIN * detail_of(image) for image in (x, y))
        decision = self.predict_blend(features, x, y, *details)
        brighter, darker = torch.maximum(x, y), torch.minimum(x, y)
        change = decision[:, :1] * (darker - brighter) + _DETAIL_SCALE * decision[:, 1:]
        return clamp_to_bounds(brighter + detail_of(change), x, y, detail_bounds(x, y))


def _sharper(x: Tensor, y: Tensor) -> Tensor:
    return _blend((sharper_view(x, y) + 0.5).clamp(0, 1), x, y)


def _blend(weight: Tensor, x: Tensor, y: Tensor) -> Tensor:
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
