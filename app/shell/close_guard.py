"""Closing the window while a workspace is at work asks first, and can wait until that has ended."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, Qt, QThread, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QWidget

from app.shell.workspaces import Workspaces
from app.widgets.cards import Card
from app.widgets.notification import Notice

_BELOW_TOP = 1
_LINGER_MS = 5_000
"""How long a hidden program stays after its work, for its notification to be read."""


class CloseGuard(QObject):
    """Stands before the window's close event. Make it after everybody else who listens to that."""

    def __init__(self, window: QWidget, workspaces: Workspaces, column: QBoxLayout) -> None:
        """
        Args:
            window: the top-level window whose close event is held back.
            workspaces: their work is asked about.
            column: layout of the window's centre; the question is put below its first item.
        """
        super().__init__(window)
        self._window = window
        self._workspaces = workspaces
        self._column = column
        self._decided = False
        self._session_ends = False
        self.waits = False
        """Whether the program ends by itself when all work has ended."""
        self.card: Card | None = None
        self.notice = Notice(window, self)
        self.notice.clicked.connect(self.come_back)
        window.installEventFilter(self)
        workspaces.busy_changed.connect(self._busy_changed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hold the window open where somebody should be asked."""
        kind = event.type()
        if kind == QEvent.Type.Close and isinstance(event, QCloseEvent) and self._must_ask():
            event.ignore()
            self._ask()
            return True
        if kind == QEvent.Type.Close:
            self.notice.go()
        is_back = kind in (QEvent.Type.Show, QEvent.Type.WindowStateChange)
        if self.waits and is_back and self._window.isVisible() and not self._is_away():
            self.waits = False
        return False

    def _is_away(self) -> bool:
        return bool(self._window.windowState() & Qt.WindowState.WindowMinimized)

    def _must_ask(self) -> bool:
        if self._decided or self._session_ends or not self._workspaces.busy:
            return False
        # A second wish to close answers the question by the way that loses nothing; and where
        # nobody can answer any more, because the program is ending, there is no question.
        asked = self.card is not None or self.waits
        return not asked and QThread.currentThread().loopLevel() > 0

    def _ask(self) -> None:
        work = "; ".join(self._workspaces.busy)
        text = self.tr("{0}. Stopped work can be gone on with later.").format(work)
        answers = (
            ("keep", self.tr("Keep going, then end")),
            ("stop", self.tr("Stop cleanly and close")),
            ("cancel", self.tr("Cancel")),
        )
        self.card = Card(text, answers, "help-circle-outline")
        self.card.answered.connect(self._answered)
        self._column.insertWidget(_BELOW_TOP, self.card)
        self.card.show()
        self.card.buttons["keep"].setFocus()

    def _answered(self, answer: str) -> None:
        self._take_away()
        if answer == "stop":
            self._end()
        elif answer == "keep":
            self._go_away()

    def _take_away(self) -> None:
        if self.card is not None:
            self.card.hide()
            self.card.deleteLater()
            self.card = None

    def _go_away(self) -> None:
        """Out of sight, but where the person can find it."""
        if self.notice.has_place:
            self.notice.stay(self.tr("UniFusion Studio is still at work. Click to see it."))
            self._window.hide()
        else:
            self._window.showMinimized()
        self.waits = True
        self._busy_changed()

    def end_at_once(self) -> None:
        """Stop all work where it can be gone on with, and end: nobody is there to be asked."""
        self._take_away()
        self._end()

    def end_with_session(self) -> None:
        """The desktop session is about to end. Elsewhere than on Windows a request to quit follows,
        unless somebody calls it off.
        """
        self._session_ends = True
        if sys.platform == "win32":
            self.end_at_once()

    def come_back(self) -> None:
        """Show the window again; it then stays when work has ended."""
        self.waits = False
        self._window.showNormal()
        self._window.activateWindow()

    def _busy_changed(self) -> None:
        if self._workspaces.busy:
            self._session_ends = False  # that was called off: work has begun since
            return
        self._take_away()
        if self.waits:
            # Later: a notification may go away with the program that showed it.
            QTimer.singleShot(_LINGER_MS if self.notice.has_place else 0, self._end_waiting)

    def _end_waiting(self) -> None:
        if self.waits and not self._workspaces.busy:
            self._end()

    def _end(self) -> None:
        if self._decided:
            return
        self._decided = True
        self._window.close()
        # A window that is hidden already is no “last window closed”.
        if QApplication.quitOnLastWindowClosed():
            QTimer.singleShot(0, QApplication.quit)
