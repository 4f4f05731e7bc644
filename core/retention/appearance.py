"""Images as a reader sees them: CIELAB on pixels of one known size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.missing_data import fill_smoothly
from core.types import BoolArray, FloatArray, Image

FIELD_MM = 240.0
"""What the shorter side of an image shows where the size of its pixels is not known: a head."""
_FINEST_MM = 0.8
"""Pixels are not looked at more finely: a fifth of the smallest spot."""


@dataclass(frozen=True)
class ViewGrid:
    """Square pixels on which images of one size are looked at.

    Attributes:
        size: (width, height) in these pixels.
        mm: side of such a pixel.
        scale: (across, down) image pixels for each of these pixels.
    """

    size: tuple[int, int]
    mm: float
    scale: tuple[float, float]

    @classmethod
    def of(cls, image: Image) -> ViewGrid:
        """The grid for ``image`` and whatever lies on it pixel on pixel."""
        down, across = image.spacing or (FIELD_MM / min(image.size),) * 2
        mm = max(_FINEST_MM, min(down, across))
        width = max(1, round(image.width * across / mm))
        height = max(1, round(image.height * down / mm))
        return cls((width, height), mm, (image.width / width, image.height / height))

    def lab(self, shown: FloatArray, valid: BoolArray | None) -> FloatArray:
        """An image on this grid in CIELAB (D65).

        Args:
            shown: H×W×(1 or 3) in [0, 1], sRGB-encoded.
            valid: H×W, where it holds data; it is continued smoothly elsewhere. None: everywhere.

        Returns:
            h×w×3 float32, L* in 0…100.
        """
        if valid is not None:
            shown = fill_smoothly(shown, valid)
        rgb = shown if shown.shape[2] == 3 else np.repeat(shown, 3, axis=2)
        small = cv2.resize(rgb, self.size, interpolation=self._interpolation)
        return np.asarray(cv2.cvtColor(np.clip(small, 0, 1), cv2.COLOR_RGB2LAB), np.float32)

    def valid(self, valid: BoolArray) -> BoolArray:
        """Where all that a pixel of this grid shows is ``valid``, h×w."""
        share = cv2.resize(valid.astype(np.float32), self.size, interpolation=self._interpolation)
        return np.asarray(share > 0.99, np.bool_)

    @property
    def _interpolation(self) -> int:
        return int(cv2.INTER_AREA if min(self.scale) >= 1 else cv2.INTER_LINEAR)
