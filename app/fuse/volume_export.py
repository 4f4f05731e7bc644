"""Fuses all slices of the study on show and writes them, on a thread of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from app.compute.remote import RemoteJob, compute
from app.fuse.fusion_runner import FusionRunner
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState
from app.fuse.study_tasks import (
    ReportPlan,
    StudyWork,
    VolumeExportPlan,
    WrittenFiles,
    discard_part,
    write_report,
    write_study,
)
from app.preferences.session_file import UnfinishedExport
from app.workers import Job, Runner
from core.errors import FusionError, Message

if TYPE_CHECKING:
    from app.fuse.results import Palettes
    from core.geometry.planes import PlaneName
    from core.io.dicom_output import DicomLayout, NoticePlace

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

    An export that the end of the program stops is kept as :attr:`unfinished`; one that a person
    cancels leaves nothing.
    """

    changed = Signal()
    """:attr:`running` is another."""
    busy_changed = Signal()
    """An export has begun or ended."""
    unfinished_changed = Signal()
    exported = Signal(object)
    """Paths of what was written."""

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
        self._part: Path | None = None
        """Of what slices are collected beside it; None for a report."""
        self._is_cancelled = False
        self.running: VolumeProgress | None = None
        """How far the export is; None while there is none."""
        self.unfinished: UnfinishedExport | None = None
        """The export that is running or was stopped."""

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
            self._begin(plan.path, compute(write_report, work, plan, self._fusion.engine))

    def resume(self, left: UnfinishedExport, view: SliceView) -> None:
        """Go on with an export of the study on show.

        Args:
            left: with its folder found again.
            view: a slice of that study.
        """
        if self.running is not None or not isinstance(left.folder, Path):
            return
        view = view.in_plane(cast("PlaneName", left.plane))
        plan = VolumeExportPlan(
            left.folder / left.name,
            layout=cast("DicomLayout", left.layout),
            notice=cast("NoticePlace", left.notice),
            keep_identity=left.keep_identity,
            replace_uids=left.replace_uids,
            parametric=left.parametric,
        )
        palettes = left.palette_a, left.palette_b
        work = StudyWork(
            view.volumes,
            view.plane,
            view.index,
            task=left.task,
            method=left.method,
            windows=(left.window_a, left.window_b),
            palettes=None if palettes == (None, None) else cast("Palettes", palettes),
        )
        self._start(plan, work)

    def keep(self, left: UnfinishedExport) -> None:
        """Remember an export that an earlier run of the program did not finish."""
        if self.running is None:
            self._set_unfinished(left)

    def discard(self, path: Path | None) -> None:
        """Forget the export that was stopped, and remove its slices beside ``path``."""
        self._set_unfinished(None)
        if path is not None and not self._closed:
            self._runner.submit(partial(discard_part, path))

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
        self._part = plan.path
        a, b = work.volumes.series
        frame_a, frame_b = work.volumes.frames
        palette_a, palette_b = work.palettes or (None, None)
        self._set_unfinished(
            UnfinishedExport(
                plan.path.parent.absolute(),
                plan.path.name,
                layout=plan.layout,
                notice=plan.notice,
                keep_identity=plan.keep_identity,
                replace_uids=plan.replace_uids,
                parametric=plan.parametric,
                a=a.key,
                b=b.key,
                frame_a=frame_a,
                frame_b=frame_b,
                plane=work.plane,
                task=work.task,
                method=work.method,
                window_a=work.windows[0],
                window_b=work.windows[1],
                palette_a=palette_a,
                palette_b=palette_b,
            )
        )
        self._begin(plan.path, compute(write_study, work, plan, self._fusion.engine))

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

    def _set_unfinished(self, left: UnfinishedExport | None) -> None:
        if left != self.unfinished:
            self.unfinished = left
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
            self._set_unfinished(None)
        self._ended()
        if not self._closed:
            if written.notes:
                self._session.set_message(Message.joined(" ", written.notes))
            self.exported.emit(written.paths)

    def _failed(self, error: FusionError) -> None:
        self._ended()
        if not self._closed:
            self._session.show_error(error, "export")

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
