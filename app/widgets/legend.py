"""The words on a pane: zoom, notice, and which picture is which."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from app.widgets.painting import Scene, bar_of, paint_bar, paint_box

_ROOM_FOR_ZOOM = 62


def paint_words(
    painter: QPainter, room: QRect, scene: Scene, zoom: float, badge: str, phase: bool
) -> None:
    """Zoom at the foot, the notice beside it, a colour bar, and names where two are compared.

    Args:
        room: the pane.
        zoom: screen pixels per picture pixel.
        badge: the notice; "" for none.
        phase: which of two blinking pictures is shown.
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
    space = width - 12
    whole = metrics.horizontalAdvance(badge) + 10
    above = 0
    if whole > space - _ROOM_FOR_ZOOM:
        above = 1 if whole <= space else len(badge.split(" – "))
    return (1 + above) * (metrics.height() + 5) + 6


def _paint_badge(painter: QPainter, room: QRect, badge: str) -> int:
    """The notice is never cut short: in a narrow pane it takes one or two lines above the zoom.

    Returns:
        How many lines above the zoom's it takes.
    """
    space = room.width() - 12
    whole = painter.fontMetrics().horizontalAdvance(badge) + 10
    if whole <= space - _ROOM_FOR_ZOOM:
        _paint_label(painter, room, badge)
        return 0
    lines = [badge] if whole <= space else badge.split(" – ")
    for above, line in enumerate(reversed(lines), 1):
        _paint_label(painter, room, line, above=above)
    return len(lines)


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


def _paint_names(painter: QPainter, room: QRect, scene: Scene, phase: bool) -> None:
    metrics = painter.fontMetrics()
    for name, right in names_of(scene, phase):
        space = room.width() // 2 - 20
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, space)
        width = metrics.horizontalAdvance(text) + 10
        left = room.width() - 6 - width if right else 6
        paint_box(painter, QRectF(left, 6, width, metrics.height() + 4), text)
