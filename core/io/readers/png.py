"""PNG: chunks, completeness of the rows, and colour information."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import imagecodecs
import numpy as np

from core.errors import Message
from core.io.readers.claims import check_claim, min_deflated
from core.io.readers.decoding import Decoded, SampleArray, SampleKind, check_size, damaged
from core.io.readers.kinds import PNG_SIGNATURE

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_GREY, _RGB, _GREY_ALPHA, _RGBA = 0, 2, 4, 6
# First column and row, and column and row increments of the seven passes of interlacing.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)) + (
    (0, 1, 1, 2),
)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Stretch:
    """Consecutive rows of pixels in the file.

    Attributes:
        x, y: position of the first pixel.
        across, down: increments between pixels and between rows.
        rows: number of rows.
        row_bytes: bytes per row, including the filter type.
    """

    x: int
    y: int
    across: int
    down: int
    _: KW_ONLY
    rows: int
    row_bytes: int


@dataclass(frozen=True)
class PngHeader:
    """Contents of the IHDR chunk; ``interlaced`` is 1 for images in seven passes."""

    width: int
    height: int
    bits: int
    colour_type: int
    interlaced: int

    @property
    def channels(self) -> int:
        """Samples per pixel as stored."""
        return _CHANNELS[self.colour_type]

    def stretches(self) -> Iterator[Stretch]:
        """The image as sequences of rows: one, or one for each pass."""
        pixel = self.bits * self.channels
        for x, y, across, down in _PASSES if self.interlaced else ((0, 0, 1, 1),):
            width, rows = -(-(self.width - x) // across), -(-(self.height - y) // down)
            if width > 0 and rows > 0:
                yield Stretch(x, y, across, down, rows=rows, row_bytes=-(-width * pixel // 8) + 1)

    def raw_bytes(self) -> int:
        """Bytes of all rows, including their filter types."""
        return sum(stretch.row_bytes * stretch.rows for stretch in self.stretches())


def header(path: Path, content: bytes) -> PngHeader:
    """Parse the IHDR chunk.

    Raises:
        InputError: it is missing or invalid.
    """
    if len(content) < 29 or content[12:16] != b"IHDR":
        raise damaged(path, Message("the header is incomplete"))
    width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    if colour_type not in _CHANNELS or bits not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise damaged(path, Message("its header cannot be understood"))
    check_size(path, width, height)
    return PngHeader(width, height, bits, colour_type, interlaced)


def parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the data of each complete chunk of a PNG."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        end = at + 8 + length
        if end + 4 > len(content):
            return
        yield kind, at + 8, end
        at = end + 4


def check(path: Path, content: bytes) -> PngHeader:
    """Check that all chunks are complete; returns the header.

    Raises:
        InputError: a chunk is missing or its checksum wrong, or the declared image does not fit
            into the file.
    """
    found = header(path, content)
    if len(content) < 33:
        raise damaged(path, Message("the header is incomplete"))
    view = memoryview(content)
    packed = 0
    for kind, start, end in parts(content):
        if zlib.crc32(view[start - 4 : end]) != struct.unpack(">I", view[end : end + 4])[0]:
            raise damaged(path, Message("checksum of part {0} is wrong", kind.decode("latin-1")))
        if kind == b"IDAT":
            packed += end - start
        if kind == b"IEND":
            least = min_deflated(found.raw_bytes())
            check_claim(path, found.width, found.height, packed, least)
            return found
    raise damaged(path, Message("its end is missing"))


def check_rows(path: Path, content: bytes, found: PngHeader) -> None:
    """Refuse images with missing rows, for decoders that would fill them in.

    Raises:
        InputError: rows are missing.
    """
    unpacker = zlib.decompressobj()
    promised, there = found.raw_bytes(), 0
    try:
        for kind, start, end in parts(content):
            pending = content[start:end] if kind == b"IDAT" else b""
            while pending and there < promised:
                there += len(unpacker.decompress(pending, _BLOCK))
                pending = unpacker.unconsumed_tail
    except zlib.error as error:
        raise damaged(path, str(error)) from error
    if there < promised:
        raise damaged(path, Message("{0} of {1} bytes are there", there, promised))


def is_plain(found: PngHeader, *, keyed: bool) -> bool:
    """Whether the strict decoder supports the image.

    Args:
        found: the header.
        keyed: one of its colours represents transparency (tRNS).
    """
    if found.bits == 16:
        return True
    return found.bits == 8 and found.colour_type != 3 and not keyed and not found.interlaced


def samples(content: bytes) -> Decoded:
    """Samples as stored (Pillow is slower, and reduces 16-bit RGB to 8 bits)."""
    pixels: SampleArray = imagecodecs.png_decode(content)
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    channels = pixels.shape[2]
    alpha = pixels[..., -1] if channels in (2, 4) else None
    colours = pixels[..., :3] if channels > 2 else pixels[..., :1]
    kind: SampleKind = "rgb" if channels > 2 else "grey"
    if pixels.dtype == np.uint8:
        return Decoded(colours, kind, 255, 8, alpha)
    return Decoded(colours, kind, _top_of_words(content, pixels), 16, alpha)


def _top_of_words(content: bytes, pixels: SampleArray) -> int:
    """White of 10, 12 or 14 significant bits (sBIT) stored unscaled in 16-bit words; else 65535.

    The standard requires scaling to 16 bits, but some cameras only declare the number of bits.
    """
    for kind, start, end in parts(content):
        if kind == b"sBIT" and end > start and max(content[start:end]) == min(content[start:end]):
            top = int(2 ** content[start]) - 1
            return top if 255 < top < 65535 and int(pixels.max()) <= top else 65535
        if kind == b"IDAT":
            break
    return 65535


def colour_marks(content: bytes) -> dict[bytes, bytes]:
    """Data of the chunks that define the meaning of the samples, up to the image data."""
    found: dict[bytes, bytes] = {}
    for kind, start, end in parts(content):
        if kind == b"IDAT":
            break
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            found.setdefault(kind, content[start:end])
    return found
