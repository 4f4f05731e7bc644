"""Deferring work until a window has been painted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

_PATIENCE_MS = 3000
"""Timeout for windows that are never painted because they start minimised."""


class FirstPaint(QObject):
    """Calls ``then`` once, in the event loop after the window's first paint event.

    A timer of 0 ms does not suffice: on X11 the paint request of the server comes later.
    """

    def __init__(self, window: QWidget, then: Callable[[], object]) -> None:
        super().__init__(window)
        self._then: Callable[[], object] | None = then
        window.installEventFilter(self)
        QTimer.singleShot(_PATIENCE_MS, self, self._call)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Detect the paint event."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._call)
        return False

    def _call(self) -> None:
        then, self._then = self._then, None
        if then is not None:
            then()
