"""Reader of TIFF files: 1 to 64 bits, integers and floats, grey, RGB, palette and CMYK."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import tifffile

from core.errors import InputError, Message
from core.io.nodata import intersection
from core.io.readers import jpeg
from core.io.readers.claims import check_claim, min_deflated, min_lzw, min_packbits
from core.io.readers.decoding import Decoded, SampleArray, check_size, damaged, decoding, finish
from core.io.readers.described_profiles import described_profile
from core.io.readers.isolated import decode_isolated
from core.io.readers.kinds import is_tiff
from core.io.readers.registry import HEAD_BYTES
from core.io.readers.tiff_pages import choose, only_page
from core.io.readers.tiff_tags import missing, scale_of, stated_ranges
from core.types import BitDepth, BoolArray, Image, ImageHeader

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_OLD_JPEG = 6
_JPEG = (_OLD_JPEG, 7, 33007, 34892)
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 8, 32946, 32773
_LZMA, _ZSTD, _OLD_ZSTD = 34925, 50000, 34926
# All other codecs run in a separate process.
_TRUSTED = (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS, _LZMA, _ZSTD, _OLD_ZSTD)
_FORGIVING, _BEYOND = (22610, 34934), 256  # JPEG XR
_LEAST: dict[int, Callable[[int], float]] = {
    _NONE: lambda size: size,
    _LZW: min_lzw,
    _DEFLATE: min_deflated,
    _OLD_DEFLATE: min_deflated,
    _PACKBITS: min_packbits,
}
_ORIENTATION, _MAX_SAMPLE, _PROFILE, _JPEG_TABLES = 274, 281, 34675, 347
_EXIF, _INTEROPERABILITY = 34665, 0xA005
_UNSPECIFIED, _ASSOCIATED = 0, 1


def read_tiff(path: Path) -> Image:
    """Read the only image in ``path``.

    Raises:
        InputError: the file cannot be opened, is not a TIFF, is incomplete, holds several pages,
            has unsupported samples or no data at all, or is too large.
    """
    with decoding(path), _opened(path) as tif:
        choice = only_page(path, tif)
        _check_layout(path, choice.page)
        _check_complete(path, tif, choice.page)
        decoded = _decode(path, choice.page)
        if choice.mask is not None:
            _check_complete(path, tif, choice.mask)
            decoded.mask = intersection(decoded.mask, _where_data(path, choice.mask))
        if choice.odd_masks:
            decoded.notes.append(Message("A mask of another size in the file was left out."))
    with decoding(path):
        return finish(path, decoded)


def probe_tiff(path: Path) -> ImageHeader:
    """Read the header of the image page of ``path``.

    Raises:
        InputError: the file cannot be opened, or is invalid.
    """
    with decoding(path), _opened(path) as tif:
        choice = choose(path, tif)
        page = choice.page
        bits = int(page.bitspersample)
        depth: BitDepth = 8 if bits <= 8 else 16 if bits <= 16 else 32
        return ImageHeader(
            kind="TIFF",
            width=int(page.imagewidth),
            height=int(page.imagelength),
            channels=int(page.samplesperpixel),
            bit_depth=depth,
            frames=choice.rivals,
            orientation=int(page.tags.valueof(_ORIENTATION, 1)),
        )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("rb") as stream:
        if not is_tiff(stream.read(HEAD_BYTES)):
            raise InputError(
                str(path), Message("its content is not a TIFF picture"), Message("Export it again.")
            )
        stream.seek(0)
        with tifffile.TiffFile(stream) as tif:
            yield tif


def _check_layout(path: Path, page: Any) -> None:
    check_size(path, int(page.imagewidth), int(page.imagelength))
    if page.dtype is None or page.dtype.kind not in "uifb":
        kind = Message("unknown") if page.dtype is None else page.dtype.name
        raise InputError(
            str(path),
            Message("its samples are of a kind that makes no picture ({0})", kind),
            Message("Export it as 8-bit, 16-bit or floating-point TIFF."),
        )
    if page.samplesperpixel > 4:
        raise InputError(
            str(path),
            Message("it has {0} channels; a picture has 1, 3 or 4", int(page.samplesperpixel)),
            Message("Export it as grey or RGB."),
        )
    known = (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK)
    from_jpeg = page.photometric == _YCBCR and page.compression in _JPEG
    if page.photometric not in known and not from_jpeg:
        name = getattr(page.photometric, "name", str(page.photometric))
        raise InputError(
            str(path),
            Message("its colour model ({0}) is not supported", name),
            Message("Export it as grey or RGB."),
        )


def _check_complete(path: Path, tif: Any, page: Any) -> None:
    """Refuse incomplete images, because tifffile fills missing strips with zeros."""
    expected = math.prod(page.chunked)
    size = tif.filehandle.size
    whole = sum(
        offset > 0 and count > 0 and offset + count <= size
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    )
    if whole < expected or whole < len(page.dataoffsets):
        promised = max(expected, len(page.dataoffsets))
        raise damaged(path, Message("{0} of {1} parts are there", whole, promised))
    stored = min(sum(page.databytecounts), size)
    at_least = _LEAST.get(int(page.compression))
    least = at_least(_bytes_decoded(page)) if at_least is not None else 0
    check_claim(path, int(page.imagewidth), int(page.imagelength), stored, least)


def _where_data(path: Path, mask: Any) -> BoolArray | None:
    """H×W bool from a transparency mask (TIFF 6.0: 1 is inside); None if True everywhere."""
    samples = _samples(path, mask)
    inside = np.asarray(samples.reshape(samples.shape[:2] + (-1,))[..., 0] != 0, np.bool_)
    return None if inside.all() else inside


def _bytes_decoded(page: Any) -> int:
    """Bytes of all samples; subsampled chroma of uncompressed YCbCr may take fewer."""
    numbers = int(page.imagewidth) * int(page.imagelength) * int(page.samplesperpixel)
    return -(-numbers * int(page.bitspersample) // 8)


def _samples(path: Path, page: Any) -> SampleArray:
    """The samples of ``page``, decoded in this process if its codec is trusted."""
    ordinary = int(page.compression) in _JPEG and page.bitspersample == 8
    if ordinary and _jpeg_segments_are_ordinary(path, page):
        return page.asarray()  # type: ignore[no-any-return]
    if int(page.compression) in _TRUSTED:
        return page.asarray()  # type: ignore[no-any-return]
    pixels = int(page.imagewidth) * int(page.imagelength)
    return decode_isolated(path, "tiff", pixels, offset=int(page.offset))[0]


def _jpeg_segments_are_ordinary(path: Path, page: Any) -> bool:
    """Whether all segments are 8-bit baseline or progressive; damaged ones are refused."""
    if int(page.compression) == _OLD_JPEG:
        return False
    tables = page.tags.valueof(_JPEG_TABLES, b"") or b""
    segments = page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts)
    for data, *_ in segments:
        whole = tables[:-2] + data[2:] if tables else data
        found = jpeg.check(path, whole)
        if not found.ordinary:
            return False
        jpeg.check_entropy(path, whole, found)
    return True


def page_samples(path: Path, offset: int) -> SampleArray:
    """The samples of the page whose directory is at ``offset``; for the decoder process."""
    with tifffile.TiffFile(path) as tif:
        tif.filehandle.seek(offset)
        page: Any = tifffile.TiffPage(tif, index=0)
        if int(page.compression) in _FORGIVING:
            _check_reads_within_segment(path, page)
        elif int(page.compression) in _JPEG and int(page.compression) != _OLD_JPEG:
            _jpeg_segments_are_ordinary(path, page)
        return page.asarray()  # type: ignore[no-any-return]


def _check_reads_within_segment(path: Path, page: Any) -> None:
    """Refuse segments whose decoder reads beyond their end, into data of other segments.

    Such a decoder does not report truncated segments.
    """
    handle = page.parent.filehandle
    for data, index, *_ in handle.read_segments(page.dataoffsets, page.databytecounts):
        one, other = (page.decode(data + fill * _BEYOND, index)[0] for fill in (b"\0", b"\xa5"))
        if not np.array_equal(one, other):
            raise damaged(path, Message("a part of it is cut short"))


def _decode(path: Path, page: Any) -> Decoded:
    samples = _samples(path, page)
    if page.axes == "SYX":
        samples = np.moveaxis(samples, 0, -1)
    elif samples.ndim == 2:
        samples = samples[..., np.newaxis]
    if samples.ndim != 3:
        raise damaged(path, Message("unexpected shape {0}", samples.shape))
    notes: list[str] = []
    mask = missing(page, samples)
    if page.photometric == _PALETTE:
        decoded = _from_palette(page, samples, notes)
    elif page.photometric == _CMYK:
        if samples.shape[2] != 4:
            raise damaged(path, Message("CMYK with {0} channels", samples.shape[2]))
        decoded = _plain(page, samples, notes)
        decoded.kind = "cmyk"
    else:
        decoded = _plain(page, samples, notes)
        _take_alpha(page, decoded, notes)
    decoded.notes = notes
    decoded.mask = mask
    if decoded.kind == "grey" and page.photometric != _MIN_IS_WHITE:
        decoded.stated = stated_ranges(page)
        decoded.scale, decoded.unit = scale_of(page)
    profile = page.tags.get(_PROFILE)
    embedded = bytes(profile.value) if profile is not None else None
    exif = _exif(path) if _EXIF in page.tags else None
    decoded.profile = described_profile(embedded, {}, exif, decoded)
    decoded.orientation = int(page.tags.valueof(_ORIENTATION, 1))
    return decoded


def _exif(path: Path) -> Any:
    """Tags as read by Pillow, which follows nested directories; None for damaged ones."""
    try:
        with PIL.Image.open(path, formats=["TIFF"]) as image:
            exif = image.getexif()
            exif.get_ifd(_EXIF)
            exif.get_ifd(_INTEROPERABILITY)
            return exif
    except Exception:
        return None


def _plain(page: Any, samples: SampleArray, notes: list[str]) -> Decoded:
    """Grey, RGB or CMYK samples with their white value."""
    kind = samples.dtype.kind
    bits = int(page.bitspersample)
    depth: BitDepth = 8 if bits <= 8 else 16 if bits <= 16 else 32
    if kind == "f":
        return Decoded(samples, "grey", None, 32)
    if kind == "i" or bits > 16:
        notes.append(
            Message("{0}-bit signed integers, which have no black and white of their own.", bits)
            if kind == "i"
            else Message(
                "{0}-bit unsigned integers, which have no black and white of their own.", bits
            )
        )
        return Decoded(samples, "grey", None, depth)
    top = 2**bits - 1
    if bits < 8:
        if bits == 1:
            notes.append(Message("Black and white was expanded to grey levels 0 and 255."))
        else:
            notes.append(Message("{0}-bit values were stretched to 0…255.", bits))
        samples = (samples.astype(np.uint16) * 255 // top).astype(np.uint8)
        top = 255
    if bits == 16:
        top = _container_top(page, samples)
    if page.photometric == _MIN_IS_WHITE:
        samples = (top - samples.astype(np.int32)).clip(0).astype(samples.dtype)
        notes.append(Message("Black and white were swapped, as the file asks for."))
    return Decoded(samples, "grey", top, depth)


def _container_top(page: Any, samples: SampleArray) -> int:
    """White of 10-, 12- or 14-bit values in 16-bit words, if declared; otherwise 65535."""
    stated = page.tags.valueof(_MAX_SAMPLE, 65535)
    stated = int(max(stated) if isinstance(stated, tuple) else stated)
    honest = stated in (1023, 4095, 16383) and int(samples.max()) <= stated
    return stated if honest else 65535


def _take_alpha(page: Any, decoded: Decoded, notes: list[str]) -> None:
    """Separate colour channels from extra channels."""
    channels = decoded.pixels.shape[2]
    colours = 3 if channels >= 3 else 1
    decoded.kind = "rgb" if colours == 3 else "grey"
    if channels == colours:
        return
    extra = page.extrasamples[-1] if page.extrasamples else _UNSPECIFIED
    if extra == _UNSPECIFIED:
        notes.append(Message("An extra channel of unknown meaning was left out."))
    else:
        decoded.alpha = decoded.pixels[..., -1]
        decoded.premultiplied = extra == _ASSOCIATED
    decoded.pixels = decoded.pixels[..., :colours]


def _from_palette(page: Any, samples: SampleArray, notes: list[str]) -> Decoded:
    table = np.asarray(page.colormap)
    # The standard defines 16-bit entries, but some programs write 8-bit ones.
    table = table.astype(np.uint8) if table.max() < 256 else (table >> 8).astype(np.uint8)
    index = np.minimum(samples[..., 0].astype(np.int64), table.shape[1] - 1)
    notes.append(Message("The palette was expanded to RGB."))
    return Decoded(table.T[index], "rgb", 255, 8)
