"""Waiting until a window has been seen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

_PATIENCE_MS = 3000
"""A window that starts minimised is never painted; work begins all the same."""


class FirstPaint(QObject):
    """Calls ``then`` once, when the window's first paint is done and the event loop turns again.

    A timer of zero is not enough: on X11 the order to paint comes from the server, after it.
    """

    def __init__(self, window: QWidget, then: Callable[[], object]) -> None:
        super().__init__(window)
        self._then: Callable[[], object] | None = then
        window.installEventFilter(self)
        QTimer.singleShot(_PATIENCE_MS, self, self._call)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice the paint."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._call)
        return False

    def _call(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()
