"""Fuses all slices of the study on show and writes them, on a thread of its own."""

from __future__ import annotations

import time
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.fuse.fusion_runner import FusionRunner
from app.fuse.results import Palettes
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState
from app.i18n.translate import translate
from app.workers import Job, Runner
from core.errors import FusionError, Message
from core.fusion.protocol import Engine
from core.progress import Progress
from core.windows import Windows

if TYPE_CHECKING:
    from core.fusion.volume_targets import WrittenVolume
    from core.io.dicom_output import DicomLayout, NoticePlace

_JUDGED_AFTER = 2.0
"""Seconds of work from which the remaining time is estimated."""


@dataclass(frozen=True)
class VolumeExportPlan:
    """What to write of the study on show, and where.

    Attributes:
        path: a new folder, a ``.dcm`` file or a ``.nii.gz`` file.
        layout: of DICOM; a folder is for a file for each slice.
        notice, keep_identity, replace_uids: as in :class:`core.io.dicom_output.DicomChoices`.
    """

    path: Path
    _: KW_ONLY
    layout: DicomLayout = "multi"
    notice: NoticePlace = "auto"
    keep_identity: bool = False
    replace_uids: bool = False


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


@dataclass(frozen=True, eq=False)
class _Wish:
    """A plan with what was on show when it was made."""

    plan: VolumeExportPlan
    view: SliceView
    _: KW_ONLY
    task: str
    method: str
    windows: Windows
    palettes: Palettes | None


class _InLanguage:
    """Progress whose stages are translated before a signal keeps only their text."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.check = progress.check

    def report(self, done: float, total: float, stage: str) -> None:
        """Report in the language of the window."""
        self._progress.report(done, total, translate(stage))


def write_study(wish: _Wish, engine: Engine, progress: Progress) -> WrittenVolume:
    """Fuse the slices of the plane on show, that one first, and write all of them.

    Raises:
        FusionError: any step failed; no partial file is left.
        Cancelled: by ``progress``; nothing is left.
    """
    from core.fusion.volume_fusion import SliceSettings
    from core.fusion.volume_targets import SourceFiles, fuse_volume, volume_target
    from core.io.dicom_output import DicomChoices

    plan, volumes = wish.plan, wish.view.volumes
    choices = DicomChoices(
        layout=plan.layout,
        notice=plan.notice,
        keep_identity=plan.keep_identity,
        replace_uids=plan.replace_uids,
    )
    target = volume_target(plan.path, SourceFiles(*volumes.series, volumes.frames), choices)
    if target is None:
        raise ValueError(plan.path)
    settings = SliceSettings(
        wish.task,
        wish.method,
        plane=wish.view.plane,
        windows=wish.windows,
        palettes=wish.palettes or (None, None),
    )
    first = wish.view.index
    return fuse_volume(engine, volumes.pair, settings, target, _InLanguage(progress), first=first)


class VolumeExporter(QObject):
    """One export at a time. Slices can be looked at and fused meanwhile."""

    changed = Signal()
    """:attr:`running` is another."""
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
        self.running: VolumeProgress | None = None
        """How far the export is; None while there is none."""

    def export(self, plan: VolumeExportPlan) -> None:
        """Write the study on show, in the windows and palettes that it is shown in."""
        session = self._session
        view = session.sources.slice
        if view is None or self.running is not None:
            return
        if view.volumes.are_apart:
            text = self.tr("A and B share no place in the patient: align them, then fuse.")
            session.set_message(text)
            return
        wish = _Wish(
            plan,
            view,
            task=session.task.name,
            method=session.method,
            windows=session.windows,
            palettes=session.palettes,
        )
        session.set_problem(None)
        session.set_message("")
        session.known_paths.add(plan.path)
        self._begun = None
        self._follow(self._fusion.ask_engine(), partial(self._begin, wish))
        self._show(VolumeProgress(self.tr("Waiting for the engine")))

    def _begin(self, wish: _Wish, engine: Engine) -> None:
        if self._closed:
            return
        job = self._runner.submit(partial(write_study, wish, engine))
        job.progress.connect(self._progressed)
        self._follow(job, self._finished)

    def _follow(self, job: Job, finished: object) -> None:
        self._job = job
        job.finished.connect(finished)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._ended)

    def cancel(self) -> None:
        """Stop, and leave nothing."""
        if self._job is not None and self.running is not None:
            self._show(VolumeProgress(self.tr("Cancelling…")))
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
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

    def _finished(self, written: WrittenVolume) -> None:
        self._ended()
        if not self._closed:
            if written.notes:
                self._session.set_message(Message.joined(" ", written.notes))
            self.exported.emit((written.path,))

    def _failed(self, error: FusionError) -> None:
        self._ended()
        if not self._closed:
            self._session.show_error(error, "export")

    def _ended(self) -> None:
        self._job = None
        self._show(None)

    def _show(self, running: VolumeProgress | None) -> None:
        self.running = running
        self.changed.emit()
