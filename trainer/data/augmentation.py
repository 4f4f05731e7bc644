"""Random changes of medical crops: other palettes and sequences, made-up uptake, noise.

For networks that shall work on patients, tracers and palettes they were not trained on. All
functions take and return float32 H×W×1 in [0, 1] and draw from the generator they are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.types import FloatArray

_KNOTS = (3, 7)
"""Fewest and most interior knots of a tone curve."""
_MONOTONE = 0.5
"""Chance of a tone curve to rise throughout; the luma of a rainbow palette does not."""
_BLACK = 0.02
"""Levels up to which a pixel is background and stays black."""
_REGIONS = (3, 7)
"""Fewest and most regions of made-up uptake."""
_RESOLUTION = (1.0, 5.0)
"""Standard deviation of the blur of made-up uptake, in pixels."""
_MOST_SPOTS = 3


@dataclass(frozen=True)
class Augmentation:
    """Changes of a crop.

    Attributes:
        tone: chance of each source to pass through a random tone curve.
        uptake: chance of A to become uptake made up from B.
        noise: largest standard deviation of the noise in each source.
    """

    tone: float = 0.0
    uptake: float = 0.0
    noise: float = 0.0

    def __bool__(self) -> bool:
        """Whether anything is ever changed."""
        return bool(self.tone or self.uptake or self.noise)

    def __call__(
        self, a: FloatArray, b: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, bool]:
        """Both sources of a crop, changed, and whether A is made-up uptake."""
        made_up = rng.random() < self.uptake
        if made_up:
            a = made_up_uptake(b, rng)
        changed = [toned(x, rng) if rng.random() < self.tone else x for x in (a, b)]
        first, second = (noisy(x, self.noise, rng) if self.noise else x for x in changed)
        return first, second, made_up


def toned(crop: FloatArray, rng: np.random.Generator) -> FloatArray:
    """``crop`` through a random piecewise linear curve; black stays black.

    Half of the curves rise throughout, as between scanners; the others rise and fall, as the luma
    of a rainbow palette, or of another MR sequence, does.
    """
    count = int(rng.integers(_KNOTS[0], _KNOTS[1] + 1))
    inner = np.sort(rng.uniform(_BLACK, 1.0, count))
    values = rng.uniform(0.0, 1.0, count + 1)
    if rng.random() < _MONOTONE:
        values = np.sort(values)
    values *= rng.uniform(0.5, 1.0) / max(float(values.max()), 1e-6)
    curve = np.interp(crop, [0.0, *inner, 1.0], [0.0, *values])
    return np.asarray(curve, dtype=np.float32)


def made_up_uptake(crop: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Uptake in the regions of an MR ``crop``: one amount for each range of its intensities.

    With the resolution of a nuclear image, and with hot spots that the MR does not show.
    """
    plane = crop[..., 0]
    count = int(rng.integers(_REGIONS[0], _REGIONS[1] + 1))
    limits = np.sort(rng.uniform(_BLACK, 1.0, count - 1))
    amounts = np.concatenate([[0.0], rng.uniform(0.0, 1.0, count)])
    region = np.where(plane > _BLACK, 1 + np.searchsorted(limits, plane), 0)
    uptake = amounts[region]
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    for _ in range(int(rng.integers(_MOST_SPOTS + 1))):
        row, column = (rng.uniform(0, side) for side in plane.shape)
        distance = (rows - row) ** 2 + (columns - column) ** 2
        uptake = uptake + rng.uniform(0.3, 1.0) * np.exp(-distance / (2 * rng.uniform(2, 12) ** 2))
    blurred = np.asarray(cv2.GaussianBlur(uptake, (0, 0), float(rng.uniform(*_RESOLUTION))))
    blurred = blurred * (rng.uniform(0.4, 1.0) / max(float(blurred.max()), 1e-6))
    return np.asarray(blurred[..., np.newaxis], dtype=np.float32)


def noisy(crop: FloatArray, most: float, rng: np.random.Generator) -> FloatArray:
    """``crop`` with noise of a random strength up to ``most``, in proportion to its levels."""
    strength = rng.uniform(0.0, most)
    drawn = rng.standard_normal(crop.shape).astype(np.float32)
    return np.asarray(np.clip(crop + np.float32(strength) * drawn * crop, 0, 1), dtype=np.float32)
