"""Offers to go on with an export of a study that the last run of the program did not finish."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.fuse.controller import Controller
from app.fuse.state import FuseState
from app.preferences.session_file import Snapshot, UnfinishedExport
from app.shell.window_notices import WindowNotices
from app.workers import Runner
from core.progress import Progress


class UnfinishedExports(QObject):
    """Asks once, reopens the study, and starts the export when it is on show."""

    def __init__(
        self,
        session: FuseState,
        controller: Controller,
        *,
        notices: WindowNotices,
        runner: Runner,
        reopen: Callable[[Snapshot], None],
        forget: Callable[[], None],
        parent: QObject,
    ) -> None:
        """
        Args:
            runner: of the thread that looks for the folder.
            reopen: opens what a session had open.
            forget: writes the stored session without the export.
        """
        super().__init__(parent)
        self._session = session
        self._exporter = controller.volume_export
        self._volumes = controller.volumes
        self._notices = notices
        self._runner = runner
        self._reopen = reopen
        self._forget = forget
        self._wanted: UnfinishedExport | None = None
        session.sources_changed.connect(self._resume)

    def offer(self, snapshot: Snapshot) -> None:
        """Ask whether to go on with the export of a session."""
        left = snapshot.export
        if left is None:
            return
        # Kept until it is answered: the program may end before.
        self._exporter.keep(left)
        text = self.tr("An export of a study was not finished: {0}").format(left.name)
        answers = (
            ("resume", self.tr("Go on")),
            ("no", self.tr("Remove what is there")),
        )
        card = self._notices.ask("export", text, answers, "history")
        card.answered.connect(partial(self._answered, snapshot))

    def _answered(self, snapshot: Snapshot, answer: str) -> None:
        left = snapshot.export
        assert left is not None
        job = self._runner.submit(partial(_located, left))
        if answer == "resume":
            job.finished.connect(partial(self._located, snapshot))
        else:
            job.finished.connect(self._discard)

    def _discard(self, left: UnfinishedExport | None) -> None:
        self._forget()
        path = None
        if left is not None and isinstance(left.folder, Path):
            path = left.folder / left.name
        self._exporter.discard(path)

    def _located(self, snapshot: Snapshot, left: UnfinishedExport | None) -> None:
        if left is None:
            self._discard(None)
            self._session.set_message(self.tr("The folder of the export is not there any more."))
            return
        self._wanted = left
        if self._is_of(left):
            self._resume()
        else:
            self._reopen(snapshot)

    def _is_of(self, left: UnfinishedExport) -> bool:
        """Whether its study is on show."""
        view = self._session.sources.slice
        shown = self._volumes.on_show
        series = shown.a, shown.b, shown.frame_a, shown.frame_b
        return view is not None and series == (left.a, left.b, left.frame_a, left.frame_b)

    def _resume(self) -> None:
        left, view = self._wanted, self._session.sources.slice
        if left is not None and view is not None and self._is_of(left):
            self._wanted = None
            self._exporter.resume(left, view)


def _located(left: UnfinishedExport, progress: Progress) -> UnfinishedExport | None:
    return left.located()
