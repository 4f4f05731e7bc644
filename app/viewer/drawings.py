"""Lines, handles and labels drawn over the images of a link, in pixels of the image."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF

from app.viewer.painter import paint_box
from app.viewer.viewport import Viewport

ImagePlace = tuple[float, float]
"""(x, y) in image pixels, the centre of the first one being (0, 0)."""

Handle = tuple[int, ImagePlace]
"""Its number, and where it is."""

_LINE = QColor("#59e0c8")
_CHOSEN = QColor("#ffd65c")
_SHADE = QColor(13, 15, 18, 170)
_HANDLE = 7.0
"""Side of a handle in screen pixels."""
_DOT = 2.5
_APART = 6
"""Screen pixels between a label and what it names."""


@dataclass(frozen=True)
class Drawing:
    """One thing drawn over an image.

    Attributes:
        key: tells it from others; "" for what cannot be taken.
        lines: each from place to place; one that is closed ends where it begins.
        dots: single places.
        handles: what can be dragged, where it is selected.
        active: number of the one that keys move.
        label: a text beside it.
        is_selected: drawn in the colour of selected things, with its handles.
        is_dashed: drawn with dashed lines.
        fine: lines that are drawn thin, such as the borders of pixels.
    """

    key: str
    lines: tuple[tuple[ImagePlace, ...], ...] = ()
    dots: tuple[ImagePlace, ...] = ()
    _: KW_ONLY
    handles: tuple[Handle, ...] = ()
    active: int = 0
    label: str = ""
    is_selected: bool = False
    is_dashed: bool = False
    fine: tuple[tuple[ImagePlace, ...], ...] = ()

    @property
    def places(self) -> tuple[ImagePlace, ...]:
        """All places of its lines and dots."""
        return (*(place for line in self.lines for place in line), *self.dots)


def on_screen(viewport: Viewport, place: ImagePlace) -> QPointF:
    """Where a place of the image lies on the widget."""
    x = viewport.corner.x() + (place[0] + 0.5) * viewport.scale
    y = viewport.corner.y() + (place[1] + 0.5) * viewport.scale_y
    return QPointF(x, y)


def paint_drawings(painter: QPainter, viewport: Viewport, drawings: Iterable[Drawing]) -> None:
    """Paint drawings inside the viewport's clip, selected ones last."""
    painter.save()
    painter.setClipRect(viewport.clip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ordered = sorted(drawings, key=lambda one: one.is_selected)
    for drawing in ordered:
        _paint(painter, viewport, drawing)
    _paint_labels(painter, viewport, ordered)
    painter.restore()


def _paint(painter: QPainter, viewport: Viewport, drawing: Drawing) -> None:
    colour = _CHOSEN if drawing.is_selected else _LINE
    painter.setBrush(Qt.BrushStyle.NoBrush)
    style = Qt.PenStyle.DashLine if drawing.is_dashed else Qt.PenStyle.SolidLine
    shapes = [QPolygonF([on_screen(viewport, p) for p in line]) for line in drawing.lines]
    for pen in (QPen(_SHADE, 3.5), QPen(colour, 1.6, style)):
        painter.setPen(pen)
        for shape in shapes:
            painter.drawPolyline(shape)
    painter.setPen(QPen(colour, 1))
    for line in drawing.fine:
        painter.drawPolyline(QPolygonF([on_screen(viewport, place) for place in line]))
    painter.setPen(QPen(_SHADE, 1))
    painter.setBrush(colour)
    for dot in drawing.dots:
        painter.drawEllipse(on_screen(viewport, dot), _DOT, _DOT)
    if drawing.is_selected:
        for number, handle in drawing.handles:
            painter.setBrush(colour if number == drawing.active else QColor(_SHADE))
            painter.setPen(QPen(colour, 1))
            painter.drawRect(_handle_box(on_screen(viewport, handle)))


def _handle_box(middle: QPointF) -> QRectF:
    box = QRectF(0, 0, _HANDLE, _HANDLE)
    box.moveCenter(middle)
    return box


def _paint_labels(painter: QPainter, viewport: Viewport, drawings: Sequence[Drawing]) -> None:
    """Paint the labels, those that fit nowhere left out but for that of the selected drawing."""
    font = painter.font()
    font.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    painter.setFont(font)
    taken: list[QRectF] = []
    for drawing in reversed(drawings):
        area = _area_of(viewport, drawing)
        if not drawing.label or area is None:
            continue
        box = _label_box(painter.fontMetrics(), viewport.clip, drawing.label, area, taken)
        if box is None and drawing.is_selected:
            box = _label_box(painter.fontMetrics(), viewport.clip, drawing.label, area, ())
        if box is not None:
            taken.append(box)
            paint_box(painter, box, drawing.label)


def _area_of(viewport: Viewport, drawing: Drawing) -> QRectF | None:
    """What a drawing covers on the screen; None where nothing of it is seen."""
    shown = [on_screen(viewport, place) for place in drawing.places]
    if not shown:
        return None
    left, top = min(p.x() for p in shown), min(p.y() for p in shown)
    right, bottom = max(p.x() for p in shown), max(p.y() for p in shown)
    area = QRectF(left, top, right - left, bottom - top).adjusted(-1, -1, 1, 1)
    return area if viewport.clip.intersects(area) else None


def _label_box(
    metrics: QFontMetrics, clip: QRectF, label: str, area: QRectF, taken: Sequence[QRectF]
) -> QRectF | None:
    """A free place for a label: below what it names, above, or at a side; None where none is."""
    width, height = metrics.horizontalAdvance(label) + 10.0, metrics.height() + 2.0
    across = area.center().x() - width / 2
    across = min(max(across, clip.left()), clip.right() - width)
    beside = area.center().y() - height / 2
    for x, y in (
        (across, area.bottom() + _APART),
        (across, area.top() - _APART - height),
        (area.right() + _APART, beside),
        (area.left() - _APART - width, beside),
    ):
        box = QRectF(x, y, width, height)
        if clip.contains(box) and not any(box.intersects(other) for other in taken):
            return box
    return None if taken else QRectF(across, clip.top(), width, height)


def distance_to_line(point: QPointF, line: Sequence[QPointF]) -> float:
    """The distance of a point from a line of several pieces, in their unit; infinite for none."""
    if len(line) == 1:
        return math.hypot(point.x() - line[0].x(), point.y() - line[0].y())
    best = math.inf
    for start, end in pairwise(line):
        along = end - start
        length = along.x() ** 2 + along.y() ** 2
        share = 0.0
        if length:
            share = ((point - start).x() * along.x() + (point - start).y() * along.y()) / length
        nearest = start + along * min(max(share, 0.0), 1.0)
        best = min(best, math.hypot(point.x() - nearest.x(), point.y() - nearest.y()))
    return best
