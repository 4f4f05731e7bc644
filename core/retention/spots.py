"""Spots: places that differ from their surroundings at the size of a lesion.

The contrast of a place is the difference of its mean colour from that of its surroundings, both
weighted by Gaussians, as a vector of CIELAB; its length is in units of CIE 1976 ΔE. A spot is a
local maximum of that length which is about as wide as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.types import BoolArray, FloatArray

SIZES_MM = (4.0, 6.0, 9.5, 15.0)
"""Diameters at which spots are looked for."""
LEAST_CONTRAST = 6.0
"""ΔE of the faintest spots: two to three times what an eye just notices."""
LEAST_VISIBILITY = 2.5
"""Contrast of the faintest spots over what the same filter answers around them."""
NOISE = 2.0
"""ΔE that is added to clutter: about what an eye just notices."""

_CENTRE, _SURROUND = 0.25, 0.75
"""Standard deviations of the two Gaussians, in diameters."""
_DISC = float(np.exp(-0.5 * (0.5 / _SURROUND) ** 2) - np.exp(-0.5 * (0.5 / _CENTRE) ** 2))
"""What the two answer at the middle of a disc of that diameter and of contrast 1."""
_LEAST_PIXELS = 2.5
"""Smallest diameter that pixels can show."""
_ELONGATION = 3.0
"""Largest ratio of the curvatures: more is an edge or a line."""
_APART = 0.6
"""Share of the larger diameter by which two spots are apart."""
_RING = tuple((radius, turn) for radius in (1.25, 1.75) for turn in range(16))
"""Places around a spot, as radius in diameters and sixteenths of a turn."""


@dataclass(frozen=True, eq=False)
class SpotList:
    """Spots of one image, strongest first.

    Attributes:
        rows, columns: N, of their middles, in pixels of the grid.
        diameters: N, in pixels of the grid; one of the sizes looked at.
        contrasts: N, ΔE.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    diameters: FloatArray
    contrasts: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def at_size(self) -> Iterator[tuple[float, npt.NDArray[np.intp]]]:
        """Each diameter that occurs, and the indices of its spots."""
        for diameter in np.unique(self.diameters):
            yield float(diameter), np.flatnonzero(self.diameters == diameter)


def diameters_on(mm: float) -> tuple[float, ...]:
    """The sizes that pixels of ``mm`` can show, in pixels."""
    return tuple(dict.fromkeys(max(size / mm, _LEAST_PIXELS) for size in SIZES_MM))


def local_contrast(lab: FloatArray, diameter: float) -> FloatArray:
    """h×w×3: the difference of each place from its surroundings, at one size.

    Args:
        lab: h×w×3, CIELAB.
        diameter: in pixels.
    """
    centre = cv2.GaussianBlur(lab, (0, 0), _CENTRE * diameter, borderType=cv2.BORDER_REFLECT)
    around = cv2.GaussianBlur(lab, (0, 0), _SURROUND * diameter, borderType=cv2.BORDER_REFLECT)
    return np.asarray((centre - around) / np.float32(_DISC), np.float32)


class SeenImage:
    """An image and what filters answer on it, each calculated once.

    Attributes:
        lab: h×w×3, CIELAB.
    """

    def __init__(self, lab: FloatArray) -> None:
        self.lab = lab
        self._contrasts: dict[float, FloatArray] = {}
        self._smooth: dict[float, FloatArray] = {}

    def contrast(self, diameter: float) -> FloatArray:
        """As :func:`local_contrast`."""
        if diameter not in self._contrasts:
            self._contrasts[diameter] = local_contrast(self.lab, diameter)
        return self._contrasts[diameter]

    def smooth(self, sigma: float) -> FloatArray:
        """h×w×3 through a Gaussian of ``sigma`` pixels."""
        if sigma not in self._smooth:
            self._smooth[sigma] = np.asarray(cv2.GaussianBlur(self.lab, (0, 0), sigma), np.float32)
        return self._smooth[sigma]


