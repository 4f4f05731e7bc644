"""Shows a scene at the common position, and turns the pointer's gestures into wishes."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.viewer.gestures import drag_of
from app.viewer.overlays import foot_for, paint_words
from app.viewer.painter import Layer, Painter, Scene, Viewport
from app.viewer.pyramid import RenderedImage
from app.viewer.tools import (
    GLASS_POWER,
    glass_box,
    paint_cross,
    paint_placeholder,
    through_glass,
)
from app.viewer.view_link import MOST_PIXELS, ViewLink

_MARGIN = 6
_BACKGROUND = QColor("#0d0f12")
_VEIL = QColor(13, 15, 18, 150)
_FOCUS = QColor("#4c9be8")
_STEP = 1.25
"""Zoom factor of one key press."""
_BLINK_MS = 250
"""Time each image is shown while blinking: two changes to and fro a second, three at most."""
_GRIP = 7
"""The curtain is taken hold of within this many screen pixels of its line."""


class Canvas(QWidget):
    """A dark surface with one scene of a linked set on it.

    Left drag: window and level (or the curtain, near its line); with Shift it pans. Middle drag
    pans, right drag zooms, the wheel zooms about the pointer.
    """

    maximise_requested = Signal()
    focused = Signal(bool)
    """It has the keyboard's focus now; True where somebody only passes by with Tab."""
    window_dragged = Signal(QPointF, bool)
    """How far in screen pixels since the button went down; True when it was let go."""
    curtain_dragged = Signal(float, bool)
    """Share of the image's width; True when the button was let go."""

    def __init__(self, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._scene: Scene | None = None
        self._painting = Painter()
        self._placeholder = ""
        self._badge = ""
        self._reserved = ""
        self._dimmed = False
        self._waiting = False
        self._waiting_for = ""
        self._gesture = ""
        self._drag_start = QPointF()
        self._drag_from = QPointF()
        self._crosshair = False
        self._magnifier = False
        self._phase = False
        self._blink = QTimer(self)
        self._blink.setInterval(_BLINK_MS)
        self._blink.timeout.connect(self._turn)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        link.changed.connect(self.update)
        link.pointer_changed.connect(self.update)
        link.size_changed.connect(self._update_in_turn)

    # --- what is shown ---------------------------------------------------------------------

    @property
    def scene(self) -> Scene | None:
        """What is shown."""
        return self._scene

    @property
    def image(self) -> RenderedImage | None:
        """The (first) image shown."""
        return self._scene.first.image if self._scene is not None else None

    @property
    def badge(self) -> str:
        """The permanent line at the foot of the image."""
        return self._badge

    @property
    def is_dimmed(self) -> bool:
        """True while the image is about to be replaced."""
        return self._dimmed

    @property
    def is_blinking(self) -> bool:
        """True while two images are shown in turn."""
        return self._blink.isActive()

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene, or the placeholder."""
        if scene == self._scene:
            return
        self._scene = scene
        other = self._painting.keep_for(scene)
        blinking = scene is not None and scene.is_compared and scene.mode == "blink"
        if blinking != self._blink.isActive():
            self._phase = False
            self._blink.start() if blinking else self._blink.stop()
        self._update_in_turn() if other else self.update()

    def set_image(self, image: RenderedImage | None) -> None:
        """Show an image in its own window, or the placeholder."""
        self.set_scene(None if image is None else Scene(Layer.plain(image)))

    def set_placeholder(self, text: str) -> None:
        """Say what will be here."""
        if text != self._placeholder:
            self._placeholder = text
            self._update_in_turn()

    def set_badge(self, text: str) -> None:
        """Write a permanent line at the foot of the image."""
        if text != self._badge:
            self._badge = text
            self._update_in_turn()

    def reserve(self, words: str) -> None:
        """Keep room at the foot of all linked canvases for these words, outside the image."""
        self._reserved = words
        self._link.set_foot(foot_for(self.fontMetrics(), words, self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow pane words take more lines."""
        super().resizeEvent(event)
        if self._reserved:
            self.reserve(self._reserved)

    def set_dimmed(self, dimmed: bool) -> None:
        """Grey the image while its successor is being made."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._update_in_turn()

    def set_waiting(self, waiting: bool, text: str = "") -> None:
        """Say that something is on its way: without an image, a skeleton stands in for it.

        Args:
            text: what the skeleton says meanwhile; "" for what is said anyway.
        """
        if (waiting, text) != (self._waiting, self._waiting_for):
            self._waiting, self._waiting_for = waiting, text
            self._update_in_turn()

    @property
    def placeholder_text(self) -> str:
        """What is written where an image will be."""
        return (self._waiting_for if self._waiting else "") or self._placeholder

    @property
    def is_skeleton(self) -> bool:
        """True while a skeleton is shown."""
        return self._waiting and self._scene is None

    def set_aids(self, crosshair: bool, magnifier: bool) -> None:
        """Lines across the pane at the pointer's pixel; a magnifying glass there."""
        if (crosshair, magnifier) != (self._crosshair, self._magnifier):
            self._crosshair, self._magnifier = crosshair, magnifier
            self.update()

    def _update_in_turn(self) -> None:
        """Show what work has brought; what a hand does is painted at once."""
        self._link.turns.ask(self)

    def _turn(self) -> None:
        self._phase = not self._phase
        self.update()

    def sizeHint(self) -> QSize:
        """A third of a small window."""
        return QSize(320, 260)

    def minimumSizeHint(self) -> QSize:
        """Small enough for three in a row between two docks on 1024 pixels."""
        return QSize(120, 90)

    # --- geometry --------------------------------------------------------------------------

    def fit_scale(self) -> float:
        """Logical screen pixels per image pixel at which the whole image is seen."""
        width, height = self._link.size
        if not width or not height:
            return 1.0
        room_x = max(1, self.width() - 2 * _MARGIN)
        room_y = max(1, self.height() - self._link.foot - 2 * _MARGIN)
        return min(room_x / width, room_y / height, MOST_PIXELS)

    def scale(self) -> float:
        """Logical screen pixels per image pixel now."""
        return self.fit_scale() if self._link.fitted else self._link.scale

    def to_image(self, position: QPointF) -> QPointF:
        """Image coordinates of a point of this widget."""
        return self._link.centre + (position - self._middle()) / self.scale()

    def to_widget(self, point: QPointF) -> QPointF:
        """Where an image coordinate lies on this widget."""
        return self._middle() + (point - self._link.centre) * self.scale()

    def _middle(self) -> QPointF:
        """The middle of the part that images are in."""
        return QPointF(self.width() / 2, (self.height() - self._link.foot) / 2)

    def zoom_about(self, position: QPointF, factor: float) -> None:
        """Zoom all panes so that what is under ``position`` stays there."""
        if not self._link.size[0]:
            return
        fixed = self.to_image(position)
        ratio = self.devicePixelRatioF()
        lowest = min(self.fit_scale() / 2, 1 / ratio)
        scale = min(max(self.scale() * factor, lowest), MOST_PIXELS)
        offset = position - self._middle()
        self._link.look(scale, fixed - offset / scale)

    def zoom_step(self, closer: bool) -> None:
        """One step closer or farther about the middle."""
        self.zoom_about(self._middle(), _STEP if closer else 1 / _STEP)

    def one_to_one(self) -> None:
        """One image pixel on one screen pixel."""
        if self._link.size[0]:
            self._link.look(1 / self.devicePixelRatioF(), self._link.centre)

    def _pixel_at(self, position: QPointF) -> QPoint | None:
        width, height = self._link.size
        point = self.to_image(position)
        x, y = math.floor(point.x()), math.floor(point.y())
        return QPoint(x, y) if 0 <= x < width and 0 <= y < height else None

    # --- events ----------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell who works here."""
        super().focusInEvent(event)
        passing = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.focused.emit(event.reason() in passing)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        delta = event.angleDelta().y()
        if delta:
            self.zoom_about(event.position(), math.pow(_STEP, delta / 120))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a gesture."""
        self._gesture = self._gesture_of(event)
        self._drag_start = self._drag_from = event.position()
        shapes = {
            "pan": Qt.CursorShape.ClosedHandCursor,
            "zoom": Qt.CursorShape.SizeVerCursor,
            "window": Qt.CursorShape.SizeAllCursor,
            "curtain": Qt.CursorShape.SplitHCursor,
        }
        if self._gesture:
            self.setCursor(shapes[self._gesture])

    def _gesture_of(self, event: QMouseEvent) -> str:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        drag = drag_of(event.button(), shift=shift)
        if event.button() == Qt.MouseButton.LeftButton and self._scene is None:
            return ""
        return "curtain" if drag == "window" and self._near_curtain(event.position()) else drag

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the gesture, and tell the others where the pointer is."""
        position = event.position()
        moved, self._drag_from = position - self._drag_from, position
        if self._gesture == "pan" and self._link.size[0]:
            scale = self.scale()
            self._link.look(scale, self._link.centre - moved / scale)
        elif self._gesture == "zoom":
            self.zoom_about(self._drag_start, math.pow(1.01, -moved.y()))
        elif self._gesture == "window":
            self.window_dragged.emit(position - self._drag_start, False)
        elif self._gesture == "curtain":
            self.curtain_dragged.emit(self._share(position), False)
        elif self._near_curtain(position):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        else:
            self.unsetCursor()
        self._link.set_pointer(self._pixel_at(position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture."""
        if self._gesture == "window" and event.position() != self._drag_start:
            self.window_dragged.emit(event.position() - self._drag_start, True)
        elif self._gesture == "curtain":
            self.curtain_dragged.emit(self._share(event.position()), True)
        self._gesture = ""
        self.unsetCursor()

    def _near_curtain(self, position: QPointF) -> bool:
        scene = self._scene
        if scene is None or not scene.is_compared or scene.mode != "curtain":
            return False
        line = self.to_widget(QPointF(scene.position * scene.first.image.size[0], 0)).x()
        return abs(position.x() - line) <= _GRIP

    def _share(self, position: QPointF) -> float:
        width = self._link.size[0] or 1
        return min(max(self.to_image(position).x() / width, 0.0), 1.0)

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

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Background, image, veil, aids, texts."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self._scene is None:
            paint_placeholder(painter, self.rect(), self.placeholder_text, waiting=self._waiting)
        else:
            self._paint_scene(painter, self._scene)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(_FOCUS, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_scene(self, painter: QPainter, scene: Scene) -> None:
        if scene.mode == "blink":
            scene = Scene(scene.first, scene.second, "blink", phase=self._phase)
        corner = self.to_widget(QPointF(0, 0))
        ratio = self.devicePixelRatioF()
        room = self.rect().adjusted(0, 0, 0, -self._link.foot)
        port = Viewport(corner, self.scale(), QRectF(room), ratio)
        self._painting.paint(painter, scene, port)
        if self._dimmed:
            painter.fillRect(self.rect(), _VEIL)
        self._paint_aids(painter, scene)
        zoom = self.scale() * self.devicePixelRatioF()
        paint_words(
            painter, self.rect(), scene=scene, zoom=zoom, badge=self._badge, phase=self._phase
        )

    def _paint_aids(self, painter: QPainter, scene: Scene) -> None:
        pixel = self._link.last_pointer if self._crosshair else self._link.pointer
        if pixel is not None and (self._crosshair or not self.underMouse()):
            point = self.to_widget(QPointF(pixel) + QPointF(0.5, 0.5))
            paint_cross(painter, point, self.width() + self.height() if self._crosshair else 0)
        pixel = self._link.pointer
        if self._magnifier and pixel is not None:
            point = QPointF(pixel) + QPointF(0.5, 0.5)
            box = glass_box(self.rect(), self.to_widget(point))
            scale = min(max(self.scale() * GLASS_POWER, 4.0), MOST_PIXELS)
            port = Viewport(box.center() - point * scale, scale, box, self.devicePixelRatioF())
            with through_glass(painter, box):
                painter.fillRect(box, _BACKGROUND)
                self._painting.paint(painter, scene, port)
