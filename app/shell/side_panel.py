"""The right dock: the inspector, or the panel of what is being done, with its own steps of undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDockWidget, QStackedWidget, QWidget

from app.commands.undo import UndoHistory
from app.regions.commands import Measuring
from app.registration.commands import Aligning


class SidePanel(QStackedWidget):
    """Shows the panel of aligning, of regions, or the inspector; of the first two one at a time."""

    def __init__(self, inspector: QWidget, aligning: Aligning, measuring: Measuring) -> None:
        super().__init__()
        self._aligning = aligning
        self._measuring = measuring
        self._inspector = inspector
        self._dock: QDockWidget | None = None
        self._undo_in: Callable[[UndoHistory[Any] | None], None] | None = None
        for panel in (inspector, aligning.dock, measuring.dock):
            self.addWidget(panel)

    def minimumSizeHint(self) -> QSize:
        """Minimum size of the panel on show: wider ones must not take room from the images."""
        panel = self.currentWidget()
        return panel.minimumSizeHint() if panel is not None else super().minimumSizeHint()

    def connect_panels(
        self, dock: QDockWidget, undo_in: Callable[[UndoHistory[Any] | None], None]
    ) -> None:
        """Follow what is being done.

        Args:
            dock: that shows this widget.
            undo_in: lets undo go back through another history; None for that of the display.
        """
        self._dock, self._undo_in = dock, undo_in
        self._aligning.state.active_changed.connect(self._aligning_changed)
        self._measuring.state.active_changed.connect(self._measuring_changed)

    def _aligning_changed(self, active: bool) -> None:
        if active:
            self._measuring.state.set_active(False)
        self._show(active)

    def _measuring_changed(self, active: bool) -> None:
        if active and self._aligning.state.is_active:
            self._aligning.align.leave()
        self._show(active)

    def _show(self, active: bool) -> None:
        assert self._dock is not None
        assert self._undo_in is not None
        panel, title = self._inspector, self.tr("Inspector")
        steps: UndoHistory[Any] | None = None
        if self._aligning.state.is_active:
            panel, title = self._aligning.dock, self.tr("Align")
            steps = self._aligning.state.history
        elif self._measuring.state.is_active:
            panel, title = self._measuring.dock, self.tr("Regions and figures")
            steps = self._measuring.state.history
        self.setCurrentWidget(panel)
        self.updateGeometry()
        self._dock.setWindowTitle(title)
        if active:
            self._dock.show()
        self._undo_in(steps)
