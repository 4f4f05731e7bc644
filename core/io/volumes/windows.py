"""The window that a volume opens with."""

from __future__ import annotations

import numpy as np

from core.types import BoolArray, FloatArray, SeriesHeader

_SAMPLE = 1_000_000
_TAIL = 0.1
_UPTAKE = 99.5


def first_window(
    data: FloatArray, mask: BoolArray | None, series: SeriesHeader
) -> tuple[float, float]:
    """(low, high) with low < high.

    PET and counts: from 0 to the 99.5th percentile. Else what the header states, where it meets the
    data; else all but 0.1 % at either end.
    """
    step = max(1, data.size // _SAMPLE)
    sample = data.reshape(-1)[::step]
    if mask is not None:
        inside = sample[mask.reshape(-1)[::step]]
        sample = inside if inside.size else sample
    least, greatest = float(sample.min()), float(sample.max())
    if series.modality in ("PT", "NM"):
        top = float(np.percentile(sample, _UPTAKE))
        return 0.0, top if top > 0 else max(greatest, 1.0)
    stated = series.window
    if stated is not None and stated[0] < greatest and stated[1] > least:
        return stated
    low, high = (float(value) for value in np.percentile(sample, (_TAIL, 100 - _TAIL)))
    if low < high:
        return low, high
    return (least, greatest) if least < greatest else (least, least + 1.0)
