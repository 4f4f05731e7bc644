"""Offers to go on with exports of studies that the last run of the program did not finish."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject

from app.fuse.controller import Controller
from app.fuse.state import FuseState
from app.preferences.unfinished_export import UnfinishedExport
from app.shell.window_notices import WindowNotices
from app.workers import Runner
from core.progress import Progress


class UnfinishedExports(QObject):
    """A card for each; what is on show does not matter, and stays.

    An export that cannot be gone on with says why, and is offered again: what is in its way may be
    mended, and what is fused already is kept meanwhile.
    """

    def __init__(
        self,
        session: FuseState,
        controller: Controller,
        *,
        notices: WindowNotices,
        runner: Runner,
        parent: QObject,
    ) -> None:
        """
        Args:
            runner: of the thread that looks for folders.
        """
        super().__init__(parent)
        self._session = session
        self._exporter = controller.volume_export
        self._volumes = controller.volumes
        self._notices = notices
        self._runner = runner
        self._offered: dict[str, UnfinishedExport] = {}
        """By the names of their cards."""
        self._exporter.stopped.connect(self._offer)
        self._exporter.unfinished_changed.connect(self._follow)

    def offer(self, exports: Sequence[UnfinishedExport]) -> None:
        """Ask whether to go on with exports that were not finished."""
        for left in exports:
            # Kept until it is answered: the program may end before.
            self._exporter.keep(left)
            self._offer(left)

    def _offer(self, left: UnfinishedExport) -> None:
        text = self.tr("An export of a study was not finished: {0}").format(left.name)
        answers = (
            ("resume", self.tr("Go on")),
            ("no", self.tr("Remove what is there")),
        )
        name = self._free_name()
        self._offered[name] = left
        card = self._notices.ask(name, text, answers, "history")
        card.answered.connect(partial(self._answered, name))

    def _free_name(self) -> str:
        number = 1
        while (name := "export" if number == 1 else f"export {number}") in self._offered:
            number += 1
        return name

    def _follow(self) -> None:
        """Take cards away whose export was begun anew, or is done."""
        targets = {one.target: one for one in self._exporter.unfinished}
        for name, left in tuple(self._offered.items()):
            if targets.get(left.target) != left:
                del self._offered[name]
                self._notices.cards.remove(name)

    def _answered(self, name: str, answer: str) -> None:
        left = self._offered.pop(name, None)
        if left is None:
            return
        if answer == "resume" and self._exporter.running is not None:
            self._answer_later(left)
            return
        job = self._runner.submit(partial(_located, left))
        then = self._resume if answer == "resume" else self._discard
        job.finished.connect(partial(then, left))

    def _discard(self, left: UnfinishedExport, located: UnfinishedExport | None) -> None:
        self._exporter.discard(located or left)

    def _resume(self, left: UnfinishedExport, located: UnfinishedExport | None) -> None:
        if located is None:
            text = self.tr(
                "The folder of “{0}” is not there. Connect its drive or move it back, then go on."
            )
            self._session.set_message(text.format(left.name))
            self._offer(left)
        elif self._exporter.running is not None:
            self._answer_later(left)
        else:
            self._exporter.resume(located, self._volumes.series_of((left.a, left.b)))

    def _answer_later(self, left: UnfinishedExport) -> None:
        self._session.set_message(self.tr("Another export is running. Go on when it has ended."))
        self._offer(left)


def _located(left: UnfinishedExport, progress: Progress) -> UnfinishedExport | None:
    return left.located()
