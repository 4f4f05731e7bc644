"""Whether the fragments of compressed pixels are all there.

Decoders do not see how a file ends: where it was cut, they take what follows for data.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread
from pydicom.uid import UID, RLELossless

from core.errors import Message
from core.io.readers.decoding import damaged

_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_HEADER = struct.Struct("<HHI")


def check_fragments(path: Path, syntax: UID) -> None:
    """Refuse a file whose compressed pixels do not end as they should.

    Run lengths have no mark of their own at their end, so theirs must be that of the sequence; of
    other codings it may be missing.

    Raises:
        DamagedImage: as said.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        dcmread(stream, stop_before_pixels=True, force=True, specific_tags=[])
        stream.seek(12, 1)  # tag, kind and (undefined) length of the pixels
        size = path.stat().st_size
        if not _are_whole(stream, size, syntax == RLELossless):
            raise damaged(path, Message("its pixels are cut short"))


def _are_whole(stream: BinaryIO, size: int, strict: bool) -> bool:
    while True:
        at = stream.tell()
        head = stream.read(_HEADER.size)
        if not head:
            return at == size and not strict
        if len(head) < _HEADER.size:
            return False
        group, element, length = _HEADER.unpack(head)
        if (group, element) == _END:
            return True
        if (group, element) != _ITEM or at + _HEADER.size + length > size:
            return False
        stream.seek(length, 1)
