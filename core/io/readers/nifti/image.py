"""Reader of NIfTI files that hold one slice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.io.readers.decoding import Decoded, check_size, decoding, finish
from core.io.readers.nifti.header import NiftiHeader, nifti_header
from core.io.readers.nifti.voxels import slices_of
from core.io.values import with_stated_window
from core.types import BitDepth, Image, ImageHeader


def probe(path: Path) -> ImageHeader:
    """What the header of ``path`` says; a volume has as many frames as slices.

    Raises:
        InputError: it cannot be opened or understood.
    """
    header = nifti_header(path)
    columns, rows, slices, frames = header.shape
    with decoding(path):
        check_size(path, columns, rows)
    return ImageHeader(
        "NIfTI", columns, rows, min(header.channels, 3), _depth(header), frames=slices * frames
    )


def read(path: Path) -> Image:
    """The slice in ``path``, turned upright as its place in the patient says.

    Raises:
        InputError: it cannot be opened or decoded, or holds more than one slice.
    """
    header = nifti_header(path)
    columns, rows, slices, frames = header.shape
    if slices * frames > 1:
        raise InputError(
            str(path),
            Message("it is a volume of {0} slices, and only one can be fused", slices * frames),
            Message(
                "Open it together with another volume, or save the slice you want as a file of its "
                "own."
            ),
        )
    with decoding(path):
        check_size(path, columns, rows)
        stored = next(slices_of(header, 0))
        depth = _depth(header)
        if header.channels > 1:
            decoded = Decoded(stored[..., :3], "rgb", 255, 8)
        else:
            pixels = stored[..., np.newaxis]
            if depth != 8 and header.scale == (1.0, 0.0) and pixels.dtype.kind in "ui":
                pixels = pixels.astype(np.float64)
            top = 255 if depth == 8 else None
            decoded = Decoded(pixels, "grey", top, depth, scale=header.scale)
        turn = _upright(header.affine)
        decoded.pixels = np.ascontiguousarray(_turned(decoded.pixels, turn))
        decoded.notes = list(header.notes)
        image = finish(path, decoded)
    spacing = tuple(float(value) for value in np.linalg.norm(header.affine[:3, :2], axis=0))
    across, down = spacing if not turn[0] else spacing[::-1]
    image = replace(image, spacing=(down, across))
    return image if header.window is None else with_stated_window(image, header.window)


def _depth(header: NiftiHeader) -> BitDepth:
    dtype = np.dtype(header.dtype)
    if dtype == np.uint8 and (header.channels > 1 or header.scale == (1.0, 0.0)):
        return 8
    return 16 if dtype.kind in "ui" and dtype.itemsize <= 2 else 32


def _upright(affine: npt.NDArray[np.float64]) -> tuple[bool, bool, bool]:
    """(swap rows and columns, flip rows, flip columns) so that the picture is seen as usual.

    Columns grow to the patient's left, of a sagittal one to the back; rows grow to the back, of a
    sagittal or coronal one to the feet.
    """
    one, other = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (0, 1))
    normal = int(np.abs(np.cross(one, other)).argmax())
    column_axis = 1 if normal == 0 else 0
    swap = bool(abs(other[column_axis]) > abs(one[column_axis]))
    across, down = (other, one) if swap else (one, other)
    row_axis, sign = (1, 1) if normal == 2 else (2, -1)
    return swap, bool(sign * down[row_axis] < 0), bool(across[column_axis] < 0)


def _turned(
    pixels: npt.NDArray[np.generic], turn: tuple[bool, bool, bool]
) -> npt.NDArray[np.generic]:
    swap, rows, columns = turn
    pixels = pixels.swapaxes(0, 1) if swap else pixels
    return pixels[:: -1 if rows else 1, :: -1 if columns else 1]
