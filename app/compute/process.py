"""The window's side of the compute process: starts it, calls it, and starts it again."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Generator
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.compute.calls import Call, Request
from app.compute.channel import Channel, PipeFrame
from app.compute.held import Held, HeldKey
from core.errors import Cancelled, FusionError
from core.messages import Message
from core.progress import Progress

CHILD_ARGUMENT = "--compute"
"""First argument that makes the frozen program the compute process; the pipe's handle follows."""

HEARD_WITHIN = 2.0
"""Seconds in which a job has to notice that it was cancelled, or else its process is ended."""

_LOOK_EVERY = 0.05
"""Seconds between two checks of whether a job was cancelled."""

_BEHIND_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0
)
"""How the process is created on Windows; elsewhere it lowers its priority itself."""

_ROOT = Path(__file__).resolve().parents[2]


class ProcessEnded(FusionError):
    """The compute process ended while a job was running in it."""


class _Running:
    """A job as its worker in the window sees it."""

    def __init__(self, number: int, child: _Child) -> None:
        self.number, self.child = number, child
        self.frames: queue.SimpleQueue[PipeFrame | None] = queue.SimpleQueue()
        self.cancelled = False

    def send(self, kind: str, value: object = None) -> None:
        self.child.channel.send(kind, self.number, value)


class _Child:
    """One process, from its start to its end."""

    def __init__(self, warm: bool) -> None:
        ours, theirs = Pipe(duplex=True)
        try:
            self.process = _start(theirs, warm)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.channel = Channel(ours)
        self.jobs: dict[int, _Running] = {}
        self.lock = threading.Lock()
        self._holding, self._held = threading.Lock(), set[int]()
        self.is_over = self.is_ending = self.is_broken = False
        self.answered = False
        self.reader = threading.Thread(target=self._read, name="compute reader", daemon=True)

    def _read(self) -> None:
        # Without memory for a frame the rest of the pipe makes no sense: the process ends with it,
        # and no job waits for ever.
        with contextlib.suppress(EOFError, MemoryError):
            while True:
                frame = self.channel.receive()
                self.answered = True
                if frame.kind == "lost":  # its number is that of a held value
                    with self._holding:
                        self._held.discard(frame.number)
                    continue
                with self.lock:
                    if frame.kind == "broken":  # it ends by itself
                        self.is_ending = self.is_broken = True
                        continue
                    job = self.jobs.get(frame.number)
                if job is None:
                    frame.drop()
                else:
                    job.frames.put(frame)
        self.channel.close()
        self.process.wait()
        with self.lock:
            self.is_over = True
            left = list(self.jobs.values())
        for job in left:
            job.frames.put(None)

    def add(self, number: int) -> _Running | None:
        """Register a job; None if the process has ended or is being ended."""
        with self.lock:
            if self.is_over or self.is_ending:
                return None
            job = self.jobs[number] = _Running(number, self)
            return job

    def send_call(self, job: _Running, call: Call) -> None:
        """Send a call, and before it what its process is to hold and does not yet."""
        arguments = tuple(
            self._hold(one) if isinstance(one, Held) else one for one in call.arguments
        )
        job.send("call", replace(call, arguments=arguments))

    def _hold(self, held: Held[Any]) -> HeldKey:
        with self._holding:
            if held.key not in self._held:
                self.channel.send("hold", held.key, held.value)
                self._held.add(held.key)
                end = weakref.finalize(held, self.channel.send, "release", held.key)
                end.atexit = False
        return HeldKey(held.key)

    def remove(self, job: _Running) -> None:
        with self.lock:
            self.jobs.pop(job.number, None)

    def end_unless_used(self) -> None:
        """End the process, unless there is a job that was not cancelled; no new one begins."""
        with self.lock:
            self.is_ending |= all(job.cancelled for job in self.jobs.values())
            if self.is_ending:
                self.process.kill()

    def why(self) -> Message:
        """Why the process ended."""
        if self.is_broken:
            return Message("the graphics card failed")
        code = self.process.poll()
        if code is not None and code < 0:
            return Message("the compute process was ended by signal {0}", -code)
        return Message("the compute process ended ({0})", code)


