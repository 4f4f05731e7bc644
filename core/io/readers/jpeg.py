"""JPEG: parses the markers, and decodes with all warnings treated as errors."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import numpy as np
import simplejpeg

from core.errors import Message
from core.io.readers.claims import check_claim
from core.io.readers.decoding import SampleArray, damaged

# In entropy-coded data 0xFF is followed by 0 or a restart marker; 0xFF 0xFF is padding.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END, _SCAN, _ALONE, _LS_FRAME = 0xD9, 0xDA, 0x01, 0xF7
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {_LS_FRAME})
_HUFFMAN, _PROGRESSIVE = (0xC0, 0xC1, 0xC2), (0xC2, 0xCA)
_MIN_SCAN_BYTES = 64
"""Smallest size in bytes of a scan, including its header, that can contain a block."""
_STRICT_LIMIT = 178_956_970
"""Pixel limit of the strict decoder; larger images are decoded by one that ignores damage."""
_MAX_BLOCK_VISITS = 100_000_000
"""Limit of block visits over all scans, a few seconds. Twelve megapixels need three million."""

_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_COLOURS = {1: "GRAY", 3: "RGB", 4: "CMYK"}


@dataclass(frozen=True)
class JpegComponent:
    """A component in the frame header: its identifier and sampling factors."""

    mark: int
    across: int
    down: int


@dataclass
class JpegStructure:
    """The structure of a JPEG file according to its markers.

    Attributes:
        frame: marker of the frame header (0xC0 baseline, 0xC2 progressive, 0xF7 JPEG-LS…).
        precision: bits per sample.
        width, height: in pixels.
        components: the components, in order.
        scans: for each scan the identifiers of its components and (spectral selection start and
            end, successive approximation high and low).
        end: offset of the EOI marker.
    """

    frame: int
    precision: int
    width: int
    height: int
    components: tuple[JpegComponent, ...]
    _: KW_ONLY
    scans: list[tuple[bytes, tuple[int, int, int, int]]] = field(default_factory=list)
    end: int = 0

    @property
    def ordinary(self) -> bool:
        """Whether it has 8 bits and is Huffman-coded, baseline or progressive."""
        return self.frame in _HUFFMAN and self.precision == 8

    def blocks(self) -> dict[int, int]:
        """Number of 8×8 blocks of each component, by its identifier."""
        most_across = max(c.across for c in self.components)
        most_down = max(c.down for c in self.components)
        return {
            c.mark: -(-self.width * c.across // (8 * most_across))
            * -(-self.height * c.down // (8 * most_down))
            for c in self.components
        }


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment, up to and including EOI."""
    at = 2
    while (found := _MARKER.search(content, at)) is not None:
        marker, start = content[found.start() + 1], found.end()
        at = start
        if marker not in (_END, _ALONE) and start + 2 <= len(content):
            at += struct.unpack(">H", content[start : start + 2])[0]
        yield marker, start, min(at, len(content))
        if marker == _END:
            return


def structure(path: Path, content: bytes) -> JpegStructure:
    """Parse the markers up to EOI; data after it (such as a video) are ignored.

    Raises:
        InputError: EOI, the frame header or a scan is missing or invalid.
    """
    found: JpegStructure | None = None
    for marker, start, end in _segments(content):
        if marker == _END:
            if found is None or not found.scans:
                raise damaged(path, Message("it holds no picture"))
            found.end = start - 2
            return found
        if marker in _FRAMES and found is None:
            found = _frame(path, marker, content[start + 2 : end])
        elif marker == _SCAN and found is not None:
            found.scans.append(_scan(path, content[start + 2 : end]))
    raise damaged(path, Message("its end is missing"))


def header(path: Path, content: bytes) -> JpegStructure:
    """Parse the frame header only; ``content`` may end after it.

    Raises:
        InputError: there is none.
    """
    for marker, start, end in _segments(content):
        if marker in _FRAMES:
            return _frame(path, marker, content[start + 2 : end])
    raise damaged(path, Message("the header is incomplete"))


def _frame(path: Path, marker: int, body: bytes) -> JpegStructure:
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or body[5] == 0:
        raise damaged(path, Message("the header is incomplete"))
    precision, height, width, count = struct.unpack(">BHHB", body[:6])
    components = []
    for at in range(6, 6 + 3 * count, 3):
        across, down = max(body[at + 1] >> 4, 1), max(body[at + 1] & 15, 1)
        components.append(JpegComponent(body[at], across, down))
    return JpegStructure(marker, precision, width, height, tuple(components))


def _scan(path: Path, body: bytes) -> tuple[bytes, tuple[int, int, int, int]]:
    count = body[0] if body else 0
    if count == 0 or len(body) < 4 + 2 * count:
        raise damaged(path, Message("the header of a scan is incomplete"))
    first, last, bits = body[1 + 2 * count : 4 + 2 * count]
    return body[1 : 1 + 2 * count : 2], (first, last, bits >> 4, bits & 15)


