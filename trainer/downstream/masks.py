"""Masks of classes: images whose values are the numbers of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from core.errors import InputError, Message

MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")


def read_mask(path: Path, count: int, ignore: int) -> NDArray[np.int64]:
    """The class of every pixel, H×W, from 0 to ``count`` − 1, or ``ignore``.

    Of an image with a palette the values count, not the colours.

    Raises:
        InputError: it cannot be read, has colours, or a value that is no class.
    """
    try:
        with PillowImage.open(path) as image:
            if image.mode not in {"1", "L", "P", "I", "I;16", "RGB", "RGBA"}:
                raise ValueError(f"mode {image.mode}")
            values = np.asarray(image).astype(np.int64)
    except (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise InputError(
            str(path),
            Message("it cannot be read as a mask ({0})", error),
            Message("Check the file."),
        ) from error
    if values.ndim == 3:
        if (values[:, :, :3] != values[:, :, :1]).any():
            raise InputError(
                str(path),
                Message("it shows classes as colours"),
                Message("Give masks whose values are the numbers of the classes."),
            )
        values = values[:, :, 0]
    no_class = (values < 0) | (values >= count)
    unknown = np.unique(values[no_class & (values != ignore)])
    if unknown.size:
        raise InputError(
            str(path),
            Message("it has the value {0}, and there are {1} classes", int(unknown[0]), count),
            Message("Name all classes in order, from 0, or give the value to ignore."),
        )
    return values
