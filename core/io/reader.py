"""Reads images from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from core.errors import DamagedImage, InputError, Message
from core.io.readers import kinds, modern, netpbm, raster, scans, tiff
from core.io.readers.decoding import file_error
from core.io.readers.registry import HEAD_BYTES, Reader, ReaderRegistry
from core.types import Image, ImageHeader

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
