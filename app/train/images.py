"""Images of a training run as Qt images and PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from core.progress import Progress
from core.types import FloatArray

_SHOWN_SIDE = 512
"""Longer sides are reduced by a whole factor to this size or up to twice as much, in px."""


def as_image(pixels: FloatArray) -> QImage:
    """A reduced 8-bit RGB copy for display.

    Args:
        pixels: H×W×1 or H×W×3 in [0, 1]; values outside are clipped, NaN becomes 0.
    """
    each = max(1, max(pixels.shape[:2]) // _SHOWN_SIDE)
    if each > 1:
        high, wide = (side // each * each for side in pixels.shape[:2])
        blocks = pixels[:high, :wide].reshape(high // each, each, wide // each, each, -1)
        pixels = blocks.mean(axis=(1, 3))
    codes = np.rint(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
    codes = np.ascontiguousarray(np.broadcast_to(codes, (*codes.shape[:2], 3)))
    height, width = codes.shape[:2]
    return QImage(codes.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def write_image_file(image: QImage, path: Path, progress: Progress) -> None:
    """Write an image as PNG, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    from core.io import atomic_write

    content = QBuffer()
    content.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(content, "PNG")  # type: ignore[call-overload]
    atomic_write(path, bytes(content.data().data()))
