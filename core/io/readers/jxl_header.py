"""Size and bit depth of a JPEG XL image from the start of its code stream (ISO 18181-1)."""

from __future__ import annotations

import struct

_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIZE_BITS = (9, 13, 18, 30)


class _Bits:
    """The bits of a byte string, least significant first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> int:
        """The next ``count`` bits as an integer."""
        value = 0
        for place in range(count):
            byte, bit = divmod(self._at, 8)
            if byte >= len(self._content):
                raise ValueError("the header is incomplete")
            value |= (self._content[byte] >> bit & 1) << place
            self._at += 1
        return value


def size_and_bits(content: bytes) -> tuple[int, int, int]:
    """(width, height, bits per sample) of a file that starts with ``content``.

    Raises:
        ValueError: the header is incomplete.
    """
    bits = _Bits(_code_stream(content)[2:])
    width, height = _size(bits)
    if bits.take(1):  # all default
        return width, height, 8
    if bits.take(1):  # extra fields
        bits.take(3)  # orientation; the decoder applies it
        if bits.take(1):  # intrinsic size
            _size(bits)
        if bits.take(2):  # a preview or an animation: the following fields have a variable length
            return width, height, 16
    if bits.take(1):  # floating point
        return width, height, 32
    return (
        width,
        height,
        (8, 10, 12, 0)[choice] if (choice := bits.take(2)) < 3 else (1 + bits.take(6)),
    )


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def side() -> int:
        if small:
            return 8 * (1 + bits.take(5))
        return 1 + bits.take(_SIZE_BITS[bits.take(2)])

    height = side()
    ratio = bits.take(3)
    if ratio == 0:
        return side(), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _code_stream(content: bytes) -> bytes:
    """The code stream, extracted from its container if there is one."""
    if content.startswith(b"\xff\x0a"):
        return content
    at = 0
    while at + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == b"jxlc":
            return content[at + 8 :]
        if kind == b"jxlp":
            return content[at + 12 :]
        if length < 8:
            break
        at += length
    raise ValueError("the header is incomplete")
