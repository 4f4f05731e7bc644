"""The docks at the sides of the Fuse workspace: away in the others, and back as they were."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QObject
from PySide6.QtWidgets import QDockWidget, QMainWindow

STATE_VERSION = 1


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
