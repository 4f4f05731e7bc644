"""The middle slice of a NIfTI file as an image: of sources, and of fused volumes in colour."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from core.errors import InputError, Message
from core.geometry.grids import VoxelGrid
from core.geometry.planes import axes_of, turned
from core.types import Image

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_COLOURS = ("R", "G", "B")


def middle_slice_image(path: Path) -> Image:
    """The middle axial slice of the first volume in a file, with values from 0 to 255.

    RGB24 as it is; numbers from their least to their greatest, or as the header states.

    Raises:
        InputError: it cannot be read.
    """
    try:
        volume: Any = nibabel.load(path)
        stored = np.asarray(volume.dataobj)
    except (OSError, EOFError, ValueError, zlib.error, ImageFileError) as error:
        raise InputError(
            str(path), Message("it cannot be read as a volume"), Message("Write the volume again.")
        ) from error
    stored = stored[(...,) + (0,) * (stored.ndim - 3)]
    names = stored.dtype.names
    channels = [stored[name] for name in names] if names == _COLOURS else [stored]
    grid = VoxelGrid(stored.shape[::-1], _TO_LPS @ volume.affine)
    axes = axes_of(grid, "axial")
    pixels = np.stack(
        [turned(np.asarray(c).T, axes)[axes.shape[0] // 2] for c in channels], axis=-1
    ).astype(np.float32)
    low, high = float(volume.header["cal_min"]), float(volume.header["cal_max"])
    if names == _COLOURS:
        low, high = 0.0, 255.0
    elif not low < high:
        low, high = float(pixels.min()), float(pixels.max())
    scaled = (pixels - low) * (255 / (high - low) if high > low else 0.0)
    return Image(np.clip(scaled, 0, 255).astype(np.float32), (0.0, 255.0))
