"""Laplacian pyramids (Burt and Adelson 1983) and fusion by the larger coefficient."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from core.types import FloatArray

_MAX_LEVELS = 5
_SMALLEST_SIDE = 8


def gaussian_pyramid(image: FloatArray, levels: int) -> list[FloatArray]:
    """``levels`` + 1 images from the input downwards, each half the size (rounded up) of the last.

    H×W×C in, H×W×C out, also for C = 1 (OpenCV drops a single channel; it is restored).
    """
    pyramid = [image]
    for _ in range(levels):
        pyramid.append(_with_channels(cv2.pyrDown(pyramid[-1])))
    return pyramid


def laplacian_pyramid(image: FloatArray, levels: int) -> list[FloatArray]:
    """``levels`` detail images, finest first, followed by the coarse residual."""
    gaussian = gaussian_pyramid(image, levels)
    detail = [fine - _expand(coarse, fine) for fine, coarse in itertools.pairwise(gaussian)]
    return [*detail, gaussian[-1]]


def collapse(pyramid: list[FloatArray]) -> FloatArray:
    """Reconstruct the image from its Laplacian pyramid."""
    image = pyramid[-1]
    for detail in reversed(pyramid[:-1]):
        image = detail + _expand(image, detail)
    return image


def pyramid_levels(height: int, width: int) -> int:
    """Number of detail levels for an image, from 1 to 5.

    The shorter side of the coarse residual has at least 8 pixels where the image allows it. With
    more levels the image would mix with its mirrored border; with fewer than 5 on a large image,
    large structures would be averaged and lose contrast.
    """
    levels = int(np.log2(max(1, min(height, width)) / _SMALLEST_SIDE))
    return int(np.clip(levels, 1, _MAX_LEVELS))


def fuse_laplacian(a: FloatArray, b: FloatArray, levels: int | None = None) -> FloatArray:
    """Select the stronger detail coefficient on every level and average the coarse residual.

    The strength of a colour coefficient is the sum over its channels, and one selection is made for
    all three: selection per channel would create false colours. Equal strengths are averaged.

    Args:
        levels: number of detail levels; None uses :func:`pyramid_levels`.
    """
    if levels is None:
        levels = pyramid_levels(*a.shape[:2])
    pyramid_a, pyramid_b = laplacian_pyramid(a, levels), laplacian_pyramid(b, levels)
    detail = [
        _select_stronger(da, db) for da, db in zip(pyramid_a[:-1], pyramid_b[:-1], strict=True)
    ]
    return collapse([*detail, (pyramid_a[-1] + pyramid_b[-1]) * np.float32(0.5)])


def _select_stronger(a: FloatArray, b: FloatArray) -> FloatArray:
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
