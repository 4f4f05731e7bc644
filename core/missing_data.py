"""Pixels where a source holds no data: kept from spreading, and filled from the other source.

Before fusing, each source is continued smoothly into its holes, so that no filter, pyramid or
network meets an edge that is not there. After fusing, what a method made of them is replaced by
what the other source holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from core.types import BoolArray, FloatArray, SourcePair

_TINY = np.float32(1e-12)
"""Stands in for a weight of zero, where what is divided by it is zero too."""

_Image = TypeVar("_Image", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Holes:
    """Where sources hold no data, and what the fused image holds there.

    Attributes:
        valid_a, valid_b: H×W, True where the source holds data.
        cover: H×W×C in [0, 1]: the other source's value where one holds none; 0 where both do.
    """

    valid_a: BoolArray
    valid_b: BoolArray
    cover: FloatArray

    @property
    def where(self) -> BoolArray:
        """H×W, True where at least one source holds no data."""
        return ~(self.valid_a & self.valid_b)

    def covered(self, image: FloatArray, where: BoolArray | None = None) -> FloatArray:
        """``image`` H×W×C with the cover put ``where`` (all holes when None)."""
        where = self.where if where is None else where
        return np.where(where[..., np.newaxis], self.cover, image)


def holes_of(pair: SourcePair, a: FloatArray, b: FloatArray) -> Holes | None:
    """The holes of ``pair``, whose fused representations are ``a`` and ``b`` H×W×C; or None."""
    if pair.valid is None:
        return None
    whole = np.ones(a.shape[:2], np.bool_)
    valid_a = whole if pair.a.mask is None else pair.a.mask
    valid_b = whole if pair.b.mask is None else pair.b.mask
    cover = np.where(valid_a[..., np.newaxis], a, b)
    cover[~(valid_a | valid_b)] = 0
    return Holes(valid_a, valid_b, cover)


def continued(image: FloatArray, valid: BoolArray) -> FloatArray:
    """``image`` H×W×C with its holes filled by smoothly continuing what surrounds them.

    Means over ever larger blocks of valid pixels, brought back by ever finer steps (push and pull).
    Valid pixels stay as they are. An image without any is 0.
    """
    if valid.all():
        return image
    weight = valid.astype(np.float32)
    filled = _pulled(np.where(valid[..., np.newaxis], image, np.float32(0)), weight)
    return np.where(valid[..., np.newaxis], image, filled)


def _pulled(image: FloatArray, weight: FloatArray) -> FloatArray:
    """H×W×C of values times weight, and the weights H×W: everywhere a weighted mean."""
    height, width = weight.shape
    if (weight > 0).all() or height * width == 1:
        return (image / np.maximum(weight, _TINY)[..., np.newaxis]).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    shape = (half[1], half[0], -1)
    coarse = cv2.resize(image, half, interpolation=cv2.INTER_AREA)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    below = _pulled(
        np.asarray(coarse, np.float32).reshape(shape), np.asarray(coarse_weight, np.float32)
    )
    grown = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR)
    rest = np.asarray(grown, np.float32).reshape(image.shape)
    # What is known of a block counts in full as soon as it has any weight.
    known = weight[..., np.newaxis]
    mean = image / np.maximum(known, _TINY)
    return np.where(known > 0, mean, rest).astype(np.float32)


def comparable(
    pair: SourcePair, *images: np.ndarray[tuple[int, ...], np.dtype[_Image]]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[_Image]], ...]:
    """``images`` H×W(×C) of one type as metrics may compare them: where both sources hold data.

    Cut to the rectangle around these pixels; holes inside it are continued smoothly in each image
    by itself, so that none of them gains or loses by what was filled in.
    """
    return scored_mask(pair.valid, *images)


def scored_mask(
    valid: BoolArray | None, *images: np.ndarray[tuple[int, ...], np.dtype[_Image]]
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[_Image]], ...]:
    """As :func:`comparable`, given where both sources hold data (H×W, somewhere True), or None."""
    if valid is None:
        return images
    rows, columns = (np.flatnonzero(valid.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return tuple(_without_holes(image[box], valid[box]) for image in images)


def _without_holes(
    image: np.ndarray[tuple[int, ...], np.dtype[_Image]], valid: BoolArray
) -> np.ndarray[tuple[int, ...], np.dtype[_Image]]:
    planes = image.astype(np.float32)
    planes = planes[..., np.newaxis] if image.ndim == 2 else planes
    filled = continued(planes, valid).reshape(image.shape)
    whole = np.issubdtype(image.dtype, np.integer)
    return np.ascontiguousarray((np.rint(filled) if whole else filled).astype(image.dtype))
