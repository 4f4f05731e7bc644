"""Reader of PNG, JPEG, BMP, WebP and single-picture GIF files."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
from PIL.Image import Image as PilImage

from core.errors import InputError, Said
from core.io.decoded import (
    Decoded,
    Kind,
    Samples,
    check_frames,
    check_size,
    damaged,
    decoding,
    file_error,
    finish,
)
from core.io.kinds import PNG_SIGNATURE, is_bmp, is_gif, is_jpeg, is_png, is_webp
from core.types import Image

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF")  # a JPEG may turn out to be an MPO
_ORIENTATION = 0x0112
_ORIENTATION_HOLDERS = (b"eXIf", b"Raw profile type ", b"XML:com.adobe.xmp")
# Inside compressed data 0xFF is followed by 0 or a restart mark; 0xFF 0xFF is padding.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

# Our own limit (check_size) stands in for Pillow's, which warns far below what users may have.
PIL.Image.MAX_IMAGE_PIXELS = None


def read_raster(path: Path) -> Image:
    """The picture in ``path``.

    Raises:
        InputError: the file cannot be opened, is not such a picture, is incomplete, holds several
            frames, or is too large.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise file_error(path, error) from error
    if not any(known(content) for known in (is_png, is_jpeg, is_bmp, is_webp, is_gif)):
        raise InputError(
            str(path),
            "its content is not a picture of the kind its name says",
            "Choose a picture, or export it again.",
        )
    with decoding(path):
        _check_complete(path, content)
        with _opened(path, content) as picture:
            check_size(path, *picture.size)
            decoded = _decode(path, content, picture)
        return finish(path, decoded)


def _opened(path: Path, content: bytes) -> PilImage:
    try:
        return PIL.Image.open(io.BytesIO(content), formats=_FORMATS)
    except PIL.UnidentifiedImageError as error:  # its text is a memory address
        raise damaged(path, Said("its header cannot be understood")) from error


def _decode(path: Path, content: bytes, picture: PilImage) -> Decoded:
    frames = int(getattr(picture, "n_frames", 1))
    notes: list[str] = []
    if picture.format == "MPO":
        text = "The file holds {0} pictures of one shot; the first is used."
        notes.append(Said(text, frames))
    else:
        check_frames(path, frames, Said("frames (it is animated)"))
    profile = picture.info.get("icc_profile")
    plain = _is_plain_png(content, picture)
    decoded = _samples_png(content) if plain else _samples_8(picture, notes)
    decoded.profile = profile if isinstance(profile, bytes) and profile else None
    decoded.orientation = _orientation(content, picture)
    decoded.notes = notes
    return decoded


def _orientation(content: bytes, picture: PilImage) -> int:
    # Pillow decodes a whole PNG to look for a mark behind its pixels.
    if is_png(content) and not _may_tell_orientation(content):
        return 1
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged EXIF block is no reason to refuse the picture
        return 1
    return value if isinstance(value, int) else 1


def _may_tell_orientation(content: bytes) -> bool:
    # A search through the pixels would hold up every thread: it keeps the interpreter's lock.
    told = (content[start - 4 : end] for kind, start, end in _png_parts(content) if kind != b"IDAT")
    return any(holder in part for part in told for holder in _ORIENTATION_HOLDERS)


def _is_plain_png(content: bytes, picture: PilImage) -> bool:
    """Whether it is a 16-bit PNG, or one of 8-bit grey or RGB with nothing to expand."""
    if not is_png(content):
        return False
    bits, colour_type = content[24], content[25]
    opaque = "transparency" not in picture.info
    return bits == 16 or (bits == 8 and colour_type in (0, 2) and opaque)


