"""Repaints widgets after new data, one per turn of the event loop.

A new image or result changes every pane. While other threads compute, each pane takes long to
paint, and painting all of them in one turn would block the window. One per turn, they appear within
a few hundredths of a second, which is not noticeable, and events in between are handled. Changes by
hand (panning, windowing) are not queued: the panes have to move together.
"""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget


class PaintQueue(QObject):
    """A queue of widgets to repaint; one that is queued already keeps its place."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[QWidget, None] = {}
        self._next = QTimer(self)
        # Not 0: Qt may postpone a zero timer until the event loop is idle.
        self._next.setInterval(1)
        self._next.timeout.connect(self._update_one)

    def add(self, widget: QWidget) -> None:
        """Repaint ``widget`` in a later turn of the event loop."""
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
