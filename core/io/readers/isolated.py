"""Decoding in a separate process: a crash, a hang or excessive memory affects a single file only.

The process runs :mod:`core.io.readers.isolated_child`. It is started for the first file with a
risky codec and reused for later ones. It reads requests from a pipe that closes when this process
ends in any way, and then ends too.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError, Message
from core.io.readers.decoding import SampleArray, damaged
from core.messages import from_data

CHILD_ARGUMENT = "--decode-apart"
"""First argument that makes the frozen program run as a decoder."""

_START_SECONDS = 60.0
_SECONDS, _SECONDS_PER_MEGAPIXEL = 5.0, 1.0
_AT_ONCE = max(1, min(4, os.cpu_count() or 1))
_ROOT = Path(__file__).resolve().parents[3]


class _ProcessEnded(Exception):
    """The process ended, or was ended, before it answered."""


class _Child:
    """A decoder process, used by one thread at a time.

    Attributes:
        late: whether it was ended because the last request timed out.
        answered: whether it has completed a request before.
    """

    def __init__(self) -> None:
        self.process = _start()
        self.late = False
        self.answered = False
        with self._ended_after(_START_SECONDS):
            self._answer()

    def ask(self, request: Mapping[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a request; returns header and bytes of the answer.

        Raises:
            _ProcessEnded: the process died or took longer than ``seconds`` (see ``late``).
        """
        self.late = False
        with self._ended_after(seconds):
            try:
                assert self.process.stdin is not None
                self.process.stdin.write(json.dumps(request).encode() + b"\n")
                self.process.stdin.flush()
            except OSError as error:
                raise _ProcessEnded from error
            answer = self._answer()
            self.answered = True
            return answer

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdout is not None
        try:
            header = json.loads(self.process.stdout.readline())
            body = self.process.stdout.read(int(header.get("bytes", 0)))
        except (OSError, ValueError) as error:
            raise _ProcessEnded from error
        if len(body) != header.get("bytes", 0):
            raise _ProcessEnded
        return header, body

    @contextlib.contextmanager
    def _ended_after(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _time_out(self) -> None:
        self.late = True
        self.process.kill()

    def end(self) -> None:
        """End the process; does nothing if it has ended."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.wait()


def _start() -> subprocess.Popen[bytes]:
    # One thread and one heap: more of them would reserve address space, which is limited.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    if getattr(sys, "frozen", False):
        command = [sys.executable, CHILD_ARGUMENT]
    else:
        command = [sys.executable, "-m", "core.io.readers.isolated_child"]
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([known] if known else [])])
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


class _Pool:
    """Idle decoder processes, of which several can work at once."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._owner = os.getpid()

    @contextlib.contextmanager
    def child(self) -> Iterator[_Child]:
        """A process for one request; it becomes idle again if it is still alive."""
        with self._places:
            child = self._idle_child()
            try:
                yield child
            except BaseException:
                child.end()
                raise
            with self._lock:
                self._idle.append(child)

    def _idle_child(self) -> _Child:
        with self._lock:
            if self._owner != os.getpid():  # after a fork they belong to the parent
                self._idle, self._owner = [], os.getpid()
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        return _Child()

    def close(self) -> None:
        """End the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for child in idle:
                child.end()


_pool = _Pool()
atexit.register(_pool.close)


def decode_isolated(
    path: Path, codec: str, pixels: int, **options: int
) -> tuple[SampleArray, dict[str, Any]]:
    """Decode ``path`` in a separate process; returns samples and further facts from the codec.

    Args:
        path: the file.
        codec: a key of :data:`core.io.readers.isolated_child.CODECS`.
        pixels: number of pixels in the header, which determines the limits of time and memory.
        options: options of the codec.

    Raises:
        InputError: the file is damaged, crashes its decoder, or exceeds the limits.
    """
    request = {"codec": codec, "path": os.fsencode(path.absolute()).hex(), "pixels": pixels}
    seconds = _SECONDS + _SECONDS_PER_MEGAPIXEL * pixels / 1e6
    try:
        header, body = _request(path, {**request, **options, "seconds": seconds}, seconds)
    except (OSError, _ProcessEnded) as error:
        raise InputError(
            str(path),
            Message("the process that decodes it cannot be started ({0})", str(error) or "ended"),
            Message("Export it as PNG or TIFF."),
        ) from error
    if "error" in header:
        raise _error_for(path, header["error"])
    samples = np.frombuffer(body, np.dtype(header["dtype"])).reshape(header["shape"])
    return samples, header["facts"]


def _request(
    path: Path, request: Mapping[str, Any], seconds: float
) -> tuple[dict[str, Any], bytes]:
    for _ in range(_AT_ONCE + 1):
        with _pool.child() as child:
            answered = child.answered
            try:
                return child.ask(request, seconds)
            except _ProcessEnded as error:
                child.end()
                if child.late:
                    raise damaged(path, Message("decoding it takes too long")) from error
                if not answered:
                    raise damaged(path, Message("its decoder crashed over it")) from error
        # It may have died for another reason while idle: try once with a new process.
    raise _ProcessEnded


def _error_for(path: Path, error: Any) -> InputError:
    if isinstance(error, list):
        return InputError(str(path), *map(from_data, error))
    if error == "memory":
        return InputError(
            str(path),
            Message("there is not enough memory to read it"),
            Message("Close other programs or use a smaller picture."),
        )
    return damaged(path, str(error))
