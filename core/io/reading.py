"""From paths to pictures and pairs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import tifffile

from core.errors import InputError, Said
from core.io import raster, tiff
from core.io.decoded import check_size, decoding, file_error
from core.io.registry import HEAD_BYTES, Reader, Registry
from core.io.room import insist_room
from core.types import BitDepth, Image, ImageHeader, SourcePair

READERS = Registry()
READERS.add(Reader("PNG", (".png",), raster.is_png, raster.read_raster))
READERS.add(Reader("JPEG", (".jpg", ".jpeg"), raster.is_jpeg, raster.read_raster))
READERS.add(Reader("TIFF", (".tif", ".tiff"), tiff.is_tiff, tiff.read_tiff))
READERS.add(Reader("BMP", (".bmp",), raster.is_bmp, raster.read_raster))
READERS.add(Reader("WebP", (".webp",), raster.is_webp, raster.read_raster))
READERS.add(Reader("GIF", (".gif",), raster.is_gif, raster.read_raster))

IMAGE_SUFFIXES: tuple[str, ...] = READERS.suffixes
"""Suffixes of files that can be read, lower case with the dot."""

_SAME_FILE = Said("Source A and source B are the same picture.")


def read_image(path: str | Path) -> Image:
    """The picture in the file ``path``.

    8- and 16-bit files keep their numbers (window 0…255 or 0…65535); floats as stored (window 0…1
    where it holds them, else least to greatest value). Turned upright, in sRGB; transparency is put
    on black, CMYK, palettes and black-and-white expanded, each with a note.

    Raises:
        InputError: the file is missing, a folder, not readable, empty, not a picture, incomplete,
            of several frames or pages, without pixels, over 400 million pixels, of more than four
            channels, or holds NaN or Inf.
    """
    path = Path(path)
    head = _head(path)
    if not head:
        raise InputError(str(path), "the file is empty", "Copy or export it again.")
    reader = READERS.find(head, path.suffix)
    if reader is None:
        raise InputError(
            str(path),
            "it is not a picture this program can read",
            Said("Choose a file of one of these kinds: {0}.", ", ".join(READERS.names)),
        )
    return reader.read(path)


def probe_image(path: str | Path) -> ImageHeader:
    """What the header of ``path`` says; no pixel is decoded.

    Raises:
        InputError: the file is missing, not readable, or no image this program can read.
    """
    path = Path(path)
    reader = READERS.find(_head(path), path.suffix)
    if reader is None:
        raise InputError(str(path), "it is not a picture this program can read")
    with decoding(path):
        if reader.name == "TIFF":
            with tifffile.TiffFile(path) as tif:
                page: Any = tif.pages[0]
                depth = _depth(int(page.bitspersample))
                size = int(page.imagewidth), int(page.imagelength)
                channels = int(page.samplesperpixel)
                return ImageHeader(reader.name, *size, channels, depth, len(tif.pages))
        with PIL.Image.open(path) as image:
            depth = 16 if image.mode.startswith("I;16") else 8
            return ImageHeader(reader.name, *image.size, len(image.getbands()), depth)


def _depth(bits: int) -> BitDepth:
    return 8 if bits <= 8 else 16 if bits <= 16 else 32


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(str(path), "it is a folder", "Choose a picture inside it.")
        if path.exists() and not path.is_file():
            raise InputError(str(path), "it is a device, not a file", "Choose a picture.")
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError as error:  # a NUL in the name
        raise InputError(repr(str(path)), str(error), "Check the name.") from error


class _NoHeader(Exception):
    """A header that cannot be read."""


def _header(path: Path) -> ImageHeader:
    try:
        return probe_image(path)
    except InputError as error:
        raise _NoHeader from error


def read_pair(
    path_a: str | Path,
    path_b: str | Path,
    *,
    resample: bool = False,
    between: Callable[[], object] | None = None,
) -> SourcePair:
    """Two pictures of one scene.

    Args:
        path_a, path_b: the files.
        resample: bring B onto A's grid when their sizes differ.
        between: called when A has been read and B has not; may raise to stop.

    Raises:
        SizeMismatch: the sizes differ and ``resample`` is False.
        InputError: see :func:`read_image`.
    """
    path_a, path_b = Path(path_a), Path(path_b)
    with suppress(_NoHeader):  # reading says it better
        insist_room(*((path, _header(path)) for path in (path_a, path_b)))
    a = read_image(path_a)
    if between is not None:
        between()
    b = read_image(path_b)
    if _same_content(path_a, path_b):
        a, b = (replace(image, notes=(*image.notes, _SAME_FILE)) for image in (a, b))
    if resample and a.size != b.size:
        b = resample_onto(b, a.size)
    return SourcePair(a, b)


def _same_content(path_a: Path, path_b: Path) -> bool:
    try:
        if path_a.samefile(path_b):
            return True
        if path_a.stat().st_size != path_b.stat().st_size:
            return False
        with path_a.open("rb") as a, path_b.open("rb") as b:
            while block := a.read(1 << 20):
                if block != b.read(1 << 20):
                    return False
    except OSError as error:
        raise file_error(path_b, error) from error
    return True


def resample_onto(image: Image, size: tuple[int, int]) -> Image:
    """``image`` stretched to ``size`` (width, height), with a note; itself if it has that size.

    Area averages where it shrinks, bicubic where it grows, kept within the range it had: the window
    of integer files, the least and greatest value of floats.

    Raises:
        InputError: ``size`` is empty or absurdly large.
    """
    if image.size == size:
        return image
    check_size(image.origin or Path("picture"), *size)
    smaller = (min(size[0], image.width), min(size[1], image.height))
    data = np.ascontiguousarray(image.data)
    # One axis may shrink while the other grows: shrink first, then grow.
    if smaller != image.size:
        data = np.asarray(cv2.resize(data, smaller, interpolation=cv2.INTER_AREA), np.float32)
    if smaller != size:
        data = np.asarray(cv2.resize(data, size, interpolation=cv2.INTER_CUBIC), np.float32)
    low, high = image.window
    if image.bit_depth == 32:
        low, high = float(image.data.min()), float(image.data.max())
    spacing = image.spacing
    if spacing is not None:
        spacing = (spacing[0] * image.height / size[1], spacing[1] * image.width / size[0])
    note = Said("Resampled from {0}×{1} to {2}×{3} pixels.", *image.size, *size)
    return replace(
        image,
        data=np.clip(data, low, high).reshape(size[1], size[0], -1).astype(np.float32),
        spacing=spacing,
        notes=(*image.notes, note),
    )
