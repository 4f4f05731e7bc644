"""Which source gives the brightness of a fused infrared/visible image: targets, day and night.

Measured as ``benchmarks/naturalness.py`` does, with soft thresholds and windows of a fixed size.
All functions take x (infrared) and y (visible), N×ch×H×W in [0, 1] with sides that are multiples of
4, and send no gradient.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.blocks import pad_replicate
from core.models.bounding import activity

_DAY, _DUSK = 150 / 255, 8 / 255
"""Mean of a visible image at which half of a scene is day, and the width of the transition."""
_HOT, _SOFT = 24 / 255, 8 / 255
"""Contrast to the surroundings from which infrared shows a target; width of the transition."""
_ACTIVITY_RADIUS, _ACTIVITY_SHARPNESS = 6, 20.0
"""Radius in pixels of the box that activity is averaged over (twice), and the exponent of its
ratio: a blend of two details keeps less of either than a choice."""
_NOISE, _EVEN, _TIE = 0.4, 1e-2, 2.0
_COARSE = 4
_RADIUS = 8
"""Radius in coarse pixels of the box that is applied twice to find the surroundings of a pixel."""
SALIENCE_REACH = _COARSE * (2 * _RADIUS + 1)
"""Pixels around a pixel on which its being a target depends."""


def night_of(y: Tensor) -> Tensor:
    """How far each visible image shows a night scene, N×1×1×1 in [0, 1], by its mean."""
    with torch.no_grad(), torch.autocast(y.device.type, enabled=False):
        mean = y.float().mean(dim=(1, 2, 3), keepdim=True)
        return torch.sigmoid((_DAY - mean) / _DUSK)


def target_map(x: Tensor, y: Tensor) -> Tensor:
    """What x shows hotter than its surroundings and y not as much brighter; N×1×H×W in [0, 1]."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        of_x, of_y = (_contrast(image.float().mean(dim=1, keepdim=True)) for image in (x, y))
        return torch.sigmoid((of_x - _HOT) / _SOFT) * torch.sigmoid((_HOT - of_y) / _SOFT)


def brightness(x: Tensor, y: Tensor, night: Tensor) -> Tensor:
    """The image whose brightness the fused one is to have, N×ch×H×W.

    By day y, with what x shows as targets; by night (``night``: :func:`night_of`) the brighter of
    both at each pixel. y is nowhere darkened.
    """
    with torch.no_grad():
        return y + _share(x, y, night) * (x - y).clamp(min=0)


def activities(x: Tensor, y: Tensor) -> Tensor:
    """Those of both images (:func:`core.models.bounding.activity`), N×2×H×W."""
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return torch.cat([activity(image.float(), _ACTIVITY_RADIUS) for image in (x, y)], dim=1)


def detail_logit(of_both: Tensor) -> Tensor:
    """Logit of the weight of x's detail by the :func:`activities` of the whole images, N×1×H×W.

    The detail is that of the more active source. What is below a share of the mean activity of both
    images is noise; where there is nothing else, it is that of y.
    """
    with torch.no_grad():
        noise = _NOISE * of_both.mean(dim=(1, 2, 3), keepdim=True)
        of_x, of_y = torch.log((of_both - noise).clamp(min=0) + _EVEN).chunk(2, dim=1)
        return _ACTIVITY_SHARPNESS * (of_x - of_y) - _TIE


def _share(x: Tensor, y: Tensor, night: Tensor) -> Tensor:
    target = target_map(x, y)
    return target + (1 - target) * night


def _contrast(image: Tensor) -> Tensor:
    """Difference from the mean of the surroundings (68×68 pixels, twice)."""
    coarse = F.avg_pool2d(image, _COARSE)
    side = 2 * _RADIUS + 1
    for _ in range(2):
        padded = pad_replicate(coarse, _RADIUS)
        coarse = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return image - F.interpolate(coarse, image.shape[2:], mode="bilinear", align_corners=False)
