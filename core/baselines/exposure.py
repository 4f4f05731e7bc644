"""Exposure fusion (Mertens, Kautz and Van Reeth 2007) for two images.

``cv2.createMergeMertens`` is not used: it requires three channels, and assigns a grey image stored
as RGB zero saturation and therefore zero weight.
"""

from __future__ import annotations

import cv2
import numpy as np

from core.baselines.pyramid import collapse, gaussian_pyramid, laplacian_pyramid
from core.baselines.simple import grey
from core.types import FloatArray

_WELL_EXPOSED, _SIGMA = 0.5, 0.2
_FLOOR = np.float32(1e-12)
_MIN_SATURATION = 1e-3
_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float32)


def fuse_exposure(a: FloatArray, b: FloatArray) -> FloatArray:
    """Blend by contrast × saturation × well-exposedness (exponents 1) on every pyramid level.

    Saturation is used only if both images have colour, because the weight of a grey image would be
    zero otherwise. The pyramid goes down to about one pixel, as in the paper.
    """
    coloured = _has_colour(a) and _has_colour(b)
    weight_a, weight_b = _weight(a, coloured), _weight(b, coloured)
    share = weight_a / (weight_a + weight_b)
    levels = int(np.log2(min(a.shape[:2])))
    shares = gaussian_pyramid(share[:, :, np.newaxis], levels)
    blended = [
        share * la + (1 - share) * lb
        for share, la, lb in zip(
            shares, laplacian_pyramid(a, levels), laplacian_pyramid(b, levels), strict=True
        )
    ]
    return collapse(blended)


def _weight(image: FloatArray, coloured: bool) -> FloatArray:
    """Quality measure of the paper, H×W, > 0: a small constant replaces weights of zero."""
    edges = cv2.filter2D(grey(image), cv2.CV_32F, _LAPLACIAN, borderType=cv2.BORDER_REPLICATE)
    weight = np.abs(np.asarray(edges, dtype=np.float32))
    distance = (image - np.float32(_WELL_EXPOSED)) ** 2
    weight = weight * np.exp(-distance / (2 * _SIGMA**2)).prod(axis=2)
    if coloured:
        weight = weight * image.std(axis=2)
    return np.asarray(weight + _FLOOR, dtype=np.float32)


def _has_colour(image: FloatArray) -> bool:
    return image.shape[2] == 3 and bool(image.std(axis=2).max() > _MIN_SATURATION)
