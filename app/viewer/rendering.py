"""Maps parts of an image to colours on the screen.

Window and palette are applied when a pane is painted, to the part and the pyramid level that are
visible, so the cost depends on the size of the pane and not on that of the image.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from app.viewer.colormaps import colour_table
from app.viewer.pyramid import Codes, RenderedImage
from app.viewer.warping import Warp, scaling, warped
from core.types import FloatArray, Matrix
from core.windows import Window


@dataclass(frozen=True)
class LevelRegion:
    """A rectangle of a pyramid level, and its approximate size in device pixels."""

    level: int
    _: KW_ONLY
    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int


def _cut(shown: RenderedImage, part: LevelRegion) -> Codes:
    """The codes of a region, downscaled to its size on the screen if they are more."""
    import cv2  # imported by the readers before there is any image

    level = shown.levels[min(part.level, len(shown.levels) - 1)]
    codes = level[part.top : part.bottom, part.left : part.right]
    if part.width < codes.shape[1] or part.height < codes.shape[0]:
        wanted = (min(part.width, codes.shape[1]), min(part.height, codes.shape[0]))
        shrunk = cv2.resize(np.ascontiguousarray(codes), wanted, interpolation=cv2.INTER_LINEAR)
        codes = cast(Codes, shrunk.reshape(wanted[1], wanted[0], -1))
    return cast(Codes, np.ascontiguousarray(codes))


def _windowed(codes: Codes, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Map codes linearly so that ``low`` becomes 0 and ``high`` becomes 255."""
    import cv2

    top = np.iinfo(codes.dtype).max
    if codes.dtype == np.uint8 and low == 0 and high == top:
        return np.asarray(codes, np.uint8)
    scale = 255.0 / max(high - low, 1e-6)
    if codes.dtype == np.uint8:
        steps = np.clip((np.arange(256) - low) * scale, 0, 255)
        return np.asarray(cv2.LUT(codes, np.rint(steps).astype(np.uint8)))
    if low >= top:
        return np.zeros(codes.shape, np.uint8)
    # convertScaleAbs takes absolute values, so codes below the window are raised to it first.
    floor = np.uint16(min(max(np.floor(low), 0), top))
    lifted = np.maximum(codes, floor)
    return np.asarray(cv2.convertScaleAbs(lifted, alpha=scale, beta=-low * scale))


def render(shown: RenderedImage, part: LevelRegion, window: Window, palette: str) -> QImage:
    """A region of an image in a window; of palettes, only “inverted” applies to colour images."""
    low, high = shown.code(window[0]), shown.code(window[1])
    mapped = _windowed(_cut(shown, part), low, high)
    if shown.is_colour:
        if palette == "inverted":
            mapped = 255 - mapped
        return _rgb(mapped)
    return _indexed(mapped, palette)


def render_warped(
    shown: RenderedImage,
    warp: Warp,
    onto: Matrix,
    size: tuple[int, int],
    *,
    window: Window,
    palette: str,
) -> QImage:
    """An image drawn through a transform; transparent where it has no pixels.

    Args:
        onto, size: see :func:`app.viewer.warping.warped`.
    """
    codes, inside = warped(shown, warp, onto, size)
    mapped = _windowed(codes, shown.code(window[0]), shown.code(window[1]))
    if shown.is_colour and palette == "inverted":
        mapped = 255 - mapped
    opaque = _rgb(mapped) if shown.is_colour else _indexed(mapped, palette)
    image = opaque.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    pixels = np.frombuffer(image.bits(), np.uint32).reshape(size[1], -1)
    pixels[:, : size[0]][~inside] = 0
    return image


def render_difference(
    first: RenderedImage,
    second: RenderedImage,
    part: LevelRegion,
    span: float,
    windows: tuple[Window, Window] | None = None,
    *,
    warp: Warp | None = None,
) -> QImage:
    """The second image minus the first one, in signed colours from −span to +span.

    Args:
        windows: the values that count as 0 and 1 in each image; None for their own windows.
        warp: how the second image is drawn; where it has no pixels there is no difference.
    """
    ranges = windows or (first.window, second.window)
    mine = _luma01(first, _cut(first, part), ranges[0])
    if warp is None:
        other = _luma01(second, _cut(second, part), ranges[1])
    else:
        size = (mine.shape[1], mine.shape[0])
        codes, inside = warped(second, warp, _onto(first, part, size), size)
        other = np.where(inside, _luma01(second, codes, ranges[1]), mine)
    if other.shape != mine.shape:
        import cv2

        size = (mine.shape[1], mine.shape[0])
        other = np.asarray(cv2.resize(other, size, interpolation=cv2.INTER_LINEAR))
    scaled = (other - mine) * np.float32(127.5 / span) + np.float32(128.0)
    return _indexed(np.clip(scaled, 0, 255).astype(np.uint8), "difference")


def _onto(shown: RenderedImage, part: LevelRegion, size: tuple[int, int]) -> Matrix:
    """From coordinates of a region that was cut to ``size`` to those of the image."""
    level = shown.levels[min(part.level, len(shown.levels) - 1)]
    across, down = shown.size[0] / level.shape[1], shown.size[1] / level.shape[0]
    return scaling(across, down) @ scaling(
        (part.right - part.left) / size[0],
        (part.bottom - part.top) / size[1],
        part.left,
        part.top,
    )


def _luma01(shown: RenderedImage, codes: Codes, window: Window) -> FloatArray:
    import cv2

    grey = cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY) if codes.shape[2] == 3 else codes[..., 0]
    low, high = shown.code(window[0]), shown.code(window[1])
    scaled = (grey.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0, 1, out=scaled)


def _rgb(pixels: npt.NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    image = QImage(data.data, width, height, width * 3, QImage.Format.Format_RGB888)
    # RGB32 is the native format of the screen; the conversion copies, so the array can be freed.
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _indexed(pixels: npt.NDArray[np.uint8], palette: str) -> QImage:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    image = QImage(data.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colour_table(palette))
    return image.convertToFormat(QImage.Format.Format_RGB32)


def upright_bar(palette: str) -> QImage:
    """A colour bar, one pixel wide, with the high end at the top."""
    return _indexed(np.arange(255, -1, -1, dtype=np.uint8)[:, None], palette)


def full_image(shown: RenderedImage, window: Window | None = None, palette: str = "grey") -> QImage:
    """The whole image in full size; ``window`` is None for its own."""
    height, width = shown.levels[0].shape[:2]
    part = LevelRegion(0, left=0, top=0, right=width, bottom=height, width=width, height=height)
    return render(shown, part, window or shown.window, palette)


def thumbnail(shown: RenderedImage, side: int) -> QImage:
    """A thumbnail whose longer side has at most ``side`` pixels."""
    levels = shown.levels
    fitting = [k for k, level in enumerate(levels) if max(level.shape[:2]) >= side]
    index = fitting[-1] if fitting else 0
    height, width = levels[index].shape[:2]
    factor = min(1.0, side / max(height, width))
    wide, high = max(1, round(width * factor)), max(1, round(height * factor))
    part = LevelRegion(index, left=0, top=0, right=width, bottom=height, width=wide, height=high)
    return render(shown, part, shown.window, "grey")


# --- results -----------------------------------------------------------------------------------


# --- statistics --------------------------------------------------------------------------------
