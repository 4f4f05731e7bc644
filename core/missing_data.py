"""Missing data: pixels where a source has no data are kept from spreading and are filled in.

Before fusion the missing pixels of each source are filled by smooth continuation, so that no
filter, pyramid or network sees an artificial edge. After fusion the result at these pixels is
replaced by the other source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from core.types import BoolArray, FloatArray, SourcePair

_EPS = np.float32(1e-12)
"""Replaces a weight of zero as a divisor where the numerator is zero too."""

_Image = TypeVar("_Image", bound=np.generic)


@dataclass(frozen=True, eq=False)
class MissingData:
    """Missing data of a pair, and the values of the fused image there.

    Attributes:
        valid_a, valid_b: H×W, True where the source has data.
        fill: H×W×C in [0, 1], the other source where one has no data; 0 where neither has.
    """

    valid_a: BoolArray
    valid_b: BoolArray
    fill: FloatArray

    @property
    def where(self) -> BoolArray:
        """H×W, True where at least one source has no data."""
        return ~(self.valid_a & self.valid_b)

    def filled(self, image: FloatArray, where: BoolArray | None = None) -> FloatArray:
        """``image`` H×W×C with ``fill`` inserted at ``where`` (all missing pixels if None)."""
        where = self.where if where is None else where
        return np.where(where[..., np.newaxis], self.fill, image)


def missing_data_of(pair: SourcePair, a: FloatArray, b: FloatArray) -> MissingData | None:
    """Missing data of ``pair`` with the channels ``a`` and ``b`` H×W×C; None if complete."""
    if pair.valid is None:
        return None
    whole = np.ones(a.shape[:2], np.bool_)
    valid_a = whole if pair.a.mask is None else pair.a.mask
    valid_b = whole if pair.b.mask is None else pair.b.mask
    fill = np.where(valid_a[..., np.newaxis], a, b)
    fill[~(valid_a | valid_b)] = 0
    return MissingData(valid_a, valid_b, fill)


def fill_smoothly(image: FloatArray, valid: BoolArray) -> FloatArray:
    """Fill the pixels of ``image`` H×W×C that are not ``valid`` by smooth continuation (push-pull).

    Averages valid pixels over blocks of increasing size and interpolates them back. Valid pixels
    are unchanged. An image without valid pixels becomes 0.
    """
    if valid.all():
        return image
    weight = valid.astype(np.float32)
    filled = _push_pull(np.where(valid[..., np.newaxis], image, np.float32(0)), weight)
    return np.where(valid[..., np.newaxis], image, filled)


def _push_pull(image: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted mean at every pixel, from values times weight H×W×C and weights H×W."""
    height, width = weight.shape
    if (weight > 0).all() or height * width == 1:
        return (image / np.maximum(weight, _EPS)[..., np.newaxis]).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    shape = (half[1], half[0], -1)
    coarse = cv2.resize(image, half, interpolation=cv2.INTER_AREA)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    below = _push_pull(
        np.asarray(coarse, np.float32).reshape(shape), np.asarray(coarse_weight, np.float32)
    )
    grown = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    rest = np.asarray(grown, np.float32).reshape(image.shape)
    # A block with any weight counts as fully known on the next level.
    known = weight[..., np.newaxis]
    mean = image / np.maximum(known, _EPS)
    return np.where(known > 0, mean, rest).astype(np.float32)


def comparable(
    pair: SourcePair, *images: np.ndarray[tuple[int, ...], np.dtype[_Image]]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[_Image]], ...]:
    """Images H×W(×C) restricted to the pixels where both sources have data, for metrics.

    Cropped to the bounding box of these pixels; missing pixels inside it are filled by smooth
    continuation in each image separately, so that the filling favours none of them.
    """
    return crop_to_valid(pair.valid, *images)


def crop_to_valid(
    valid: BoolArray | None, *images: np.ndarray[tuple[int, ...], np.dtype[_Image]]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[_Image]], ...]:
    """As :func:`comparable`, given the mask of valid pixels (H×W, not all False), or None."""
    if valid is None:
        return images
    rows, columns = (np.flatnonzero(valid.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return tuple(_filled_and_cropped(image[box], valid[box]) for image in images)


def _filled_and_cropped(
    image: np.ndarray[tuple[int, ...], np.dtype[_Image]], valid: BoolArray
) -> np.ndarray[tuple[int, ...], np.dtype[_Image]]:
    planes = image.astype(np.float32)
    planes = planes[..., np.newaxis] if image.ndim == 2 else planes
    filled = fill_smoothly(planes, valid).reshape(image.shape)
    whole = np.issubdtype(image.dtype, np.integer)
    return np.ascontiguousarray((np.rint(filled) if whole else filled).astype(image.dtype))
