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

_DAY, _DUSK = 146 / 255, 2 / 255
"""Mean of a visible image at which half of a scene is day, and the width of the transition."""
_HOT, _SOFT = 24 / 255, 8 / 255
"""Contrast to the surroundings from which infrared shows a target; width of the transition."""
_LIT, _GLOW = 32 / 255, 12 / 255
"""As these, of what the visible image shows as a lamp: wider, for lamps fade into haze."""
_RADIUS = 8
"""Radius in coarse pixels of the box that is applied twice to find the surroundings of a pixel."""
_ACTIVITY_RADIUS, _ACTIVITY_SHARPNESS, _CLEARLY = 8, 20.0, 0.2
"""Radius in pixels of the box that activity is averaged over (twice), the exponent of its ratio (a
blend of two details keeps less of either than a choice), and the logarithm of the ratio up to which
the source that gives the brightness also gives the detail, which on its own brightness is whole."""
SALIENCE_REACH = 2 * _ACTIVITY_RADIUS + 4
"""Pixels around a coarse pixel on which its activity depends, in whole coarse pixels."""
_NOISE, _FLAT = 0.25, 0.12
"""Shares of the mean activity of a scene: up to which it is noise, and above that still flat."""
_LEAST = 1e-3
"""Mean activity of a scene without any."""
_LEAD, _AHEAD = 8.0, 0.3
"""Exponent of the ratio of activities by which a source leads, and the logarithm of the ratio that
x is given as a start: by night it shows people and animals."""
_SUREST = 16.0
"""Largest logit, still to be corrected."""


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


def lit_map(y: Tensor, around: Tensor) -> Tensor:
    """What y shows brighter than its surroundings, N×1×H×W in [0, 1], whatever x shows there.

    ``around``: :func:`surroundings` of both.
    """
    with torch.no_grad(), torch.autocast(y.device.type, enabled=False):
        around = F.interpolate(around[:, 1:], y.shape[2:], mode="bilinear", align_corners=False)
        return torch.sigmoid((_grey(y) - around - _LIT) / _GLOW)


def brightness(x: Tensor, y: Tensor, night: Tensor, around: Tensor | None = None) -> Tensor:
    """The image whose brightness the fused one is to have, N×ch×H×W.

    By day y, with what x shows as targets; by night x, with what y shows as lamps and lit windows
    (:func:`lit_map`). One source for the whole image, so that a hazy sky, which both show nearly
    even, is not taken from one here and from the other there. Neither is darkened. ``night``,
    N×1×h×w at any resolution: :func:`night_of` times :func:`lead_of`. ``around`` is that of
    :func:`target_map`.
    """
    with torch.no_grad():
        around = surroundings(reduced(x), reduced(y)) if around is None else around
        hot = target_map(x, y, around)
        lit = lit_map(y, around)
        night = F.interpolate(night, x.shape[2:], mode="bilinear", align_corners=False)
        by_day, by_night = y + hot * (x - y).clamp(min=0), x + lit * (y - x).clamp(min=0)
        return by_day + night * (by_night - by_day)


def activities(x: Tensor, y: Tensor) -> Tensor:
    """Those of both images (:func:`core.models.bounding.activity`), N×2×H×W."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return torch.cat([activity(image.float(), _ACTIVITY_RADIUS) for image in (x, y)], dim=1)


def lead_of(of_both: Tensor) -> Tensor:
    """How far x leads in the activity of the whole scene, N×1×1×1 in [0, 1].

    By night its brightness is taken to that share: where x is bright, but even, and y shows the
    scene, x would hide it. ``of_both``: :func:`activities`, reduced.
    """
    with torch.no_grad():
        of_x, of_y = of_both.mean(dim=(2, 3), keepdim=True).chunk(2, dim=1)
        ratio = torch.log((of_x + _LEAST) / (of_y + _LEAST))
        return torch.sigmoid(_LEAD * (ratio + _AHEAD))


def detail_logit(of_both: Tensor, night: Tensor) -> Tensor:
    """Logit of the weight of x's detail by the :func:`activities` of the whole images, N×1×h×w.

    The detail is that of the source that gives the brightness, unless the other is clearly more
    active. What is below a share of the mean activity of both images is noise. ``night`` is that
    of :func:`brightness`, N×1×1×1.
    """
    with torch.no_grad():
        mean = of_both.mean(dim=(1, 2, 3), keepdim=True).clamp(min=_LEAST)
        heard = (of_both - _NOISE * mean).clamp(min=0) + _FLAT * mean
        of_x, of_y = torch.log(heard).chunk(2, dim=1)
        logit = _ACTIVITY_SHARPNESS * (of_x - of_y + _CLEARLY * (2 * night - 1))
        return logit.clamp(-_SUREST, _SUREST)


def _grey(image: Tensor) -> Tensor:
    return image.float().mean(dim=1, keepdim=True)
