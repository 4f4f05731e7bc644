"""Paints what work has brought one widget per turn of the event loop.

A new image or result changes every pane. Beside threads that compute, each of them takes long to
paint: all in one turn would hold the window up for the sum. One after the other they are there some
hundredths of a second apart, which nobody sees, and a click in between is heard. What a hand does
(panning, windowing) is painted at once instead: there the panes have to move as one.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget


class PaintQueue(QObject):
    """A queue of widgets to paint anew; one that waits already keeps its place."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[QWidget, None] = {}
        self._next = QTimer(self)
        # Not none: Qt may let a timer without an interval wait until nothing else is to be done.
        self._next.setInterval(1)
        self._next.timeout.connect(self._update_one)

    def add(self, widget: QWidget) -> None:
        """Paint ``widget`` when its turn comes."""
        self._waiting[widget] = None
        if not self._next.isActive():
            self._next.start()

    def _update_one(self) -> None:
        while self._waiting:
            widget = next(iter(self._waiting))
            del self._waiting[widget]
            if shiboken6.isValid(widget):
                widget.update()
                break
        if not self._waiting:
            self._next.stop()
