"""The fast guided filter, which smooths an image but keeps the edges of its guide."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GUIDED_DOWNSAMPLING = 4
"""The coefficients are computed at 1/4 of the resolution."""


def guided_filter(image: Tensor, guide: Tensor, reach: int, edge: float) -> Tensor:
    """Guided filter (He, Sun and Tang, TPAMI 2013) of ``image`` with ``guide``; N×C×H×W each.

    Within every window the result is linear in the guide. As in the fast guided filter (He and Sun
    2015), the coefficients are computed at 1/4 of the resolution.

    Args:
        reach: window radius in coarse pixels.
        edge: ε, the variance of the guide within a window at which half of an edge is kept.
    """
    return apply_coefficients(
        guided_filter_coefficients(reduced(image), reduced(guide), reach, edge), guide
    )


def guided_filter_coefficients(p: Tensor, g: Tensor, reach: int, edge: float) -> Tensor:
    """Guided-filter coefficients of image ``p`` and guide ``g``: slopes, then offsets, N×2C×h×w."""
    mean_p, mean_g = box_mean(p, reach), box_mean(g, reach)
    variance = box_mean(g * g, reach) - mean_g * mean_g
    slope = (box_mean(g * p, reach) - mean_g * mean_p) / (variance.clamp(min=0) + edge)
    return torch.cat([box_mean(slope, reach), box_mean(mean_p - slope * mean_g, reach)], dim=1)


def apply_coefficients(coefficients: Tensor, guide: Tensor) -> Tensor:
    """Apply coefficients at 1/4 of the resolution to a guide N×C×H×W."""
    coefficients = F.interpolate(
        coefficients, guide.shape[2:], mode="bilinear", align_corners=False
    )
    slope, offset = coefficients.chunk(2, dim=1)
    return slope * guide + offset


def reduced(image: Tensor) -> Tensor:
    """Means over blocks of 4×4 pixels; those at the border of other sizes are smaller."""
    rows, columns = (-(-length // GUIDED_DOWNSAMPLING) for length in image.shape[2:])
    return F.adaptive_avg_pool2d(image, (rows, columns))


def box_mean(image: Tensor, reach: int) -> Tensor:
    """Mean over the pixels up to ``reach`` away in rows and columns, with reflected borders.

    Replicating the border pixels ``reach`` times would give them, whose decision is the least
    certain, the largest weight. Uses running sums, whose cost does not depend on the window, in
    float64, because a sum over a whole row exceeds the precision of float32.
    """
    size = 2 * reach + 1
    total = image.double()
    for dim in (2, 3):
        length = total.shape[dim]
        total = total.index_select(dim, _reflected_indices(length, reach, image.device))
        sums = F.pad(total.cumsum(dim), (1, 0) if dim == 3 else (0, 0, 1, 0))
        total = sums.narrow(dim, size, length) - sums.narrow(dim, 0, length)
    return (total / size**2).to(image.dtype)


def _reflected_indices(length: int, reach: int, device: torch.device) -> Tensor:
    """Indices −``reach`` to ``length`` + ``reach`` − 1, reflected at both ends as often as needed.

    The border itself is not repeated (… 2 1 0 1 2 …); torch's padding reflects only once.
    """
    period = max(1, 2 * (length - 1))
    index = torch.arange(-reach, length + reach, device=device).remainder(period)
    return torch.minimum(index, period - index)
