"""Which of two views is in focus: the rule of a ``focus`` head."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.blocks import pad_replicate
from core.models.guided_filter import box_mean

_SHARPNESS_RADIUS = 5
"""Radius in pixels of the window that the Laplacian is averaged over."""
_CONSISTENCY_REACH = 7
"""Radius in pixels of the window that choices are averaged over."""
FOCUS_REACH = _SHARPNESS_RADIUS + 1 + _CONSISTENCY_REACH
"""Pixels around a pixel on which its choice depends."""
_STEEPNESS = 6.0
"""Slope of the weight over the averaged choice."""
_EVEN = 1e-3
"""Mean Laplacian below which a view counts as flat, a quarter of a level of 255."""


def sharpness(image: Tensor) -> Tensor:
    """Mean magnitude of the Laplacian over 11×11 pixels, N×1×H×W, of N×ch×H×W."""
    kernel = image.new_tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    grey = pad_replicate(image.mean(dim=1, keepdim=True))
    edges = pad_replicate(F.conv2d(grey, kernel).abs(), _SHARPNESS_RADIUS)
    return F.avg_pool2d(edges, 2 * _SHARPNESS_RADIUS + 1, stride=1)


def sharper_view(x: Tensor, y: Tensor) -> Tensor:
    """The choice of the sharper view, N×1×H×W float32; it sends no gradient.

    Plus ½ and clamped to [0, 1] it is the weight of x: the fourth powers of both :func:`sharpness`
    decide at each pixel, entirely where one is clearly ahead, and their decisions are averaged over
    15×15 pixels and sharpened, since focus is a property of regions.
    """
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        of_x, of_y = sharpness(x.float()), sharpness(y.float())
        decided = 0.5 * torch.tanh(2 * torch.log((of_x + _EVEN) / (of_y + _EVEN)))
        return _STEEPNESS * box_mean(decided, _CONSISTENCY_REACH)
