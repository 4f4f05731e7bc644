"""The two methods without neighbourhoods, and the grey image the others judge by."""

from __future__ import annotations

import numpy as np

from core.types import FloatArray

_BT601 = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def grey(image: FloatArray) -> FloatArray:
    """BT.601 luma, H×W, of an H×W×1 or H×W×3 image; the range is kept."""
    if image.shape[2] == 1:
        return image[:, :, 0]
    return np.asarray(image @ _BT601, dtype=np.float32)


def fuse_average(a: FloatArray, b: FloatArray) -> FloatArray:
    """The mean of ``a`` and ``b``, pixel by pixel."""
    return np.asarray((a + b) * np.float32(0.5), dtype=np.float32)


def fuse_maximum(a: FloatArray, b: FloatArray) -> FloatArray:
    """The larger of ``a`` and ``b``, pixel by pixel and channel by channel."""
    return np.maximum(a, b)
