"""Text on images."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.i18n.numbers import number

_TEXT = QColor("#d3d9e1")
_BOX = QColor(13, 15, 18, 190)


def paint_box(painter: QPainter, box: QRectF, text: str) -> None:
    """Paint a short text on a dark, translucent box."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BOX)
    painter.drawRoundedRect(box, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_TEXT)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


def short(value: float) -> str:
    """A number in few characters."""
    if value and (abs(value) >= 100_000 or abs(value) < 0.001):
        return number(value, ".2g")
    text = number(value, ".0f" if abs(value) >= 100 else ".3g")
    return text.replace("-", "−")
