"""Outlines of places on an image, with a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.viewer.painter import paint_box
from app.viewer.viewport import Viewport

_COLOURS = {"a": QColor(255, 120, 220), "b": QColor(70, 215, 255)}
"""Neither is in a palette for counts or among grey levels."""
_LINES = {"a": Qt.PenStyle.SolidLine, "b": Qt.PenStyle.DashLine}
"""So that the two are told apart without their colours."""
_SHADOW = QColor(0, 0, 0, 170)
_MARGIN = 3.0
"""Screen pixels between a place and its outline."""
_SWATCH = 16


@dataclass(frozen=True)
class Outline:
    """A place on an image: its middle and its size in image pixels; pixel 0 reaches from 0 to 1."""

    column: float
    row: float
    width: float
    height: float


@dataclass(frozen=True)
class OutlineGroup:
    """Places of one source.

    Attributes:
        side: the source.
        outlines: the places; there may be none.
        text: the line of the legend.
    """

    side: Literal["a", "b"]
    outlines: tuple[Outline, ...]
    text: str


def paint_outlines(painter: QPainter, viewport: Viewport, groups: Sequence[OutlineGroup]) -> None:
    """Paint an ellipse around each place."""
    painter.save()
    painter.setClipRect(viewport.clip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for group in groups:
        boxes = [box_of(outline, viewport) for outline in group.outlines]
        painter.setPen(QPen(_SHADOW, 3.5))
        for box in boxes:
            painter.drawEllipse(box)
        painter.setPen(_pen(group.side))
        for box in boxes:
            painter.drawEllipse(box)
    painter.restore()


def box_of(outline: Outline, viewport: Viewport) -> QRectF:
    """The box of an outline on the widget: its place and a margin around it."""
    corner = viewport.corner
    middle = QPointF(
        corner.x() + outline.column * viewport.scale, corner.y() + outline.row * viewport.scale_y
    )
    across = outline.width * viewport.scale / 2 + _MARGIN
    down = outline.height * viewport.scale_y / 2 + _MARGIN
    return QRectF(middle.x() - across, middle.y() - down, 2 * across, 2 * down)


def paint_legend(
    painter: QPainter, room: QRect, groups: Sequence[OutlineGroup], *, below: bool
) -> None:
    """Paint a line for each source at the upper left.

    Args:
        room: the whole widget.
        below: whether the lines stand below a line of names.
    """
    metrics = painter.fontMetrics()
    height = metrics.height() + 4
    top = 6 + (height + 6 if below else 0)
    for place, group in enumerate(groups):
        text = metrics.elidedText(
            group.text, Qt.TextElideMode.ElideRight, room.width() - 34 - _SWATCH
        )
        width = metrics.horizontalAdvance(text) + 10
        y = top + place * (height + 2)
        paint_box(painter, QRectF(6, y, _SWATCH + 6, height), "")
        painter.save()
        painter.setPen(_pen(group.side))
        painter.drawEllipse(QRectF(9, y + (height - 10) / 2, _SWATCH, 10))
        painter.restore()
        paint_box(painter, QRectF(6 + _SWATCH + 6, y, width, height), text)


def _pen(side: Literal["a", "b"]) -> QPen:
    return QPen(_COLOURS[side], 1.8, _LINES[side])
