"""Reader of JPEG 2000, JPEG XL, AVIF, HEIC, JPEG-LS and JPEG files of more than 8 bits.

This module parses the sizes in their headers; a separate process decodes the pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InputError, Message
from core.io.readers import jpeg, jxl_header
from core.io.readers.claims import check_claim
from core.io.readers.decoding import (
    Decoded,
    SampleArray,
    check_frames,
    damaged,
    decoding,
    file_error,
    finish,
)
from core.io.readers.isolated import decode_isolated
from core.types import BitDepth, Image, ImageHeader

_HEAD_BYTES = 1 << 20
"""Length of the part of a file that is searched for the header."""

_GREY_SPACE, _RGB_SPACE, _KNOWN_SPACES = 17, 16, (16, 17)


@dataclass(frozen=True)
class CodecHeader:
    """Header of such a file.

    Attributes:
        width, height: in pixels, as stored.
        bits: bits per sample.
        channels: number of channels.
        profile: embedded ICC profile, if it is in the header.
    """

    width: int
    height: int
    bits: int = 8
    channels: int = 3
    profile: bytes | None = None


def header_jpeg2000(path: Path, content: bytes) -> CodecHeader:
    """Header of a JP2 file or code stream."""
    at = content.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(content) < at + 43:
        raise damaged(path, Message("the header is incomplete"))
    right, bottom, left, top = struct.unpack(">4I", content[at + 8 : at + 24])
    count = struct.unpack(">H", content[at + 40 : at + 42])[0]
    precision = content[at + 42]
    if precision & 0x80:
        raise _unsupported(path, Message("signed samples"))
    profile = _jp2_profile(path, content[:at])
    return CodecHeader(right - left, bottom - top, (precision & 0x7F) + 1, count, profile)


def _jp2_profile(path: Path, boxes: bytes) -> bytes | None:
    at = boxes.find(b"colr")
    if at < 4 or at + 7 > len(boxes):
        return None
    if boxes[at + 4] == 2:
        end = at - 4 + int(struct.unpack(">I", boxes[at - 4 : at])[0])
        return boxes[at + 7 : end]
    space = struct.unpack(">I", boxes[at + 7 : at + 11].rjust(4, b"\0"))[0]
    if space not in _KNOWN_SPACES:
        raise _unsupported(path, Message("colour space {0}", space))
    return None


def header_jpegxl(path: Path, content: bytes) -> CodecHeader:
    """Header of a JPEG XL file."""
    try:
        return CodecHeader(*jxl_header.size_and_bits(content))
    except ValueError as error:
        raise damaged(path, Message("the header is incomplete")) from error


def header_media(path: Path, content: bytes) -> CodecHeader:
    """Header of an AVIF or HEIC file: the largest image declared in it."""
    sizes = []
    at = content.find(b"ispe")
    while 0 <= at <= len(content) - 16:
        sizes.append(struct.unpack(">II", content[at + 8 : at + 16]))
        at = content.find(b"ispe", at + 4)
    if not sizes:
        raise damaged(path, Message("the header is incomplete"))
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    deep = content.find(b"av1C")
    bits = 8
    if 0 <= deep < len(content) - 6 and content[deep + 6] & 0x40:
        bits = 12 if content[deep + 6] & 0x20 else 10
    return CodecHeader(width, height, bits)


def header_jpeg(path: Path, content: bytes) -> CodecHeader:
    """Header of a JPEG or JPEG-LS file."""
    found = jpeg.header(path, content)
    return CodecHeader(found.width, found.height, found.precision, len(found.components))


HeaderOf = Callable[[Path, bytes], CodecHeader]


@dataclass(frozen=True)
class ModernFormat:
    """One file format; ``header`` parses its header, ``codec`` decodes it."""

    name: str
    codec: str
    header: HeaderOf

    def read(self, path: Path) -> Image:
        """Read the image in ``path``.

        Raises:
            InputError: it cannot be opened or decoded, or holds several images.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise file_error(path, error) from error
        with decoding(path):
            return finish(path, self.decoded(path, content))

    def decoded(self, path: Path, content: bytes) -> Decoded:
        """Decode ``path``, whose bytes are ``content``."""
        facts = self.header(path, content[:_HEAD_BYTES])
        check_claim(path, facts.width, facts.height, len(content))
        samples, told = decode_isolated(path, self.codec, facts.width * facts.height)
        frames = told.get("frames") or (samples.shape[0] if samples.ndim == 4 else 1)
        check_frames(path, int(frames), Message("frames (it is animated)"))
        decoded = _as_decoded(path, samples.reshape(samples.shape[-3:]), facts)
        profile = bytes.fromhex(str(told.get("profile", ""))) or facts.profile
        decoded.profile = profile or None
        decoded.orientation = int(told.get("orientation") or 1)
        return decoded

    def probe(self, path: Path) -> ImageHeader:
        """Read the header of ``path``.

        Raises:
            InputError: it cannot be opened, or is invalid.
        """
        with decoding(path):
            with path.open("rb") as stream:
                facts = self.header(path, stream.read(_HEAD_BYTES))
            depth: BitDepth = 8 if facts.bits <= 8 else 16 if facts.bits <= 16 else 32
            return ImageHeader(self.name, facts.width, facts.height, facts.channels, depth)


def _as_decoded(path: Path, samples: SampleArray, facts: CodecHeader) -> Decoded:
    """Samples with their white value: 4095 for 12 bits, whatever the word size."""
    if samples.ndim == 2:
        samples = samples[..., np.newaxis]
    channels = samples.shape[2]
    if channels > 4:
        raise _unsupported(path, Message("{0} channels", channels))
    alpha = samples[..., -1] if channels in (2, 4) else None
    colours = samples[..., :3] if channels > 2 else samples[..., :1]
    notes: list[str] = []
    if samples.dtype.kind == "f":
        decoded = Decoded(colours, "grey", None, 32, alpha)
    elif samples.dtype == np.uint8:
        if facts.bits > 8:
            notes.append(Message("{0}-bit values were reduced to 8 bits.", facts.bits))
        top = 2 ** min(facts.bits, 8) - 1
        if top < 255:
            notes.append(Message("{0}-bit values were stretched to 0…255.", facts.bits))
            colours = (colours.astype(np.uint16).clip(0, top) * 255 // top).astype(np.uint8)
            alpha = None if alpha is None else (alpha.astype(np.uint16) * 255 // top)
        decoded = Decoded(colours, "grey", 255, 8, alpha)
    elif samples.dtype == np.uint16:
        decoded = Decoded(colours, "grey", 2 ** min(max(facts.bits, 9), 16) - 1, 16, alpha)
    else:
        raise _unsupported(path, Message("{0} samples", samples.dtype.name))
    decoded.kind = "rgb" if channels > 2 else "grey"
    decoded.notes = notes
    return decoded


def _unsupported(path: Path, what: Message) -> InputError:
    return InputError(
        str(path),
        Message("its samples are of a kind that makes no picture ({0})", what),
        Message("Export it as 8-bit, 16-bit or floating-point TIFF."),
    )


JPEG_2000 = ModernFormat("JPEG 2000", "jpeg2000", header_jpeg2000)
JPEG_XL = ModernFormat("JPEG XL", "jpegxl", header_jpegxl)
JPEG_LS = ModernFormat("JPEG-LS", "jpegls", header_jpeg)
AVIF = ModernFormat("AVIF", "avif", header_media)
HEIC = ModernFormat("HEIC", "heif", header_media)
DEEP_JPEG = ModernFormat("JPEG", "jpeg", header_jpeg)
