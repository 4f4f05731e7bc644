"""How often each value of an image occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.windows import Window


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur.

    Attributes:
        counts: channels×bins.
        span: the least and the greatest value counted, in the unit of the image.
    """

    counts: npt.NDArray[np.int64]
    span: Window


def count_values(
    codes: npt.NDArray[np.unsignedinteger[Any]], extent: Window, window: Window, bins: int = 64
) -> Histogram:
    """Count the values between the least and the greatest that occur.

    Args:
        codes: H×W×channels.
        extent: the values that code 0 and the highest code stand for.
        window: what is counted over where all values are equal.
        bins: how many there are at most.
    """
    top = int(np.iinfo(codes.dtype).max)
    start, end = extent
    # Counting integers is about thirty times faster than sorting values into bins.
    rows = [np.bincount(codes[..., k].ravel(), minlength=top + 1) for k in range(codes.shape[2])]
    present = np.flatnonzero(np.sum(rows, axis=0))
    least, most = (start + float(c) / top * (end - start) for c in (present[0], present[-1]))
    if most <= least:
        least, most = window
    # Bins hold whole numbers of codes, or some would hold one code more than their neighbours.
    low, high = (round((value - start) / (end - start) * top) for value in (least, most))
    high += 1
    step = -(-(high - low) // bins)
    bins = -(-(high - low) // step)
    padding = max(0, low + bins * step - (top + 1))
    cut = [np.pad(row, (0, padding))[low : low + bins * step] for row in rows]
    counts = np.array([row.reshape(bins, step).sum(axis=1) for row in cut], np.int64)
    return Histogram(counts, (least, most))
