"""Repairs a damaged PNG: writes what can be decompressed into a valid file for strict decoders.

Decoders are not told to ignore damage, because that setting would affect all threads.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import Message
from core.io.readers import png
from core.io.readers.claims import check_claim, min_deflated
from core.io.readers.decoding import damaged
from core.io.readers.kinds import PNG_SIGNATURE
from core.types import BoolArray

_STEP_BYTES = 64
"""Compressed bytes per decompression step; the output of a step that fails is lost."""
_FILTERS = 5
_MAX_CHUNK = 1 << 30
"""Largest chunk in bytes; the format allows twice as many less one."""


@dataclass(frozen=True)
class RecoveredPng:
    """The recoverable part of a damaged PNG.

    Attributes:
        header: its header.
        content: a valid PNG of the same size, with zeros where data are lost.
        mask: H×W, True where a pixel was recovered; None if all were.
        doubtful: percentage of the recovered rows that follow a wrong checksum, 0…100.
    """

    header: png.PngHeader
    content: bytes
    mask: BoolArray | None
    doubtful: int


@dataclass(frozen=True)
class _Part:
    """A chunk; ``sound``: its checksum is right, or was cut off at the end of the file."""

    kind: bytes
    data: memoryview
    sound: bool


def recover_png(path: Path, content: bytes) -> RecoveredPng:
    """Recover all rows of a damaged file up to the first one that cannot be decompressed.

    Raises:
        InputError: no row can be recovered, or the header is damaged.
    """
    header = png.header(path, content)
    parts = tuple(_parts(content))
    if not parts[0].sound or len(parts[0].data) != 13:
        raise damaged(path, Message("its header cannot be understood"))
    promised = header.raw_bytes()
    check_claim(path, header.width, header.height, len(content), min_deflated(promised) / 100)
    raw, sure = _unpacked(parts, promised)
    mask, whole = _rows_of(header, raw)
    if not whole:
        raise damaged(path, Message("{0} of {1} bytes are there", len(raw), promised))
    del raw[whole:]
    raw += bytes(promised - whole)  # rows of zeros without a filter do not depend on the row above
    doubtful = math.ceil(100 * max(0, whole - sure) / whole)
    return RecoveredPng(header, _written(parts, raw), None if mask.all() else mask, doubtful)


def has_rows(path: Path, content: bytes) -> bool:
    """Whether at least the first row of a damaged file can be recovered.

    Raises:
        InputError: the header is damaged.
    """
    header = png.header(path, content)
    parts = tuple(_parts(content))
    first = next(header.stretches(), None)
    if first is None or not parts[0].sound:
        return False
    raw, _ = _unpacked(parts, first.row_bytes)
    return len(raw) == first.row_bytes and raw[0] < _FILTERS


def _parts(content: bytes) -> Iterator[_Part]:
    """All chunks of the file, the last one possibly truncated."""
    view, at = memoryview(content), len(PNG_SIGNATURE)
    while at + 8 <= len(content):
        length, kind = struct.unpack(">I4s", view[at : at + 8])
        end = at + 8 + length
        told = view[end : end + 4]
        cut = len(told) < 4
        sound = cut or zlib.crc32(view[at + 4 : end]) == struct.unpack(">I", told)[0]
        yield _Part(kind, view[at + 8 : end], sound)
        at = end + 4


def _unpacked(parts: tuple[_Part, ...], promised: int) -> tuple[bytearray, int]:
    """The filtered rows that can be decompressed, and the number of bytes before any damage."""
    unpacker = zlib.decompressobj()
    raw, sure = bytearray(), promised
    begun = False
    for part in parts:
        begun = begun or part.kind == b"IDAT"
        if begun and not part.sound:
            sure = min(sure, len(raw))
        if part.kind != b"IDAT":
            continue
        try:
            for at in range(0, len(part.data), _STEP_BYTES):
                if len(raw) >= promised:
                    return raw, sure
                raw += unpacker.decompress(part.data[at : at + _STEP_BYTES], promised - len(raw))
        except zlib.error:
            break
    return raw, sure


def _rows_of(header: png.PngHeader, raw: bytearray) -> tuple[BoolArray, int]:
    """The mask of pixels in complete rows, and the number of bytes of these rows."""
    mask = np.zeros((header.height, header.width), np.bool_)
    at = 0
    for stretch in header.stretches():
        there = min(stretch.rows, (len(raw) - at) // stretch.row_bytes)
        filters = np.frombuffer(raw, np.uint8, there * stretch.row_bytes, at)
        unknown = np.flatnonzero(filters[:: stretch.row_bytes] >= _FILTERS)
        there = int(unknown[0]) if unknown.size else there
        mask[stretch.y :: stretch.down, stretch.x :: stretch.across][:there] = True
        at += there * stretch.row_bytes
        if there < stretch.rows:
            break
    return mask, at


def _written(parts: tuple[_Part, ...], raw: bytearray) -> bytes:
    """A valid file: all sound chunks except image data and end, then the rows, then the end."""
    kept = [(p.kind, p.data) for p in parts if p.sound and p.kind not in (b"IDAT", b"IEND")]
    packed = memoryview(zlib.compress(raw, 1))
    pixels = [(b"IDAT", packed[at : at + _MAX_CHUNK]) for at in range(0, len(packed), _MAX_CHUNK)]
    pieces: list[bytes | memoryview] = [PNG_SIGNATURE]
    for kind, data in (*kept, *pixels, (b"IEND", memoryview(b""))):
        checksum = zlib.crc32(data, zlib.crc32(kind))
        pieces += [struct.pack(">I4s", len(data), kind), data, struct.pack(">I", checksum)]
    return b"".join(pieces)
