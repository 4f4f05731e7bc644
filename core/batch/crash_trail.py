"""Which thread is at which row, in a hidden file that outlives the process, however it dies.

Rows are recorded as begun many at a time, so the manifest alone cannot tell which of them was being
worked on when the program died. The file has a line for each thread, written over in place: what a
process has written is there after it was killed, without the cost of a sync for each row. While a
run is on, :mod:`faulthandler` writes behind those lines, so that a crash in native code leaves its
trace. It writes the stack of the crashing thread alone: to walk the stacks of others, which go on
running meanwhile, may crash once more before the thread that matters is reached. Which thread it
was says a frame that is named after it (:func:`run_marked`).
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

from core.io.atomic import output_error

TRAIL_NAME = ".unifusion-batch.running"
_HEAD = "unifusion trail 1 "
_LINE = re.compile(r"^([0-9a-f]{32}) ([0-9a-f]{16})$", re.MULTILINE)
_EMPTY = f"{'-' * 32} {'-' * 16}\n"
_CRASH = re.compile(r"^(Fatal Python error|Windows fatal exception): ", re.MULTILINE)
_MARK = "thread_"
_THREAD = re.compile(rf" in {_MARK}([0-9a-f]{{16}})$", re.MULTILINE)
_MOST = 1 << 20
"""Bytes of a trail that are read: a hundred stacks have room in it."""

_tracing = threading.Lock()
"""Held by the one trail whose file the process's crashes go to."""


@dataclass(frozen=True)
class CrashRecord:
    """What a run that died has left.

    Attributes:
        name: of the run, so that it is judged once.
        rows: keys of rows that were being worked on, with the thread each.
        crashed: whether native code crashed, rather than the process was killed from outside.
        thread: the thread it happened in; None when that was none of Python's.
    """

    name: str
    rows: tuple[tuple[str, int], ...] = ()
    crashed: bool = False
    thread: int | None = None


def read_trail(folder: Path) -> CrashRecord | None:
    """What was left in ``folder``; None when no run died there, or when it cannot be read."""
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


def run_marked(body: Callable[[], None]) -> None:
    """Run ``body`` below a frame that names the thread, for whoever reads the stack of a crash."""
    name = f"{_MARK}{threading.get_ident():016x}"
    types.FunctionType(_call.__code__.replace(co_name=name), {})(body)


def _call(body: Callable[[], None]) -> None:
    body()


def remove_trail(folder: Path) -> None:
    """Forget it."""
    with contextlib.suppress(OSError):
        (folder / TRAIL_NAME).unlink()


class CrashTrail:
    """An open trail. Safe to use from several threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        """
        Args:
            folder: that of the manifest, which is held: nobody else writes there.
            threads: that work on rows at once, at most.

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
        remove_trail(folder)  # a link that lies there is not followed
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
        """The calling thread works on the row ``key`` meanwhile.

        Raises:
            OutputError: the file cannot be written any more.
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
        """The run ended as it should: no trail is left."""
        with self._lock:
            if self._trace is not None:
                self._hand_back()
                os.close(self._trace)
                self._trace = None
                _tracing.release()
            if self._file is not None:
                os.close(self._file)
                self._file = None
                remove_trail(self._folder)

    def _hand_back(self) -> None:
        faulthandler.disable()
        if self._before and sys.__stderr__ is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                faulthandler.enable(sys.__stderr__)
