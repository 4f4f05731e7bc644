"""Draws one picture at the common position, and lets the pointer move that position."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.render import Picture
from app.widgets.link import MOST_PIXELS, ViewLink

_MARGIN = 6
_BACKGROUND = QColor("#0d0f12")
_QUIET = QColor("#8d97a5")
_VEIL = QColor(13, 15, 18, 150)
_CROSS = QColor(255, 214, 92, 220)
_FOCUS = QColor("#4c9be8")
_SHARP_FROM = 2.0
"""From this many screen pixels per picture pixel each one is drawn as a square. Between 1 and 2
squares would have to be of unequal width, which looks like structure that is not there."""

_STEP = 1.25
"""Zoom factor of one key press."""


class Canvas(QWidget):
    """A dark surface with one picture of a linked set on it."""

    maximise_requested = Signal()

    def __init__(self, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._picture: Picture | None = None
        self._placeholder = ""
        self._badge = ""
        self._dimmed = False
        self._drag_from: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        link.changed.connect(self.update)
        link.pointer_changed.connect(self.update)

    # --- what is shown ---------------------------------------------------------------------

    @property
    def picture(self) -> Picture | None:
        """The picture shown."""
        return self._picture

    @property
    def badge(self) -> str:
        """The permanent line at the foot of the picture."""
        return self._badge

    @property
    def is_dimmed(self) -> bool:
        """True while the picture is about to be replaced."""
        return self._dimmed

    def set_picture(self, picture: Picture | None) -> None:
        """Show a picture, or the placeholder."""
        self._picture = picture
        self.update()

    def set_placeholder(self, text: str) -> None:
        """Say what will be here."""
        self._placeholder = text
        self.update()

    def set_badge(self, text: str) -> None:
        """Write a permanent line at the foot of the picture."""
        self._badge = text
        self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """Grey the picture while its successor is being made."""
        self._dimmed = dimmed
        self.update()

    def sizeHint(self) -> QSize:
        """A third of a small window."""
        return QSize(320, 260)

    def minimumSizeHint(self) -> QSize:
        """Small enough for three in a row on 1024 pixels."""
        return QSize(150, 110)

    # --- geometry --------------------------------------------------------------------------

    def fit_scale(self) -> float:
        """Logical screen pixels per picture pixel at which the whole picture is seen."""
        width, height = self._link.size
        if not width or not height:
            return 1.0
        room_x = max(1, self.width() - 2 * _MARGIN)
        room_y = max(1, self.height() - 2 * _MARGIN)
        return min(room_x / width, room_y / height, MOST_PIXELS)

    def scale(self) -> float:
        """Logical screen pixels per picture pixel now."""
        return self.fit_scale() if self._link.fitted else self._link.scale

    def to_picture(self, position: QPointF) -> QPointF:
        """Picture coordinates of a point of this widget."""
        centre = QPointF(self.width() / 2, self.height() / 2)
        return self._link.centre + (position - centre) / self.scale()

    def to_widget(self, point: QPointF) -> QPointF:
        """Where a picture coordinate lies on this widget."""
        centre = QPointF(self.width() / 2, self.height() / 2)
        return centre + (point - self._link.centre) * self.scale()

    def zoom_about(self, position: QPointF, factor: float) -> None:
        """Zoom all panes so that what is under ``position`` stays there."""
        if not self._link.size[0]:
            return
        fixed = self.to_picture(position)
        ratio = self.devicePixelRatioF()
        lowest = min(self.fit_scale() / 2, 1 / ratio)
        scale = min(max(self.scale() * factor, lowest), MOST_PIXELS)
        offset = position - QPointF(self.width() / 2, self.height() / 2)
        self._link.look(scale, fixed - offset / scale)

    def zoom_step(self, closer: bool) -> None:
        """One step closer or farther about the middle."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        self.zoom_about(middle, _STEP if closer else 1 / _STEP)

    def one_to_one(self) -> None:
        """One picture pixel on one screen pixel."""
        if self._link.size[0]:
            self._link.look(1 / self.devicePixelRatioF(), self._link.centre)

    # --- events ----------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        delta = event.angleDelta().y()
        if delta:
            self.zoom_about(event.position(), math.pow(_STEP, delta / 120))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start to pan."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._drag_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, and tell the others where the pointer is."""
        if self._drag_from is not None and self._link.size[0]:
            moved = event.position() - self._drag_from
            self._drag_from = event.position()
            scale = self.scale()
            self._link.look(scale, self._link.centre - moved / scale)
        self._link.set_pointer(self._pixel_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End panning."""
        self._drag_from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit."""
        self._link.fit()

    def leaveEvent(self, event: object) -> None:
        """The pointer is on no pixel any more."""
        self._link.set_pointer(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and −, pan with the arrow keys."""
        steps = {
            Qt.Key.Key_Left: QPointF(-1, 0),
            Qt.Key.Key_Right: QPointF(1, 0),
            Qt.Key.Key_Up: QPointF(0, -1),
            Qt.Key.Key_Down: QPointF(0, 1),
        }
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoom_step(key != Qt.Key.Key_Minus)
        elif key in steps and self._link.size[0]:
            scale = self.scale()
            self._link.look(scale, self._link.centre + steps[key] * (32 / scale))
        else:
            super().keyPressEvent(event)

    def _pixel_at(self, position: QPointF) -> QPoint | None:
        width, height = self._link.size
        point = self.to_picture(position)
        x, y = math.floor(point.x()), math.floor(point.y())
        return QPoint(x, y) if 0 <= x < width and 0 <= y < height else None

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Background, picture, veil, cross, texts."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._picture is None:
            self._paint_placeholder(painter)
        else:
            self._paint_picture(painter, self._picture)
            if self._dimmed:
                painter.fillRect(self.rect(), _VEIL)
            self._paint_cross(painter)
            self._paint_texts(painter)
        if self.hasFocus():
            painter.setPen(QPen(_FOCUS, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_picture(self, painter: QPainter, picture: Picture) -> None:
        corner = self.to_widget(QPointF(0, 0))
        scale = self.scale()
        whole = QRectF(corner.x(), corner.y(), picture.size[0] * scale, picture.size[1] * scale)
        seen = whole.intersected(QRectF(self.rect()))
        if seen.isEmpty():
            return
        ratio = self.devicePixelRatioF()
        level = _best_level(picture, whole.width() * ratio)
        across, down = level.width() / whole.width(), level.height() / whole.height()
        part = QRectF(
            (seen.x() - whole.x()) * across,
            (seen.y() - whole.y()) * down,
            seen.width() * across,
            seen.height() * down,
        )
        smooth = scale * ratio < _SHARP_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(seen, level, part)

    def _paint_cross(self, painter: QPainter) -> None:
        pixel = self._link.pointer
        if pixel is None or self.underMouse():
            return
        point = self.to_widget(QPointF(pixel) + QPointF(0.5, 0.5))
        painter.setPen(QPen(_CROSS, 1))
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            direction = QPointF(x, y)
            painter.drawLine(point + direction * 3, point + direction * 9)

    def _paint_placeholder(self, painter: QPainter) -> None:
        painter.setPen(_QUIET)
        room = self.rect().adjusted(16, 16, -16, -16)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), self._placeholder)

    def _paint_texts(self, painter: QPainter) -> None:
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() - 1))
        painter.setFont(font)
        percent = self.scale() * self.devicePixelRatioF() * 100
        self._paint_label(painter, f"{percent:.0f} %", Qt.AlignmentFlag.AlignRight)
        if self._badge:
            self._paint_label(painter, self._badge, Qt.AlignmentFlag.AlignLeft)

    def _paint_label(self, painter: QPainter, text: str, side: Qt.AlignmentFlag) -> None:
        metrics = painter.fontMetrics()
        room = self.width() - 12 - (60 if side == Qt.AlignmentFlag.AlignLeft else 0)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 10)
        width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
        left = 6 if side == Qt.AlignmentFlag.AlignLeft else self.width() - 6 - width
        box = QRectF(left, self.height() - 6 - height, width, height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(13, 15, 18, 190))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor("#d3d9e1"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


def _best_level(picture: Picture, wanted: float) -> QImage:
    """The smallest level that still has ``wanted`` pixels across (else the full one)."""
    fitting = [level for level in picture.levels if level.width() >= wanted]
    return fitting[-1] if fitting else picture.levels[0]
