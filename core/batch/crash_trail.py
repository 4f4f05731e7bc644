"""A hidden file that names the row of each thread, and survives a crash of the process.

Rows are recorded as begun many at a time, so the manifest alone cannot tell which of them was in
progress when the program died. The file has one line per thread, overwritten in place: what a
process has written survives it, without a sync for each row. During a run :mod:`faulthandler`
appends to the file, so that a crash in native code leaves a traceback. It dumps the crashing thread
only: walking the stacks of other threads, which are still running, might crash again before that
one is reached. The thread is identified by a frame that is named after it (:func:`run_marked`).
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
import sys
import threading
import types
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.io.atomic import output_error

TRAIL_NAME = ".unifusion-batch.running"
_HEAD = "unifusion trail 1 "
_LINE = re.compile(r"^([0-9a-f]{32}) ([0-9a-f]{16})$", re.MULTILINE)
_EMPTY = f"{'-' * 32} {'-' * 16}\n"
_CRASH = re.compile(r"^(Fatal Python error|Windows fatal exception): ", re.MULTILINE)
_MARK = "thread_"
_THREAD = re.compile(rf" in {_MARK}([0-9a-f]{{16}})$", re.MULTILINE)
_MOST = 1 << 20
"""The most bytes of a trail that are read; enough for a hundred stacks."""

_Made = TypeVar("_Made")
_tracing = threading.Lock()
"""Held by the trail that receives the tracebacks of the process."""


@dataclass(frozen=True)
class CrashRecord:
    """The trail of a run that died.

    Attributes:
        name: random name of the run, so that its trail is evaluated once.
        rows: keys of the rows in progress, with the thread of each.
        crashed: whether native code crashed; otherwise the process was killed from outside.
        thread: the thread that crashed; None if it is not one of Python's.
    """

    name: str
    rows: tuple[tuple[str, int], ...] = ()
    crashed: bool = False
    thread: int | None = None


def read_trail(folder: Path) -> CrashRecord | None:
    """The trail in ``folder``; None if no run died there, or if it cannot be read."""
    try:
        with (folder / TRAIL_NAME).open("rb") as stream:
            text = stream.read(_MOST).decode("ascii", "replace")
    except OSError:
        return None
    head, _, rest = text.partition("\n")
    if not head.startswith(_HEAD):
        return None
    rows = tuple((key, int(thread, 16)) for key, thread in _LINE.findall(rest))
    crash = _CRASH.search(rest)
    thread = _THREAD.search(rest, crash.end()) if crash else None
    return CrashRecord(
        head.removeprefix(_HEAD), rows, bool(crash), int(thread[1], 16) if thread else None
    )


def run_marked(body: Callable[[], _Made]) -> _Made:
    """Call ``body`` from a frame that is named after the thread, as read by :func:`read_trail`."""
    name = f"{_MARK}{threading.get_ident():016x}"
    made: _Made = types.FunctionType(_call.__code__.replace(co_name=name), {})(body)
    return made


def _call(body: Callable[[], _Made]) -> _Made:
    return body()


def remove_trail(folder: Path) -> None:
    """Remove the trail in ``folder``, if there is one."""
    with contextlib.suppress(OSError):
        (folder / TRAIL_NAME).unlink()


class CrashTrail:
    """The trail of the run in progress. Thread-safe."""

    def __init__(self, folder: Path, threads: int) -> None:
        """
        Args:
            folder: the output folder, whose manifest is open, so that no other run writes there.
            threads: the most that work on rows at once.

        Raises:
            OutputError: it cannot be written.
        """
        self._folder, self._path = folder, folder / TRAIL_NAME
        self._lock = threading.Lock()
        self._free = list(range(threads))[::-1]
        self._file: int | None = None
        self._trace: int | None = None
        self._before = False
        head = f"{_HEAD}{uuid.uuid4().hex}\n"
        self._start = len(head)
        remove_trail(folder)  # a link of that name is not followed
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(self._path, flags, 0o666)
            os.write(self._file, (head + _EMPTY * threads).encode())
            self._catch_crashes()
        except OSError as error:
            self.close()
            raise output_error(self._path, error) from error

    def _catch_crashes(self) -> None:
        if not _tracing.acquire(blocking=False):
            return
        try:
            self._trace = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        except OSError:
            _tracing.release()
            raise
        self._before = faulthandler.is_enabled()
        faulthandler.enable(self._trace, all_threads=False)

    @contextlib.contextmanager
    def at(self, key: str) -> Iterator[None]:
        """Record the row ``key`` for the calling thread, for the duration of the context.

        Raises:
            OutputError: the file cannot be written.
        """
        with self._lock:
            place = self._free.pop() if self._free else None
        self._write(place, f"{key} {threading.get_ident():016x}\n")
        try:
            yield
        finally:
            self._write(place, _EMPTY)
            if place is not None:
                with self._lock:
                    self._free.append(place)

    def _write(self, place: int | None, line: str) -> None:
        with self._lock:
            if self._file is None or place is None:
                return
            try:
                os.lseek(self._file, self._start + place * len(_EMPTY), os.SEEK_SET)
                os.write(self._file, line.encode())
            except OSError as error:
                raise output_error(self._path, error) from error

    def close(self) -> None:
        """End the trail of a run that did not crash, and remove its file."""
        with self._lock:
            if self._trace is not None:
                self._restore_faulthandler()
                os.close(self._trace)
                self._trace = None
                _tracing.release()
            if self._file is not None:
                os.close(self._file)
                self._file = None
                remove_trail(self._folder)

    def _restore_faulthandler(self) -> None:
        faulthandler.disable()
        if self._before and sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                faulthandler.enable(sys.__stderr__)
