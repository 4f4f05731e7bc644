"""Runs plain functions and generators on one thread and reports by signals.

The work knows nothing of threads: it is a callable that takes a :class:`core.progress.Progress`
and either returns its answer or is a generator that yields events and returns its answer.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from app.workers.errors import as_fusion_error
from app.workers.thread_priority import reset_priority
from core.errors import Cancelled

JobFunction = Callable[[Any], Any]

_GRACE_MS = 500
"""A cancelled job is given up after this time even if its work has not noticed yet."""

_REPORT_INTERVAL = 1 / 30
"""Seconds between progress reports of one stage: more would only flood the event loop."""

_NICER, _NICER_BEHIND = 5, 7
"""Steps by which all work is nicer than the window, and work in the background.

Not many more: what is much nicer gets no core while others compute, though it may hold the
interpreter's lock, and then the window waits with it.
"""

_PAUSE_EVERY, _PAUSE = 1e-3, 1e-4
"""Seconds between two pauses of work that looks often whether to stop, and of one."""

_STACK_BYTES = 16 * 1024 * 1024
"""Some systems give secondary threads half a megabyte, too little for numerical libraries."""


class _Task:
    """What the thread sees of a job. The job itself, a QObject, must never die over there."""

    def __init__(self, number: int, work: JobFunction) -> None:
        self.number = number
        self.work = work
        self.stop = False

    def take(self) -> JobFunction:
        """The work, once; what it captured can then be freed as soon as it has run."""
        work, self.work = self.work, _nothing
        return work


def _nothing(progress: Any) -> None:
    """Stands in for work that was taken."""


class Job(QObject):
    """One piece of work. All signals are emitted on the thread that submitted it.

    Exactly one of ``finished``, ``failed`` and ``cancelled`` is emitted, once.
    """

    started = Signal()
    progress = Signal(float, float, str)
    """done, total, stage"""
    yielded = Signal(object)
    """A value the work yielded."""
    finished = Signal(object)
    """What the work returned."""
    failed = Signal(object)
    """A :class:`core.errors.FusionError`."""
    cancelled = Signal()

    def __init__(self, task: _Task, key: str) -> None:
        super().__init__()
        self.key = key
        self.number = task.number
        self._task = task
        self._running = False
        self._ended = False
        self._grace: QTimer | None = None

    @property
    def is_running(self) -> bool:
        """True from ``started`` to the terminal signal."""
        return self._running and not self._ended

    @property
    def is_over(self) -> bool:
        """True once the terminal signal was emitted."""
        return self._ended

    def cancel(self) -> None:
        """Ask the work to stop. Only ``cancelled`` can follow, within half a second."""
        if self._ended or self._task.stop:
            return
        self._task.stop = True
        if not self._running:
            self._end("cancelled", None)
            return
        # The thread stays busy until the work next looks; the person need not wait for it.
        self._grace = QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.timeout.connect(self._give_up)
        self._grace.start(_GRACE_MS)

    @Slot()
    def _give_up(self) -> None:
        self._end("cancelled", None)

    def _receive(self, kind: str, payload: Any) -> None:
        """Take a report of the thread (on the submitting thread)."""
        if self._ended:
            return
        if kind == "started":
            self._running = True
            self.started.emit()
        elif kind in ("finished", "failed", "cancelled"):
            # Once cancelled, an answer that still arrives is one nobody wants any more.
            self._end("cancelled" if self._task.stop else kind, payload)
        elif not self._task.stop and kind == "progress":
            self.progress.emit(*payload)
        elif not self._task.stop:
            self.yielded.emit(payload)

    def _end(self, kind: str, payload: Any) -> None:
        if self._ended:
            return
        self._ended = True
        if not self._running:
            self._task.take()
        if self._grace is not None:
            self._grace.stop()
        if kind == "finished":
            self.finished.emit(payload)
        elif kind == "failed":
            self.failed.emit(payload)
        else:
            self.cancelled.emit()


class _ThreadProgress:
    """The task's end of :class:`core.progress.Progress`, used on the worker thread."""

    def __init__(self, task: _Task, send: Callable[[int, str, Any], None]) -> None:
        self._task = task
        self._send = send
        self._stage = ""
        self._last = 0.0
        self._paused = time.monotonic()

    def report(self, done: float, total: float, stage: str) -> None:
        """Pass the report on, at most thirty times a second within one stage."""
        now = time.monotonic()
        if stage == self._stage and now - self._last < _REPORT_INTERVAL and done < total:
            return
        self._stage, self._last = stage, now
        self._send(self._task.number, "progress", (float(done), float(total), stage))

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` after :meth:`Job.cancel`; let the window go first.

        A thread that calls into the system for a few microseconds at a time gives the interpreter's
        lock back and takes it again before another one is awake, which may go on for as long as it
        works. So it pauses now and then.
        """
        if self._task.stop:
            raise Cancelled
        now = time.monotonic()
        if now - self._paused > _PAUSE_EVERY:
            time.sleep(_PAUSE)
            self._paused = time.monotonic()


def _step_back(steps: int) -> None:
    """Let the window's thread go first where both want a core; torch's own threads inherit it.

    On Linux, threads of the ordinary kind know no priority but this one.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            now = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, now + steps)
        reset_priority()


class _Thread(QThread):
    report = Signal(int, str, object)

    def __init__(self, background: bool) -> None:
        super().__init__()
        self._background = background
        self.waiting: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.setStackSize(_STACK_BYTES)

    def run(self) -> None:
        _step_back(_NICER_BEHIND if self._background else _NICER)
        while (task := self.waiting.get()) is not None:
            self._run_task(task)

    def _run_task(self, task: _Task) -> None:
        if task.stop:
            return
        self.report.emit(task.number, "started", None)
        try:
            answer = self._call(task)
        except Cancelled:
            self.report.emit(task.number, "cancelled", None)
        except BaseException as error:
            # Out-of-memory is a RuntimeError in torch: nothing may slip through here.
            self.report.emit(task.number, "failed", as_fusion_error(error))
        else:
            self.report.emit(task.number, "finished", answer)

    def _call(self, task: _Task) -> Any:
        progress = _ThreadProgress(task, self.report.emit)
        progress.check()
        answer = task.take()(progress)
        if not inspect.isgenerator(answer):
            return answer
        try:
            while True:
                try:
                    event = next(answer)
                except StopIteration as end:
                    return end.value
                self.report.emit(task.number, "event", event)
                del event
                progress.check()
        finally:
            answer.close()


_numbers = itertools.count(1)
"""Job numbers are unique across runners."""

_threads: weakref.WeakSet[_Thread] = weakref.WeakSet()


def running_threads() -> int:
    """How many runner threads are alive (for the test that none leaks)."""
    return sum(thread.isRunning() for thread in _threads)


class Runner(QObject):
    """One thread and its queue: jobs run one at a time, in the order they were submitted."""

    def __init__(
        self, name: str, parent: QObject | None = None, *, background: bool = False
    ) -> None:
        """
        Args:
            background: nobody waits for these jobs: they step back where both they and the window
                (or a fusion) want a core.
        """
        super().__init__(parent)
        self._jobs: dict[int, Job] = {}
        self._closed = False
        self._background = background
        self._thread = _Thread(background)
        self._thread.setObjectName(name)
        self._thread.report.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        _threads.add(self._thread)

    def submit(self, work: JobFunction, key: str = "") -> Job:
        """Queue ``work``. A job of the same non-empty ``key`` that still waits is cancelled.

        Connect to the job's signals right away: nothing is emitted before control returns to
        the event loop.
        """
        if self._closed:
            raise RuntimeError("the runner was shut down")
        for other in [job for job in self._jobs.values() if key and job.key == key]:
            if not other.is_running:
                other.cancel()
        self._jobs = {number: job for number, job in self._jobs.items() if not job.is_over}
        task = _Task(next(_numbers), work)
        job = self._jobs[task.number] = Job(task, key)
        self._thread.waiting.put(task)
        if not self._thread.isRunning():
            low, inherit = QThread.Priority.LowPriority, QThread.Priority.InheritPriority
            self._thread.start(low if self._background else inherit)
        return job

    def shutdown(self) -> None:
        """Cancel everything, wait for the thread to end. Every open job emits ``cancelled``."""
        if self._closed:
            return
        self._closed = True
        for job in self._jobs.values():
            job.cancel()
        self._thread.waiting.put(None)
        self._thread.wait()
        for job in self._jobs.values():
            job._end("cancelled", None)
        self._jobs.clear()

    @Slot(int, str, object)
    def _deliver(self, number: int, kind: str, payload: object) -> None:
        job = self._jobs.get(number)
        if job is None:
            return
        job._receive(kind, payload)
        if job.is_over:
            self._jobs.pop(number, None)
