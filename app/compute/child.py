"""Main program of the compute process: runs each job on a thread of its own.

It ends when the pipe does, that is, with the window, however the window ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import inspect
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from app.compute.calls import Call, Request, found, found_control
from app.compute.channel import Channel, PipeFrame
from app.compute.held import HeldKey, held_values
from app.workers.errors import as_fusion_error
from core.errors import Cancelled, DeviceFault

_REPORT_INTERVAL = 1 / 30
"""Minimum interval between progress reports of one stage, in seconds."""
_LOOK_EVERY = 0.05
"""Seconds between two checks of whether a job that waits was cancelled."""
_STACK_BYTES = 16 * 1024 * 1024
"""Some systems default to 512 KiB, too little for numerical libraries."""


class _Job:
    """One call, as the :class:`core.progress.Progress` of its function as well."""

    def __init__(self, frame: PipeFrame, channel: Channel) -> None:
        self.number = frame.number
        self._frame: PipeFrame | None = frame
        self._channel = channel
        self._stage, self._last = "", 0.0
        self._stop = self._heard = False
        self._lock = threading.Lock()
        self._control: Any = None
        self._requests: list[Request] = []

    # --- called by the pipe's thread ---------------------------------------------------------

    def cancel(self) -> None:
        """Raise Cancelled at the next check."""
        self._stop = True

    def request(self, request: Request) -> None:
        """Call a method of the job's control, as soon as there is one."""
        with self._lock:
            if self._control is None:
                self._requests.append(request)
            else:
                self._obey(request)

    def _obey(self, request: Request) -> None:
        with contextlib.suppress(Exception):  # the window has checked what it asks for
            getattr(self._control, request.method)(*request.arguments)

    # --- called by the job's thread ----------------------------------------------------------

    def report(self, done: float, total: float, stage: str) -> None:
        """Forward the report, at most 30 times per second within one stage."""
        now = time.monotonic()
        if stage == self._stage and now - self._last < _REPORT_INTERVAL and done < total:
            return
        self._stage, self._last = stage, now
        self._channel.send("progress", self.number, (float(done), float(total), stage))

    def check(self) -> None:
        """Raise Cancelled where that was asked for."""
        if self._stop:
            if not self._heard:
                self._heard = True
                self._channel.send("heard", self.number)
            raise Cancelled

    def run(self, ended: Callable[[int], None]) -> None:
        """Call the function and send its events and its end."""
        try:
            end = self._run()
        finally:
            ended(self.number)
        is_broken = isinstance(end[2], DeviceFault)
        if is_broken:
            # First, so that no job begins here any more.
            self._channel.send("broken", self.number)
        try:
            self._channel.send(*end)
        except BaseException as error:
            self._channel.send("failed", self.number, as_fusion_error(error))
        if is_broken:
            self._channel.close()  # once all of that is written
            os._exit(1)

    def _run(self) -> tuple[str, int, Any]:
        try:
            return "finished", self.number, self._call()
        except Cancelled:
            return "cancelled", self.number, None
        except BaseException as error:
            return "failed", self.number, as_fusion_error(error)

    def _argument(self, argument: Any) -> Any:
        try:
            return held_values.value(argument)
        except BaseException:
            if isinstance(argument, HeldKey):
                self._channel.send("lost", argument.key)  # to be sent again with the next job
            raise

    def _call(self) -> Any:
        frame, self._frame = self._frame, None
        assert frame is not None
        while not _ready.wait(_LOOK_EVERY):
            self.check()
        call: Call = frame.value()
        del frame
        function, arguments = found(call.function), tuple(map(self._argument, call.arguments))
        if call.control:
            arguments = (*arguments, self._make_control(call.control))
        del call
        self.check()
        answer = function(*arguments, self)
        del arguments
        if not inspect.isgenerator(answer):
            return answer
        try:
            while True:
                try:
                    event = next(answer)
                except StopIteration as end:
                    return end.value
                self._channel.send("event", self.number, event)
                del event
                self.check()
        finally:
            answer.close()

    def _make_control(self, name: str) -> Any:
        made = found_control(name)()
        with self._lock:
            self._control = made
            for request in self._requests:
                self._obey(request)
            self._requests.clear()
        return made


_ready = threading.Event()
"""What needs no torch is imported."""
_FIRST = (
    "core.io.volumes",
    "core.metrics",
    "core.fusion.classical_engine",
    "app.fuse.source_tasks",
    "app.fuse.tasks",
    "app.fuse.measuring",
)
"""Imported before any job, on one thread: two threads that import a package and a module of it wait
for each other, and Python then gives one of them a module that is only half initialised."""


def _import_ahead(wanted: bool, asked: queue.SimpleQueue[tuple[str, ...]]) -> None:
    """Import the packages that the first jobs need, then those that the window asks for.

    Errors are ignored: the job that needs a package raises them with the reason.
    """
    _import(_FIRST if wanted else ())
    _ready.set()
    while True:
        _import(asked.get())


def _import(names: tuple[str, ...]) -> None:
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


class Server:
    """Receives calls until the pipe ends."""

    def __init__(self, channel: Channel, asked: queue.SimpleQueue[tuple[str, ...]]) -> None:
        """
        Args:
            asked: names of packages to be imported are put there.
        """
        self._channel = channel
        self._asked = asked
        self._jobs: dict[int, _Job] = {}

    def serve(self) -> None:
        """Run the jobs that arrive.

        Raises:
            EOFError: the window has ended.
        """
        while True:
            frame = self._channel.receive()
            if frame.kind == "call":
                self._start(frame)
            elif frame.kind == "language":
                from app.i18n import language

                language.use(frame.value())
            elif frame.kind == "import":
                self._asked.put(frame.value())
            elif frame.kind == "hold":
                held_values.put(frame)
            elif frame.kind == "release":
                held_values.drop(frame.number)
            else:
                job, value = self._jobs.get(frame.number), frame.value()
                if job is not None and frame.kind == "cancel":
                    job.cancel()
                elif job is not None and frame.kind == "request":
                    job.request(value)

    def _start(self, frame: PipeFrame) -> None:
        job = self._jobs[frame.number] = _Job(frame, self._channel)
        name = f"job {frame.number}"
        threading.Thread(target=job.run, args=(self._ended,), name=name, daemon=True).start()

    def _ended(self, number: int) -> None:
        self._jobs.pop(number, None)


def serve_window() -> None:
    """Serve the window at the other end of the pipe; does not return.

    The last arguments of the command line are the pipe's handle, and whether to import what the
    first jobs need (no torch) at once.
    """
    handle, warm = map(int, sys.argv[-2:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the window
    with contextlib.suppress(
        RuntimeError, ValueError, OSError
    ):  # there may be no stderr to write to
        faulthandler.enable()
    threading.stack_size(_STACK_BYTES)
    channel = Channel(_connection(handle))
    asked: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()
    imports = (bool(warm), asked)
    threading.Thread(target=_import_ahead, args=imports, name="imports", daemon=True).start()
    with contextlib.suppress(EOFError):
        Server(channel, asked).serve()
    # Threads of torch may be in the middle of anything; there is nobody to wait for them.
    os._exit(0)


def _connection(handle: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    os.set_inheritable(handle, False)
    return Connection(handle)
