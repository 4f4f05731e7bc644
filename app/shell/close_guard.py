"""Asks before the window closes while a workspace is busy; can close it when the work is done."""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, Qt, QThread, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QBoxLayout, QWidget

from app.shell.workspaces import Workspaces
from app.widgets.cards import Card
from app.widgets.notification import SystemNotification

_BELOW_TOP = 1
_LINGER_MS = 5_000
"""Time a hidden program keeps running after its work, so that its notification can be read."""


class CloseGuard(QObject):
    """Filters the window's close event. Install it after all other filters of that event."""

    def __init__(self, window: QWidget, workspaces: Workspaces, column: QBoxLayout) -> None:
        """
        Args:
            window: the top-level window whose close event is filtered.
            workspaces: closing asks while one of them is busy.
            column: layout of the central widget; the question is inserted below its first item.
        """
        super().__init__(window)
        self._window = window
        self._workspaces = workspaces
        self._column = column
        self._decided = False
        self._session_ends = False
        self.quits_when_idle = False
        """Whether the program quits by itself when all work is done."""
        self.card: Card | None = None
        self.notice = SystemNotification(window, self)
        self.notice.clicked.connect(self.restore_window)
        window.installEventFilter(self)
        workspaces.busy_changed.connect(self._busy_changed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ignore the close event and ask, where work would be interrupted."""
        kind = event.type()
        if kind == QEvent.Type.Close and isinstance(event, QCloseEvent) and self._must_ask():
            event.ignore()
            self._ask()
            return True
        if kind == QEvent.Type.Close:
            self.notice.hide_icon()
        is_back = kind in (QEvent.Type.Show, QEvent.Type.WindowStateChange)
        if (
            self.quits_when_idle
            and is_back
            and self._window.isVisible()
            and not self._is_minimised()
        ):
            self.quits_when_idle = False
        return False

    def _is_minimised(self) -> bool:
        return bool(self._window.windowState() & Qt.WindowState.WindowMinimized)

    def _must_ask(self) -> bool:
        if self._decided or self._session_ends or not self._workspaces.busy:
            return False
        # A second attempt to close stops the work, which loses nothing. During shutdown no
        # event loop is running any more, and nobody could answer.
        asked = self.card is not None or self.quits_when_idle
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
        self._remove_card()
        if answer == "stop":
            self._end()
        elif answer == "keep":
            self._hide_window()

    def _remove_card(self) -> None:
        if self.card is not None:
            self.card.hide()
            self.card.deleteLater()
            self.card = None

    def _hide_window(self) -> None:
        """Hide the window behind a tray icon, or minimise it where there is no system tray."""
        if self.notice.has_tray:
            self.notice.show_icon(self.tr("UniFusion Studio is still at work. Click to see it."))
            self._window.hide()
        else:
            self._window.showMinimized()
        self.quits_when_idle = True
        self._busy_changed()

    def quit_now(self) -> None:
        """Stop all work so that it can be resumed, and quit without asking."""
        self._remove_card()
        self._end()

    def handle_session_end(self) -> None:
        """Handle the end of the desktop session.

        On Windows the program quits at once. Other systems send a request to quit later, unless
        the user cancels the log-out.
        """
        self._session_ends = True
        if sys.platform == "win32":
            self.quit_now()

    def restore_window(self) -> None:
        """Show the window again; it then stays open when the work is done."""
        self.quits_when_idle = False
        self._window.showNormal()
        self._window.activateWindow()

    def _busy_changed(self) -> None:
        if self._workspaces.busy:
            self._session_ends = False  # the log-out was cancelled: new work has started since
            return
        self._remove_card()
        if self.quits_when_idle:
            # Delayed: some systems remove a notification together with the program that showed it.
            QTimer.singleShot(_LINGER_MS if self.notice.has_tray else 0, self._end_waiting)

    def _end_waiting(self) -> None:
        if self.quits_when_idle and not self._workspaces.busy:
            self._end()

    def _end(self) -> None:
        if self._decided:
            return
        self._decided = True
        self._window.close()
        # Closing a hidden window does not emit lastWindowClosed.
        if QApplication.quitOnLastWindowClosed():
            QTimer.singleShot(0, QApplication.quit)
