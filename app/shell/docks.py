"""Where the window is, and the docks at its sides: away where they do not belong, and back."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QObject, QPoint, QRect, QSize
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

STATE_VERSION = 1
_FRAME = QSize(16, 40)
"""What window managers put around a window; unknown before they have done so."""


def fitted(wanted: QSize, least: QSize, room: QRect) -> QRect:
    """Where a window of the size ``wanted`` goes in the free part of a screen: in its middle.

    Args:
        wanted, least: of its inside.
        room: the free part. Where even ``least`` has no room, the top left corner is seen.
    """
    size = wanted.boundedTo(room.size() - _FRAME).expandedTo(least)
    spare = room.size() - _FRAME - size
    left, top = max(spare.width(), 0) // 2, max(spare.height(), 0) // 2
    side, title = _FRAME.width() // 2, _FRAME.height() - _FRAME.width() // 2
    corner = room.topLeft() + QPoint(left + side, top + title)
    return QRect(corner, size)


def fit_on_screen(window: QWidget) -> None:
    """Make a window that was never placed fit on its screen, frame and task bar included."""
    least = window.minimumSizeHint().expandedTo(window.minimumSize())
    window.setGeometry(fitted(window.size(), least, window.screen().availableGeometry()))


class Docks(QObject):
    """Docks belong to one workspace. Elsewhere they are hidden, and so are their switches."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._kept: QByteArray | None = None

    @property
    def are_away(self) -> bool:
        """True while another workspace is on show."""
        return self._kept is not None

    def show(self, there: bool) -> None:
        """Put them away, or back in exactly the state they were put away in."""
        if there == (not self.are_away):
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
        """Their state in the workspace they belong to, wherever the person is now."""
        return self._kept if self._kept is not None else self._window.saveState(STATE_VERSION)
