"""Windows derived from the values of an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.viewer.pyramid import RenderedImage
from core.windows import Window


def percentile_window(shown: RenderedImage, low: float, high: float) -> Window:
    """The window from the ``low`` to the ``high`` percentile; the image's own if they are equal."""
    start, end = shown.extent
    # Counting is faster than sorting, and numpy.percentile imports a large module when first used.
    total = np.cumsum(np.bincount(shown.sampled.ravel(), minlength=shown.top + 1))
    codes = [_ranked(total, share / 100 * (int(total[-1]) - 1)) for share in (low, high)]
    least, most = (start + float(c) / shown.top * (end - start) for c in codes)
    return (least, most) if most > least else shown.window


def _ranked(total: npt.NDArray[np.int64], rank: float) -> float:
    """The code at a rank among all pixels, interpolated if the rank is fractional.

    Args:
        total: cumulative counts of the codes.
    """
    below = int(rank)
    first, second = np.searchsorted(total, (below, min(below + 1, int(total[-1]) - 1)), "right")
    return float(first + (rank - below) * (second - first))


def deviation_window(shown: RenderedImage, width: float) -> Window:
    """Mean ± ``width`` standard deviations, within the extent; the image's own window if flat.

    Pixels at the low end of the extent are ignored: they are mostly background.
    """
    codes = shown.sampled.astype(np.float64)
    codes = codes[codes > 0]
    if not codes.size or codes.std() == 0:
        return shown.window
    start, end = shown.extent
    mean, spread = codes.mean(), width * codes.std()
    low, high = (max(0.0, mean - spread), min(float(shown.top), mean + spread))
    least, most = (start + c / shown.top * (end - start) for c in (low, high))
    return float(least), float(most)
