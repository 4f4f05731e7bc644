"""PNG: its parts, whether all rows are there, and what it says of its colours."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import imagecodecs
import numpy as np

from core.errors import Message
from core.io.readers.claims import check_claim, least_deflated
from core.io.readers.decoding import Decoded, SampleArray, SampleKind, check_size, damaged
from core.io.readers.kinds import PNG_SIGNATURE

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_GREY, _RGB, _GREY_ALPHA, _RGBA = 0, 2, 4, 6
# First column and row, steps across and down of the seven passes of an interlaced image.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)) + (
    (0, 1, 1, 2),
)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Stretch:
    """Rows of pixels that follow each other in the file.

    ``x``, ``y``: the first pixel. ``across``, ``down``: from one pixel, one row to the next.
    ``row_bytes``: of a row, with the mark of its filter.
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
    """What the first part says; ``interlaced`` is 1 for images that come in seven passes."""

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
        """What comes row by row: the whole image, or one pass after the other."""
        pixel = self.bits * self.channels
        for x, y, across, down in _PASSES if self.interlaced else ((0, 0, 1, 1),):
            width, rows = -(-(self.width - x) // across), -(-(self.height - y) // down)
            if width > 0 and rows > 0:
                yield Stretch(x, y, across, down, rows=rows, row_bytes=-(-width * pixel // 8) + 1)

    def raw_bytes(self) -> int:
        """Bytes of all rows, each with the mark of its filter."""
        return sum(stretch.row_bytes * stretch.rows for stretch in self.stretches())


def header(path: Path, content: bytes) -> PngHeader:
    """The first part.

    Raises:
        InputError: it is missing, or of a kind there is not.
    """
    if len(content) < 29 or content[12:16] != b"IHDR":
        raise damaged(path, Message("the header is incomplete"))
    width, height, bits, colour_type, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    if colour_type not in _CHANNELS or bits not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise damaged(path, Message("its header cannot be understood"))
    check_size(path, width, height)
    return PngHeader(width, height, bits, colour_type, interlaced)


def parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the data of each part of a PNG that is there as a whole."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        end = at + 8 + length
        if end + 4 > len(content):
            return
        yield kind, at + 8, end
        at = end + 4


def check(path: Path, content: bytes) -> PngHeader:
    """The header, once every part has been found whole.

    Raises:
        InputError: a part is missing or its checksum wrong, or the header claims what the file
            cannot hold.
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
            least = least_deflated(found.raw_bytes())
            check_claim(path, found.width, found.height, packed, least)
            return found
    raise damaged(path, Message("its end is missing"))


def check_rows(path: Path, content: bytes, found: PngHeader) -> None:
    """Refuse images whose rows do not all come; for decoders that fill in the rest.

    Raises:
        InputError: as said.
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
    """Whether the strict decoder takes it as it is.

    Args:
        found: the header.
        keyed: whether one of its colours stands for transparency.
    """
    if found.bits == 16:
        return True
    return found.bits == 8 and found.colour_type != 3 and not keyed and not found.interlaced


def samples(content: bytes) -> Decoded:
    """Samples as stored (Pillow is slower, and would drop eight bits of 16-bit RGB)."""
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
    """White of 10, 12 or 14 significant bits in 16-bit words, stored as they are; else 65535.

    The standard wants them stretched to 16 bits; some cameras only say how many there are.
    """
    for kind, start, end in parts(content):
        if kind == b"sBIT" and end > start and max(content[start:end]) == min(content[start:end]):
            top = int(2 ** content[start]) - 1
            return top if 255 < top < 65535 and int(pixels.max()) <= top else 65535
        if kind == b"IDAT":
            break
    return 65535


def colour_marks(content: bytes) -> dict[bytes, bytes]:
    """Data of the parts that say what the numbers mean, up to the pixels."""
    found: dict[bytes, bytes] = {}
    for kind, start, end in parts(content):
        if kind == b"IDAT":
            break
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            found.setdefault(kind, content[start:end])
    return found
