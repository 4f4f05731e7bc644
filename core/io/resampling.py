"""Resampling of images: to another size, and through a transform onto another image.

Either way a value is interpolated once: a transform maps pixels of images of any size, so that no
image is first brought to the size of the other.

A photograph is interpolated in linear light, where means of values are means of light: its samples
are decoded by the sRGB curve before and encoded again afterwards. Counts, temperatures, scans and
floating-point values are interpolated as they are, and linearly: no value results that was not
measured nearby. Photographs are interpolated by Keys' cubic (a = −0.5; IEEE Trans. ASSP 29(6),
1981). Where pixels of the result are larger than those of the image, the mean of linearly
interpolated values at evenly spread places within each is taken: nothing aliases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message, differing_proportions
from core.io.readers.decoding import check_size
from core.types import BoolArray, FloatArray, Image, Transform
from core.types.transform import Matrix

_STRIP = 1 << 14
"""Pixels that are made at a time: what is worked on stays in the processor's cache."""
_SNAP = 1e-6
"""Pixels by which a coordinate may be off a pixel's centre and count as it."""
_EDGE = 1e-4
"""Pixels by which a place may lie beyond the border and count as inside."""
_FINER = 0.15
"""Share by which the pixels of the result may be larger before several places are sampled."""
_MOST_PLACES = 16
"""Along an axis."""

_Index = npt.NDArray[np.intp]


def resample_onto(image: Image, size: tuple[int, int]) -> Image:
    """Resample ``image`` to ``size`` (width, height), with a note; returns it unchanged if equal.

    Area averaging where it shrinks and bicubic interpolation where it grows, clipped to the range
    of the file format, or otherwise to that of the values. A new pixel that depends on a pixel
    without data has no data.

    Raises:
        InputError: ``size`` is empty or too large, or no pixel with data remains.
    """
    if image.size == size:
        return image
    check_size(image.origin or Path("picture"), *size)
    data, mask = _resample(image.data, size), image.mask
    if mask is not None:
        mask = ~_depends_on(~mask, size)
    valid = image.data if image.mask is None else image.data[image.mask]
    low, high = image.container or (float(valid.min()), float(valid.max()))
    spacing = image.spacing
    if spacing is not None:
        spacing = (spacing[0] * image.height / size[1], spacing[1] * image.width / size[0])
    notes = [Message("Resampled from {0}×{1} to {2}×{3} pixels.", *image.size, *size)]
    proportions = differing_proportions(image.size, size)
    if proportions:
        notes.append(Message("{0}: the picture is stretched.", proportions))
    return replace(
        image,
        data=np.clip(data, low, high),
        spacing=spacing,
        notes=(*image.notes, *notes),
        mask=mask,
    )


def _resample(pixels: FloatArray, size: tuple[int, int], *, smooth: bool = True) -> FloatArray:
    """Resample H×W×C to ``size``; with ``smooth`` False, enlarging is linear."""
    height, width = pixels.shape[:2]
    smaller = (min(size[0], width), min(size[1], height))
    data = np.ascontiguousarray(pixels)
    # One axis may shrink while the other one grows: shrink first, then grow.
    if smaller != (width, height):
        data = np.asarray(cv2.resize(data, smaller, interpolation=cv2.INTER_AREA), np.float32)
    if smaller != size:
        how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        data = np.asarray(cv2.resize(data, size, interpolation=how), np.float32)
    return data.reshape(size[1], size[0], -1).astype(np.float32, copy=False)