def _samples_png(content: bytes) -> Decoded:
    """Samples as stored (Pillow is slower, and would drop eight bits of 16-bit RGB)."""
    samples: Samples = imagecodecs.png_decode(content)
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    channels = samples.shape[2]
    alpha = samples[..., -1] if channels in (2, 4) else None
    colours = samples[..., :3] if channels > 2 else samples[..., :1]
    kind: Kind = "rgb" if channels > 2 else "grey"
    if samples.dtype == np.uint8:
        return Decoded(colours, kind, 255, 8, alpha)
    return Decoded(colours, kind, _top_of_words(content, samples), 16, alpha)


def _top_of_words(content: bytes, samples: Samples) -> int:
    """White of 10, 12 or 14 significant bits in 16-bit words, stored as they are; else 65535.

    The standard wants them stretched to 16 bits; some cameras only say how many there are.
    """
    for kind, start, end in _png_parts(content):
        if kind == b"sBIT" and end > start and max(content[start:end]) == min(content[start:end]):
            top = int(2 ** content[start]) - 1
            return top if 255 < top < 65535 and int(samples.max()) <= top else 65535
        if kind == b"IDAT":
            break
    return 65535


def _samples_8(picture: PilImage, notes: list[str]) -> Decoded:
    transparent = "transparency" in picture.info
    if picture.mode == "1":
        notes.append(Said("Black and white was expanded to grey levels 0 and 255."))
        picture = picture.convert("LA" if transparent else "L")
    elif picture.mode in ("P", "PA"):
        notes.append(Said("The palette was expanded to RGB."))
        picture = picture.convert("RGBA" if transparent or picture.mode == "PA" else "RGB")
    elif transparent and picture.mode in ("L", "RGB"):
        picture = picture.convert({"L": "LA", "RGB": "RGBA"}[picture.mode])
    elif picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        picture = picture.convert("RGB")
    samples: Samples = np.asarray(picture)
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    if picture.mode == "CMYK":
        return Decoded(samples, "cmyk", 255, 8)
    alpha = samples[..., -1] if picture.mode in ("LA", "RGBA") else None
    if picture.mode in ("L", "LA"):
        return Decoded(samples[..., :1], "grey", 255, 8, alpha)
    return Decoded(samples[..., :3], "rgb", 255, 8, alpha)


def _check_complete(path: Path, content: bytes) -> None:
    """Refuse a file that was cut short, also where its decoder would fill in the rest."""
    if is_png(content):
        _check_png(path, content)
    elif is_webp(content):
        promised = struct.unpack("<I", content[4:8])[0] + 8
        if promised > len(content) + 1:  # the last pad byte may be missing
            raise damaged(path, Said("{0} of {1} bytes are there", len(content), promised))
    elif is_jpeg(content):
        _check_jpeg(path, content)
    elif is_gif(content) and b"\x3b" not in content[-64:]:
        raise damaged(path, Said("its end is missing"))


def _check_jpeg(path: Path, content: bytes) -> None:
    """Walk from marker to marker to the end mark; what follows it (a film, say) is no concern."""
    at = 2
    while (found := _JPEG_MARKER.search(content, at)) is not None:
        marker, at = content[found.start() + 1], found.end()
        if marker == 0xD9:
            return
        if marker != 0x01 and at + 2 <= len(content):  # 01 alone has no length
            at += struct.unpack(">H", content[at : at + 2])[0]
    raise damaged(path, Said("its end is missing"))


def _check_png(path: Path, content: bytes) -> None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise damaged(path, Said("the header is incomplete"))
    check_size(path, *struct.unpack(">II", content[16:24]))
    view = memoryview(content)
    for kind, start, end in _png_parts(content):
        if zlib.crc32(view[start - 4 : end]) != struct.unpack(">I", view[end : end + 4])[0]:
            raise damaged(path, Said("checksum of part {0} is wrong", kind.decode("latin-1")))
        if kind == b"IEND":
            return
    raise damaged(path, Said("its end is missing"))


def _png_parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the data of each part of a PNG that is there as a whole."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        end = at + 8 + length
        if end + 4 > len(content):
            return
        yield kind, at + 8, end
        at = end + 4
