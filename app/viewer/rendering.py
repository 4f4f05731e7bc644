"""From arrays to what a screen can show.

An image is kept as a pyramid of integer codes, each level half the one before. Pyramids are made
on worker threads. Window and palette are applied when a pane is painted, to the part and the
level that is seen, so the cost depends on the pane and not on the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from app.viewer.colormaps import colour_table
from app.viewer.display_state import AdapterName, FeatureView
from core.fusion.feature_maps import PcaBasis, common_basis, feature_pixels
from core.types import FloatArray, FusionResult, Image
from core.windows import Window

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_SMALLEST_LEVEL = 256
"""Pixels of the longer side below which another halving gains nothing."""

_FAR = 8
"""Widths of a source's window on either side of it that can be looked at."""


@dataclass(frozen=True, eq=False)
class RenderedImage:
    """A drawable image.

    Attributes:
        levels: H×W×(1 or 3) codes, ``levels[0]`` in full size, each further one halved.
        size: (width, height) in pixels of the *source* images, which a feature map of lower
            resolution is stretched over.
        extent: what code 0 and the highest code stand for, in ``unit``.
        window: how it is shown when nobody chose otherwise; also what counts as 0 and 1.
        unit: of the values; "" for none.
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
        """True for a quantity with a unit that is never negative: no window begins below 0."""
        return bool(self.unit) and self.extent[0] >= 0

    @property
    def top(self) -> int:
        """The highest code."""
        return int(np.iinfo(self.levels[0].dtype).max)

    def code(self, value: float) -> float:
        """The code, not rounded, that stands for a value."""
        low, high = self.extent
        return (value - low) / (high - low) * self.top

    @cached_property
    def histogram(self) -> Histogram:
        """How often its values occur; of a large image best asked for by a worker first."""
        return histogram(self)

    @property
    def nbytes(self) -> int:
        """Memory of all levels."""
        return sum(level.nbytes for level in self.levels)


def rendered_image(
    pixels: FloatArray, size: tuple[int, int] | None = None, depth: int = 8
) -> RenderedImage:
    """H×W×(1 or 3) float in [0, 1] (clipped; what is not a number is black) as an image.

    ``depth`` of more than 8 keeps 16 bits, so that a narrow window shows no steps.
    """
    kind = np.uint8 if depth == 8 else np.uint16
    codes = _coded(pixels, 0.0, 1.0, kind)
    return RenderedImage(_pyramid(codes), size or (pixels.shape[1], pixels.shape[0]))


def source_image(image: Image) -> RenderedImage:
    """A source, in its own unit, with all the levels its file has (65,536 for other numbers)."""
    low, high = _extent(image)
    kind = np.uint8 if image.bit_depth == 8 else np.uint16
    # A file that stores grey as three equal channels is grey: it has palettes.
    data = image.data if image.is_colour else image.data[..., :1]
    if image.mask is not None:
        data = np.where(image.mask[..., np.newaxis], data, np.float32(low))
    codes = _coded(data, low, high, kind)
    return RenderedImage(_pyramid(codes), image.size, (low, high), image.window, image.unit)


def _extent(image: Image) -> Window:
    """What the codes of a source stand for: what its kind of file holds, else what it does hold.

    Values very far from black and white do not widen it: they would take all levels from the rest.
    """
    # What stands where nothing was measured means nothing: it is no end of the range.
    known = image.data if image.mask is None else image.data[image.mask]
    least, greatest = float(np.min(known)), float(np.max(known))
    top = float(2**image.bit_depth - 1)
    if image.bit_depth < 32 and least >= 0 and greatest <= top and not image.unit:
        return 0.0, top
    low, high = image.window
    room = _FAR * (high - low)
    return min(max(least, low - room), low), max(min(greatest, high + room), high)


def _coded(pixels: FloatArray, low: float, high: float, kind: type[Any]) -> Codes:
    # fmax and fmin, unlike clip, take the number where the other is none. In place: these are
    # the largest arrays of the window.
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


# --- codes to colours --------------------------------------------------------------------------


@dataclass(frozen=True)
class LevelRegion:
    """A rectangle of one level, and about how many screen pixels it will cover."""

    level: int
    _: KW_ONLY
    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int


def _cut(shown: RenderedImage, part: LevelRegion) -> Codes:
    """The codes of a part, brought down to screen size where they are more."""
    import cv2  # imported by the readers, long before there is an image

    level = shown.levels[min(part.level, len(shown.levels) - 1)]
    codes = level[part.top : part.bottom, part.left : part.right]
    if part.width < codes.shape[1] or part.height < codes.shape[0]:
        wanted = (min(part.width, codes.shape[1]), min(part.height, codes.shape[0]))
        shrunk = cv2.resize(np.ascontiguousarray(codes), wanted, interpolation=cv2.INTER_LINEAR)
        codes = cast(Codes, shrunk.reshape(wanted[1], wanted[0], -1))
    return cast(Codes, np.ascontiguousarray(codes))


def _windowed(codes: Codes, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Codes mapped so that ``low`` becomes 0 and ``high`` 255."""
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
    # The scaler takes absolute values, so what lies under the window is lifted to it first.
    floor = np.uint16(min(max(np.floor(low), 0), top))
    lifted = np.maximum(codes, floor)
    return np.asarray(cv2.convertScaleAbs(lifted, alpha=scale, beta=-low * scale))


