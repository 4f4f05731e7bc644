"""The two pointwise methods, and the luma that the other methods compare."""

from __future__ import annotations

import numpy as np

from core.types import FloatArray
from core.types.luma import LUMA_WEIGHTS


def grey(image: FloatArray) -> FloatArray:
    """BT.601 luma, H×W, of an H×W×1 or H×W×3 image; the value range is preserved."""
    if image.shape[2] == 1:
        return image[:, :, 0]
    return np.asarray(image @ LUMA_WEIGHTS, dtype=np.float32)


def fuse_average(a: FloatArray, b: FloatArray) -> FloatArray:
    """The pixelwise mean of ``a`` and ``b``."""
    return np.asarray((a + b) * np.float32(0.5), dtype=np.float32)


def fuse_maximum(a: FloatArray, b: FloatArray) -> FloatArray:
    """The maximum of ``a`` and ``b`` for every pixel and channel."""
    return np.maximum(a, b)
