"""The jobs that read and fuse the pair on screen: progress, end, and which answers still count."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from app.fuse.state import Activity, FuseState, Remedy
from app.workers import Job
from core.errors import FusionError

JobKind = Literal["load", "fuse", "preview"]


class JobTracker(QObject):
    """Tracks one job per kind and shows its progress in the session.

    Each request belongs to a generation. :meth:`supersede` starts a new one, after which answers
    to older requests are dropped.
    """

    idle = Signal()
    """The last job has ended, whether it finished, failed or was cancelled."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._jobs: dict[JobKind, Job] = {}
        self.generation = 0
        """Number of the current generation of requests."""
        self.closed = False
        """True from :meth:`close` on."""

    @property
    def is_busy(self) -> bool:
        """True while any job runs or waits."""
        return bool(self._jobs)

    def next_generation(self) -> int:
        """Start a new generation without cancelling anything; return its number."""
        self.generation += 1
        return self.generation

    def supersede(self) -> None:
        """Start a new generation and cancel all jobs; their ends go unnoticed."""
        old = list(self._jobs.values())
        # Forget them first: cancelling emits signals.
        self._jobs.clear()
        self.next_generation()
        for job in old:
            job.cancel()

    def cancel(self) -> None:
        """Cancel all jobs; each still reports its end."""
        for job in list(self._jobs.values()):
            job.cancel()

    def close(self) -> None:
        """Show no more errors: the window is closing."""
        self.closed = True

    def track(
        self,
        kind: JobKind,
        job: Job,
        *,
        finished: Callable[[Any], None],
        failed: Callable[[FusionError], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        activity: Activity | None = None,
    ) -> None:
        """Track a job that was just submitted.

        Args:
            finished, failed, cancelled: called at the job's end, before the tracker acts on it.
            activity: what the status bar shows until the first progress report; None to show
                nothing of this job.
        """
        self._jobs[kind] = job
        if activity is not None:
            self._session.set_running(activity)
            job.progress.connect(partial(self._progress, job.number, activity.fusing))
        job.finished.connect(finished)
        if failed is not None:
            job.failed.connect(failed)
        if cancelled is not None:
            job.cancelled.connect(cancelled)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(partial(self._ended, job.number))

    def show_error(self, remedy: Remedy, error: FusionError) -> None:
        """Show an error and the action offered for it, unless the window is closing."""
        if not self.closed:
            self._session.show_error(error, remedy)

    def _progress(self, number: int, fusing: bool, done: float, total: float, stage: str) -> None:
        if any(job.number == number for job in self._jobs.values()):
            self._session.set_running(Activity(stage, done, total, fusing=fusing))

    def _ended(self, number: int, *_answer: object) -> None:
        kind = next((kind for kind, job in self._jobs.items() if job.number == number), None)
        if kind is None:
            return
        del self._jobs[kind]
        # Previews show no progress of their own.
        if not self._jobs.keys() - {"preview"}:
            self._session.set_running(None)
            if not self._jobs:
                self.idle.emit()