def render(shown: RenderedImage, part: LevelRegion, window: Window, palette: str) -> QImage:
    """A part of an image as the screen shows it; palettes colour grey images only."""
    low, high = shown.code(window[0]), shown.code(window[1])
    mapped = _windowed(_cut(shown, part), low, high)
    if shown.is_colour:
        if palette == "inverted":
            mapped = 255 - mapped
        return _rgb(mapped)
    return _indexed(mapped, palette)


def render_difference(
    first: RenderedImage,
    second: RenderedImage,
    part: LevelRegion,
    span: float,
    counts: tuple[Window, Window] | None = None,
) -> QImage:
    """Second minus first in signed colours: −span to +span.

    Args:
        counts: the window in which each image is 0…1; None for their own.
    """
    low_high = counts or (first.window, second.window)
    mine, other = _luma01(first, part, low_high[0]), _luma01(second, part, low_high[1])
    if other.shape != mine.shape:
        import cv2

        size = (mine.shape[1], mine.shape[0])
        other = np.asarray(cv2.resize(other, size, interpolation=cv2.INTER_LINEAR))
    scaled = (other - mine) * np.float32(127.5 / span) + np.float32(128.0)
    return _indexed(np.clip(scaled, 0, 255).astype(np.uint8), "difference")


def _luma01(shown: RenderedImage, part: LevelRegion, window: Window) -> FloatArray:
    import cv2

    codes = _cut(shown, part)
    grey = cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY) if codes.shape[2] == 3 else codes[..., 0]
    low, high = shown.code(window[0]), shown.code(window[1])
    scaled = (grey.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0, 1, out=scaled)


