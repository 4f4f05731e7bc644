"""Heads that start from a rule: bounded, salient, detail; and focus, which is a rule alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blend_head import PREDICTION_REACH, STRIP_DIVISOR, BlendHead, blend
from core.models.bounding import (
    ACTIVITY_REACH,
    DETAIL_REACH,
    activity_logit,
    clamp_to_bounds,
    detail_bounds,
    detail_of,
    smoothed,
)
from core.models.config import NetworkConfig
from core.models.focus import FOCUS_REACH, sharper_view
from core.models.guided_filter import (
    GUIDED_DOWNSAMPLING,
    apply_coefficients,
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

_ACTIVITY_SCALE = 8.0
"""Logit that counts as 1 for the network in the map of a ``bounded`` head."""
_DETAIL_SCALE = 0.1
"""What the network draws by an output of 1, as a share of the range: training starts gently."""
_DETAIL_GAIN = 4.0
"""Contrast of the details of the sources in a ``detail`` head."""
_GUIDED_REACH, _GUIDED_EDGE = 8, 0.03
"""Window radius in coarse pixels and regularisation ε of the bases of a ``salient`` head."""
_CHOICE_RADIUS = 1
"""Radius in pixels of the box that the choice of details of a ``salient`` head is averaged over,
twice: on even ground the outlines of a sharper choice show as patches."""


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
        reach = PREDICTION_REACH + ACTIVITY_REACH
        return tiling.local(
            self._blend_sources, features, x, y, reach=reach, strip_divisor=STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        prior = activity_logit(x, y)
        decision = self.predict_blend(features, x, y, prior / _ACTIVITY_SCALE)
        weight = torch.sigmoid(prior + _ACTIVITY_SCALE * decision[:, :1])
        return clamp_to_bounds(blend(weight, x, y) + decision[:, 1:], x, y)


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
        return tiling.local(_sharper, x, y, reach=FOCUS_REACH, strip_divisor=STRIP_DIVISOR)


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
            reach=PREDICTION_REACH + 2 * _CHOICE_RADIUS + GUIDED_DOWNSAMPLING,
            strip_divisor=STRIP_DIVISOR,
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
        detail = blend(weight, x - base_x, y - base_y)
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
        reach = PREDICTION_REACH + 2 * DETAIL_REACH
        return tiling.local(
            self._blend_sources, features, x, y, reach=reach, strip_divisor=STRIP_DIVISOR
        )

    def _blend_sources(self, features: Tensor, x: Tensor, y: Tensor) -> Tensor:
        details = (_DETAIL_GAIN * detail_of(image) for image in (x, y))
        decision = self.predict_blend(features, x, y, *details)
        brighter, darker = torch.maximum(x, y), torch.minimum(x, y)
        change = decision[:, :1] * (darker - brighter) + _DETAIL_SCALE * decision[:, 1:]
        return clamp_to_bounds(brighter + detail_of(change), x, y, detail_bounds(x, y))


def _sharper(x: Tensor, y: Tensor) -> Tensor:
    return blend((sharper_view(x, y) + 0.5).clamp(0, 1), x, y)
