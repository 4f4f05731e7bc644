"""Saves, exports and copies results."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.fuse import tasks
from app.fuse.export import ExportPlan, clipboard_image, export_files
from app.fuse.state import FuseState, Outcome, Remedy
from app.workers import Runner
from core.errors import FusionError, Message


class ResultWriter(QObject):
    """Writes results on the thread that accesses files.

    What is written is the result that was on screen at the time of the request.
    """

    saved = Signal(object)
    """Path of the file that was written."""
    exported = Signal(object)
    """Paths of the files that were written."""
    copied = Signal(object)
    """A QImage for the clipboard."""

    def __init__(self, session: FuseState, files: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files

    def save(self, path: Path, outcome: Outcome | None = None) -> None:
        """Write the fused image of ``outcome``, or of the result on screen."""
        outcome = outcome or self._session.outcome
        if outcome is None:
            return
        self._session.set_problem(None)
        self._session.set_message("")
        self._session.known_paths.add(path)
        job = self._files.submit(partial(tasks.save_outcome, outcome, path))
        job.finished.connect(partial(self._save_done, path))
        job.failed.connect(partial(self._fail, outcome, "save"))

    def _save_done(self, path: Path, notes: tuple[str, ...]) -> None:
        self._say(notes)
        self.saved.emit(path)

    def export(self, plan: ExportPlan, outcome: Outcome | None = None) -> None:
        """Export parts of ``outcome``, or of the result on screen, as displayed now."""
        outcome = outcome or self._session.outcome
        if outcome is None:
            return
        self._session.set_problem(None)
        self._session.set_message("")
        self._session.known_paths.update(plan.target(item) for item in plan.items)
        work = partial(export_files, outcome, self._session.display, plan)
        job = self._files.submit(work)
        job.finished.connect(self._export_done)
        job.failed.connect(partial(self._fail, outcome, "export"))

    def _export_done(self, answer: tuple[tuple[Path, ...], tuple[str, ...]]) -> None:
        paths, notes = answer
        self._say(notes)
        self.exported.emit(paths)

    def copy_picture(self) -> None:
        """Make the fused image for the clipboard."""
        outcome = self._session.outcome
        if outcome is not None:
            work = partial(clipboard_image, outcome, self._session.display)
            job = self._files.submit(work, key="copy")
            job.finished.connect(self.copied)
            job.failed.connect(partial(self._fail, outcome, ""))

    def _say(self, notes: tuple[str, ...]) -> None:
        if notes:
            self._session.set_message(Message.joined(" ", notes))

    def _fail(self, outcome: Outcome, remedy: Remedy, error: FusionError) -> None:
        # Saving elsewhere would write the image of another pair, if that is on screen by now.
        now = self._session.outcome
        same = now is not None and now.result is outcome.result
        self._session.show_error(error, remedy if same else "")
