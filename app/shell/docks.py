"""Geometry of the window, and docks that are shown in one workspace only."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QObject, QPoint, QRect, QSize
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

STATE_VERSION = 1
_FRAME = QSize(16, 40)
"""Assumed size of the window frame, which is unknown until the window is shown."""


def fitted(wanted: QSize, least: QSize, room: QRect) -> QRect:
    """The geometry that centres a window of size ``wanted`` in the available part of a screen.

    Args:
        wanted, least: preferred and minimum size of its contents.
        room: the available part. If even ``least`` does not fit, the top left corner is visible.
    """
    size = wanted.boundedTo(room.size() - _FRAME).expandedTo(least)
    spare = room.size() - _FRAME - size
    left, top = max(spare.width(), 0) // 2, max(spare.height(), 0) // 2
    side, title = _FRAME.width() // 2, _FRAME.height() - _FRAME.width() // 2
    corner = room.topLeft() + QPoint(left + side, top + title)
    return QRect(corner, size)


def fit_on_screen(window: QWidget) -> None:
    """Fit a window without a stored geometry on its screen, with frame and task bar."""
    least = window.minimumSizeHint().expandedTo(window.minimumSize())
    window.setGeometry(fitted(window.size(), least, window.screen().availableGeometry()))


class Docks(QObject):
    """Docks of one workspace. In others they and their toggle actions are hidden."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._kept: QByteArray | None = None

    @property
    def are_hidden(self) -> bool:
        """True while another workspace is shown."""
        return self._kept is not None

    def show(self, there: bool) -> None:
        """Hide the docks, or restore exactly the state they were hidden in."""
        if there == (not self.are_hidden):
            return
        for dock in self._docks.values():
            dock.toggleViewAction().setEnabled(there)
        if not there:
            self._kept = self._window.saveState(STATE_VERSION)
            for dock in self._docks.values():
                dock.hide()
        elif self._kept is not None:
            kept, self._kept = self._kept, None
            self._window.restoreState(kept, STATE_VERSION)

    def state(self) -> QByteArray:
        """State of the docks in their workspace, also while another one is shown."""
        return self._kept if self._kept is not None else self._window.saveState(STATE_VERSION)
