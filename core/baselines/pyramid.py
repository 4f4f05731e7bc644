"""Laplacian pyramids (Burt and Adelson 1983) and fusion by the stronger coefficient."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from core.types import FloatArray

_MAX_LEVELS = 5
_SMALLEST_SIDE = 8


def gaussian_pyramid(image: FloatArray, levels: int) -> list[FloatArray]:
    """``levels`` + 1 images, each half (rounded up) of the one before; the first is the input.

    H×W×C in, H×W×C out, also for C = 1 (OpenCV drops a single channel; it is put back).
    """
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(_with_channels(cv2.pyrDown(pyramid[-1])))
    return pyramid


def laplacian_pyramid(image: FloatArray, levels: int) -> list[FloatArray]:
    """``levels`` images of detail, finest first, then the coarse rest."""
    gaussian = gaussian_pyramid(image, levels)
    detail = [fine - _expand(coarse, fine) for fine, coarse in itertools.pairwise(gaussian)]
    return [*detail, gaussian[-1]]


def collapse(pyramid: list[FloatArray]) -> FloatArray:
    """The image whose Laplacian pyramid this is."""
    image = pyramid[-1]
    for detail in reversed(pyramid[:-1]):
        image = detail + _expand(image, detail)
    return image


def pyramid_levels(height: int, width: int) -> int:
    """How many levels of detail suit an image: at least 1, at most 5.

    The shorter side of the coarse rest stays at 8 pixels or more where the image allows it:
    deeper, a level would mix the image with its mirrored border; shallower than 5 on a big
    image leaves large structures to the average and loses their contrast.
    """
    levels = int(np.log2(max(1, min(height, width)) / _SMALLEST_SIDE))
    return int(np.clip(levels, 1, _MAX_LEVELS))


def fuse_laplacian(a: FloatArray, b: FloatArray, levels: int | None = None) -> FloatArray:
    """Keep the stronger detail at every level, average the coarse rest.

    The strength of a colour coefficient is the sum over its channels, and one decision is taken
    for all three: deciding per channel would invent colours. Equal strengths are averaged.

    Args:
        levels: of detail; None for as many as suit the image.
    """
    if levels is None:
        levels = pyramid_levels(*a.shape[:2])
    pyramid_a, pyramid_b = laplacian_pyramid(a, levels), laplacian_pyramid(b, levels)
    detail = [_stronger(da, db) for da, db in zip(pyramid_a[:-1], pyramid_b[:-1], strict=True)]
    return collapse([*detail, (pyramid_a[-1] + pyramid_b[-1]) * np.float32(0.5)])


def _stronger(a: FloatArray, b: FloatArray) -> FloatArray:
    strength_a = np.abs(a).sum(axis=2, keepdims=True)
    strength_b = np.abs(b).sum(axis=2, keepdims=True)
    chosen = np.where(strength_a > strength_b, a, b)
    tie = strength_a == strength_b
    return np.asarray(np.where(tie, (a + b) * np.float32(0.5), chosen), dtype=np.float32)


def _expand(coarse: FloatArray, like: FloatArray) -> FloatArray:
    return _with_channels(cv2.pyrUp(coarse, dstsize=(like.shape[1], like.shape[0])))


def _with_channels(image: object) -> FloatArray:
    array = np.asarray(image, dtype=np.float32)
    return array[:, :, np.newaxis] if array.ndim == 2 else array
