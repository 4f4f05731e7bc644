"""Refuses headers whose image cannot be contained in the file, before memory is allocated."""

from __future__ import annotations

import math
from pathlib import Path

from core.errors import InputError, Message
from core.io.readers.decoding import check_size, damaged

_ALWAYS_ACCEPTED = 25_000_000
"""Pixels accepted for any file size that the codec allows: less than a gigabyte in memory."""

_PER_BYTE = 500
"""Largest number of pixels per byte of a larger file; photographs have less than ten."""

_DEFLATE = 1032
_LZW_CODES, _LZW_BITS, _LZW_LONGEST = 4096, 12, 4096
_PACKBITS = 64


def check_claim(path: Path, width: int, height: int, size: int, least: float = 0) -> None:
    """Refuse a header whose image does not, or most likely does not, fit into the file.

    Args:
        path: the file.
        width, height: size in the header, in pixels.
        size: bytes of the compressed image.
        least: smallest number of bytes in which the codec can encode an image of that size.

    Raises:
        InputError: the image has no pixels, too many pixels, or more than the bytes can encode; or
            the ratio is only possible for an almost uniform image.
    """
    check_size(path, width, height)
    if size < least:
        why = Message("it claims {0}×{1} pixels, which {2} bytes cannot hold", width, height, size)
        raise damaged(path, why)
    pixels = width * height
    if pixels > _ALWAYS_ACCEPTED and pixels > size * _PER_BYTE:
        why = Message(
            "it claims {0}×{1} pixels but has only {2} bytes: next to nothing is in it",
            width,
            height,
            size,
        )
        raise InputError(str(path), why, Message("Crop it or make it smaller."))


def min_deflated(size: int) -> float:
    """Smallest number of bytes to which ``size`` bytes can be deflated."""
    return max(0, size - 4 * _DEFLATE) / _DEFLATE


def min_packbits(size: int) -> float:
    """Smallest run-length encoding (PackBits, BMP, TGA) of ``size`` bytes, in bytes."""
    return size / _PACKBITS


def min_lzw(size: int) -> float:
    """Smallest LZW encoding of ``size`` bytes, in bytes: the n-th code stands for ≤ n bytes."""
    growing = _LZW_CODES * (_LZW_CODES + 1) // 2
    if size <= growing:
        codes = (math.sqrt(8 * size + 1) - 1) / 2
        return codes * 2 / 8  # at least two bits per code
    return (_LZW_CODES * 2 + (size - growing) / _LZW_LONGEST * _LZW_BITS) / 8
