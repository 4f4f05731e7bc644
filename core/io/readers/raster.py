"""Reader of PNG, JPEG, BMP, WebP and single-image GIF files."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from PIL.Image import Image as PilImage

from core.errors import DamagedImage, InputError, Message
from core.io.readers import gif, jpeg, kinds, png
from core.io.readers.claims import check_claim, min_lzw
from core.io.readers.decoding import (
    Decoded,
    SampleArray,
    check_frames,
    damaged,
    decoding,
    file_error,
    finish,
)
from core.io.readers.described_profiles import described_profile
from core.io.readers.modern import DEEP_JPEG
from core.io.readers.png_rescue import has_rows, recover_png
from core.types import Image, ImageHeader

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF")  # a JPEG file may be an MPO
_ORIENTATION = 0x0112
_ORIENTATION_HOLDERS = (b"eXIf", b"Raw profile type ", b"XML:com.adobe.xmp")
_MACROBLOCK = 16 * 16
_HEAD_BYTES = 1 << 16

# Our limit (check_size) replaces that of Pillow, which is too low for real images.
PIL.Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class _Found:
    """Structure of the file before decoding; the field of the other format is None."""

    png: png.PngHeader | None = None
    jpeg: jpeg.JpegStructure | None = None


def read_raster(path: Path) -> Image:
    """Read the image in ``path``.

    Raises:
        InputError: the file cannot be opened, is not such an image, is damaged or incomplete,
            holds several frames, or is too large.
    """
    content = _content(path)
    with decoding(path):
        found = _check(path, content)
        if found.jpeg is not None and not found.jpeg.ordinary:
            jpeg.check_entropy(path, content, found.jpeg)
            return finish(path, DEEP_JPEG.decoded(path, content))
        with _opened(path, content) as image:
            decoded = _decode(path, content, image, found)
        return finish(path, decoded)


def show_raster(path: Path) -> Image:
    """Decode as much as possible of the JPEG or PNG in ``path``, with a note if it is damaged.

    Rows of a PNG that cannot be decoded are masked; those of a JPEG are grey or repeated.

    Raises:
        InputError: nothing can be decoded.
    """
    try:
        return read_raster(path)
    except DamagedImage as error:
        content = _content(path)
        decode = _partial_decoder(content)
        if decode is None:
            raise
        with decoding(path):
            decoded = decode(path, content)
            note = Message(
                "The file is damaged; what could be decoded of it is shown ({0}).",
                Message.plain(error.why),
            )
            decoded.notes.insert(0, note)
            return finish(path, decoded)


def can_show(path: Path) -> bool:
    """Whether :func:`show_raster` can decode a part of a damaged JPEG or PNG."""
    try:
        content = _content(path)
        return has_rows(path, content) if kinds.is_png(content) else jpeg.has_scan(content)
    except InputError:
        return False


def _partial_decoder(content: bytes) -> Callable[[Path, bytes], Decoded] | None:
    if kinds.is_jpeg(content):
        return _partial_jpeg
    return _partial_png if kinds.is_png(content) else None


def _partial_jpeg(path: Path, content: bytes) -> Decoded:
    samples = jpeg.decode_partial(path, content)
    return _as_decoded(samples, "CMYK" if samples.shape[2] == 4 else "RGB")


def _partial_png(path: Path, content: bytes) -> Decoded:
    rest = recover_png(path, content)
    with _opened(path, rest.content) as image:
        decoded = _decode(path, rest.content, image, _Found(png=rest.header))
    decoded.mask = rest.mask
    if rest.doubtful:
        doubt = Message(
            "Up to {0} % of what is shown of it may be wrong: a checksum is.", rest.doubtful
        )
        decoded.notes.append(doubt)
    return decoded


def probe_raster(path: Path) -> ImageHeader:
    """Read the header of ``path``.

    Raises:
        InputError: it cannot be opened, or is invalid.
    """
    with decoding(path):
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        _check_kind(path, head)
        if kinds.is_png(head):
            found = png.header(path, head)
            bits, channels, kind = found.bits, found.channels, "PNG"
        elif kinds.is_jpeg(head):
            frame = jpeg.header(path, _head_of_jpeg(path, head))
            if not frame.ordinary:
                return DEEP_JPEG.probe(path)
            bits, channels, kind = 8, len(frame.components), "JPEG"
        else:
            bits, channels, kind = 8, 0, ""
        with _opened(path, path) as image:
            frames = 1 if kind == "JPEG" else int(getattr(image, "n_frames", 1))
            return ImageHeader(
                kind=kind or {"WEBP": "WebP"}.get(str(image.format), str(image.format)),
                width=image.width,
                height=image.height,
                channels=channels or len(image.getbands()),
                bit_depth=16 if bits > 8 else 8,
                frames=frames,
                orientation=_orientation(head, image),
            )


def _head_of_jpeg(path: Path, head: bytes) -> bytes:
    """The start of a JPEG file up to its frame header; profiles before it may be large."""
    try:
        jpeg.header(path, head)
    except InputError:
        return path.read_bytes()
    return head


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise file_error(path, error) from error
    _check_kind(path, content)
    return content


def _check_kind(path: Path, content: bytes) -> None:
    known = (kinds.is_png, kinds.is_jpeg, kinds.is_bmp, kinds.is_webp, kinds.is_gif)
    if not any(is_kind(content) for is_kind in known):
        raise InputError(
            str(path),
            Message("its content is not a picture of the kind its name says"),
            Message("Choose a picture, or export it again."),
        )


def _opened(path: Path, source: bytes | Path) -> PilImage:
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        return PIL.Image.open(stream, formats=_FORMATS)
    except PIL.UnidentifiedImageError as error:  # its message contains a memory address
        raise damaged(path, Message("its header cannot be understood")) from error


def _decode(path: Path, content: bytes, image: PilImage, found: _Found) -> Decoded:
    frames = int(getattr(image, "n_frames", 1))
    notes: list[str] = []
    if image.format == "MPO":
        notes.append(Message("The file holds {0} pictures of one shot; the first is used.", frames))
    else:
        check_frames(path, frames, Message("frames (it is animated)"))
    decoded = _samples(path, content, image, found)
    decoded.notes = notes + decoded.notes
    marks = png.colour_marks(content) if found.png is not None else {}
    exif = None if found.png is not None and not _may_contain_orientation(content) else _exif(image)
    decoded.profile = described_profile(image.info.get("icc_profile"), marks, exif, decoded)
    value = 1 if exif is None else exif.get(_ORIENTATION, 1)
    decoded.orientation = value if isinstance(value, int) else 1
    return decoded


def _samples(path: Path, content: bytes, image: PilImage, found: _Found) -> Decoded:
    if found.png is not None:
        if png.is_plain(found.png, keyed="transparency" in image.info):
            return png.samples(content)
        png.check_rows(path, content, found.png)
    elif found.jpeg is not None:
        if not jpeg.exceeds_strict_limit(found.jpeg):
            samples = jpeg.decode(path, content, found.jpeg)
            return _as_decoded(samples, "CMYK" if samples.shape[2] == 4 else image.mode)
        decoded = _samples_8(image)
        decoded.notes.append(Message("The file is too large to be checked for damage."))
        return decoded
    else:
        least = min_lzw if image.format == "GIF" else _min_bytes(content)
        pixels = image.width * image.height
        check_claim(path, *image.size, len(content), least(pixels))
    return _samples_8(image)


def _min_bytes(content: bytes) -> Any:
    """Smallest size in bytes of such an image in this BMP or WebP file."""
    if kinds.is_bmp(content):
        bits = struct.unpack("<H", content[28:30])[0] if len(content) > 34 else 1
        packed = len(content) > 34 and struct.unpack("<I", content[30:34])[0] in (1, 2, 4, 5)
        return (lambda pixels: 0) if packed else (lambda pixels: pixels * bits / 8)
    # Lossy WebP has at least one bit per block of 16×16; lossless WebP of one colour has none.
    lossy = content[12:16] == b"VP8 "
    return lambda pixels: pixels / _MACROBLOCK / 8 if lossy else 0


def _exif(image: PilImage) -> PIL.Image.Exif | None:
    try:
        return image.getexif()
    except Exception:  # a damaged EXIF block is no reason to refuse the image
        return None


def _orientation(content: bytes, image: PilImage) -> int:
    # Pillow decodes a whole PNG to look for EXIF data after the pixels.
    if kinds.is_png(content) and not _may_contain_orientation(content):
        return 1
    exif = _exif(image)
    value = 1 if exif is None else exif.get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _may_contain_orientation(content: bytes) -> bool:
    # Searching the pixel data would block all threads, because it holds the interpreter's lock.
    chunks = (
        content[start - 4 : end] for kind, start, end in png.parts(content) if kind != b"IDAT"
    )
    return any(holder in part for part in chunks for holder in _ORIENTATION_HOLDERS)


def _samples_8(image: PilImage) -> Decoded:
    notes: list[str] = []
    transparent = "transparency" in image.info
    if image.mode == "1":
        notes.append(Message("Black and white was expanded to grey levels 0 and 255."))
        image = image.convert("LA" if transparent else "L")
    elif image.mode in ("P", "PA"):
        notes.append(Message("The palette was expanded to RGB."))
        image = image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")
    elif transparent and image.mode in ("L", "RGB"):
        image = image.convert({"L": "LA", "RGB": "RGBA"}[image.mode])
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGB")
    decoded = _as_decoded(np.asarray(image), image.mode)
    decoded.notes = notes
    return decoded


def _as_decoded(samples: SampleArray, mode: str) -> Decoded:
    """8-bit samples in one of Pillow's modes L, LA, RGB, RGBA and CMYK."""
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    if mode == "CMYK":
        return Decoded(samples, "cmyk", 255, 8)
    alpha = samples[..., -1] if mode in ("LA", "RGBA") else None
    if samples.shape[2] < 3:
        return Decoded(samples[..., :1], "grey", 255, 8, alpha)
    return Decoded(samples[..., :3], "rgb", 255, 8, alpha)


def _check(path: Path, content: bytes) -> _Found:
    """Refuse a truncated file, including those whose decoder would fill in the rest."""
    if kinds.is_png(content):
        return _Found(png=png.check(path, content))
    if kinds.is_jpeg(content):
        return _Found(jpeg=jpeg.check(path, content))
    if kinds.is_webp(content):
        promised = struct.unpack("<I", content[4:8])[0] + 8
        if promised > len(content) + 1:  # the last padding byte may be missing
            raise damaged(path, Message("{0} of {1} bytes are there", len(content), promised))
    elif kinds.is_gif(content):
        gif.check(path, content)
    return _Found()
