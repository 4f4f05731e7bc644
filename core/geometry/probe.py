"""What a volume holds at a place in the patient."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.geometry.grids import grid_of
from core.types import Volume


def value_at(volume: Volume, point: npt.ArrayLike) -> float | None:
    """The measured value of the voxel that a point in patient mm (LPS) lies in.

    The voxel's own, never an interpolated one: it is what a person would report. None outside of
    the field of view, and where nothing was measured.
    """
    grid = grid_of(volume)
    if not grid.holds(point):
        return None
    voxel = np.floor(grid.to_voxel(point) + 0.5).astype(int)
    column, row, index = (
        int(np.clip(at, 0, count - 1)) for at, count in zip(voxel, volume.shape[::-1], strict=True)
    )
    if volume.mask is not None and not volume.mask[index, row, column]:
        return None
    return float(volume.data[index, row, column])
