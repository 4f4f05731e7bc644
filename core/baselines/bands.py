"""A large image fused some rows at a time: the same result, for a share of the memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.types import FloatArray


def fuse_in_bands(
    method: Callable[[FloatArray, FloatArray], FloatArray],
    a: FloatArray,
    *,
    b: FloatArray,
    rows: int,
    reach: int,
    grain: int,
) -> FloatArray:
    """``method(a, b)``, worked out ``rows`` rows at a time, H×W×C float32.

    Args:
        reach: rows to either side that a row of the result depends on, at most.
        grain: rows a band must begin at a multiple of, so that halved images stay in step.
    """
    margin, rows = (-(-length // grain) * grain for length in (reach, rows))
    fused = np.empty(a.shape, np.float32)
    height = len(a)
    for top in range(0, height, rows):
        bottom, first = min(top + rows, height), max(0, top - margin)
        seen = slice(first, min(height, bottom + margin))
        fused[top:bottom] = method(a[seen], b[seen])[top - first : bottom - first]
    return fused
