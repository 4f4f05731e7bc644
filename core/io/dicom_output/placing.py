"""Where slices lie, in the functional groups of multi-frame files; and their pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from core.errors import Message, OutputError
from core.geometry.planes import PlaneAxes

_SQUARE = 1e-3
"""Cosine between rows and columns that rounding makes (0.06 degrees)."""
MOST_BYTES = 2**32 - 2
"""Of pixels that are not compressed: their length has 32 bits, and is even."""


def across(axes: PlaneAxes) -> npt.NDArray[np.float64]:
    """2×3: unit vectors along a row and along a column of the slices.

    Raises:
        OutputError: they are not at right angles, which DICOM wants (PS3.3 C.7.6.2.1.1).
    """
    both = axes.affine[:3, :2].T
    both = both / np.linalg.norm(both, axis=1, keepdims=True)
    if abs(float(both[0] @ both[1])) > _SQUARE:
        raise OutputError(
            Message("Cannot write DICOM"),
            Message("the grid is sheared: rows and columns of its slices are not at right angles"),
            Message("Save it as .nii.gz, or resample B to a grid with right angles first."),
        )
    return np.asarray(both)


def normal(axes: PlaneAxes) -> list[float]:
    """Unit vector along the normal of the slices."""
    return [float(one) for one in np.cross(*across(axes))]


def corner(axes: PlaneAxes, index: int) -> list[float]:
    """Patient mm of the first pixel's centre of a slice."""
    return [float(one) for one in axes.point_of(0, 0, index)]


def pixel_measures(axes: PlaneAxes) -> Any:
    """Spacing and thickness of all slices, a sequence of highdicom."""
    from highdicom.content import PixelMeasuresSequence

    between, down, beside = axes.spacing
    return PixelMeasuresSequence(
        pixel_spacing=(down, beside), slice_thickness=between, spacing_between_slices=between
    )


def plane_orientation(axes: PlaneAxes) -> Any:
    """Orientation of all slices, a sequence of highdicom."""
    from highdicom.content import PlaneOrientationSequence

    return PlaneOrientationSequence("PATIENT", image_orientation=across(axes).ravel().tolist())


def plane_position(axes: PlaneAxes, index: int) -> Any:
    """Place of a slice, a sequence of highdicom."""
    from highdicom.content import PlanePositionSequence

    return PlanePositionSequence("PATIENT", corner(axes, index))


def shared_groups(axes: PlaneAxes) -> Dataset:
    """The functional groups of all frames: spacing and orientation."""
    shared = Dataset()
    shared.PixelMeasuresSequence = pixel_measures(axes)
    shared.PlaneOrientationSequence = plane_orientation(axes)
    return shared


def write_pixels(
    stream: BinaryIO, element: int, kind: bytes, length: int, frames: Iterable[Any]
) -> None:
    """Append the pixels, (7FE0,``element``), to the tags of an explicit little-endian file.

    They are the last element of a data set, so that frames can follow each other without being in
    memory together.

    Args:
        stream: open for writing, behind the tags.
        element: 0x0010 for integers, 0x0008 for float32.
        kind: value representation, such as ``b"OB"``.
        length: bytes of all frames.
        frames: arrays in the byte order of the file.
    """
    stream.write(struct.pack("<HH2sHI", 0x7FE0, element, kind, 0, length + length % 2))
    for pixels in frames:
        stream.write(np.ascontiguousarray(pixels).data)
    stream.write(b"\0" * (length % 2))