def find_spots(image: SeenImage, mm: float, where: BoolArray | None = None) -> SpotList:
    """The spots of an image.

    Args:
        mm: side of a pixel.
        where: h×w, the places to look at; None for all.
    """
    found: list[tuple[float, int, int, float]] = []
    for diameter in diameters_on(mm):
        vectors = image.contrast(diameter)
        length = np.sqrt(np.einsum("...c,...c", vectors, vectors))
        rows, columns = _peaks(length, diameter, where)
        seen = length[rows, columns] >= LEAST_VISIBILITY * clutter(vectors, rows, columns, diameter)
        found += [
            (float(length[row, column]), row, column, diameter)
            for row, column in zip(rows[seen].tolist(), columns[seen].tolist(), strict=True)
        ]
    return _apart(sorted(found, reverse=True))


def clutter(
    vectors: FloatArray,
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    diameter: float,
    own: FloatArray | None = None,
) -> FloatArray:
    """N, ΔE: what ``vectors`` answer around places, along a direction in CIELAB.

    The median of the absolute answers on two rings, as a standard deviation, with :data:`NOISE`.

    Args:
        vectors: h×w×3, from :func:`local_contrast` with the same ``diameter``.
        rows, columns: N, the places.
        diameter: in pixels.
        own: N×3, the directions; None for those of ``vectors`` at the places.
    """
    height, width = vectors.shape[:2]
    radius = np.array([r for r, _ in _RING]) * diameter
    angle = np.array([turn for _, turn in _RING]) * (np.pi / 8)
    down = np.rint(rows[:, np.newaxis] + radius * np.sin(angle)).astype(np.intp)
    across = np.rint(columns[:, np.newaxis] + radius * np.cos(angle)).astype(np.intp)
    around = vectors[np.clip(down, 0, height - 1), np.clip(across, 0, width - 1)]
    own = vectors[rows, columns] if own is None else own
    unit = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-6)
    answers = np.abs(np.einsum("nkc,nc->nk", around, unit))
    deviation = 1.4826 * np.median(answers, axis=1)
    return np.asarray(np.hypot(deviation, NOISE), np.float32)


def _peaks(
    length: FloatArray, diameter: float, where: BoolArray | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the local maxima that are no edges."""
    side = 2 * max(1, round(diameter / 3)) + 1
    highest = cv2.dilate(length, np.ones((side, side), np.uint8))
    peaks = (length == highest) & (length >= LEAST_CONTRAST)
    if where is not None:
        peaks &= where
    rows, columns = np.nonzero(peaks)
    step = max(1, round(diameter * _CENTRE))
    padded = np.pad(length, step, mode="reflect" if min(length.shape) > step else "edge")
    middle = padded[rows + step, columns + step]

    def beside(down: int, across: int) -> FloatArray:
        return padded[rows + step + down * step, columns + step + across * step]

    xx = beside(0, 1) + beside(0, -1) - 2 * middle
    yy = beside(1, 0) + beside(-1, 0) - 2 * middle
    xy = (beside(1, 1) + beside(-1, -1) - beside(1, -1) - beside(-1, 1)) / 4
    determinant = xx * yy - xy * xy
    limit = (_ELONGATION + 1) ** 2 / _ELONGATION
    round_ones = (determinant > 0) & ((xx + yy) ** 2 < limit * determinant)
    return rows[round_ones], columns[round_ones]


def _apart(found: list[tuple[float, int, int, float]]) -> SpotList:
    """The strongest of those that are at one place."""
    kept: list[tuple[float, int, int, float]] = []
    for one in found:
        _, row, column, diameter = one
        if all(
            np.hypot(row - other[1], column - other[2]) >= _APART * max(diameter, other[3])
            for other in kept
        ):
            kept.append(one)
    columns = list(zip(*kept, strict=True)) if kept else [(), (), (), ()]
    return SpotList(
        np.array(columns[1], np.intp),
        np.array(columns[2], np.intp),
        np.array(columns[3], np.float32),
        np.array(columns[0], np.float32),
    )
