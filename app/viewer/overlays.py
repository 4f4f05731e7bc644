"""Text and scales over an image: zoom, badge, colour bar, names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from app.viewer.painter import paint_box, short
from app.viewer.rendering import upright_bar
from app.viewer.scene import Annotation
from core.windows import Window

_ZOOM_WIDTH = 62
"""Pixels reserved for the zoom beside the last line of a badge."""


@dataclass(frozen=True)
class ColourBar:
    """The scale of an image's values: palette, its two ends, and their unit ("" for none)."""

    palette: str
    window: Window
    unit: str = ""


def paint_overlays(
    painter: QPainter, room: QRect, annotation: Annotation, bar: ColourBar | None = None
) -> None:
    """Paint the zoom at the bottom, the badge beside it, and a colour bar above them.

    Leaves the painter with the font of the labels.

    Args:
        room: the whole widget.
    """
    font = painter.font()
    font.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    painter.setFont(font)
    _paint_label(painter, room, f"{annotation.zoom * 100:.0f} %", right=True)
    if annotation.badge:
        _paint_badge(painter, room, annotation.badge)
    if bar is not None:
        _paint_bar(painter, _bar_box(painter.fontMetrics(), room, annotation.badge), bar)


def footer_height(metrics: QFontMetrics, badge: str, width: int) -> int:
    """Screen pixels that zoom and badge take at the bottom of a pane of ``width``.

    Args:
        metrics: of the pane's own font; the labels are slightly smaller.
    """
    _lines, above = _badge_lines(metrics, badge, width - 12)
    return (1 + above) * (metrics.height() + 5) + 6


def _badge_lines(metrics: QFontMetrics, badge: str, space: int) -> tuple[list[str], int]:
    """The lines of a badge in ``space`` pixels, and how many of them lie above the zoom."""
    whole = metrics.horizontalAdvance(badge) + 10
    lines = [badge] if whole <= space else badge.split(" – ")
    beside = metrics.horizontalAdvance(lines[-1]) + 10 <= space - _ZOOM_WIDTH
    return lines, len(lines) - beside


def _paint_badge(painter: QPainter, room: QRect, badge: str) -> None:
    """Paint a badge without eliding it; in a narrow pane it takes lines above the zoom."""
    lines, above = _badge_lines(painter.fontMetrics(), badge, room.width() - 12)
    lowest = above - len(lines) + 1
    for place, line in enumerate(reversed(lines), lowest):
        _paint_label(painter, room, line, above=place)


def _paint_label(
    painter: QPainter, room: QRect, text: str, *, right: bool = False, above: int = 0
) -> None:
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
    left = room.width() - 6 - width if right else 6
    top = room.height() - 6 - height - above * (height + 1)
    paint_box(painter, QRectF(left, top, width, height), text)


def _bar_box(metrics: QFontMetrics, room: QRect, badge: str) -> QRectF | None:
    """Where the colours of a colour bar lie: at the right, above zoom and badge.

    None where there is no room for them.

    Args:
        metrics: of the labels' font.
    """
    lines = _badge_lines(metrics, badge, room.width() - 12)[1] if badge else 0
    bottom = room.bottom() - lines * (metrics.height() + 5)
    height = min(140, bottom - room.top() + 1 - 80)
    if height < 40 or room.width() < 140:
        return None
    return QRectF(room.right() - 16, bottom - 34 - height, 8, height)


def _bar_labels(metrics: QFontMetrics, box: QRectF, bar: ColourBar) -> list[tuple[str, QRectF]]:
    """The texts at the two ends of a colour bar, and where they stand."""
    low, high = bar.window
    labels = []
    for text, y in ((f"{short(high)} {bar.unit}".strip(), box.top()), (short(low), box.bottom())):
        width = metrics.horizontalAdvance(text) + 6
        tall = metrics.height()
        labels.append((text, QRectF(box.left() - width - 4, y - tall / 2, width, tall)))
    return labels


def colour_bar_area(
    metrics: QFontMetrics, room: QRect, badge: str, bar: ColourBar | None
) -> QRectF:
    """What a colour bar covers together with its labels; empty where none is painted.

    Args:
        metrics: of the labels' font.
        room: the whole widget.
        badge: the line at the bottom; "" for none.
    """
    box = None if bar is None else _bar_box(metrics, room, badge)
    if bar is None or box is None:
        return QRectF()
    area = box.adjusted(0, 0, 1, 1)
    for _text, place in _bar_labels(metrics, box, bar):
        area = area.united(place)
    return area


def _paint_bar(painter: QPainter, box: QRectF | None, bar: ColourBar) -> None:
    """Paint a colour bar with its ends and unit."""
    if box is None:
        return
    painter.drawImage(box, upright_bar(bar.palette))
    painter.setPen(QColor(255, 255, 255, 90))
    painter.drawRect(box)
    for text, place in _bar_labels(painter.fontMetrics(), box, bar):
        paint_box(painter, place, text)


def share_width(widths: Sequence[int], room: int) -> list[int]:
    """Distribute ``room`` pixels over one or two texts: a short one leaves the other the rest."""
    if len(widths) < 2:
        return [room] * len(widths)
    first, second = widths
    half = room // 2
    return [max(half, room - second), max(half, room - first)]


def paint_names(painter: QPainter, room: QRect, names: Sequence[tuple[str, bool]]) -> None:
    """Paint one or two names at the top, each at the left or (True) at the right."""
    metrics = painter.fontMetrics()
    # 6 pixels at both edges and between the boxes, 5 on either side of each text.
    free = room.width() - 12 - 10 * len(names) - 6 * (len(names) - 1)
    spaces = share_width([metrics.horizontalAdvance(name) for name, _right in names], free)
    for (name, right), space in zip(names, spaces, strict=True):
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, space)
        width = metrics.horizontalAdvance(text) + 10
        left = room.width() - 6 - width if right else 6
        paint_box(painter, QRectF(left, 6, width, metrics.height() + 4), text)
