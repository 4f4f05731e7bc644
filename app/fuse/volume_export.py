"""Fuses all slices of the study on show and writes them, on a thread of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.compute.remote import RemoteJob, compute
from app.fuse.fusion_runner import FusionRunner
from app.fuse.state import FuseState
from app.fuse.stopped_study import plan_of, stored_study, unfinished_export
from app.fuse.study_tasks import (
    ReportPlan,
    StudyWork,
    VolumeExportPlan,
    WrittenFiles,
    discard_part,
    has_part,
    resume_study,
    write_report,
    write_study,
)
from app.preferences.unfinished_export import UnfinishedExport
from app.workers import Job, Runner
from core.errors import FusionError, Message

if TYPE_CHECKING:
    from app.engine import LazyEngine
    from core.types import SeriesHeader

_KEPT = Message("Slices that are written are kept; export to the same place again to go on.")
_JUDGED_AFTER = 2.0
"""Seconds of work from which the remaining time is estimated."""


@dataclass(frozen=True)
class VolumeProgress:
    """How far the export is.

    Attributes:
        stage: what is being done.
        share: of the work that is done, 0 to 1; None while unknown.
        seconds_left: estimated; None while unknown.
    """

    stage: str
    share: float | None = None
    seconds_left: float | None = None


class VolumeExporter(QObject):
    """One export or report at a time. Slices can be looked at and fused meanwhile.

    An export that fails, or that the end of the program stops, is kept in :attr:`unfinished`; one
    that a person cancels leaves nothing.
    """

    changed = Signal()
    """:attr:`running` is another."""
    busy_changed = Signal()
    """An export has begun or ended."""
    unfinished_changed = Signal()
    exported = Signal(object)
    """Paths of what was written."""
    stopped = Signal(object)
    """An :class:`UnfinishedExport` failed, and its slices are kept; why is on show."""

    def __init__(
        self, session: FuseState, fusion: FusionRunner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._fusion = fusion
        self._runner = Runner("volume", self, background=True)
        self._job: Job | None = None
        self._begun: float | None = None
        self._closed = False
        self._part: UnfinishedExport | None = None
        """What is being exported; None for a report."""
        self._is_cancelled = False
        self.running: VolumeProgress | None = None
        """How far the export is; None while there is none."""
        self.unfinished: tuple[UnfinishedExport, ...] = ()
        """The exports that were stopped, and the one that is running."""

    @property
    def busy(self) -> str:
        """What is in progress, in words; "" for nothing."""
        if self.running is None:
            return ""
        return self.tr("A study is being exported")

    def export(self, plan: VolumeExportPlan) -> None:
        """Write the study on show, in the windows and palettes that it is shown in."""
        work = self._work_on_show()
        if work is not None:
            self._start(plan, work)

    def report(self, plan: ReportPlan) -> None:
        """Write a report on the study on show."""
        work = self._work_on_show()
        if work is not None:
            self._part = None
            self._begin(plan.path, compute(write_report, work, plan, self._engine))

    def resume(self, left: UnfinishedExport, known: tuple[SeriesHeader, ...]) -> None:
        """Go on with an export that was stopped, whatever is on show.

        Args:
            left: with its folder found again.
            known: series that were found since; those it is of are taken from these, or else
                looked for where they were.
        """
        if self.running is None and left.path is not None:
            self._part = left
            self.keep(left)
            study = stored_study(left, known)
            work = compute(resume_study, study, plan_of(left), self._engine, kept=_KEPT)
            self._begin(left.path, work)

    def keep(self, left: UnfinishedExport) -> None:
        """Remember an export that was not finished."""
        others = (one for one in self.unfinished if one.target != left.target)
        self._set_unfinished((*others, left))

    def discard(self, left: UnfinishedExport) -> None:
        """Forget an export that was stopped, and remove its slices where its folder is known."""
        self._forget(left)
        if left.path is not None and not self._closed:
            self._runner.submit(partial(discard_part, left.path))

    def _forget(self, left: UnfinishedExport) -> None:
        self._set_unfinished(tuple(one for one in self.unfinished if one.target != left.target))

    @property
    def _engine(self) -> LazyEngine:
        return self._fusion.engine

    def _work_on_show(self) -> StudyWork | None:
        session = self._session
        view = session.sources.slice
        if view is None or self.running is not None:
            return None
        if view.volumes.are_apart:
            text = self.tr("A and B share no place in the patient: align them, then fuse.")
            session.set_message(text)
            return None
        return StudyWork(
            view.volumes,
            view.plane,
            view.index,
            task=session.task.name,
            method=session.method,
            windows=session.windows,
            palettes=session.palettes,
        )

    def _start(self, plan: VolumeExportPlan, work: StudyWork) -> None:
        left = unfinished_export(plan, work)
        self._part = left
        self.keep(left)
        self._begin(plan.path, compute(write_study, work, plan, self._engine, kept=_KEPT))

    def _begin(self, path: Path, work: RemoteJob) -> None:
        session = self._session
        session.set_problem(None)
        session.set_message("")
        session.known_paths.add(path)
        self._begun, self._is_cancelled = None, False
        job = self._job = self._runner.submit(work)
        job.progress.connect(self._progressed)
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._ended)
        self._show(VolumeProgress(self.tr("Waiting for the engine")))

    def _set_unfinished(self, exports: tuple[UnfinishedExport, ...]) -> None:
        if exports != self.unfinished:
            self.unfinished = exports
            self.unfinished_changed.emit()

    def cancel(self) -> None:
        """Stop, and leave nothing."""
        if self._job is not None and self.running is not None:
            self._is_cancelled = True
            self._show(VolumeProgress(self.tr("Cancelling…")))
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop so that the export can be gone on with, and wait for the thread."""
        self._closed = True
        self._runner.shutdown()

    def _progressed(self, done: float, total: float, stage: str) -> None:
        share = done / total if total else None
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        elapsed, left = now - self._begun, None
        if share is not None and 0 < share < 1 and elapsed > _JUDGED_AFTER:
            left = elapsed * (1 - share) / share
        self._show(VolumeProgress(stage, share, left))

    def _finished(self, written: WrittenFiles) -> None:
        if self._part is not None:
            self._forget(self._part)
        self._ended()
        if not self._closed:
            if written.notes:
                self._session.set_message(Message.joined(" ", written.notes))
            self.exported.emit(written.paths)

    def _failed(self, error: FusionError) -> None:
        left = self._part
        self._ended()
        if self._closed:
            return
        self._session.show_error(error, "export")
        if left is not None and left.path is not None:
            kept = self._runner.submit(partial(has_part, left.path))
            kept.finished.connect(partial(self._stopped, left))

    def _stopped(self, left: UnfinishedExport, has_slices: bool) -> None:
        if has_slices:
            self.stopped.emit(left)
        else:
            self._forget(left)

    def _ended(self) -> None:
        self._job = None
        if self._is_cancelled and self._part is not None:
            # On the same thread, so after the work has come to its end.
            self.discard(self._part)
        self._is_cancelled = False
        self._show(None)

    def _show(self, running: VolumeProgress | None) -> None:
        turns = (running is None) != (self.running is None)
        self.running = running
        self.changed.emit()
        if turns:
            self.busy_changed.emit()
