"""The colours of counts on a fused image.

A palette speaks of an amount by colour *and* lightness: hot iron ends in white, which has no
chroma. Carrying chroma past the network, as for photographs, therefore loses the amount: the
hottest places came out grey. Here the fused image is the palette's colour itself wherever there is
uptake, and what the fused intensities add is structure finer than the counts can resolve. Measured
in decision 0031.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.types import FloatArray, Image

FINEST_MM = 8.0
"""Structure below this size is taken from the fused intensities: about what a PET blurs away."""
_FINEST_SHARE = 0.03
"""The same as a share of the shorter side, of images whose pixels have no known size."""
_GAIN = 1.0
"""Contrast of that structure. More shows more anatomy and moves the colours further."""
_CLEAR, _OPAQUE = 0.01, 0.10
"""Levels of the window up to which counts are invisible, and from which on they are opaque."""


def tinted(fused: FloatArray, image: Image) -> FloatArray:
    """The fused intensities in the colours of ``image``, which has a palette.

    Args:
        fused: H×W×1 float32 in [0, 1].
        image: H×W, the source whose amounts the colours tell.

    Returns:
        H×W×3 float32 in [0, 1]. Grey where ``image`` is below 1 % of its window or has no data.
    """
    opacity = np.clip((image.levels() - _CLEAR) / (_OPAQUE - _CLEAR), 0, 1)
    rgb = image.normalised()
    detail = fused - cv2.GaussianBlur(fused[..., 0], (0, 0), _sigma(image))[..., np.newaxis]
    detail *= np.float32(_GAIN)
    rgb += detail
    rgb *= opacity
    rgb += (1 - opacity) * fused
    return np.clip(rgb, 0.0, 1.0, out=rgb)


def _sigma(image: Image) -> float:
    """Standard deviation of the low pass, in pixels."""
    if image.spacing is None:
        return max(1.0, _FINEST_SHARE * min(image.size))
    return max(1.0, FINEST_MM / float(np.mean(image.spacing)))
