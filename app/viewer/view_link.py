"""The common position of all panes: where they look, how close, and where the pointer is."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QPointF, Signal

from app.viewer.paint_queue import PaintQueue

MOST_PIXELS = 64.0
"""Largest magnification: screen pixels per image pixel."""


class ViewLink(QObject):
    """One zoom and one centre, in pixels of the source images, shared by every canvas.

    While ``fitted`` each canvas shows the whole image, whatever its own size.
    """

    changed = Signal()
    """A hand has moved the position."""
    size_changed = Signal()
    pointer_changed = Signal(object)
    """The image pixel under the pointer as a QPoint, or None."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.turns = PaintQueue(self)
        """In which the canvases show what work has brought."""
        self.size: tuple[int, int] = (0, 0)
        self.fitted = True
        self.scale = 1.0
        self.foot = 0
        """Screen pixels at the foot of every canvas that no image covers: words stand there."""
        self.centre = QPointF(0, 0)
        self.pointer: QPoint | None = None
        self.last_pointer: QPoint | None = None

    def set_size(self, size: tuple[int, int]) -> None:
        """Take the extent of the images; another extent starts again at fit."""
        if size != self.size:
            self.size = size
            self.set_pointer(None)
            self.last_pointer = None
            self._fit()
            self.size_changed.emit()

    def set_foot(self, height: int) -> None:
        """Keep so many screen pixels free at the foot of every canvas."""
        if height != self.foot:
            self.foot = height
            self.size_changed.emit()

    def fit(self) -> None:
        """Show the whole image in every pane."""
        self._fit()
        self.changed.emit()

    def _fit(self) -> None:
        self.fitted = True
        self.centre = QPointF(self.size[0] / 2, self.size[1] / 2)

    def look(self, scale: float, centre: QPointF) -> None:
        """Show ``centre`` (image pixels) at ``scale`` (logical screen pixels per pixel)."""
        width, height = self.size
        self.fitted = False
        self.scale = scale
        self.centre = QPointF(
            min(max(centre.x(), 0.0), float(width)), min(max(centre.y(), 0.0), float(height))
        )
        self.changed.emit()

    def set_pointer(self, pixel: QPoint | None) -> None:
        """Say which image pixel the pointer is on."""
        if pixel != self.pointer:
            self.pointer = pixel
            self.last_pointer = pixel or self.last_pointer
            self.pointer_changed.emit(pixel)