def _depends_on(missing: BoolArray, size: tuple[int, int]) -> BoolArray:
    """H×W mask of the pixels of ``size`` that depend on ``missing`` pixels."""
    shrinks = size[0] < missing.shape[1] or size[1] < missing.shape[0]
    grows = size[0] > missing.shape[1] or size[1] > missing.shape[0]
    marks = missing.astype(np.float32)
    if shrinks:
        smaller = min(size[0], marks.shape[1]), min(size[1], marks.shape[0])
        marks = _resample(marks[..., np.newaxis], smaller)[..., 0]
    if grows:
        # The cubic kernel is one pixel wider than the linear one, and its weights may cancel.
        spread = cv2.dilate((marks > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
        marks = _resample(spread[..., np.newaxis].astype(np.float32), size, smooth=False)[..., 0]
    touched: BoolArray = marks > 0
    return touched


# --- through a transform ---------------------------------------------------------------------


def resample_through(
    image: Image, transform: Transform, fixed: Image, *, linear_light: bool = False
) -> Image:
    """``image`` on the pixels of ``fixed``, as ``transform`` maps them; interpolated once.

    Pixels whose centre lies outside of ``image`` (beyond half a pixel around its centres), or that
    a pixel without data contributes to, have no data. Values are clipped to the range of the file
    format, or otherwise to that of the values. Itself where nothing moves.

    Args:
        image: the moving image.
        transform: of pictures, from points of ``fixed`` to points of ``image``.
        fixed: of which size and spacing are taken.
        linear_light: for photographs; see :func:`is_photograph`.

    Raises:
        InputError: no pixel with data remains.
    """
    if transform.is_identity and image.size == fixed.size:
        return image
    sampler = _Sampler(image, transform, fixed.size, linear_light)
    data = np.empty((fixed.height, fixed.width, image.data.shape[2]), np.float32)
    mask = np.empty((fixed.height, fixed.width), np.bool_)
    for rows in _strips(fixed.size):
        data[rows], mask[rows] = sampler.strip(rows)
    if not mask.any():
        raise InputError(
            image.name or Message("picture"),
            Message("the transform moves it off the other picture"),
            Message("Choose another transform, or register the two again."),
        )
    low, high = _range_of(image)
    data[~mask] = low
    np.clip(data, low, high, out=data)
    return replace(image, data=data, mask=None if mask.all() else mask, spacing=fixed.spacing)


def is_photograph(image: Image) -> bool:
    """Whether the samples of ``image`` may be sRGB-encoded light.

    True for integers without a unit and a palette. Of a task's sources, only those that show
    visible light (:attr:`core.tasks.TaskSpec.photographs`) are.
    """
    return (
        image.container is not None
        and image.bit_depth != 32
        and not (image.unit or image.palette is not None)
    )


def _range_of(image: Image) -> tuple[float, float]:
    valid = image.data if image.mask is None else image.data[image.mask]
    return image.container or (float(valid.min()), float(valid.max()))


def _strips(size: tuple[int, int]) -> list[slice]:
    width, height = size
    step = max(1, _STRIP // width)
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


@dataclass(frozen=True, eq=False)
class _Places:
    """Coordinates in the moving image, rows×columns float64, and which are inside of it."""

    x: Matrix
    y: Matrix
    inside: BoolArray


class _Mapping:
    """Where the pixels of a grid lie in the moving image."""

    def __init__(
        self, transform: Transform, moving: tuple[int, int], fixed: tuple[int, int]
    ) -> None:
        self._matrix = transform.array
        self._moving = moving
        self._columns = np.arange(fixed[0], dtype=np.float64)
        # A homography maps what lies beyond its horizon to the wrong side.
        centre = np.array([(fixed[0] - 1) / 2, (fixed[1] - 1) / 2, 1.0])
        self._side = float(np.sign(self._matrix[2] @ centre)) or 1.0

    def places(self, rows: slice, offset: tuple[float, float] = (0.0, 0.0)) -> _Places:
        """Of ``rows`` of the grid, ``offset`` pixels (x, y) beside their centres."""
        u = self._columns[np.newaxis, :] + offset[0]
        v = np.arange(rows.start, rows.stop, dtype=np.float64)[:, np.newaxis] + offset[1]
        x, y, depth = (row[0] * u + row[1] * v + row[2] for row in self._matrix)
        in_front = depth * self._side > 0
        if self._matrix[2, :2].any():
            safe = np.where(in_front, depth, 1.0)
            x, y = x / safe, y / safe
        inside = in_front
        for at, count in zip((x, y), self._moving, strict=True):
            whole = np.rint(at)
            np.copyto(at, whole, where=np.abs(at - whole) <= _SNAP)
            inside = inside & (at >= -0.5 - _EDGE) & (at <= count - 0.5 + _EDGE)
        return _Places(x, y, inside)

    def offsets(self, transform: Transform) -> list[tuple[float, float]]:
        """Where within each pixel of the grid the image is sampled."""
        middle = ((len(self._columns) - 1) / 2, 0.0)
        steps = [
            float(np.hypot(*(transform.apply(np.add(middle, unit)) - transform.apply(middle))))
            for unit in np.eye(2)
        ]
        counts = [_places_along(step) for step in steps]
        across, down = ([(n + 0.5) / count - 0.5 for n in range(count)] for count in counts)
        return [(u, v) for v, u in product(down, across)]


def _places_along(step: float) -> int:
    """Places along an axis of which a pixel reaches over ``step`` pixels of the image."""
    if not step < _MOST_PLACES:  # nor on the horizon of a homography, where it is not a number
        return _MOST_PLACES
    return max(1, int(np.ceil(step - _FINER)))


class _Sampler:
    """Values of an image at the pixels of another one."""

    def __init__(
        self, image: Image, transform: Transform, size: tuple[int, int], linear_light: bool
    ) -> None:
        self._mapping = _Mapping(transform, image.size, size)
        self._offsets = self._mapping.offsets(transform)
        self._is_light = linear_light
        self._range = _range_of(image)
        self._width, self._height = image.size
        self._is_cubic = linear_light and len(self._offsets) == 1
        self._stored = np.ascontiguousarray(image.data).reshape(-1, image.data.shape[2])
        self._values = self._decoded(self._stored) if linear_light else self._stored
        self._missing = None
        if image.mask is not None:
            self._missing = (~image.mask).astype(np.float32).reshape(-1, 1)

    def strip(self, rows: slice) -> tuple[FloatArray, BoolArray]:
        """Values and mask of some rows of the result."""
        centres = self._mapping.places(rows)
        shape = *centres.inside.shape, self._values.shape[1]
        if not centres.inside.any():
            return np.zeros(shape, np.float32), centres.inside
        mask = centres.inside.copy()
        total = np.zeros((mask.size, shape[2]), np.float32)
        for offset in self._offsets:
            at = centres if offset == (0.0, 0.0) else self._mapping.places(rows, offset)
            taps = self._taps(at)
            if len(self._offsets) == 1 and taps.is_exact:
                # Pixel on pixel: the stored values, without the rounding of decoding them.
                found = self._stored.take(taps.nearest, axis=0)
                return found.reshape(shape), mask & ~self._touched(taps).reshape(mask.shape)
            total += taps.weighted(self._values)
            mask &= ~self._touched(taps).reshape(mask.shape)
        total /= np.float32(len(self._offsets))
        values = self._encoded(total) if self._is_light else total
        return values.reshape(shape), mask

    def _touched(self, taps: _Taps) -> BoolArray:
        if self._missing is None:
            return np.zeros(taps.nearest.size, np.bool_)
        return np.asarray(taps.absolute().weighted(self._missing)[:, 0] > _SNAP)

    def _taps(self, at: _Places) -> _Taps:
        columns, across = self._axis(at.x, self._width)
        rows, down = self._axis(at.y, self._height)
        return _Taps(columns, [row * self._width for row in rows], across, down)

    def _axis(self, at: Matrix, count: int) -> tuple[list[_Index], list[FloatArray]]:
        """Neighbours along an axis and their weights; the border is continued outwards."""
        held = np.clip(at.reshape(-1), 0, count - 1)
        low = np.floor(held).astype(np.intp)
        t = (held - low).astype(np.float32)
        if not self._is_cubic:
            return [low, np.minimum(low + 1, count - 1)], [1 - t, t]
        weights = [
            ((-0.5 * t + 1) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1,
            ((-1.5 * t + 2) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        ]
        return [np.clip(low + step, 0, count - 1) for step in (-1, 0, 1, 2)], weights

    def _decoded(self, values: FloatArray) -> FloatArray:
        low, high = self._range
        levels = (values - np.float32(low)) / np.float32(high - low)
        return linear_light(np.clip(levels, 0, 1))  # what is not valid may lie beyond

    def _encoded(self, light: FloatArray) -> FloatArray:
        low, high = self._range
        return encoded_light(light) * np.float32(high - low) + np.float32(low)


@dataclass(frozen=True, eq=False)
class _Taps:
    """Which pixels contribute to each of N places, and by how much.

    Attributes:
        columns, rows: of the neighbours along each axis; rows as indices of their first pixel.
        across, down: their weights.
    """

    columns: list[_Index]
    rows: list[_Index]
    across: list[FloatArray]
    down: list[FloatArray]

    @property
    def _own(self) -> int:
        return 1 if len(self.columns) == 4 else 0

    @property
    def nearest(self) -> _Index:
        """The pixel at or before each place."""
        return np.asarray(self.rows[self._own] + self.columns[self._own])

    @property
    def is_exact(self) -> bool:
        """Whether every place is the centre of a pixel."""
        return all(bool((w[self._own] == 1).all()) for w in (self.across, self.down))

    def absolute(self) -> _Taps:
        """The same with weights that do not cancel."""
        across, down = ([np.abs(w) for w in ws] for ws in (self.across, self.down))
        return replace(self, across=across, down=down)

    def weighted(self, values: FloatArray) -> FloatArray:
        """N×C, the weighted sums of ``values`` (pixels×C)."""
        total = np.zeros((self.nearest.size, values.shape[1]), np.float32)
        for row, below in zip(self.rows, self.down, strict=True):
            line = np.zeros_like(total)
            for column, beside in zip(self.columns, self.across, strict=True):
                line += values.take(row + column, axis=0) * beside[:, np.newaxis]
            total += line * below[:, np.newaxis]
        return total


def linear_light(encoded: FloatArray) -> FloatArray:
    """Light in [0, 1] of sRGB-encoded values in [0, 1] (IEC 61966-2-1)."""
    bright = ((encoded + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(encoded <= 0.04045, encoded / np.float32(12.92), bright)


def encoded_light(light: FloatArray) -> FloatArray:
    """The inverse of :func:`linear_light`; negative light, which cubics may give, becomes 0."""
    held = np.clip(light, 0, 1)
    bright = np.float32(1.055) * held ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(held <= 0.0031308, held * np.float32(12.92), bright)


# --- what both saw ---------------------------------------------------------------------------


def do_overlap(transform: Transform, moving: tuple[int, int], fixed: tuple[int, int]) -> bool:
    """Whether a pixel of the fixed image lies inside of the moving one.

    Args:
        moving, fixed: (width, height).
    """
    mapping = _Mapping(transform, moving, fixed)
    return any(mapping.places(rows).inside.any() for rows in _strips(fixed))


def common_rectangle(
    transform: Transform, moving: tuple[int, int], fixed: tuple[int, int]
) -> tuple[slice, slice] | None:
    """Rows and columns of the largest rectangle of the fixed image that the moving one covers.

    Missing data within either do not count. None where they share no pixel.

    Args:
        moving, fixed: (width, height).
    """
    mapping = _Mapping(transform, moving, fixed)
    width, height = fixed
    first, last = np.full(height, width), np.full(height, -1)
    for rows in _strips(fixed):
        inside = mapping.places(rows).inside
        seen = inside.any(axis=1)
        first[rows] = np.where(seen, inside.argmax(axis=1), width)
        last[rows] = np.where(seen, width - 1 - inside[:, ::-1].argmax(axis=1), -1)
    best, found = 0, None
    for top in range(height):
        # What the moving image covers is convex, so that a rectangle reaches from border to border.
        left = np.maximum.accumulate(first[top:])
        right = np.minimum.accumulate(last[top:])
        areas = (right - left + 1) * np.arange(1, height - top + 1)
        tallest = int(areas.argmax())
        if areas[tallest] > best:
            best = int(areas[tallest])
            rows = slice(top, top + tallest + 1)
            found = rows, slice(int(left[tallest]), int(right[tallest]) + 1)
    return found
