"""Memory shared with the other process, which the system frees once nobody has it mapped.

It has no name in any file system: on POSIX systems a descriptor is passed along the pipe, on
Windows the name of a mapping, which ends with its last handle. So nothing is left behind by a
process that is killed.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import mmap
import os
import queue
import secrets
import sys
import tempfile
import threading
from collections.abc import Sequence

import numpy as np

_WINDOWS = sys.platform == "win32"
_ALIGNMENT = 64


class _Mapping(mmap.mmap):
    """Is unmapped on a thread of its own, whoever drops it.

    The system frees its pages one by one: 150 MB cost 40 ms of whoever unmaps them, which would
    often be the thread of the window, for which a result is replaced by another.
    """

    def __del__(self) -> None:
        _dropped.put(self)  # called once only, although it lives on


_dropped: queue.SimpleQueue[_Mapping] = queue.SimpleQueue()


def _unmap() -> None:
    while True:
        _dropped.get().close()  # not merely dropped: the other thread may hold it for a moment


@functools.cache
def _unmapping() -> threading.Thread:
    """The thread that unmaps, which is started now."""
    thread = threading.Thread(target=_unmap, name="unmapping", daemon=True)
    thread.start()
    return thread


class Segment:
    """Bytes that both processes can map."""

    def __init__(self, size: int, *, handle: int = -1, name: str = "") -> None:
        """Take over the descriptor ``handle``, or open ``name`` (Windows)."""
        self.size, self.name, self._handle = size, name, handle
        self._held: mmap.mmap | None = None
        if sys.platform == "win32":
            self._held = mmap.mmap(-1, size, name)

    @classmethod
    def of(cls, size: int) -> Segment:
        """New memory.

        Raises:
            OSError, MemoryError: there is not enough.
        """
        if _WINDOWS:
            return cls(size, name=f"unifusion-{secrets.token_hex(8)}")
        made = cls(size, handle=_anonymous_file())
        try:
            os.ftruncate(made.handle, size)
        except BaseException:
            made.close()
            raise
        return made

    @property
    def handle(self) -> int:
        """The descriptor; -1 on Windows and after :meth:`close`."""
        return self._handle

    def map(self) -> mmap.mmap:
        """The memory, which lives as long as what was made from it.

        Raises:
            MemoryError: there is no room for it in the address space.
        """
        if self._held is not None:
            return self._held
        _unmapping()
        try:
            return _Mapping(self._handle, self.size)
        except OSError as error:
            if error.errno == errno.ENOMEM:
                raise MemoryError(f"{self.size} bytes") from None
            raise

    def close(self) -> None:
        """Drop this process's handle; what is mapped stays."""
        self._held = None
        handle, self._handle = self._handle, -1
        if handle >= 0:
            with contextlib.suppress(OSError):
                os.close(handle)

    def __del__(self) -> None:
        self.close()


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unifusion", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def aligned(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Offsets of buffers behind each other, and the size of all of them."""
    offsets, end = [], 0
    for size in sizes:
        offsets.append(end)
        end += -(-size // _ALIGNMENT) * _ALIGNMENT
    return offsets, end


def fill(segment: Segment, parts: Sequence[memoryview]) -> None:
    """Copy buffers into a segment, without the interpreter's lock."""
    offsets, _ = aligned([part.nbytes for part in parts])
    memory = np.frombuffer(segment.map(), np.uint8)
    for offset, part in zip(offsets, parts, strict=True):
        np.copyto(memory[offset : offset + part.nbytes], np.frombuffer(part, np.uint8))
