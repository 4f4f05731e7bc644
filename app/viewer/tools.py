"""What helps the eye on a pane: crosshair, magnifying glass, the word where an image will be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTextOption

GLASS_POWER = 4.0
"""How much larger the glass shows things."""

_QUIET = QColor("#8d97a5")
_CROSS = QColor(255, 214, 92, 220)
_HAIR = QColor(255, 214, 92, 130)
_GAP, _ARM = 3, 9
"""Where the arms of a cross begin and end, in screen pixels from its middle."""
_GLASS, _LEAST_GLASS = 150, 80
"""Side of the glass, in screen pixels; on small panes it takes two fifths, but not less than so."""


def paint_cross(painter: QPainter, point: QPointF, reach: float = 0) -> None:
    """A small cross about ``point``, or a crosshair whose arms reach so far."""
    painter.setPen(QPen(_HAIR if reach else _CROSS, 1))
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        direction = QPointF(x, y)
        painter.drawLine(point + direction * _GAP, point + direction * (reach or _ARM))


def glass_box(room: QRect, middle: QPointF) -> QRectF:
    """Where the glass over ``middle`` lies: within the pane."""
    side = max(_LEAST_GLASS, min(_GLASS, min(room.width(), room.height()) * 0.4))
    box = QRectF(0, 0, side, side)
    box.moveCenter(middle)
    box.moveLeft(min(max(box.left(), 0), max(0, room.width() - side)))
    box.moveTop(min(max(box.top(), 0), max(0, room.height() - side)))
    return box


@contextmanager
def through_glass(painter: QPainter, box: QRectF) -> Iterator[None]:
    """What is painted in here is seen in the glass only; its rim is painted afterwards."""
    painter.save()
    painter.setClipRect(box)
    yield
    painter.restore()
    painter.setPen(QPen(_CROSS, 1))
    painter.drawRect(box)


def paint_placeholder(painter: QPainter, room: QRect, text: str, *, waiting: bool) -> None:
    """What is said where an image will be; while one is on its way, on its skeleton."""
    if waiting:
        painter.setPen(QPen(QColor(255, 255, 255, 40), 1, Qt.PenStyle.DashLine))
        painter.setBrush(QColor(255, 255, 255, 12))
        painter.drawRoundedRect(room.adjusted(20, 20, -20, -20), 6, 6)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_QUIET)
    layout = QTextOption(Qt.AlignmentFlag.AlignCenter)
    # A file's name has no spaces, and is to be read whole.
    layout.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    painter.drawText(QRectF(room.adjusted(8, 8, -8, -8)), text, layout)
