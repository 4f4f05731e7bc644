"""One end of the pipe between the window and its compute process.

A frame is a kind, the number of a job and a value. Values are pickled; large arrays in them travel
through shared memory. Only the two processes ever hold the ends of the pipe: it has no name, and
nobody else can write to it.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import queue
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from app.compute.segments import Segment, aligned, fill
from core.errors import Cancelled, FusionError

_SMALL = 1 << 18
"""Arrays of fewer bytes are written into the pipe."""
_LARGE = 1 << 24
"""Arrays of at least so many bytes stay in shared memory, one segment each; those between are
copied out of one segment for all, since each segment in use needs a descriptor."""
_TAKEN = "taken"
_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True)
class _Shared:
    """A segment as it is described in the head of a frame."""

    size: int
    parts: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True)
class _Head:
    kind: str
    number: int
    _: KW_ONLY
    serial: int = 0
    shared: tuple[_Shared, ...] = ()


@dataclass(eq=False)
class PipeFrame:
    """A message that was received; its value is decoded on the thread that asks for it."""

    kind: str
    number: int
    _: KW_ONLY
    content: bytes
    segments: list[tuple[_Shared, Segment]] = field(default_factory=list)
    taken: Callable[[], None] = lambda: None

    def value(self) -> Any:
        """The value; call once.

        Raises:
            Exception: whatever its classes raise, or memory cannot be mapped.
        """
        segments, self.segments = self.segments, []
        try:
            buffers = [part for shared, segment in segments for part in _parts(shared, segment)]
        finally:
            for _, segment in segments:
                segment.close()
            self.taken()
        return pickle.loads(self.content, buffers=buffers)  # noqa: S301 (of our own process)

    def drop(self) -> None:
        """Free the memory of a value that nobody asks for."""
        for _, segment in self.segments:
            segment.close()
        self.segments = []
        self.taken()


def _parts(shared: _Shared, segment: Segment) -> list[Any]:
    offsets, _ = aligned(shared.parts)
    memory = np.frombuffer(segment.map(), np.uint8)
    found = [memory[at : at + size] for at, size in zip(offsets, shared.parts, strict=True)]
    return [*found] if shared.size >= _LARGE and len(found) == 1 else [a.copy() for a in found]


class _Pickler(pickle.Pickler):
    """Pickles images of Qt, too."""

    def reducer_override(self, obj: Any) -> Any:
        """How a value is pickled that has no way of its own."""
        if isinstance(obj, BaseException) and not isinstance(obj, (FusionError, Cancelled)):
            # Its class may be one of torch, which the window does not import.
            return str, (str(obj),)
        if type(obj).__name__ == "QImage":
            from app.compute.qt_images import reduce_image

            return reduce_image(obj)
        return NotImplemented


def _encode(value: object) -> tuple[bytes, list[memoryview]]:
    """The pickle of a value, and the large buffers that are not in it."""
    buffers: list[memoryview] = []

    def outside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _SMALL:
            return True
        buffers.append(raw)
        return False

    content = io.BytesIO()
    _Pickler(content, 5, buffer_callback=outside).dump(value)
    return content.getvalue(), buffers


def _share(buffers: Sequence[memoryview]) -> list[tuple[_Shared, Segment]]:
    """Segments with the contents of buffers, in their order."""
    groups: list[list[memoryview]] = []
    for buffer in buffers:
        alone = buffer.nbytes >= _LARGE
        if alone or not groups or groups[-1][0].nbytes >= _LARGE:
            groups.append([buffer])
        else:
            groups[-1].append(buffer)
    made = []
    for group in groups:
        sizes = tuple(part.nbytes for part in group)
        segment = Segment.of(aligned(sizes)[1])
        fill(segment, group)
        made.append((_Shared(segment.size, sizes, segment.name), segment))
    return made


class Channel:
    """Sends from any thread without waiting; receives on one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._outgoing: queue.SimpleQueue[tuple[_Head, bytes] | None] = queue.SimpleQueue()
        self._in_flight: dict[int, list[Segment]] = {}
        self._lock = threading.Lock()
        self._serial = 0
        self._writer = threading.Thread(target=self._write, name="compute writer", daemon=True)
        self._writer.start()

    def send(self, kind: str, number: int, value: object = None) -> None:
        """Queue a frame.

        Raises:
            Exception: the value cannot be pickled, or there is no memory for it.
        """
        content, buffers = _encode(value)
        made = _share(buffers) if buffers else []
        serial = 0
        if made:
            with self._lock:
                self._serial += 1
                serial = self._serial
                # Kept until the other side has them mapped.
                self._in_flight[serial] = [segment for _, segment in made]
        shared = tuple(one for one, _ in made)
        self._outgoing.put((_Head(kind, number, serial=serial, shared=shared), content))

    def receive(self) -> PipeFrame:
        """The next frame.

        Raises:
            EOFError: the other process has ended.
        """
        while True:
            try:
                head: _Head = pickle.loads(self._connection.recv_bytes())  # noqa: S301
                if head.kind == _TAKEN:
                    self._release(head.number)
                    continue
                content = self._connection.recv_bytes()
                segments = [(shared, self._received(shared)) for shared in head.shared]
            except (OSError, ValueError) as error:
                raise EOFError from error

            def taken(serial: int = head.serial) -> None:
                self._outgoing.put((_Head(_TAKEN, serial), b""))

            done = taken if segments else lambda: None
            return PipeFrame(head.kind, head.number, content=content, segments=segments, taken=done)

    def _received(self, shared: _Shared) -> Segment:
        if _WINDOWS:
            return Segment(shared.size, name=shared.name)
        with _socket_of(self._connection) as pipe:
            got, handles, _, _ = socket.recv_fds(pipe, 1, 1)
        if not got or not handles:
            raise EOFError
        return Segment(shared.size, handle=handles[0])

    def _release(self, serial: int) -> None:
        with self._lock:
            segments = self._in_flight.pop(serial, [])
        for segment in segments:
            segment.close()

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (waiting := self._outgoing.get()) is not None:
                head, content = waiting
                self._connection.send_bytes(pickle.dumps(head))
                if head.kind != _TAKEN:
                    self._connection.send_bytes(content)
                if head.shared and not _WINDOWS:
                    with self._lock:
                        segments = list(self._in_flight.get(head.serial, ()))
                    with _socket_of(self._connection) as pipe:
                        for segment in segments:
                            socket.send_fds(pipe, [b"m"], [segment.handle])
        # The other process has ended, or this end was closed: what waits will not be read.

    def close(self) -> None:
        """Close this end once what was sent before is written."""
        self._outgoing.put(None)
        self._writer.join(2.0)
        with contextlib.suppress(OSError):
            self._connection.close()
        with self._lock:
            waiting, self._in_flight = self._in_flight, {}
        for segments in waiting.values():
            for segment in segments:
                segment.close()


def _socket_of(connection: Connection) -> socket.socket:
    """A duplicate of the pipe's descriptor as a socket."""
    return socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
