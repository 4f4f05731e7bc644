"""A histogram with a window that can be dragged."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.viewer.histogram import Histogram
from app.viewer.paint_queue import PaintQueue
from app.widgets import theme
from core.windows import Window

_GRIP = 6
_CHANNELS = (QColor(235, 90, 90, 120), QColor(90, 210, 110, 120), QColor(100, 140, 255, 120))


class HistogramView(QWidget):
    """Drag an end of the window, or between its ends to move it; arrow keys move it, too."""

    window_dragged = Signal(float, float, bool)
    """Low and high end; True when the button was released."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paint_queue = PaintQueue(self)
        self._histogram: Histogram | None = None
        self._window: Window = (0.0, 1.0)
        self._grip = ""
        self._from = 0.0
        self._start: Window = (0.0, 1.0)
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        name = self.tr("Histogram: drag the ends of the window")
        self.setAccessibleName(name)
        self.setToolTip(name)

    def sizeHint(self) -> QSize:
        """Preferred size; the width can grow."""
        return QSize(200, 110)

    def show_counts(self, histogram: Histogram | None, window: Window) -> None:
        """Show a histogram (None for none) and a window over it."""
        same, self._histogram, self._window = histogram is self._histogram, histogram, window
        # A moved window is repainted at once; a new histogram is queued, like new images.
        self.update() if same else self._paint_queue.add(self)

    # --- geometry --------------------------------------------------------------------------

    def _span(self) -> Window:
        low, high = self._histogram.span if self._histogram else (0.0, 1.0)
        margin = (high - low) * 0.03
        return low - margin, high + margin

    def x_of(self, value: float) -> float:
        """The x coordinate of a value, limited to the widget."""
        low, high = self._span()
        x = (value - low) / (high - low) * self.width()
        return min(max(x, 1.0), self.width() - 1.0)

    def _value(self, x: float) -> float:
        low, high = self._span()
        return low + x / max(1, self.width()) * (high - low)

    def _grip_at(self, x: float) -> str:
        low, high = (self.x_of(value) for value in self._window)
        ends = {"low": abs(x - low), "high": abs(x - high)}
        nearest = min(ends, key=lambda name: ends[name])
        # If both ends are at the same place, the side of the pointer decides.
        if ends["low"] == ends["high"]:
            nearest = "low" if x < low else "high"
        if ends[nearest] <= _GRIP:
            return nearest
        return "both" if low < x < high else nearest

    # --- events ----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start dragging an end, or the window."""
        if event.button() == Qt.MouseButton.LeftButton and self._histogram is not None:
            self._grip = self._grip_at(event.position().x())
            self._from = self._value(event.position().x())
            self._start = self._window
            self._drag(event, done=False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue dragging, or show what can be dragged."""
        if self._grip:
            self._drag(event, done=False)
        elif self._histogram is not None:
            inside = self._grip_at(event.position().x()) == "both"
            self.setCursor(Qt.CursorShape.SizeHorCursor if inside else Qt.CursorShape.SplitHCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End dragging."""
        if self._grip:
            self._drag(event, done=True)
            self._grip = ""

    def _drag(self, event: QMouseEvent, *, done: bool) -> None:
        value = self._value(event.position().x())
        low, high = self._start
        least = (self._span()[1] - self._span()[0]) / 200
        if self._grip == "low":
            low = min(value, high - least)
        elif self._grip == "high":
            high = max(value, low + least)
        else:
            low, high = low + value - self._from, high + value - self._from
        self.window_dragged.emit(low, high, done)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the window with left and right, widen and narrow it with up and down."""
        step = (self._span()[1] - self._span()[0]) / 50
        low, high = self._window
        moves = {
            Qt.Key.Key_Left: (-step, -step),
            Qt.Key.Key_Right: (step, step),
            Qt.Key.Key_Up: (-step, step),
            Qt.Key.Key_Down: (step, -step),
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or self._histogram is None:
            super().keyPressEvent(event)
            return
        if low + move[0] < high + move[1]:
            self.window_dragged.emit(low + move[0], high + move[1], True)

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the histogram and the window over it."""
        now = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(now.window))
        if self._histogram is not None:
            self._paint_counts(painter, self._histogram, QColor(now.muted))
            low, high = (self.x_of(value) for value in self._window)
            shade = QColor(now.accent)
            shade.setAlpha(45)
            painter.fillRect(QRectF(low, 0, high - low, self.height()), shade)
            painter.setPen(QPen(QColor(now.accent), 2))
            for x in (low, high):
                painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        if self.hasFocus():
            painter.setPen(QPen(QColor(now.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint_counts(self, painter: QPainter, histogram: Histogram, plain: QColor) -> None:
        # Square roots, clipped at the 98th percentile, or a black background would dwarf the rest.
        heights = np.sqrt(histogram.counts.astype(np.float64))
        ordered = np.sort(heights, axis=None)
        top = max(float(ordered[round(0.98 * (ordered.size - 1))]), 1.0)
        low, high = histogram.span
        several = len(heights) > 1
        bins = heights.shape[1]
        # Vectorised: computing each place by itself would take longer than painting.
        places = low + (np.arange(bins) + 0.5) / bins * (high - low)
        start, end = self._span()
        xs = np.clip((places - start) / (end - start) * self.width(), 1.0, self.width() - 1.0)
        tall = self.height() - 6
        for row, colour in zip(heights, _CHANNELS if several else (plain,), strict=False):
            ys = self.height() - np.minimum(row / top, 1.0) * tall
            points = [
                QPointF(self.x_of(low), self.height()),
                *(QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)),
                QPointF(self.x_of(high), self.height()),
            ]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF(points))
        painter.setBrush(Qt.BrushStyle.NoBrush)