def check(path: Path, content: bytes) -> JpegStructure:
    """Parse the structure and check that the file can be decoded.

    Raises:
        InputError: the file is truncated, scans are missing or too many, or the declared image does
            not fit into the file.
    """
    found = structure(path, content)
    check_claim(path, found.width, found.height, found.end, _min_bytes(found))
    blocks = found.blocks()
    visits = sum(blocks.get(mark, 0) for marks, _ in found.scans for mark in marks)
    if visits > _MAX_BLOCK_VISITS and len(found.scans) > len(found.components):
        raise damaged(
            path,
            Message("it is coded in {0} scans; decoding them would take minutes", len(found.scans)),
        )
    _check_scans(path, found)
    return found


def _min_bytes(found: JpegStructure) -> float:
    """Smallest size in bytes of such an image: one bit per code, and one code per block."""
    blocks = sum(found.blocks().values())
    if found.frame in (0xC0, 0xC1):
        return blocks * 2 / 8  # one DC code and one end-of-block code
    return blocks / 8 if found.frame == 0xC2 else 0


def _check_scans(path: Path, found: JpegStructure) -> None:
    """Require all components, and for progressive files all bits of all coefficients."""
    left = {(c.mark, k): 16 for c in found.components for k in range(64)}
    for marks, (first, last, _, low) in found.scans:
        if found.frame not in _PROGRESSIVE:
            first, last, low = 0, 63, 0
        for mark in marks:
            left.update({(mark, k): low for k in range(first, min(last, 63) + 1)})
    if any(left.values()):
        raise damaged(path, Message("some of its scans are missing"))


def decode(path: Path, content: bytes, found: JpegStructure) -> SampleArray:
    """Decode an ordinary JPEG to H×W×C uint8: grey, RGB, or CMYK (0: no ink, as in Pillow).

    Raises:
        InputError: the decoder reported any problem.
    """
    colours = _COLOURS.get(len(found.components))
    if colours is None:
        raise damaged(path, Message("{0} channels", len(found.components)))
    try:
        samples = simplejpeg.decode_jpeg(content, colours, strict=True)
    except ValueError as error:
        if not _only_padding(str(error), content, found):
            raise damaged(path, str(error)) from error
        samples = simplejpeg.decode_jpeg(content, colours, strict=False)
    return _as_pillow(samples)


def decode_partial(path: Path, content: bytes) -> SampleArray:
    """Like :func:`decode` for a damaged file; missing blocks are grey or repeated.

    Raises:
        InputError: nothing can be decoded.
    """
    found = header(path, content)
    check_claim(path, found.width, found.height, len(content), _min_bytes(found) / 100)
    colours = _COLOURS.get(len(found.components), "RGB")
    return _as_pillow(simplejpeg.decode_jpeg(content, colours, strict=False))


def has_scan(content: bytes) -> bool:
    """Whether a damaged file has data after the header of its first scan."""
    at = content.find(b"\xff\xda")
    return at >= 0 and len(content) - at > _MIN_SCAN_BYTES


def _as_pillow(samples: SampleArray) -> SampleArray:
    # Adobe stores inverted inks, and all other programs have followed.
    return np.subtract(255, samples) if samples.shape[2] == 4 else samples


def check_entropy(path: Path, content: bytes, found: JpegStructure) -> None:
    """Refuse damage in the scans of a file that another decoder will read.

    Works for 12-bit files too: their codes are those of 8-bit files, so the header is changed to 8
    bits for the check. The resulting pixels are meaningless, but the warnings are not.

    Raises:
        InputError: a scan is damaged.
    """
    if found.frame not in _HUFFMAN or len(found.components) not in _COLOURS:
        return
    if found.width * found.height > _STRICT_LIMIT:
        return
    if found.precision != 8:
        content = _as_8_bit(content)
    colours = _COLOURS[len(found.components)]
    try:
        simplejpeg.decode_jpeg(content, colours, min_factor=8, strict=True)
    except ValueError as error:
        if not _only_padding(str(error), content, found):
            raise damaged(path, str(error)) from error


def _as_8_bit(content: bytes) -> bytes:
    for marker, start, _ in _segments(content):
        if marker in _FRAMES:
            return content[: start + 2] + b"\x08" + content[start + 3 :]
    return content


def exceeds_strict_limit(found: JpegStructure) -> bool:
    """Whether the image exceeds the limit of the strict decoder."""
    return found.width * found.height > _STRICT_LIMIT


def _only_padding(message: str, content: bytes, found: JpegStructure) -> bool:
    """Whether the decoder only complained about fill bytes before a marker.

    Some cameras pad files to a round length. Other remaining bytes mean that the decoder lost
    synchronisation: a code was damaged, and blocks are missing.
    """
    match = _EXTRANEOUS.search(message)
    if match is None or int(match[2], 16) != _END:
        return False
    left = content[found.end - int(match[1]) : found.end]
    return len(set(left)) == 1 and left[0] in (0, 0xFF)
