"""A few pairs of the training data as small images, A beside B."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.train.view_models import Sample
from app.viewer.painter import paint_box
from app.widgets import theme

_SIDE, _GAP, _BETWEEN = 96, 2, 14
_BACKGROUND = QColor("#0d0f12")


class SampleImages(QWidget):
    """A row of as many whole pairs as fit, with captions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples: tuple[Sample, ...] = ()
        self._names = ("A", "B")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_samples(self, samples: tuple[Sample, ...], label_a: str, label_b: str) -> None:
        """Replace the pairs; no pairs hide the row."""
        self.samples, self._names = samples, (f"A: {label_a}", f"B: {label_b}")
        self.setVisible(bool(samples))
        self.setAccessibleName(self.tr("Some of the pairs: A beside B"))
        self.setToolTip("\n".join(sample.name for sample in samples))
        self.update()

    def sizeHint(self) -> QSize:
        """The height of one row."""
        return QSize(2 * _SIDE + _GAP, _SIDE)

    def minimumSizeHint(self) -> QSize:
        """The size of one pair."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        left = 0
        for sample in self.samples:
            if left and left + 2 * _SIDE + _GAP > self.width():
                break
            for image, name in zip((sample.a, sample.b), self._names, strict=True):
                self._paint(painter, QRect(left, 0, _SIDE, _SIDE), image, name)
                left += _SIDE + _GAP
            left += _BETWEEN - _GAP

    def _paint(self, painter: QPainter, box: QRect, image: QImage | None, name: str) -> None:
        painter.fillRect(box, _BACKGROUND)
        if image is None:
            painter.setPen(QColor(theme.colours().muted))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), "–")
        else:
            size = image.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(0, 0, size.width(), size.height())
            target.moveCenter(box.center())
            painter.drawImage(target, image)
        metrics = painter.fontMetrics()
        width = min(box.width() - 4, metrics.horizontalAdvance(name) + 10)
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, max(0, width - 8))
        paint_box(painter, QRectF(box.left() + 2, box.top() + 2, width, metrics.height() + 4), text)
