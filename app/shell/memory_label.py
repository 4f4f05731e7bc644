"""Memory used by the program and its device, shown in the status bar."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.fuse.state import FuseState
from app.i18n.numbers import number
from core.available_memory import Usage, device_memory, process_memory

INTERVAL_MS = 2000
_GB = 1e9
_FULL = 0.9
"""Fraction of the memory in use from which the label warns."""


class MemoryLabel(QLabel):
    """Updates every two seconds while it is visible."""

    def __init__(
        self,
        session: FuseState,
        parent: QWidget | None = None,
        *,
        process: Callable[[], Usage | None] = process_memory,
        device: Callable[[str], Usage | None] = device_memory,
    ) -> None:
        """
        Args:
            process, device: measure the memory of this process and of a device.
        """
        super().__init__(parent)
        self.setObjectName("memory")
        self._session = session
        self._process, self._device = process, device
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.refresh)

    def refresh(self) -> None:
        """Show the current values."""
        engine = self._session.engine
        own = self._process()
        card = self._device(engine.device.name) if engine is not None else None
        parts, tips = [], []
        if own is not None:
            parts.append(_of(own))
            tips.append(self.tr("Memory of this program, of the memory this computer has"))
        if card is not None:
            parts.append(self.tr("GPU {0}").format(_of(card)))
            tips.append(self.tr("Memory in use on the GPU, of what it has"))
        text = " · ".join(parts)
        full = any(u is not None and u.used > _FULL * u.total for u in (own, card))
        if full != bool(self.property("warns")):
            self.setProperty("warns", full)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setText(text)
        self.setToolTip("\n".join(tips))
        self.setAccessibleName(self.tr("Memory: {0}").format(text))
        self.setVisible(bool(text))

    def showEvent(self, event: QShowEvent) -> None:
        """Start updating."""
        super().showEvent(event)
        if not self._timer.isActive():
            self.refresh()
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop updating."""
        self._timer.stop()
        super().hideEvent(event)


def _of(usage: Usage) -> str:
    total = usage.total / _GB
    return f"{number(usage.used / _GB, '.1f')} / {total:.0f} GB"
