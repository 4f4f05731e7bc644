"""Images as pyramids of integer codes, each level half the size of the one before.

Pyramids are made on worker threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from app.viewer.histogram import Histogram, count_values
from core.types import FloatArray, Image
from core.windows import Window

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_SMALLEST_LEVEL = 256
"""Pixels of the longer side below which another halving gains nothing."""

_SAMPLE_PIXELS = 400_000
"""Most pixels that a histogram or a percentile is taken from."""

_FAR = 8
"""How far values may lie outside a source's window, in widths of it, to get codes of their own."""


@dataclass(frozen=True, eq=False)
class RenderedImage:
    """A drawable image.

    Attributes:
        levels: H×W×(1 or 3) codes, ``levels[0]`` in full size, each further one halved.
        size: (width, height) in pixels of the *source* images; a feature map of lower resolution
            is scaled to it.
        extent: the values of code 0 and of the highest code, in ``unit``.
        window: the default window, which is also the range of values that counts as 0 to 1.
        unit: unit of the values; "" for none.
    """

    levels: tuple[Codes, ...]
    size: tuple[int, int]
    extent: Window = (0.0, 1.0)
    window: Window = (0.0, 1.0)
    unit: str = ""

    @property
    def is_colour(self) -> bool:
        """True for three channels."""
        return bool(self.levels[0].shape[2] == 3)

    @property
    def has_floor(self) -> bool:
        """True for a quantity with a unit and no negative values: windows may not begin below 0."""
        return bool(self.unit) and self.extent[0] >= 0

    @property
    def top(self) -> int:
        """The highest code."""
        return int(np.iinfo(self.levels[0].dtype).max)

    def code(self, value: float) -> float:
        """The code of a value, not rounded."""
        low, high = self.extent
        return (value - low) / (high - low) * self.top

    @cached_property
    def histogram(self) -> Histogram:
        """How often its values occur; for a large image, computed by a worker first."""
        return count_values(self.sampled, self.extent, self.window)

    @property
    def sampled(self) -> Codes:
        """The largest level with few enough pixels for statistics while a person waits."""
        small = (
            level for level in self.levels if level.shape[0] * level.shape[1] <= _SAMPLE_PIXELS
        )
        return next(small, self.levels[-1])

    @property
    def nbytes(self) -> int:
        """Memory of all levels."""
        return sum(level.nbytes for level in self.levels)


def rendered_image(
    pixels: FloatArray, size: tuple[int, int] | None = None, depth: int = 8
) -> RenderedImage:
    """An image of H×W×(1 or 3) pixels in [0, 1]; others are clipped, and NaN becomes 0.

    Args:
        size: see :class:`RenderedImage`; None for that of ``pixels``.
        depth: more than 8 bits are stored as 16, so that a narrow window shows no steps.
    """
    kind = np.uint8 if depth == 8 else np.uint16
    codes = _coded(pixels, 0.0, 1.0, kind)
    return RenderedImage(_pyramid(codes), size or (pixels.shape[1], pixels.shape[0]))


def source_image(image: Image, extent: Window | None = None) -> RenderedImage:
    """A source in its own unit, with all grey levels of its file (65,536 for floats).

    Args:
        extent: the values of the lowest and the highest code; None for those of the image. Slices
            of one volume share it, so that a window means the same in all of them.
    """
    low, high = extent or _extent(image)
    kind = np.uint8 if image.bit_depth == 8 else np.uint16
    # A file with three equal channels is grey: palettes apply to it.
    data = image.data if image.is_colour else image.data[..., :1]
    if image.mask is not None:
        data = np.where(image.mask[..., np.newaxis], data, np.float32(low))
    codes = _coded(data, low, high, kind)
    return RenderedImage(_pyramid(codes), image.size, (low, high), image.window, image.unit)


def _extent(image: Image) -> Window:
    """The values of the lowest and the highest code of a source.

    This is the range of its file format, or else that of its values. Values far outside the window
    are ignored, as few levels would be left for the others.
    """
    # Values of pixels without data are meaningless.
    known = image.data if image.mask is None else image.data[image.mask]
    least, greatest = float(np.min(known)), float(np.max(known))
    top = float(2**image.bit_depth - 1)
    if image.bit_depth < 32 and least >= 0 and greatest <= top and not image.unit:
        return 0.0, top
    return extent_around(image.window, least, greatest)


def extent_around(window: Window, least: float, greatest: float) -> Window:
    """The values of the lowest and the highest code: all from least to greatest near a window."""
    low, high = window
    room = _FAR * (high - low)
    return min(max(least, low - room), low), max(min(greatest, high + room), high)


def _coded(pixels: FloatArray, low: float, high: float, kind: type[Any]) -> Codes:
    # Unlike clip, fmax and fmin replace NaN. In place, as these are the largest arrays of the
    # program.
    top = float(np.iinfo(kind).max)
    scaled = np.fmax(pixels, np.float32(low))
    np.fmin(scaled, np.float32(high), out=scaled)
    if low:
        scaled -= np.float32(low)
    scaled *= np.float32(top / (high - low))
    scaled += np.float32(0.5)
    np.fmin(scaled, np.float32(top), out=scaled)
    return cast(Codes, np.ascontiguousarray(scaled.astype(kind)))


def _pyramid(level: Codes) -> tuple[Codes, ...]:
    levels = [level]
    while max(level.shape[:2]) > _SMALLEST_LEVEL and min(level.shape[:2]) >= 2:
        level = _halved(level)
        levels.append(level)
    return tuple(levels)


def _halved(level: Codes) -> Codes:
    height, width = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
    total = level[0:height:2, 0:width:2].astype(np.uint32)
    total += level[1:height:2, 0:width:2]
    total += level[0:height:2, 1:width:2]
    total += level[1:height:2, 1:width:2]
    total += 2
    total >>= 2
    return cast(Codes, total.astype(level.dtype))
