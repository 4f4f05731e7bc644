"""Fuses a large image in bands of rows: the same result with a fraction of the memory."""

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
    alignment: int,
) -> FloatArray:
    """``method(a, b)`` computed in bands of ``rows`` rows, H×W×C float32.

    Args:
        reach: rows above and below that a row of the result depends on.
        alignment: bands start at a multiple of this number, so that downsampled rows stay aligned.
    """
    margin, rows = (-(-length // alignment) * alignment for length in (reach, rows))
    fused = np.empty(a.shape, np.float32)
    height = len(a)
    for top in range(0, height, rows):
        bottom, first = min(top + rows, height), max(0, top - margin)
        seen = slice(first, min(height, bottom + margin))
        fused[top:bottom] = method(a[seen], b[seen])[top - first : bottom - first]
    return fused
