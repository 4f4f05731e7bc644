"""An image drawn through a transform onto another one, at the resolution of the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from app.viewer.pyramid import Codes, RenderedImage
from core.types import BoolArray, Matrix, Transform

_MOST = 30_000
"""Pixels along a side that OpenCV warps, at most."""
_AROUND = 2
"""Pixels around the part that is needed, for interpolation."""


@dataclass(frozen=True)
class Warp:
    """Where an image is drawn.

    Attributes:
        transform: from pixels of the fixed image to those of the one that is drawn.
        size: (width, height) of the fixed image, which bounds what is drawn.
    """

    transform: Transform
    size: tuple[int, int]


def scaling(scale_x: float, scale_y: float, x: float = 0.0, y: float = 0.0) -> Matrix:
    """The matrix that maps (u, v) to (scale_x · u + x, scale_y · v + y)."""
    return np.array([[scale_x, 0, x], [0, scale_y, y], [0, 0, 1.0]])


def warped(
    shown: RenderedImage, warp: Warp, onto: Matrix, size: tuple[int, int]
) -> tuple[Codes, BoolArray]:
    """The codes of an image on other pixels, linearly interpolated, and where it has any.

    Args:
        onto: 3×3, from coordinates of the result, in which the first pixel reaches from 0 to 1, to
            coordinates of the fixed image.
        size: (width, height) of the result.

    Returns:
        H×W×(1 or 3) codes, and H×W.
    """
    import cv2  # imported by the readers before there is any image

    # Pixels of the result → of the fixed image → of the moving one, all by their centres.
    matrix = warp.transform.array @ scaling(1, 1, -0.5, -0.5) @ onto @ scaling(1, 1, 0.5, 0.5)
    codes, into_level = _level(shown, matrix, size)
    matrix = into_level @ matrix
    part, matrix = _part(codes, matrix, size)
    if part.size == 0:
        shape = (size[1], size[0])
        return cast(Codes, np.zeros((*shape, codes.shape[2]), codes.dtype)), np.zeros(shape, bool)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = cv2.warpPerspective(part, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    ones = np.ones(part.shape[:2], np.uint8)
    inside = cv2.warpPerspective(ones, matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return cast(Codes, found.reshape(size[1], size[0], -1)), np.asarray(inside, bool)


def _level(shown: RenderedImage, matrix: Matrix, size: tuple[int, int]) -> tuple[Codes, Matrix]:
    """The level that is about as fine as the result, and the matrix into its pixels."""
    middle = np.array([size[0] / 2, size[1] / 2])
    steps = _mapped(matrix, middle + [[0, 0], [1, 0], [0, 1]])
    area = abs(np.linalg.det(steps[1:] - steps[0]))
    wanted = 0 if not np.isfinite(area) or area <= 1 else int(np.log2(area) / 2)
    levels = shown.levels
    index = min(max(wanted, 0), len(levels) - 1)
    while max(levels[index].shape[:2]) > _MOST and index < len(levels) - 1:
        index += 1
    height, width = levels[index].shape[:2]
    across, down = width / shown.size[0], height / shown.size[1]
    return levels[index], scaling(1, 1, -0.5, -0.5) @ scaling(across, down) @ scaling(
        1, 1, 0.5, 0.5
    )


def _part(codes: Codes, matrix: Matrix, size: tuple[int, int]) -> tuple[Codes, Matrix]:
    """The part of a level that the result shows, and the matrix into it."""
    width, height = size
    corners = _mapped(matrix, np.array([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5)
    depth = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ matrix[2]
    if (depth <= 0).any():  # a horizon crosses the result
        return codes, matrix
    low = np.maximum(np.floor(corners.min(axis=0)) - _AROUND, 0).astype(int)
    high = np.ceil(corners.max(axis=0)).astype(int) + _AROUND + 1
    if (high <= low).any():
        return codes[:0], matrix
    part = np.ascontiguousarray(codes[low[1] : high[1], low[0] : high[0]])
    return cast(Codes, part), scaling(1, 1, -low[0], -low[1]) @ matrix


def _mapped(matrix: Matrix, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    found = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(found[:, :2] / found[:, 2:])
