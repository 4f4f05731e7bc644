"""Runs functions and generators on one worker thread and reports by signals.

The work does not depend on threads: it is a callable that takes a
:class:`core.progress.Progress`, and either returns its result or is a generator that yields
events and returns its result.
"""

from __future__ import annotations

import inspect
import itertools
import queue
import time
import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from app.workers.background_import import import_readers
from app.workers.errors import as_fusion_error
from core.errors import Cancelled

JobFunction = Callable[[Any], Any]

_GRACE_MS = 500
"""Time after which a job counts as cancelled even if its work has not stopped yet."""

_REPORT_INTERVAL = 1 / 30
"""Minimum interval between progress reports of one stage, in seconds."""

_STACK_BYTES = 16 * 1024 * 1024
"""Stack size in bytes; some systems default to 512 KiB, too little for numerical libraries."""


class _Task:
    """The thread's part of a job. The job is a QObject, which the thread must not destroy."""

    def __init__(self, number: int, work: JobFunction) -> None:
        self.number = number
        self.work = work
        self.stop = False

    def take(self) -> JobFunction:
        """Return the work once, so that its captured objects can be freed after it has run."""
        work, self.work = self.work, _nothing
        return work


def _nothing(progress: Any) -> None:
    """Placeholder for work that was taken."""


class Job(QObject):
    """A unit of work. All signals are emitted on the thread that submitted it.

    Exactly one of ``finished``, ``failed`` and ``cancelled`` is emitted, once.
    """

    started = Signal()
    progress = Signal(float, float, str)
    """done, total, stage"""
    yielded = Signal(object)
    """A value the work yielded."""
    finished = Signal(object)
    """The result of the work."""
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
        """True after the terminal signal."""
        return self._ended

    def cancel(self) -> None:
        """Request cancellation. Only ``cancelled`` can follow, within 0.5 s."""
        if self._ended or self._task.stop:
            return
        self._task.stop = True
        if not self._running:
            self._end("cancelled", None)
            return
        # The thread stays busy until the work next checks; the user need not wait for it.
        self._grace = QTimer(self)
        self._grace.setSingleShot(True)
        self._grace.timeout.connect(self._give_up)
        self._grace.start(_GRACE_MS)

    @Slot()
    def _give_up(self) -> None:
        self._end("cancelled", None)

    def _receive(self, kind: str, payload: Any) -> None:
        """Handle a report of the thread; runs on the submitting thread."""
        if self._ended:
            return
        if kind == "started":
            self._running = True
            self.started.emit()
        elif kind in ("finished", "failed", "cancelled"):
            # Results that arrive after the cancellation are discarded.
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
    """The :class:`core.progress.Progress` used on the worker thread."""

    def __init__(self, task: _Task, send: Callable[[int, str, Any], None]) -> None:
        self._task = task
        self._send = send
        self._stage = ""
        self._last = 0.0

    def report(self, done: float, total: float, stage: str) -> None:
        """Forward the report, at most 30 times per second within one stage."""
        now = time.monotonic()
        if stage == self._stage and now - self._last < _REPORT_INTERVAL and done < total:
            return
        self._stage, self._last = stage, now
        self._send(self._task.number, "progress", (float(done), float(total), stage))

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` after :meth:`Job.cancel`."""
        if self._task.stop:
            raise Cancelled


class _Thread(QThread):
    report = Signal(int, str, object)

    def __init__(self) -> None:
        super().__init__()
        self.waiting: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.setStackSize(_STACK_BYTES)

    def run(self) -> None:
        import_readers()
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
            # All exceptions are caught: torch's out-of-memory error is a RuntimeError.
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
    """Number of living runner threads, for tests of leaks."""
    return sum(thread.isRunning() for thread in _threads)


class Runner(QObject):
    """A thread with a queue: jobs run one at a time, in the order of submission."""

    def __init__(
        self, name: str, parent: QObject | None = None, *, background: bool = False
    ) -> None:
        """
        Args:
            background: whether the thread has a low priority where the system has such (not Linux),
                since nobody waits for its jobs.
        """
        super().__init__(parent)
        self._jobs: dict[int, Job] = {}
        self._closed = False
        self._background = background
        self._thread = _Thread()
        self._thread.setObjectName(name)
        self._thread.report.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        _threads.add(self._thread)

    def submit(self, work: JobFunction, key: str = "") -> Job:
        """Queue ``work``. A waiting job of the same non-empty ``key`` is cancelled.

        Connect to the job's signals at once: nothing is emitted before control returns to
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
        """Cancel all jobs, which emit ``cancelled``, and wait for the thread to end."""
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
