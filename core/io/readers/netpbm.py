"""Reader of PBM, PGM and PPM files, text and binary, with 8 and 16 bits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.errors import Message
from core.io.readers.claims import check_claim
from core.io.readers.decoding import (
    Decoded,
    SampleArray,
    SampleKind,
    damaged,
    decoding,
    file_error,
    finish,
)
from core.types import Image, ImageHeader

_GAP = rb"(?:[ \t\r\n]|#[^\n]*\n)+"
_BITMAP = re.compile(rb"P([14])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})[ \t\r\n]")
_DEEPER = re.compile(
    rb"P([2356])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,5})[ \t\r\n]"
)
_COMMENT = re.compile(rb"#[^\n]*")
_HEAD_BYTES = 4096


def _header(path: Path, content: bytes) -> tuple[int, int, int, int, int]:
    """Type 1…6, width, height, maximum value, offset of the samples."""
    found = _BITMAP.match(content) or _DEEPER.match(content)
    if found is None:
        raise damaged(path, Message("its header cannot be understood"))
    kind, width, height, *most = map(int, found.groups())
    top = most[0] if most else 1
    if not 1 <= top <= 65535:
        raise damaged(path, Message("its header cannot be understood"))
    return kind, width, height, top, found.end()


def read_netpbm(path: Path) -> Image:
    """Read the image in ``path``.

    Raises:
        InputError: it cannot be opened, is incomplete, or too large.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise file_error(path, error) from error
    with decoding(path):
        return finish(path, _decode(path, content))


def probe_netpbm(path: Path) -> ImageHeader:
    """Read the header of ``path``.

    Raises:
        InputError: it cannot be opened, or is invalid.
    """
    with decoding(path):
        with path.open("rb") as stream:
            kind, width, height, top, _ = _header(path, stream.read(_HEAD_BYTES))
        channels = 3 if kind in (3, 6) else 1
        return ImageHeader("Netpbm", width, height, channels, 8 if top < 256 else 16)


def _decode(path: Path, content: bytes) -> Decoded:
    kind, width, height, top, start = _header(path, content)
    channels = 3 if kind in (3, 6) else 1
    numbers = width * height * channels
    room = len(content) - start
    if kind == 4:
        needed = -(-width // 8) * height
    elif kind > 4:
        needed = numbers * (2 if top > 255 else 1)
    else:
        needed = numbers if kind == 1 else 2 * numbers - 1
    check_claim(path, width, height, room, needed)
    body = content[start : start + needed] if kind >= 4 else content[start:]
    if kind == 4:
        rows = np.frombuffer(body, np.uint8).reshape(height, -1)
        samples: SampleArray = 1 - np.unpackbits(rows, axis=1)[:, :width]  # 1 is black
    elif kind > 4:
        samples = np.frombuffer(body, ">u2" if top > 255 else np.uint8).astype(
            np.uint16 if top > 255 else np.uint8
        )
    else:
        samples = _from_text(path, body, kind, numbers)
    if samples.max() > top:
        raise damaged(path, Message("a value is greater than the header says"))
    return _scaled(samples.reshape(height, width, channels), top)


def _from_text(path: Path, body: bytes, kind: int, numbers: int) -> SampleArray:
    text = _COMMENT.sub(b" ", body)
    if kind == 1:  # its digits need no white space between them
        values = np.frombuffer(re.sub(rb"[^01]", b"", text), np.uint8) - ord("0")
    else:
        values = np.fromstring(text.decode("latin-1"), np.int64, sep=" ")
    if len(values) < numbers:
        raise damaged(path, Message("{0} of {1} values are there", len(values), numbers))
    values = values[:numbers]
    if values.min() < 0 or values.max() > 65535:
        raise damaged(path, Message("a value is greater than the header says"))
    return (1 - values if kind == 1 else values).astype(np.uint16)


def _scaled(samples: SampleArray, top: int) -> Decoded:
    kind: SampleKind = "rgb" if samples.shape[2] == 3 else "grey"
    if top > 255:
        return Decoded(samples.astype(np.uint16), kind, top, 16)
    notes: list[str] = []
    if top == 255:
        return Decoded(samples.astype(np.uint8), kind, 255, 8)
    if top == 1:
        notes.append(Message("Black and white was expanded to grey levels 0 and 255."))
    else:
        notes.append(Message("Values of 0…{0} were stretched to 0…255.", top))
    stretched = (samples.astype(np.uint32) * 255 // top).astype(np.uint8)
    return Decoded(stretched, kind, 255, 8, notes=notes)
