"""What a file of so many bytes cannot hold, refused before anything is allocated for it."""

from __future__ import annotations

import math
from pathlib import Path

from core.errors import InputError, Message
from core.io.readers.decoding import check_size, damaged

_MODEST = 25_000_000
"""Pixels that may be claimed by however few bytes a codec needs: below a gigabyte when read."""

_PER_BYTE = 500
"""Pixels a byte of a larger file may stand for; photographs have less than ten."""

_DEFLATE = 1032
_LZW_CODES, _LZW_BITS, _LZW_LONGEST = 4096, 12, 4096
_PACKBITS = 64


def check_claim(path: Path, width: int, height: int, size: int, least: float = 0) -> None:
    """Refuse a header whose image cannot be, or hardly is, in the file.

    Args:
        path: the file.
        width, height: pixels its header claims.
        size: bytes the compressed image has.
        least: bytes the codec needs for any image of that size.

    Raises:
        InputError: the image has no pixels, more than the limit, more than the bytes can hold, or
            so many more than bytes that it is empty almost everywhere.
    """
    check_size(path, width, height)
    if size < least:
        why = Message("it claims {0}×{1} pixels, which {2} bytes cannot hold", width, height, size)
        raise damaged(path, why)
    pixels = width * height
    if pixels > _MODEST and pixels > size * _PER_BYTE:
        why = Message(
            "it claims {0}×{1} pixels but has only {2} bytes: next to nothing is in it",
            width,
            height,
            size,
        )
        raise InputError(str(path), why, Message("Crop it or make it smaller."))


def least_deflated(size: int) -> float:
    """Bytes that ``size`` bytes take at least when deflated."""
    return max(0, size - 4 * _DEFLATE) / _DEFLATE


def least_packbits(size: int) -> float:
    """Bytes that ``size`` bytes take at least when run-length coded (PackBits, BMP, TGA)."""
    return size / _PACKBITS


def least_lzw(size: int) -> float:
    """Bytes that ``size`` bytes take at least in LZW: the n-th code stands for n bytes at most."""
    growing = _LZW_CODES * (_LZW_CODES + 1) // 2
    if size <= growing:
        codes = (math.sqrt(8 * size + 1) - 1) / 2
        return codes * 2 / 8  # two bits a code is the least there is
    return (_LZW_CODES * 2 + (size - growing) / _LZW_LONGEST * _LZW_BITS) / 8
