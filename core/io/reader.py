"""Reads images and pairs from files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from core.errors import DamagedImage, InputError, Message, differing_proportions
from core.io.memory_check import check_memory
from core.io.readers import kinds, modern, netpbm, raster, scans, tiff
from core.io.readers.decoding import check_size, file_error
from core.io.readers.registry import HEAD_BYTES, Reader, ReaderRegistry
from core.io.values import for_task, with_window
from core.types import BoolArray, FloatArray, Image, ImageHeader, SourcePair
from core.windows import Windows

READERS = ReaderRegistry()
_RASTER = (raster.read_raster, raster.probe_raster)
_RESCUE: Any = {"show": raster.show_raster, "can_show": raster.can_show}
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
READERS.add(Reader("PNG", (".png",), kinds.is_png, *_RASTER, **_RESCUE))
READERS.add(Reader("JPEG", _JPEG_SUFFIXES, kinds.is_jpeg, *_RASTER, **_RESCUE))
READERS.add(Reader("TIFF", (".tif", ".tiff"), kinds.is_tiff, tiff.read_tiff, tiff.probe_tiff))
READERS.add(Reader("BMP", (".bmp", ".dib"), kinds.is_bmp, *_RASTER))
READERS.add(Reader("WebP", (".webp",), kinds.is_webp, *_RASTER))
READERS.add(Reader("GIF", (".gif",), kinds.is_gif, *_RASTER))
_NETPBM_SUFFIXES = (".pgm", ".ppm", ".pbm", ".pnm")
READERS.add(
    Reader("Netpbm", _NETPBM_SUFFIXES, kinds.is_netpbm, netpbm.read_netpbm, netpbm.probe_netpbm)
)
for _kind, _suffixes, _recognises in (
    (modern.JPEG_2000, (".jp2", ".j2k", ".j2c", ".jpf", ".jpx"), kinds.is_jpeg2000),
    (modern.JPEG_XL, (".jxl",), kinds.is_jpegxl),
    (modern.JPEG_LS, (".jls",), kinds.is_jpegls),
    (modern.AVIF, (".avif",), kinds.is_avif),
    (modern.HEIC, (".heic", ".heif"), kinds.is_heif),
):
    READERS.add(Reader(_kind.name, _suffixes, _recognises, _kind.read, _kind.probe))
READERS.add(scans.DICOM)
READERS.add(scans.NIFTI)

_SAME_FILE = Message("Source A and source B are the same picture.")


Damaged = Literal["refuse", "show"]
_SHOW = Message(
    "Copy or export it again. To fuse what can be decoded of it, ask for that (--show-damaged on "
    "the command line, the button in the window)."
)


def read_image(path: str | Path, damaged: Damaged = "refuse") -> Image:
    """Read the image in the file ``path``.

    Samples keep their stored values; :mod:`core.io.values` determines the window. Pixels that are
    NaN, infinite or declared “no data” are masked. The image is turned upright and converted to
    sRGB; transparency is composited onto black; CMYK, palettes and bilevel images are expanded. A
    note records each conversion.

    Args:
        path: the file; its format is determined by its content, then by its suffix.
        damaged: ``"show"`` returns the decodable part of a damaged JPEG or PNG, with a note. Rows
            of a PNG that cannot be decoded are masked.

    Raises:
        InputError: the file is missing, a folder, not readable, empty, not an image, damaged or
            incomplete; or it has several frames or pages, no pixels, more than 400 million pixels,
            more pixels than its size can hold, more than four channels, or no data at all.
    """
    path = Path(path)
    reader = reader_of(path)
    if damaged == "show" and reader.show is not None:
        return reader.show(path)
    try:
        return reader.read(path)
    except DamagedImage as error:
        if reader.show is None or not reader.can_show(path):
            raise
        shown = DamagedImage(error.what, error.why, _SHOW)
        shown.can_be_shown = True
        raise shown from error


def is_image(path: str | Path) -> bool:
    """Whether ``path`` is a file that a reader would try to open.

    Fast, for long lists of files: a known suffix suffices, otherwise the first bytes decide. False
    for files that cannot be opened. Only :func:`read_image` determines whether it can be read.
    """
    path = Path(path)
    if _suffix(path) in READERS.suffixes:
        return True
    try:
        return READERS.recognise(_head(path)) is not None
    except InputError:
        return False


def _suffix(path: Path) -> str:
    """In lower case; ``.nii.gz`` is one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def same_stem(path: Path) -> list[Path]:
    """The files beside ``path`` with the same stem and the suffix of any reader."""
    candidates = (path.with_suffix(suffix) for suffix in READERS.suffixes)
    return [candidate for candidate in candidates if candidate.is_file()]


def probe_image(path: str | Path) -> ImageHeader:
    """Read the header of ``path`` without decoding pixels.

    Raises:
        InputError: the file is missing, not readable, or not an image of a supported format.
    """
    path = Path(path)
    return reader_of(path).probe(path)


def reader_of(path: Path) -> Reader:
    """The reader for ``path``.

    Raises:
        InputError: the file is missing, not readable, empty, or of an unsupported format.
    """
    head = _head(path)
    if not head:
        raise InputError(
            str(path), Message("the file is empty"), Message("Copy or export it again.")
        )
    reader = READERS.find(head, _suffix(path))
    if reader is None:
        raise _unknown(path, head)
    return reader


