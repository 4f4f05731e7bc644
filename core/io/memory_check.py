"""Checks from their headers that files fit into memory, before pixels are decoded."""

from __future__ import annotations

from pathlib import Path

from core.available_memory import available_bytes
from core.errors import InputError, Message
from core.memory_model import decoding_bytes, image_bytes
from core.types import ImageHeader

_ALWAYS_FITS = 2**20
"""Images of up to this many pixels are read without querying the available memory."""


def check_memory(*files: tuple[Path, ImageHeader]) -> None:
    """Refuse files that together exceed the available memory.

    Raises:
        InputError: too little memory, caused by a MemoryError; names the file that does not fit.
    """
    if sum(header.width * header.height for _, header in files) <= _ALWAYS_FITS:
        return
    wanted = sum(decoding_bytes(header) for _, header in files)
    free, held = available_bytes(wanted=wanted), 0
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
