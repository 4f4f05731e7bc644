"""How large a deflated DICOM file becomes, before all of it is decompressed into memory."""

from __future__ import annotations

import zlib
from pathlib import Path

from pydicom.uid import DeflatedExplicitVRLittleEndian

from core.errors import InputError, Message

_DEFLATED = DeflatedExplicitVRLittleEndian.encode()
_META_BYTES, _BLOCK, _LIMIT = 4096, 1 << 20, 1 << 30


def check_inflated(path: Path) -> None:
    """Refuse a deflated file that takes more than a gigabyte.

    Raises:
        InputError: as said.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(_META_BYTES)
        if head[128:132] != b"DICM" or _DEFLATED not in head:
            return
        length = int.from_bytes(head[140:144], "little")
        stream.seek(144 + length)
        inflate, total = zlib.decompressobj(wbits=-zlib.MAX_WBITS), 0
        try:
            while (block := stream.read(_BLOCK)) and not inflate.eof:
                while block and not inflate.eof:
                    total += len(inflate.decompress(block, _BLOCK))
                    block = inflate.unconsumed_tail
                    if total > _LIMIT:
                        raise InputError(
                            str(path),
                            Message("decompressed it takes more than {0} MB", _LIMIT // 10**6),
                            Message("Export it uncompressed (Explicit VR Little Endian)."),
                        )
        except zlib.error:
            return  # reading says it better