class ComputeProcess:
    """Runs functions in a process of their own; called from worker threads, several at once."""

    def __init__(self, *, warm: bool = True) -> None:
        """
        Args:
            warm: the process imports what the first jobs need, but no torch, as soon as it is
                started.
        """
        self._warm = warm
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._language = ""
        self._ahead: tuple[str, ...] = ()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Number of the running process; None if there is none."""
        child = self._child
        return None if child is None or child.is_over else child.process.pid

    def start(self, language: str = "") -> None:
        """Start the process.

        Args:
            language: of texts that are made in it; "" for English.
        """
        self._language = language or self._language
        with contextlib.suppress(OSError):  # the first job raises it with the reason
            self._living()

    def _living(self) -> _Child:
        with self._lock:
            child = self._child
            if child is None or child.is_over:
                if self._closed:
                    raise Cancelled
                child = self._child = _Child(self._warm)
                child.reader.start()
                if self._language:
                    child.channel.send("language", 0, self._language)
                if self._ahead:
                    child.channel.send("import", 0, self._ahead)
                threading.Thread(
                    target=self._watch, args=(child,), name="compute watch", daemon=True
                ).start()
            return child

    def import_ahead(self, *names: str) -> None:
        """Import packages in the process, now and after each new start, beside the jobs in it."""
        with self._lock:
            self._ahead = names
            if self._child is not None:
                self._child.channel.send("import", 0, names)

    def _watch(self, child: _Child) -> None:
        """Start a new process when one has ended, unless it never worked."""
        child.reader.join()
        if child.answered and not self._closed:
            self.start()

    def shutdown(self) -> None:
        """End the process, and every job in it."""
        with self._lock:
            self._closed = True
            child = self._child
        if child is not None:
            child.process.kill()
            child.reader.join()

    def cancel_all(self) -> None:
        """Cancel every job at once, before their workers are waited for one by one."""
        child = self._child
        if child is not None:
            with child.lock:
                jobs = list(child.jobs.values())
            for job in jobs:
                job.cancelled = True
                job.send("cancel")

    # --- jobs, on the thread of their worker -------------------------------------------------

    def begin(self, call: Call) -> _Running:
        """Send a call.

        Raises:
            FusionError: the process cannot be started, or an argument cannot be sent.
        """
        for _ in range(2):  # it may end at this moment
            try:
                child = self._living()
            except OSError as error:
                raise ProcessEnded(
                    Message("Nothing can be computed"),
                    Message("the compute process cannot be started ({0})", error),
                    Message("Close other programs, and start this one again."),
                ) from error
            job = child.add(next(self._numbers))
            if job is not None:
                try:
                    child.send_call(job, call)
                except BaseException:
                    child.remove(job)
                    raise
                return job
            child.reader.join()
        raise self._ended(child)

    def follow(
        self, job: _Running, progress: Progress, *, hears: bool = True
    ) -> Generator[Any, None, Any]:
        """Yield the events of a job, and return its result.

        Args:
            hears: False where cancelling waits for the job, however long it does not notice.

        Raises:
            Cancelled: by ``progress``; the job has ended. ProcessEnded: the process has ended.
            Exception: whatever the function raised.
        """
        over = False
        try:
            while True:
                frame = self._next(job, progress)
                kind, over = frame.kind, frame.kind in ("finished", "failed", "cancelled")
                if kind == "event":
                    yield frame.value()
                elif kind == "progress":
                    progress.report(*frame.value())
                elif kind == "finished":
                    return frame.value()
                elif kind == "failed":
                    raise frame.value()
                elif kind == "cancelled":
                    raise Cancelled
                del frame
        except ProcessEnded:
            over = True
            raise
        finally:
            if not over:
                self._stop(job, hears)
            job.child.remove(job)

    def _next(self, job: _Running, progress: Progress) -> PipeFrame:
        while True:
            try:
                frame = job.frames.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                progress.check()
                continue
            if frame is None:
                if job.cancelled:
                    raise Cancelled
                raise self._ended(job.child)
            return frame

    def _stop(self, job: _Running, hears: bool) -> None:
        """Cancel a job and wait for its end; one that should hear it and does not is ended."""
        job.cancelled = True
        with contextlib.suppress(Exception):
            job.send("cancel")
        heard, deadline = False, time.monotonic() + HEARD_WITHIN
        while True:
            try:
                frame = job.frames.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                late = hears and not heard and time.monotonic() > deadline
                if late:
                    job.child.end_unless_used()
                continue
            if frame is None:
                return
            heard = heard or frame.kind == "heard"
            frame.drop()
            if frame.kind in ("finished", "failed", "cancelled"):
                return

    @staticmethod
    def request(job: _Running, request: Request) -> None:
        """Call a method of a job's control; does nothing if the job has ended."""
        with contextlib.suppress(Exception):
            job.send("request", request)

    @staticmethod
    def _ended(child: _Child) -> ProcessEnded:
        return ProcessEnded(
            Message("What was being computed is lost"),
            child.why(),
            Message("It was started again, and everything that is on screen is still there."),
        )


def _start(pipe: Connection, warm: bool) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        command = [sys.executable, CHILD_ARGUMENT]
    else:
        command = [sys.executable, "-P", "-m", "app.compute"]
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *([known] if known else [])])
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        os.set_handle_inheritable(pipe.fileno(), True)
        startup = subprocess.STARTUPINFO()
        startup.lpAttributeList = {"handle_list": [pipe.fileno()]}
        options = {"startupinfo": startup, "creationflags": _BEHIND_WINDOW}
    else:
        options = {"pass_fds": (pipe.fileno(),)}
    return subprocess.Popen(
        [*command, str(pipe.fileno()), str(int(warm))],
        stdin=subprocess.DEVNULL,
        env=environment,
        **options,
    )
