"""Drag and drop of files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QWidget


def dropped_paths(data: QMimeData) -> list[Path]:
    """The local files and folders in ``data``, in their order."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class DropZone(QFrame):
    """A frame that accepts dropped files and is highlighted while they hover over it."""

    files_dropped = Signal(object)
    """list[Path]"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("dropping", False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files, and highlight the frame."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()
            self._light(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Remove the highlight."""
        self._light(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Emit the dropped files."""
        self._light(False)
        paths = dropped_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    def _light(self, on: bool) -> None:
        self.setProperty("dropping", on)
        self.style().unpolish(self)
        self.style().polish(self)
