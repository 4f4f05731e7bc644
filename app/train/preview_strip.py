"""The validation strip: A, B, current and initial fused image side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.viewer.painter import paint_box
from app.widgets import theme

_GAP = 6
_BACKGROUND = QColor("#0d0f12")


class PreviewStrip(QWidget):
    """A row of images of the same size and scale, with captions."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.images: tuple[QImage, ...] = ()
        self._names: tuple[str, ...] = ()
        self._placeholder = placeholder
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(96)
        self.setAccessibleName(placeholder)

    def show_images(self, images: Sequence[QImage], names: Sequence[str]) -> None:
        """Show images with captions; without images the placeholder is shown."""
        self.images, self._names = tuple(images), tuple(names)
        self.setAccessibleName(", ".join(names) or self._placeholder)
        self.update()

    def sizeHint(self) -> QSize:
        """A wide, low default size."""
        return QSize(480, 170)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row, centred."""
        painter = QPainter(self)
        if not self.images:
            painter.setPen(QColor(theme.colours().muted))
            wrap = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(12, 0, -12, 0), wrap, self._placeholder)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for image, name, box in zip(self.images, self._names, self.boxes(), strict=True):
            painter.fillRect(box, _BACKGROUND)
            painter.drawImage(box, image)
            metrics = painter.fontMetrics()
            width = min(box.width() - 4, metrics.horizontalAdvance(name) + 10)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, max(0, width - 8))
            paint_box(
                painter, QRectF(box.left() + 3, box.top() + 3, width, metrics.height() + 4), text
            )

    def boxes(self) -> list[QRect]:
        """Rectangle of each image."""
        count = len(self.images)
        wide = max(image.width() for image in self.images)
        high = max(image.height() for image in self.images)
        room_x = (self.width() - _GAP * (count - 1)) / (count * wide)
        scale = min(room_x, self.height() / high)
        width, height = int(wide * scale), int(high * scale)
        left = (self.width() - count * width - _GAP * (count - 1)) // 2
        top = (self.height() - height) // 2
        return [QRect(left + k * (width + _GAP), top, width, height) for k in range(count)]
