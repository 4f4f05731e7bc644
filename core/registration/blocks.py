"""Displacements of blocks of one image in another one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.progress import Progress
from core.registration.levels import as_float
from core.registration.motion import Array, CentredFrame, Displacements, mapped
from core.types import BoolArray, FloatArray

_LEAST_VALID = 0.95
_NOISE = 0.02
"""Least share of a block's energy that is taken for noise."""
_LEAST_CONTENT = 1e-4
"""Mean square of the features of a block."""


@dataclass(frozen=True)
class BlockGrid:
    """Side of blocks, distance of their centres and greatest displacement, in pixels."""

    side: int
    step: int
    reach: int


@dataclass(frozen=True, eq=False)
class BlockMatches:
    """Displacements of blocks with the similarity at each.

    ``offered``: how many blocks had content to be compared.
    """

    displacements: Displacements
    similarity: Array
    offered: int


def match_blocks(
    fixed: FloatArray,
    moving: FloatArray,
    valid: BoolArray,
    grid: BlockGrid,
    progress: Progress,
) -> BlockMatches:
    """Find each block of ``fixed`` around its own place in ``moving``.

    Args:
        fixed, moving: H×W×C features of one size; 0 where not valid.
        valid: H×W, where both hold data.
        grid: of the blocks.
        progress: asked after every row of blocks; may cancel.
    """
    height, width = valid.shape
    reach, side = grid.reach, grid.side
    outer = side + 2 * reach
    whole = cv2.integral(valid.astype(np.uint8))
    found: list[tuple[float, float, _Peak]] = []
    offered = 0
    for top in range(0, height - outer + 1, grid.step):
        progress.check()
        for left in range(0, width - outer + 1, grid.step):
            inside = whole[top + outer, left + outer] - whole[top, left + outer]
            inside -= whole[top + outer, left] - whole[top, left]
            if inside < _LEAST_VALID * outer * outer:
                continue
            row, column = top + reach, left + reach
            block = fixed[row : row + side, column : column + side]
            if float(np.vdot(block, block)) < _LEAST_CONTENT * side * side:
                continue
            offered += 1
            area = moving[top : top + outer, left : left + outer]
            if float(np.vdot(area, area)) < _LEAST_CONTENT * outer * outer:
                continue
            peak = _peak(as_float(cv2.matchTemplate(area, block, cv2.TM_CCORR_NORMED)))
            if peak is not None:
                found.append((column + (side - 1) / 2, row + (side - 1) / 2, peak))
    return _matches(found, offered, CentredFrame(width, height).matrix, reach)


def _matches(
    found: list[tuple[float, float, _Peak]], offered: int, into: Array, reach: int
) -> BlockMatches:
    unit = 1 / float(into[0, 0])
    centres = np.array([one[:2] for one in found]).reshape(-1, 2)
    shifts = np.array([one[2].place for one in found]).reshape(-1, 2) - reach
    information = np.array([one[2].information for one in found]).reshape(-1, 2, 2)
    displacements = Displacements(mapped(into, centres), shifts / unit, information, unit)
    return BlockMatches(displacements, np.array([one[2].height for one in found]), offered)


@dataclass(frozen=True, eq=False)
class _Peak:
    """Place (x, y), inverse covariance up to a factor, and height of a maximum."""

    place: Array
    information: Array
    height: float


def _peak(surface: FloatArray) -> _Peak | None:
    """The maximum, by a paraboloid; None at the border and where it is flat."""
    row, column = divmod(int(np.argmax(surface)), surface.shape[1])
    if not (0 < row < surface.shape[0] - 1 and 0 < column < surface.shape[1] - 1):
        return None
    n = surface[row - 1 : row + 2, column - 1 : column + 2].astype(np.float64)
    # Least squares of a paraboloid on 3×3 values.
    gx = (n[:, 2] - n[:, 0]).sum() / 6
    gy = (n[2] - n[0]).sum() / 6
    xx = (n[:, 0] - 2 * n[:, 1] + n[:, 2]).sum() / 3
    yy = (n[0] - 2 * n[1] + n[2]).sum() / 3
    xy = (n[0, 0] + n[2, 2] - n[0, 2] - n[2, 0]) / 4
    determinant = xx * yy - xy * xy
    if determinant <= 1e-12 or xx >= 0:
        return None
    dx = -(yy * gx - xy * gy) / determinant
    dy = -(xx * gy - xy * gx) / determinant
    if max(abs(dx), abs(dy)) > 1:
        return None
    height = float(n[1, 1])
    noise = max(1 - height * height, _NOISE)
    information = np.array([[-xx, -xy], [-xy, -yy]]) * max(height, 0.0) ** 2 / noise
    return _Peak(np.array([column + dx, row + dy]), information, height)
