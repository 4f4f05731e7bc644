"""Pictures as grey levels of several sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.registration.motion import Array, CentredFrame
from core.types import BoolArray, FloatArray, Image
from core.types.luma import LUMA_WEIGHTS

_WHOLE = 0.99
_BLUR = 0.5
"""Sigma in pixels of the smaller picture, so that nothing aliases."""


@dataclass(frozen=True, eq=False)
class Level:
    """A picture at one size.

    Attributes:
        grey: H×W float32 in [0, 1].
        valid: H×W, where it holds data.
    """

    grey: FloatArray
    valid: BoolArray

    @property
    def frame(self) -> CentredFrame:
        """Its coordinates."""
        return CentredFrame(self.grey.shape[1], self.grey.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.grey.shape[1], self.grey.shape[0]


def level_of(image: Image) -> Level:
    """An image at its own size, as it is shown but in grey; what is not finite is no data."""
    levels = image.levels()
    grey = levels @ LUMA_WEIGHTS if levels.shape[2] == 3 else levels[..., 0]
    valid = np.isfinite(grey)
    if image.mask is not None:
        valid &= image.mask
    return Level(np.where(valid, grey, np.float32(0)).astype(np.float32), valid)


def reduced(image: Image, factor: int) -> Image:
    """``image`` smaller by a whole factor, by means; a pixel holds data where all of it does.

    Rows and columns at the end that do not fill a pixel are left out.
    """
    if factor <= 1:
        return image
    size = image.width // factor, image.height // factor
    inside = np.s_[: size[1] * factor, : size[0] * factor]
    data = as_float(cv2.resize(image.data[inside], size, interpolation=cv2.INTER_AREA))
    data = data.reshape(*data.shape[:2], -1)
    if image.mask is None:
        return replace(image, data=data)
    share = cv2.resize(image.mask[inside].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    mask = share > _WHOLE
    if not mask.any():  # an image holds data somewhere; this one is flat
        return replace(image, data=np.zeros_like(data), mask=None)
    return replace(image, data=data, mask=mask)


CHECKED_SIDE = 1024
"""Pixels of the longer side that a quick look has at least, where a picture has as many."""


@dataclass(frozen=True, eq=False)
class ReducedPair:
    """Two images of one size as :mod:`core.registration.quick_check` looks at them.

    Attributes:
        a, b: the images, smaller by ``factor``.
        size: (width, height) before that.
    """

    a: Image
    b: Image
    size: tuple[int, int]
    factor: int

    @classmethod
    def of(cls, a: Image, b: Image) -> ReducedPair:
        """Reduce two images of one size."""
        factor = max(1, max(a.size) // CHECKED_SIDE)
        return cls(reduced(a, factor), reduced(b, factor), a.size, factor)


def enlarged(factor: int) -> Array:
    """3×3, pixels of an image that :func:`reduced` made → pixels of the one it was made from."""
    shift = (factor - 1) / 2
    return np.array([[factor, 0, shift], [0, factor, shift], [0, 0, 1]], np.float64)


def resized(level: Level, scale: float) -> tuple[Level, Array]:
    """``level`` smaller by exactly ``scale`` ≤ 1 in both directions.

    Returns:
        It, without rows and columns at the end that do not fill a pixel, and the 3×3 matrix from
        the pixels of ``level`` to its own.
    """
    if scale >= 1:
        return level, np.eye(3)
    whole = max(1, int(1 / scale))
    grey: FloatArray = level.grey
    valid = level.valid.astype(np.float32)
    if whole > 1:
        height, width = (max(1, n // whole) for n in grey.shape)
        inner = np.s_[: height * whole, : width * whole]
        grey, valid = (
            as_float(cv2.resize(part[inner], (width, height), interpolation=cv2.INTER_AREA))
            for part in (grey, valid)
        )
    rest = scale * whole
    if rest < 1:
        size = max(1, int(grey.shape[1] * rest)), max(1, int(grey.shape[0] * rest))
        blur = max(_BLUR * float(np.sqrt(rest**-2 - 1)), 0.1)
        grey = as_float(cv2.GaussianBlur(grey, (0, 0), blur))
        offset = 0.5 / rest - 0.5
        place = np.array([[1 / rest, 0, offset], [0, 1 / rest, offset]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        grey, valid = (
            as_float(
                cv2.warpAffine(part, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            )
            for part in (grey, valid)
        )
    shift = (scale - 1) / 2
    return Level(grey, valid > _WHOLE), np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1]])


def warped(level: Level, matrix: Array, size: tuple[int, int]) -> Level:
    """``level`` at the places that ``matrix`` maps the pixels of a picture of ``size`` to."""
    grey = cv2.warpPerspective(
        level.grey,
        matrix,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    valid = cv2.warpPerspective(
        level.valid.astype(np.float32),
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return Level(as_float(grey), valid > _WHOLE)


def eroded(valid: BoolArray, by: int) -> BoolArray:
    """Without what lies within ``by`` pixels of something not valid."""
    if valid.all():
        return valid
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    kept: BoolArray = cv2.erode(valid.astype(np.uint8), kernel, borderValue=1) > 0
    return kept


def as_float(values: npt.NDArray[Any]) -> FloatArray:
    """What OpenCV makes of float32, for which its stubs promise less."""
    return np.asarray(values, dtype=np.float32)
