"""Which source gives brightness and detail of a fused infrared/visible image: targets, day, night.

Measured as ``benchmarks/naturalness.py`` does, with soft thresholds and windows of a fixed size.
All functions take x (infrared) and y (visible), N×ch×H×W in [0, 1], and send no gradient. What is
smooth is computed at 1/4 of the resolution (:func:`core.models.guided_filter.reduced`), for the
whole image; images in strips take it from there.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.blocks import pad_replicate
from core.models.bounding import activity
from core.models.guided_filter import reduced

_DAY, _DUSK = 150 / 255, 8 / 255
"""Mean of a visible image at which half of a scene is day, and the width of the transition."""
_HOT, _SOFT = 24 / 255, 8 / 255
"""Contrast to the surroundings from which infrared shows a target; width of the transition."""
_RADIUS = 8
"""Radius in coarse pixels of the box that is applied twice to find the surroundings of a pixel."""
_ACTIVITY_RADIUS, _ACTIVITY_SHARPNESS = 6, 20.0
"""Radius in pixels of the box that activity is averaged over (twice), and the exponent of its
ratio: a blend of two details keeps less of either than a choice."""
SALIENCE_REACH = 2 * _ACTIVITY_RADIUS + 1
"""Pixels around a pixel on which its activity depends."""
_NOISE, _EVEN, _TIE = 0.4, 1e-2, 2.0
"""Share of the mean activity that is noise; activity of what is flat; logit by which y goes before
x where both are."""


def night_of(y: Tensor) -> Tensor:
    """How far each visible image shows a night scene, N×1×1×1 in [0, 1], by its mean."""
    with torch.no_grad(), torch.autocast(y.device.type, enabled=False):
        mean = y.float().mean(dim=(1, 2, 3), keepdim=True)
        return torch.sigmoid((_DAY - mean) / _DUSK)


def surroundings(coarse_x: Tensor, coarse_y: Tensor) -> Tensor:
    """Means around each coarse pixel of x and of y (17×17 coarse pixels, twice), N×2×h×w."""
    with torch.no_grad(), torch.autocast(coarse_x.device.type, enabled=False):
        around = torch.cat([_grey(coarse_x), _grey(coarse_y)], dim=1)
        side = 2 * _RADIUS + 1
        for _ in range(2):
            padded = pad_replicate(around, _RADIUS)
            around = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
        return around


def target_map(x: Tensor, y: Tensor, around: Tensor | None = None) -> Tensor:
    """What x shows hotter than its surroundings and y not as much brighter; N×1×H×W in [0, 1].

    Args:
        around: their :func:`surroundings`; None to compute them from whole images.
    """
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        around = surroundings(reduced(x), reduced(y)) if around is None else around
        around = F.interpolate(around, x.shape[2:], mode="bilinear", align_corners=False)
        of_x, of_y = (torch.cat([_grey(x), _grey(y)], dim=1) - around).chunk(2, dim=1)
        return torch.sigmoid((of_x - _HOT) / _SOFT) * torch.sigmoid((_HOT - of_y) / _SOFT)


def brightness(x: Tensor, y: Tensor, night: Tensor, around: Tensor | None = None) -> Tensor:
    """The image whose brightness the fused one is to have, N×ch×H×W.

    By day y, with what x shows as targets; by night (``night``: :func:`night_of`) the brighter of
    both at each pixel. y is nowhere darkened. ``around`` is that of :func:`target_map`.
    """
    with torch.no_grad():
        target = target_map(x, y, around)
        return y + (target + (1 - target) * night) * (x - y).clamp(min=0)


def activities(x: Tensor, y: Tensor) -> Tensor:
    """Those of both images (:func:`core.models.bounding.activity`), N×2×H×W."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return torch.cat([activity(image.float(), _ACTIVITY_RADIUS) for image in (x, y)], dim=1)


def detail_logit(of_both: Tensor) -> Tensor:
    """Logit of the weight of x's detail by the :func:`activities` of the whole images, N×1×h×w.

    The detail is that of the more active source. What is below a share of the mean activity of both
    images is noise; where there is nothing else, it is that of y.
    """
    with torch.no_grad():
        noise = _NOISE * of_both.mean(dim=(1, 2, 3), keepdim=True)
        of_x, of_y = torch.log((of_both - noise).clamp(min=0) + _EVEN).chunk(2, dim=1)
        return _ACTIVITY_SHARPNESS * (of_x - of_y) - _TIE


def _grey(image: Tensor) -> Tensor:
    return image.float().mean(dim=1, keepdim=True)
