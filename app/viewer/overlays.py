"""The words on a pane: zoom, notice, and which image is which."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from app.viewer.painter import Scene, bar_of, paint_bar, paint_box

_ROOM_FOR_ZOOM = 62


def paint_words(
    painter: QPainter, room: QRect, *, scene: Scene, zoom: float, badge: str, phase: bool
) -> None:
    """Zoom at the foot, the notice beside it, a colour bar, and names where two are compared.

    Args:
        room: the pane.
        zoom: screen pixels per image pixel.
        badge: the notice; "" for none.
        phase: which of two blinking images is shown.
    """
    font = painter.font()
    font.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    painter.setFont(font)
    _paint_label(painter, room, f"{zoom * 100:.0f} %", right=True)
    raised = _paint_badge(painter, room, badge) if badge else 0
    bar = bar_of(scene)
    if bar is not None:
        lines = raised * (painter.fontMetrics().height() + 5)
        paint_bar(painter, room.adjusted(0, 0, 0, -lines), bar)
    if scene.is_compared:
        _paint_names(painter, room, scene, phase)


def foot_for(metrics: QFontMetrics, badge: str, width: int) -> int:
    """Screen pixels that zoom and notice take at the foot of a pane of ``width``.

    Args:
        metrics: of the pane's own font; the words are a little smaller.
    """
    _lines, above = _lines_of(metrics, badge, width - 12)
    return (1 + above) * (metrics.height() + 5) + 6


def _lines_of(metrics: QFontMetrics, badge: str, space: int) -> tuple[list[str], int]:
    """The lines of a notice in ``space`` pixels, and how many of them stand above the zoom."""
    whole = metrics.horizontalAdvance(badge) + 10
    lines = [badge] if whole <= space else badge.split(" – ")
    beside = metrics.horizontalAdvance(lines[-1]) + 10 <= space - _ROOM_FOR_ZOOM
    return lines, len(lines) - beside


def _paint_badge(painter: QPainter, room: QRect, badge: str) -> int:
    """The notice is never cut short: in a narrow pane it takes lines above the zoom's.

    Returns:
        How many lines above the zoom's it takes.
    """
    lines, above = _lines_of(painter.fontMetrics(), badge, room.width() - 12)
    lowest = above - len(lines) + 1
    for place, line in enumerate(reversed(lines), lowest):
        _paint_label(painter, room, line, above=place)
    return above


def _paint_label(
    painter: QPainter, room: QRect, text: str, *, right: bool = False, above: int = 0
) -> None:
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 10, metrics.height() + 4
    left = room.width() - 6 - width if right else 6
    top = room.height() - 6 - height - above * (height + 1)
    paint_box(painter, QRectF(left, top, width, height), text)


def names_of(scene: Scene, phase: bool) -> list[tuple[str, bool]]:
    """The names to write, and whether each goes to the right."""
    if scene.second is None:
        return []
    first, second = scene.first.name, scene.second.name
    if scene.mode == "blink":
        return [(second if phase else first, False)]
    if scene.mode == "difference":
        return [(f"{second} − {first}", False)]
    if scene.mode == "overlay":
        return [(first, False), (f"{second} {scene.opacity * 100:.0f} %", True)]
    return [(first, False), (second, True)]


def shares(widths: Sequence[int], room: int) -> list[int]:
    """Pixels for one or two names beside each other: a short one leaves what it does not need."""
    if len(widths) < 2:
        return [room] * len(widths)
    first, second = widths
    half = room // 2
    return [max(half, room - second), max(half, room - first)]


def _paint_names(painter: QPainter, room: QRect, scene: Scene, phase: bool) -> None:
    metrics = painter.fontMetrics()
    names = names_of(scene, phase)
    # At both edges and between them 6 pixels, and 5 at either side of each text.
    free = room.width() - 12 - 10 * len(names) - 6 * (len(names) - 1)
    spaces = shares([metrics.horizontalAdvance(name) for name, _right in names], free)
    for (name, right), space in zip(names, spaces, strict=True):
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, space)
        width = metrics.horizontalAdvance(text) + 10
        left = room.width() - 6 - width if right else 6
        paint_box(painter, QRectF(left, 6, width, metrics.height() + 4), text)
