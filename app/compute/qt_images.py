"""Images of Qt as values that can be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtGui import QImage


def reduce_image(image: QImage) -> tuple[Callable[..., QImage], tuple[Any, ...]]:
    """How an image is pickled: by its format, size and bytes."""
    if image.isNull():
        return QImage, ()
    table = tuple(image.colorTable())
    pixels = np.frombuffer(image.constBits(), np.uint8).copy()
    shape = image.width(), image.height(), image.bytesPerLine()
    return _image, (image.format().value, shape, pixels, table)


def _image(kind: int, shape: tuple[int, int, int], pixels: Any, table: tuple[int, ...]) -> QImage:
    width, height, line = shape
    made = QImage(pixels.data, width, height, line, QImage.Format(kind)).copy()
    if table:
        made.setColorTable(list(table))
    return made
