"""Simulated multi-focus pairs: near- and far-focused views of one sharp image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from core.types import FloatArray

UInt16Array = npt.NDArray[np.uint16]

_SIGMA = (0.8, 6.0)
"""Smallest and largest standard deviation of the blur, in pixels."""


def refocus(sharp: UInt16Array, rng: np.random.Generator) -> tuple[UInt16Array, UInt16Array]:
    """Simulate a near- and a far-focused view of ``sharp``, H×W×ch uint16.

    A random region is the foreground. The views (see :func:`focused_views`) come in random order.
    """
    low, high = np.log(_SIGMA)
    sigma_back, sigma_front = np.exp(rng.uniform(low, high, 2))
    alpha = random_foreground(sharp.shape[0], sharp.shape[1], rng)
    views = focused_views(sharp, alpha, sigma_back, sigma_front)
    return views if rng.integers(2) else views[::-1]


def focused_views(
    sharp: UInt16Array, foreground: FloatArray, sigma_back: float, sigma_front: float
) -> tuple[UInt16Array, UInt16Array]:
    """The near- and the far-focused view of ``sharp``, H×W×ch uint16.

    In the near-focused view the foreground (H×W in [0, 1]) is sharp and the background is blurred
    by ``sigma_back`` pixels. In the far-focused view the foreground, blurred by ``sigma_front``,
    spreads over the sharp background, as in real defocus, so that neither view is sharp along the
    boundary.
    """
    image: FloatArray = sharp.astype(np.float32)
    alpha = foreground[..., np.newaxis]
    near = alpha * image + (1 - alpha) * _blurred(image, sigma_back)
    far = _blurred(alpha * image, sigma_front) + (1 - _blurred(alpha, sigma_front)) * image
    return _to_uint16(near), _to_uint16(far)


def random_foreground(height: int, width: int, rng: np.random.Generator) -> FloatArray:
    """A random region with a smooth outline: H×W in [0, 1], about half the area."""
    cells = int(rng.integers(2, 6))
    noise = rng.standard_normal((cells + 1, cells + 1)).astype(np.float32)
    field = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    inside = (field > np.median(field)).astype(np.float32)
    soft: FloatArray = cv2.GaussianBlur(inside, (0, 0), 0.7)
    return soft


def _blurred(pixels: FloatArray, sigma: float) -> FloatArray:
    smooth = cv2.GaussianBlur(pixels, (0, 0), float(sigma), borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth, np.float32).reshape(pixels.shape)


def _to_uint16(pixels: FloatArray) -> UInt16Array:
    return np.clip(np.round(pixels), 0, 65535).astype(np.uint16)
