"""Bounds of a fused image, the choice of the more active source, and detail without its base."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.blocks import pad_replicate

_SLACK = 4 / 255
"""How far a ``bounded`` head may leave the range of the sources: hardly visible."""
_SHADE = 24 / 255
"""How far a ``detail`` head may darken the first source where that is the brighter one."""
_NARROWEST = 1e-4
_RADIUS = 12
"""Radius in pixels of the box that is applied twice to the gradients."""
ACTIVITY_REACH = 2 * _RADIUS + 1
"""Pixels around a pixel on which its activity depends."""
_DETAIL_RADIUS = 6
"""Radius in pixels of the box that is applied twice to find the base of a change."""
DETAIL_REACH = 2 * _DETAIL_RADIUS
"""Pixels around a pixel on which its detail depends."""
_SHARPNESS = 8.0
_EVEN = 4e-3
"""Gradient below which a source counts as flat, a level of 255: two flat sources are averaged."""
_GRADIENT_LEAK = 0.3
"""Fraction of the gradient that passes a clamp in the helpful direction."""


def activity_logit(x: Tensor, y: Tensor) -> Tensor:
    """Logarithm of (activity of x : activity of y)⁸, N×1×H×W float32; 0 where both are flat.

    The activity is the mean gradient magnitude around a pixel (a box of 25×25 pixels, applied
    twice). The sigmoid of the logarithm is the weight of x by the rule "the more active source".
    """
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        of_x, of_y = activity(x.float(), _RADIUS), activity(y.float(), _RADIUS)
        return _SHARPNESS * (torch.log(of_x + _EVEN) - torch.log(of_y + _EVEN))


def activity(image: Tensor, radius: int) -> Tensor:
    """Mean gradient magnitude around each pixel, N×1×H×W: a box of ``radius``, applied twice."""
    padded = pad_replicate(image)
    across = padded[..., 2:] - padded[..., :-2]
    down = padded[..., 2:, :] - padded[..., :-2, :]
    across = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    gradient = (across.abs() + down.abs()).mean(dim=1, keepdim=True)
    return smoothed(gradient, radius)


def smoothed(image: Tensor, radius: int) -> Tensor:
    """``image`` averaged over a box of ``radius`` twice, with replicated borders."""
    side = 2 * radius + 1
    for _ in range(2):
        padded = pad_replicate(image, radius)
        image = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return image


def detail_of(change: Tensor) -> Tensor:
    """``change`` N×ch×H×W without its base, the mean around a pixel (13×13 pixels, twice).

    What is even over some 30 pixels becomes 0: added to an image, the detail moves no brightness
    from one region to another.
    """
    return change - smoothed(change, _DETAIL_RADIUS)


def bounds(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest and highest fused value of each pixel of a ``bounded`` head, N×ch×H×W each, in [0, 1].

    Within 4 of 255 levels of the range of the sources; where both are darker than 16 levels, within
    a quarter of the brighter one, so that black stays black.
    """
    brighter = torch.maximum(x, y)
    slack = (brighter / 4).clamp(max=_SLACK)
    return (torch.minimum(x, y) - slack).clamp(min=0), (brighter + slack).clamp(max=1)


def detail_bounds(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`bounds`, for a ``detail`` head: x is hardly darkened where it is the brighter one.

    There the fused value is at most 24 levels below x, or a quarter of x where that is less.
    """
    lowest, highest = bounds(x, y)
    least = x - (x / 4).clamp(max=_SHADE)
    return torch.where(x > y, torch.maximum(lowest, least), lowest), highest


def clamp_to_bounds(
    wanted: Tensor, x: Tensor, y: Tensor, limits: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """``wanted`` N×ch×H×W within limits, with a gradient also where it is clamped.

    Args:
        limits: lowest and highest values; None for :func:`bounds`.
    """
    lowest, highest = bounds(x, y) if limits is None else limits
    width = highest - lowest
    # The width is zero where both are black: only the divisor is kept from it.
    return lowest + leaky_clamp((wanted - lowest) / width.clamp(min=_NARROWEST)) * width


class _LeakyClamp(torch.autograd.Function):
    """Clamp to [0, 1] that passes part of the gradient outside the range."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        ctx.save_for_backward(value)
        return value.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        (gradient,) = gradients
        # Outside the range only gradients towards it pass, attenuated: a wrong decision can be
        # unlearned, and a right one does not grow without limit.
        inward = ((value < 0) & (gradient < 0)) | ((value > 1) & (gradient > 0))
        leak = torch.where(inward, _GRADIENT_LEAK * gradient, torch.zeros_like(gradient))
        return torch.where((value >= 0) & (value <= 1), gradient, leak)


def leaky_clamp(value: Tensor) -> Tensor:
    """``value`` clamped to [0, 1], with a gradient also where it is clamped."""
    return cast(Tensor, _LeakyClamp.apply(value))
