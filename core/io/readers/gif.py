"""Checks that a GIF is complete."""

from __future__ import annotations

from pathlib import Path

from core.errors import Message
from core.io.readers.decoding import damaged

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_HEADER, _DESCRIPTOR = 13, 9


def check(path: Path, content: bytes) -> None:
    """Walk through the blocks to the trailer; data after it are ignored.

    Raises:
        InputError: there is no trailer, or an invalid block.
    """
    try:
        at = _HEADER + _table(content[10])
        while content[at] != _END:
            if content[at] == _EXTENSION:
                at = _end_of_sub_blocks(content, at + 2)
            elif content[at] == _PICTURE:
                packed = content[at + _DESCRIPTOR]
                at = _end_of_sub_blocks(content, at + 1 + _DESCRIPTOR + _table(packed) + 1)
            elif content[at] == 0:  # stray block terminators, which decoders skip
                at += 1
            else:
                raise damaged(path, Message("a part of it cannot be understood"))
    except IndexError as error:
        raise damaged(path, Message("its end is missing")) from error


def _table(packed: int) -> int:
    """Bytes of the colour table that the flags declare."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _end_of_sub_blocks(content: bytes, at: int) -> int:
    while length := content[at]:
        at += 1 + length
    return at + 1