def _unknown(path: Path, head: bytes) -> InputError:
    if kinds.is_jpegxr(head) or path.suffix.lower() in (".jxr", ".wdp", ".hdp"):
        return InputError(
            str(path),
            Message(
                "it is a file of the kind {0}, not a picture this program can read yet", "JPEG XR"
            ),
            Message("Export it as a picture of one of these kinds: {0}.", _names()),
        )
    return InputError(
        str(path),
        Message("it is not a picture this program can read"),
        Message("Choose a file of one of these kinds: {0}.", _names()),
    )


def _names() -> str:
    # The program does not include a decoder of HEIC.
    return ", ".join(name for name in READERS.names if name != modern.HEIC.name)


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(
                str(path), Message("it is a folder"), Message("Choose a picture inside it.")
            )
        if path.exists() and not path.is_file():
            raise InputError(
                str(path), Message("it is a device, not a file"), Message("Choose a picture.")
            )
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError as error:  # a NUL character in the name
        raise InputError(repr(str(path)), str(error), Message("Check the name.")) from error


class _NoHeader(Exception):
    """The header of a file cannot be read."""


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
    task: str = "",
    windows: Windows = (None, None),
    damaged: Damaged = "refuse",
    between: Callable[[], object] | None = None,
) -> SourcePair:
    """Read two images of one scene.

    Args:
        path_a, path_b: the files.
        resample: resample B to the size of A if they differ.
        task: task of the pair, if known: some tasks compare brightness, and both images then share
            one window (:func:`core.io.values.for_task`).
        windows: manual windows of A and of B.
        damaged: as in :func:`read_image`.
        between: called after A and before B is read; may raise to cancel.

    Raises:
        SizeMismatch: the sizes differ and ``resample`` is False.
        InputError: see :func:`read_image` and :func:`core.io.values.with_window`; or no pixel has
            data in both.
    """
    path_a, path_b = Path(path_a), Path(path_b)
    with suppress(_NoHeader):  # reading reports it with more detail
        check_memory(*((path, _header(path)) for path in (path_a, path_b)))
    a = read_image(path_a, damaged)
    if between is not None:
        between()
    b = read_image(path_b, damaged)
    if _same_content(path_a, path_b):
        a, b = (replace(image, notes=(*image.notes, _SAME_FILE)) for image in (a, b))
    if resample and a.size != b.size:
        b = resample_onto(b, a.size)
    pair = for_task(SourcePair(a, b), task)
    if windows == (None, None):
        return pair
    return SourcePair(with_window(pair.a, windows[0]), with_window(pair.b, windows[1]))


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
    """Resample ``image`` to ``size`` (width, height), with a note; returns it unchanged if equal.

    Area averaging where it shrinks and bicubic interpolation where it grows, clipped to the range
    of the file format, or otherwise to that of the values. A new pixel that depends on a pixel
    without data has no data.

    Raises:
        InputError: ``size`` is empty or too large, or no pixel with data remains.
    """
    if image.size == size:
        return image
    check_size(image.origin or Path("picture"), *size)
    data, mask = _resample(image.data, size), image.mask
    if mask is not None:
        mask = ~_depends_on(~mask, size)
    valid = image.data if image.mask is None else image.data[image.mask]
    low, high = image.container or (float(valid.min()), float(valid.max()))
    spacing = image.spacing
    if spacing is not None:
        spacing = (spacing[0] * image.height / size[1], spacing[1] * image.width / size[0])
    notes = [Message("Resampled from {0}×{1} to {2}×{3} pixels.", *image.size, *size)]
    proportions = differing_proportions(image.size, size)
    if proportions:
        notes.append(Message("{0}: the picture is stretched.", proportions))
    return replace(
        image,
        data=np.clip(data, low, high),
        spacing=spacing,
        notes=(*image.notes, *notes),
        mask=mask,
    )


def _resample(pixels: FloatArray, size: tuple[int, int], *, smooth: bool = True) -> FloatArray:
    """Resample H×W×C to ``size``; with ``smooth`` False, enlarging is linear."""
    height, width = pixels.shape[:2]
    smaller = (min(size[0], width), min(size[1], height))
    data = np.ascontiguousarray(pixels)
    # One axis may shrink while the other one grows: shrink first, then grow.
    if smaller != (width, height):
        data = np.asarray(cv2.resize(data, smaller, interpolation=cv2.INTER_AREA), np.float32)
    if smaller != size:
        how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        data = np.asarray(cv2.resize(data, size, interpolation=how), np.float32)
    return data.reshape(size[1], size[0], -1).astype(np.float32, copy=False)


def _depends_on(missing: BoolArray, size: tuple[int, int]) -> BoolArray:
    """H×W mask of the pixels of ``size`` that depend on ``missing`` pixels."""
    shrinks = size[0] < missing.shape[1] or size[1] < missing.shape[0]
    grows = size[0] > missing.shape[1] or size[1] > missing.shape[0]
    marks = missing.astype(np.float32)
    if shrinks:
        smaller = min(size[0], marks.shape[1]), min(size[1], marks.shape[0])
        marks = _resample(marks[..., np.newaxis], smaller)[..., 0]
    if grows:
        # The cubic kernel is one pixel wider than the linear one, and its weights may cancel.
        spread = cv2.dilate((marks > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
        marks = _resample(spread[..., np.newaxis].astype(np.float32), size, smooth=False)[..., 0]
    touched: BoolArray = marks > 0
    return touched
