"""Whether files can be read at all: asked of their headers, before a pixel is decoded."""

from __future__ import annotations

from pathlib import Path

from core.available_memory import available_bytes
from core.errors import InputError, Message
from core.memory_model import decoding_bytes, image_bytes
from core.types import ImageHeader

_SURELY = 2**20
"""Images of no more pixels are read without asking how much memory there is."""


def check_memory(*files: tuple[Path, ImageHeader]) -> None:
    """Refuse files that, held in memory together, do not fit into what there is.

    Raises:
        InputError: as said, caused by a MemoryError; it names the file that is too much.
    """
    if sum(header.width * header.height for _, header in files) <= _SURELY:
        return
    free, held = available_bytes(), 0
    if free is None:
        return
    for path, header in files:
        needed = held + decoding_bytes(header)
        if needed > free:
            raise InputError(
                str(path),
                Message(
                    "reading {0}×{1} pixels takes about {2} MB, and {3} MB are free",
                    header.width,
                    header.height,
                    needed // 10**6,
                    free // 10**6,
                ),
                Message("Close other programs or use a smaller picture."),
            ) from MemoryError()
        held += image_bytes(header)
