"""Canvases on which a picture is moved, and on which points are marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)

from app.registration.nudges import Nudge
from app.viewer.canvas import Canvas
from app.viewer.view_link import ViewLink

Way = Literal["shift", "turn", "scale"]

STEPS: dict[Way, float] = {"shift": 1.0, "turn": 0.1, "scale": 0.001}
"""What one press of a key changes: pixels, degrees, share of the size."""
_FAST = 10
_KEYS: dict[Qt.Key, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_LEAST_RADIUS = 4.0
"""Pixels from the centre within which a drag has no direction."""
_MARK = QColor("#59e0c8")
_HALF = QColor(255, 214, 92)
_GROUND = QColor(13, 15, 18, 200)
_ARM = 8


class NudgeCanvas(Canvas):
    """Moves what is shown by mouse and arrow keys.

    Left drag shifts it, with Ctrl turns it and with Ctrl and Shift scales it about its centre; the
    arrow keys do the same in steps, with Shift tenfold. Turning and scaling take Ctrl: the arrows
    left and right turn, up and down scale. All else is as on any canvas.
    """

    began = Signal()
    """A drag begins: later moves are relative to this."""
    moved = Signal(object, bool)
    """A :class:`Nudge` since ``began``; True when the button was released."""
    stepped = Signal(object)
    """A :class:`Nudge` by one key press."""

    def __init__(self, link: ViewLink) -> None:
        super().__init__(link)
        self.centre: tuple[float, float] = (0.0, 0.0)
        """Of the moving picture, where it lies on the fixed one, in pixels."""
        self.step: tuple[float, float] = (STEPS["shift"], STEPS["shift"])
        """By how many pixels an arrow key shifts it, right and down."""
        self.can_scale = True
        self._way: Way | None = None
        self._from = QPointF()
        self._about = self.centre

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to move the picture, or whatever else a drag does."""
        way = self._way_of(event)
        if way is None:
            super().mousePressEvent(event)
            return
        self._way, self._from, self._about = way, self._place(event.position()), self.centre
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self.began.emit()

    def _way_of(self, event: QMouseEvent) -> Way | None:
        if event.button() != Qt.MouseButton.LeftButton or self.scene is None:
            return None
        held = event.modifiers()
        if held & Qt.KeyboardModifier.ControlModifier:
            scales = held & Qt.KeyboardModifier.ShiftModifier and self.can_scale
            return "scale" if scales else "turn"
        if held & Qt.KeyboardModifier.ShiftModifier or self._near_divider(event.position()):
            return None
        return "shift"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture with the pointer."""
        if self._way is None:
            super().mouseMoveEvent(event)
            return
        self.moved.emit(self._move(self._place(event.position())), False)
        self.link.set_pointer(self.camera.pixel_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the move."""
        if self._way is None:
            super().mouseReleaseEvent(event)
            return
        move = self._move(self._place(event.position()))
        self._way = None
        self.unsetCursor()
        self.moved.emit(move, True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Only fits with no key held: two quick drags are not a double click."""
        if not event.modifiers():
            super().mouseDoubleClickEvent(event)

    def _place(self, position: QPointF) -> QPointF:
        """In pixels of the fixed picture, the centre of the first one being (0, 0)."""
        return self.camera.to_image(position) - QPointF(0.5, 0.5)

    def _move(self, place: QPointF) -> Nudge:
        if self._way == "shift":
            moved = place - self._from
            return Nudge((moved.x(), moved.y()))
        middle, aspect = QPointF(*self._about), self.link.aspect
        # In units of a column: rows may be farther apart.
        (x, y), (u, v) = (
            ((p - middle).x(), (p - middle).y() * aspect) for p in (self._from, place)
        )
        before, after = math.hypot(x, y), math.hypot(u, v)
        if min(before, after) < _LEAST_RADIUS:
            return Nudge()
        if self._way == "scale":
            return Nudge(factor=after / before)
        return Nudge(degrees=math.degrees(math.atan2(v, u) - math.atan2(y, x)))

    def event(self, event: QEvent) -> bool:
        """Keep the arrow keys from commands while the canvas has the focus."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            held = self.scene is not None and Qt.Key(event.key()) in _KEYS
            if held:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the picture by a step."""
        direction = _KEYS.get(Qt.Key(event.key()))
        if direction is None or self.scene is None:
            super().keyPressEvent(event)
            return
        held = event.modifiers()
        times = _FAST if held & Qt.KeyboardModifier.ShiftModifier else 1
        x, y = direction
        if not held & Qt.KeyboardModifier.ControlModifier:
            across, down = self.step
            self.stepped.emit(Nudge((x * across * times, y * down * times)))
        elif x:
            self.stepped.emit(Nudge(degrees=x * STEPS["turn"] * times))
        elif self.can_scale:
            self.stepped.emit(Nudge(factor=(1 + STEPS["scale"] * times) ** -y))


class LandmarkCanvas(Canvas):
    """Shows the points that are marked in a picture, and marks more by clicks."""

    marked = Signal(float, float)
    """A place (x, y) in pixels, the centre of the first one being (0, 0)."""

    def __init__(self, link: ViewLink) -> None:
        super().__init__(link)
        self._places: tuple[tuple[int, float, float], ...] = ()
        self._half = 0
        self._marks = False
        self._pressed: QPointF | None = None

    def set_marks(self, marks: bool) -> None:
        """Let clicks mark points, or not."""
        self._marks = marks
        if not marks:
            self.unsetCursor()

    def show_places(self, places: Sequence[tuple[int, float, float]], half: int = 0) -> None:
        """Show points as (number, x, y); ``half`` is the number of one without its counterpart."""
        if (tuple(places), half) != (self._places, self._half):
            self._places, self._half = tuple(places), half
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember where a click begins."""
        is_click = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        self._pressed = event.position() if self._marks and is_click else None
        if self._pressed is None:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a cross where a click would mark a point."""
        if self._pressed is None:
            super().mouseMoveEvent(event)
        if self._marks and not event.buttons():
            self.setCursor(Qt.CursorShape.CrossCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Mark a point."""
        if self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        self._pressed = None
        if self.camera.pixel_at(event.position()) is not None:
            place = self.camera.to_image(event.position())
            self.marked.emit(place.x() - 0.5, place.y() - 0.5)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Do not fit while points are marked: two of them may be near each other."""
        if not self._marks:
            super().mouseDoubleClickEvent(event)
        else:
            self.mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the points over the picture."""
        super().paintEvent(event)
        if self.scene is None or not self._places:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, x, y in self._places:
            point = self.camera.to_widget(QPointF(x + 0.5, y + 0.5))
            _paint_mark(painter, point, str(number), _HALF if number == self._half else _MARK)
        painter.end()


def _paint_mark(painter: QPainter, point: QPointF, text: str, colour: QColor) -> None:
    for pen in (QPen(_GROUND, 3), QPen(colour, 1.2)):
        painter.setPen(pen)
        painter.drawLine(point - QPointF(_ARM, 0), point + QPointF(_ARM, 0))
        painter.drawLine(point - QPointF(0, _ARM), point + QPointF(0, _ARM))
    metrics = painter.fontMetrics()
    box = QRectF(
        point.x() + 4, point.y() - metrics.height() - 3, metrics.horizontalAdvance(text) + 6.0,
        metrics.height(),
    )  # fmt: skip
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(box, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(colour)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
