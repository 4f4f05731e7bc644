"""The position that all panes share: centre, zoom and the pixel under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QPointF, Signal

from app.viewer.drawings import Drawing
from app.viewer.paint_queue import PaintQueue

if TYPE_CHECKING:
    from app.viewer.canvas_tool import CanvasTool

MOST_PIXELS = 64.0
"""Largest magnification: logical screen pixels per image column."""


class ViewLink(QObject):
    """One zoom and one centre, in pixels of the source images, shared by every canvas.

    While ``fitted`` is True each canvas shows the whole image, whatever its own size.
    """

    changed = Signal()
    """The person has moved the position."""
    size_changed = Signal()
    pointer_changed = Signal(object)
    """The image pixel under the pointer as a QPoint, or None."""
    clicked = Signal(object)
    """The image pixel that was clicked, as a QPoint."""
    drawings_changed = Signal()
    stepped = Signal(int)
    """Slices to go on, where the wheel changes the slice."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.paint_queue = PaintQueue(self)
        """Repaints the canvases after new data, one per turn of the event loop."""
        self.size: tuple[int, int] = (0, 0)
        """Width and height of the images, in pixels."""
        self.aspect = 1.0
        """Height of an image pixel divided by its width."""
        self.wheel_steps = False
        """Whether the wheel changes the slice; with Ctrl it zooms always."""
        self.fitted = True
        self.scale = 1.0
        """Logical screen pixels per image column, unless ``fitted``."""
        self.footer = 0
        """Height at the bottom of every canvas that is reserved for text, in screen pixels."""
        self.centre = QPointF(0, 0)
        self.pointer: QPoint | None = None
        self.last_pointer: QPoint | None = None
        """Where the pointer was last on the image."""
        self.drawings: tuple[Drawing, ...] = ()
        """What is drawn over the images."""
        self.tool: CanvasTool | None = None
        """What takes mouse and keyboard of the canvases before they do."""

    def set_size(self, size: tuple[int, int], aspect: float = 1.0) -> None:
        """Take the shape of the images; another one starts again with the whole image visible.

        Args:
            size: width and height in pixels; (0, 0) for no image.
            aspect: height of a pixel divided by its width, over 0.
        """
        if (size, aspect) != (self.size, self.aspect):
            self.size, self.aspect = size, aspect
            self.set_pointer(None)
            self.last_pointer = None
            self._fit()
            self.size_changed.emit()

    def set_drawings(self, drawings: tuple[Drawing, ...]) -> None:
        """Draw these over the images, instead of those before."""
        if drawings != self.drawings:
            self.drawings = drawings
            self.drawings_changed.emit()

    def set_footer(self, height: int) -> None:
        """Reserve a height, in screen pixels, at the bottom of every canvas."""
        if height != self.footer:
            self.footer = height
            self.size_changed.emit()

    def fit(self) -> None:
        """Show the whole image in every pane."""
        self._fit()
        self.changed.emit()

    def _fit(self) -> None:
        self.fitted = True
        self.centre = QPointF(self.size[0] / 2, self.size[1] / 2)

    def look_at(self, centre: QPointF, scale: float) -> None:
        """Show ``centre`` (image pixels) at ``scale`` (logical screen pixels per column)."""
        width, height = self.size
        self.fitted = False
        self.scale = scale
        self.centre = QPointF(
            min(max(centre.x(), 0.0), float(width)), min(max(centre.y(), 0.0), float(height))
        )
        self.changed.emit()

    def set_pointer(self, pixel: QPoint | None) -> None:
        """Set the image pixel under the pointer; None where it is on no image."""
        if pixel != self.pointer:
            self.pointer = pixel
            self.last_pointer = pixel or self.last_pointer
            self.pointer_changed.emit(pixel)
