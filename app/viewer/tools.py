"""Crosshair, magnifier and placeholder of a canvas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTextOption

MAGNIFICATION = 4.0
"""Magnification of the magnifier, relative to the canvas."""

_QUIET = QColor("#8d97a5")
_CROSS = QColor(255, 214, 92, 220)
_HAIR = QColor(255, 214, 92, 130)
_GAP, _ARM = 3, 9
"""Where the arms of a cross begin and end, in screen pixels from its centre."""
_GLASS, _LEAST_GLASS = 150, 80
"""Largest and smallest side of the magnifier, in screen pixels; in between, 40 % of the canvas."""


def paint_cross(painter: QPainter, point: QPointF, reach: float = 0) -> None:
    """Paint a small cross, or a crosshair with arms of ``reach`` pixels, at ``point``."""
    painter.setPen(QPen(_HAIR if reach else _CROSS, 1))
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        direction = QPointF(x, y)
        painter.drawLine(point + direction * _GAP, point + direction * (reach or _ARM))


def magnifier_rect(room: QRect, middle: QPointF) -> QRectF:
    """The rectangle of the magnifier around ``middle``, moved inside the canvas."""
    side = max(_LEAST_GLASS, min(_GLASS, min(room.width(), room.height()) * 0.4))
    box = QRectF(0, 0, side, side)
    box.moveCenter(middle)
    box.moveLeft(min(max(box.left(), 0), max(0, room.width() - side)))
    box.moveTop(min(max(box.top(), 0), max(0, room.height() - side)))
    return box


@contextmanager
def clipped_to_magnifier(painter: QPainter, box: QRectF) -> Iterator[None]:
    """Clip painting to the magnifier; paint its frame at the end."""
    painter.save()
    painter.setClipRect(box)
    yield
    painter.restore()
    painter.setPen(QPen(_CROSS, 1))
    painter.drawRect(box)


def paint_placeholder(painter: QPainter, room: QRect, text: str, *, waiting: bool) -> None:
    """Paint the text of an empty canvas; on a skeleton while an image is on its way."""
    if waiting:
        painter.setPen(QPen(QColor(255, 255, 255, 40), 1, Qt.PenStyle.DashLine))
        painter.setBrush(QColor(255, 255, 255, 12))
        painter.drawRoundedRect(room.adjusted(20, 20, -20, -20), 6, 6)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_QUIET)
    layout = QTextOption(Qt.AlignmentFlag.AlignCenter)
    # File names have no spaces, but have to be wrapped, too.
    layout.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    painter.drawText(QRectF(room.adjusted(8, 8, -8, -8)), text, layout)
