"""Luma conversion, and filters with an explicit border, shared by all metrics."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.types import Plane

Luma = npt.NDArray[np.uint8]

# ITU-R BT.601 in 16-bit fixed point, as common imaging libraries convert 8-bit RGB to grey.
_RED, _GREEN, _BLUE, _HALF = 19595, 38470, 7471, 0x8000


def to_luma8(pixels: npt.NDArray[Any]) -> Luma:
    """8-bit luma, H×W, of a float image H×W, H×W×1 or H×W×3 in [0, 1].

    The image is rounded to 8 bits first and then converted by BT.601 in fixed point, so that an
    image in memory has the same scores as after being written to an 8-bit file and read back.

    Raises:
        ValueError: the shape is another one.
    """
    image = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ValueError(f"expected height×width×1 or 3, got {pixels.shape}")
    eight_bit = np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
    return rgb8_to_luma8(eight_bit)


def rgb8_to_luma8(image: Luma) -> Luma:
    """8-bit luma, H×W, of an 8-bit image H×W×1 or H×W×3."""
    if image.shape[2] == 1:
        return np.ascontiguousarray(image[:, :, 0])
    wide = image.astype(np.uint32)
    total = wide[:, :, 0] * _RED + wide[:, :, 1] * _GREEN + wide[:, :, 2] * _BLUE + _HALF
    return (total >> 16).astype(np.uint8)


def as_plane(image: npt.NDArray[Any]) -> Plane:
    """A float64 copy of an H×W image, with the same range."""
    return image.astype(np.float64)


def is_constant(image: Luma) -> bool:
    """Whether all pixels have one grey level."""
    return bool(image.min() == image.max())


def gaussian_kernel(size: int, sigma: float) -> Plane:
    """A centred Gaussian of ``size`` samples with a sum of 1; ``sigma`` in samples."""
    positions = np.arange(size, dtype=np.float64) - (size - 1) / 2
    kernel = np.exp(-(positions**2) / (2 * sigma**2))
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def correlate(
    plane: Plane, rows: Plane, columns: Plane, border: int = cv2.BORDER_CONSTANT
) -> Plane:
    """Separable correlation of the same size.

    Args:
        plane: H×W. rows: vertical kernel. columns: horizontal kernel.
        border: an OpenCV border type; by default the plane is extended with zeros.
    """
    return np.asarray(
        cv2.sepFilter2D(plane, cv2.CV_64F, columns, rows, borderType=border), dtype=np.float64
    )


def correlate_valid(plane: Plane, rows: Plane, columns: Plane) -> Plane:
    """As :func:`correlate`, but only where the kernel is entirely inside the plane."""
    top, left = len(rows) // 2, len(columns) // 2
    height, width = plane.shape
    full = correlate(plane, rows, columns)
    return full[top : height - (len(rows) - 1 - top), left : width - (len(columns) - 1 - left)]