def _rgb(pixels: npt.NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    image = QImage(data.data, width, height, width * 3, QImage.Format.Format_RGB888)
    # RGB32 is what the screen wants: converting here also copies, so the array may go.
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _indexed(pixels: npt.NDArray[np.uint8], palette: str) -> QImage:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    image = QImage(data.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colour_table(palette))
    return image.convertToFormat(QImage.Format.Format_RGB32)


def upright_bar(palette: str) -> QImage:
    """The colours of a palette, one pixel wide, the high end at the top."""
    return _indexed(np.arange(255, -1, -1, dtype=np.uint8)[:, None], palette)


def whole(shown: RenderedImage, window: Window | None = None, palette: str = "grey") -> QImage:
    """All of an image in its full size."""
    height, width = shown.levels[0].shape[:2]
    part = LevelRegion(0, left=0, top=0, right=width, bottom=height, width=width, height=height)
    return render(shown, part, window or shown.window, palette)


def small(shown: RenderedImage, side: int) -> QImage:
    """A thumbnail whose longer side is ``side`` at most."""
    levels = shown.levels
    fitting = [k for k, level in enumerate(levels) if max(level.shape[:2]) >= side]
    index = fitting[-1] if fitting else 0
    height, width = levels[index].shape[:2]
    factor = min(1.0, side / max(height, width))
    wide, high = max(1, round(width * factor)), max(1, round(height * factor))
    part = LevelRegion(index, left=0, top=0, right=width, bottom=height, width=wide, height=high)
    return render(shown, part, shown.window, "grey")


# --- results -----------------------------------------------------------------------------------


def features_of(result: FusionResult, adapter: AdapterName) -> FloatArray | None:
    """The feature map of adapter A or B."""
    return result.features_a if adapter == "a" else result.features_b


def feature_image(result: FusionResult, view: FeatureView, basis: PcaBasis) -> RenderedImage | None:
    """The feature pane's image, stretched over the fused image's extent."""
    features = features_of(result, view.adapter)
    if features is None:
        return None
    size = _feature_extent(features, result.fused)
    return rendered_image(feature_pixels(features, basis, view.mode, view.channel), size)


def _feature_extent(features: FloatArray, fused: FloatArray) -> tuple[int, int]:
    """Source pixels a map covers: each cell is a whole number of pixels, the last may jut out."""
    rows, columns = features.shape[1:]
    height, width = fused.shape[:2]
    longer = height / rows if height >= width else width / columns
    stride = max(1, round(longer))
    return columns * stride, rows * stride


def basis_of(result: FusionResult) -> PcaBasis | None:
    """The common basis of a result's two feature maps, or None when it has none."""
    if result.features_a is None or result.features_b is None:
        return None
    return common_basis(result.features_a, result.features_b)


_PANES = {"reconstruction_a": "recon_a", "reconstruction_b": "recon_b"}


def result_images(
    result: FusionResult, view: FeatureView, basis: PcaBasis | None
) -> Mapping[str, RenderedImage]:
    """All images a result has, by pane: fused, recon_a, recon_b, features."""
    depth = result.bit_depth
    found = {
        _PANES.get(name, name): rendered_image(image, depth=depth)
        for name, image in result.images.items()
    }
    features = feature_image(result, view, basis) if basis is not None else None
    if features is not None:
        found["features"] = features
    return found


# --- statistics --------------------------------------------------------------------------------

_SAMPLE_PIXELS = 400_000
"""Pixels a histogram or a percentile is taken from: enough for the eye, quick enough for it."""


def _sampled(shown: RenderedImage) -> Codes:
    fitting = (x for x in shown.levels if x.shape[0] * x.shape[1] <= _SAMPLE_PIXELS)
    return next(fitting, shown.levels[-1])


def percentile_window(shown: RenderedImage, low: float, high: float) -> Window:
    """The values between which all but a few per cent of the pixels lie; its own where flat."""
    start, end = shown.extent
    # Counted, not sorted: a key press must not wait for 400,000 values (nor for numpy.percentile,
    # which imports a large module when it is first used).
    total = np.cumsum(np.bincount(_sampled(shown).ravel(), minlength=shown.top + 1))
    codes = [_ranked(total, share / 100 * (int(total[-1]) - 1)) for share in (low, high)]
    least, most = (start + float(c) / shown.top * (end - start) for c in codes)
    return (least, most) if most > least else shown.window


def _ranked(total: npt.NDArray[np.int64], rank: float) -> float:
    """The code of a rank among all pixels, between two of them where the rank is no whole number.

    Args:
        total: how many pixels have this code or a lower one.
    """
    below = int(rank)
    first, second = np.searchsorted(total, (below, min(below + 1, int(total[-1]) - 1)), "right")
    return float(first + (rank - below) * (second - first))


def deviation_window(shown: RenderedImage, width: float) -> Window:
    """Mean ± ``width`` standard deviations of the pixels, within the extent; its own where flat.

    What is at the extent's low end is left out: in many images most of it is empty background.
    """
    codes = _sampled(shown).astype(np.float64)
    codes = codes[codes > 0]
    if not codes.size or codes.std() == 0:
        return shown.window
    start, end = shown.extent
    mean, spread = codes.mean(), width * codes.std()
    low, high = (max(0.0, mean - spread), min(float(shown.top), mean + spread))
    least, most = (start + c / shown.top * (end - start) for c in (low, high))
    return float(least), float(most)


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often values occur: one row of counts per channel, over ``span`` in the unit."""

    counts: npt.NDArray[np.int64]
    span: Window


def histogram(shown: RenderedImage, bins: int = 64) -> Histogram:
    """Counts over the values that occur, and over the image's window where that is narrower."""
    codes = _sampled(shown)
    start, end = shown.extent
    # Counting whole numbers is some thirty times quicker than sorting values into ranges.
    rows = [
        np.bincount(codes[..., k].ravel(), minlength=shown.top + 1) for k in range(codes.shape[2])
    ]
    there = np.flatnonzero(np.sum(rows, axis=0))
    least, most = (start + float(c) / shown.top * (end - start) for c in (there[0], there[-1]))
    if most <= least:
        least, most = shown.window
    # Bins hold whole numbers of codes: else some would hold one more than their neighbours.
    low, high = round(shown.code(least)), round(shown.code(most)) + 1
    step = -(-(high - low) // bins)
    bins = -(-(high - low) // step)
    room = max(0, low + bins * step - (shown.top + 1))
    cut = [np.pad(row, (0, room))[low : low + bins * step] for row in rows]
    counts = np.array([row.reshape(bins, step).sum(axis=1) for row in cut], np.int64)
    return Histogram(counts, (least, most))
