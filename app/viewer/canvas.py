"""The widget that shows a scene at the shared position."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
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

from app.viewer.camera import Camera
from app.viewer.drawings import paint_drawings
from app.viewer.gestures import drag_of
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.overlays import footer_height
from app.viewer.pyramid import RenderedImage
from app.viewer.region_cache import RegionCache
from app.viewer.scene import Annotation, Scene
from app.viewer.tools import (
    MAGNIFICATION,
    clipped_to_magnifier,
    magnifier_rect,
    paint_cross,
    paint_placeholder,
)
from app.viewer.view_link import ViewLink

if TYPE_CHECKING:
    from app.viewer.canvas_tool import CanvasTool

_BACKGROUND = QColor("#0d0f12")
_DIM = QColor(13, 15, 18, 150)
_FOCUS = QColor("#4c9be8")
_BLINK_MS = 250
"""Time each phase is shown while blinking: two cycles per second, at most three are allowed."""
_GRIP = 7
"""A divider can be dragged from within this many screen pixels of its line."""
_CURSORS = {
    "pan": Qt.CursorShape.ClosedHandCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "window": Qt.CursorShape.SizeAllCursor,
    "curtain": Qt.CursorShape.SplitHCursor,
}
_PAN_PIXELS = 32
_PAN_KEYS = {
    Qt.Key.Key_Left: QPointF(_PAN_PIXELS, 0),
    Qt.Key.Key_Right: QPointF(-_PAN_PIXELS, 0),
    Qt.Key.Key_Up: QPointF(0, _PAN_PIXELS),
    Qt.Key.Key_Down: QPointF(0, -_PAN_PIXELS),
}
"""How far the image moves, in screen pixels."""


class Canvas(QWidget):
    """A dark surface that shows one scene of a linked set.

    Dragging with the left button changes window and level (near a divider, moves that), with Shift
    it pans. Dragging with the middle button pans, with the right button zooms. The wheel zooms
    about the pointer, or changes the slice where there are several; then Ctrl and the wheel zoom.
    """

    maximise_requested = Signal()
    focused = Signal(bool)
    """The canvas has received the keyboard focus; True if by Tab or Shift+Tab."""
    window_dragged = Signal(QPointF, bool)
    """Distance in screen pixels since the button was pressed; True when it was released."""
    curtain_dragged = Signal(float, bool)
    """Position as a share of the image's width; True when the button was released."""

    def __init__(self, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.camera = Camera(link, self)
        self._scene: Scene | None = None
        self._cache = RegionCache()
        self._placeholder = ""
        self._badge = ""
        self._reserved = ""
        self._dimmed = False
        self._waiting = False
        self._waiting_text = ""
        self._gesture = ""
        self._tool: CanvasTool | None = None
        """The tool whose gesture goes on."""
        self._drag_start = QPointF()
        self._drag_last = QPointF()
        self._turned = 0
        """Eighths of a degree that the wheel was turned since the last slice."""
        self._crosshair = False
        self._magnifier = False
        self._phase = False
        self._blink = QTimer(self)
        self._blink.setInterval(_BLINK_MS)
        self._blink.timeout.connect(self._next_phase)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        link.changed.connect(self.update)
        link.pointer_changed.connect(self.update)
        link.drawings_changed.connect(self.update)
        link.size_changed.connect(self._update_queued)

    # --- content ---------------------------------------------------------------------------

    @property
    def link(self) -> ViewLink:
        """The position that it shares with others."""
        return self._link

    @property
    def scene(self) -> Scene | None:
        """What is shown."""
        return self._scene

    @property
    def image(self) -> RenderedImage | None:
        """The main image shown."""
        return self._scene.images[0] if self._scene is not None else None

    @property
    def badge(self) -> str:
        """The permanent line at the bottom of the image."""
        return self._badge

    @property
    def is_dimmed(self) -> bool:
        """True while the image is about to be replaced."""
        return self._dimmed

    @property
    def is_blinking(self) -> bool:
        """True while two images are shown alternately."""
        return self._blink.isActive()

    def set_scene(self, scene: Scene | None) -> None:
        """Show a scene; None for the placeholder."""
        if scene == self._scene:
            return
        self._scene = scene
        new_data = self._cache.set_images(scene.images if scene is not None else ())
        blinking = scene is not None and scene.blinks
        if blinking != self._blink.isActive():
            self._phase = False
            self._blink.start() if blinking else self._blink.stop()
        self._update_queued() if new_data else self.update()

    def set_image(self, image: RenderedImage | None) -> None:
        """Show an image in its own window; None for the placeholder."""
        self.set_scene(None if image is None else ImageScene(Layer.plain(image)))

    def set_placeholder(self, text: str) -> None:
        """Set the text shown where there is no scene."""
        if text != self._placeholder:
            self._placeholder = text
            self._update_queued()

    def set_badge(self, text: str) -> None:
        """Set the permanent line at the bottom of the image; "" for none."""
        if text != self._badge:
            self._badge = text
            self._update_queued()

    def reserve(self, text: str) -> None:
        """Keep space for a badge at the bottom of all linked canvases, outside the image."""
        self._reserved = text
        self._link.set_footer(footer_height(self.fontMetrics(), text, self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Adapt the reserved space: in a narrow pane a badge takes more lines."""
        super().resizeEvent(event)
        if self._reserved:
            self.reserve(self._reserved)

    def set_dimmed(self, dimmed: bool) -> None:
        """Dim the image while the one that replaces it is being made."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self._update_queued()

    def set_waiting(self, waiting: bool, text: str = "") -> None:
        """Show a skeleton while there is no scene, because one is on its way.

        Args:
            text: shown on the skeleton; "" for the placeholder's text.
        """
        if (waiting, text) != (self._waiting, self._waiting_text):
            self._waiting, self._waiting_text = waiting, text
            self._update_queued()

    @property
    def placeholder_text(self) -> str:
        """The text shown where there is no scene."""
        return (self._waiting_text if self._waiting else "") or self._placeholder

    @property
    def is_skeleton(self) -> bool:
        """True while a skeleton is shown."""
        return self._waiting and self._scene is None

    def set_aids(self, crosshair: bool, magnifier: bool) -> None:
        """Show or hide crosshair and magnifying glass at the pointer."""
        if (crosshair, magnifier) != (self._crosshair, self._magnifier):
            self._crosshair, self._magnifier = crosshair, magnifier
            self.update()

    def _update_queued(self) -> None:
        """Repaint after new data; what the person does by hand is repainted at once."""
        self._link.paint_queue.add(self)

    def _next_phase(self) -> None:
        self._phase = not self._phase
        self.update()

    def sizeHint(self) -> QSize:
        """About a third of a small window."""
        return QSize(320, 260)

    def minimumSizeHint(self) -> QSize:
        """Small enough for three in a row between two docks at 1024 pixels."""
        return QSize(120, 90)

    # --- events ----------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Emit ``focused``."""
        super().focusInEvent(event)
        tab = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.focused.emit(event.reason() in tab)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer, or change the slice."""
        delta = event.angleDelta().y()
        if self._link.wheel_steps and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            # Fine wheels send parts of a step.
            self._turned += delta
            steps = int(self._turned / 120)
            if steps:
                self._turned -= 120 * steps
                self._link.stepped.emit(-steps)
        elif delta:
            self.camera.zoom_steps(delta / 120, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a gesture, of the tool or of the canvas."""
        tool = self._link.tool
        if tool is not None and self._scene is not None and tool.press(self.camera, event):
            self._tool, self._gesture = tool, ""
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            return
        self._gesture = self._gesture_of(event)
        self._drag_start = self._drag_last = event.position()
        if self._gesture:
            self.setCursor(_CURSORS[self._gesture])

    def _gesture_of(self, event: QMouseEvent) -> str:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        drag = drag_of(event.button(), shift=shift)
        if event.button() == Qt.MouseButton.LeftButton and self._scene is None:
            return ""
        return "curtain" if drag == "window" and self._near_divider(event.position()) else drag

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Continue the gesture, and share the pixel under the pointer."""
        position = event.position()
        moved, self._drag_last = position - self._drag_last, position
        if self._tool is not None:
            self._tool.move(self.camera, event)
        elif self._gesture == "pan":
            self.camera.pan(moved)
        elif self._gesture == "zoom":
            self.camera.zoom_about(self._drag_start, 1.01 ** -moved.y())
        elif self._gesture == "window":
            self.window_dragged.emit(position - self._drag_start, False)
        elif self._gesture == "curtain":
            self.curtain_dragged.emit(self._share(position), False)
        else:
            self._show_cursor(position)
        self._link.set_pointer(self.camera.pixel_at(position))

    def _show_cursor(self, position: QPointF) -> None:
        """Show what a press would begin."""
        tool = self._link.tool if self._scene is not None else None
        shape = tool.cursor(self.camera, position) if tool is not None else None
        if shape is None and self._near_divider(position):
            shape = Qt.CursorShape.SplitHCursor
        self.unsetCursor() if shape is None else self.setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture."""
        if self._tool is not None:
            tool, self._tool = self._tool, None
            tool.release(self.camera, event)
        elif self._gesture == "window" and event.position() != self._drag_start:
            self.window_dragged.emit(event.position() - self._drag_start, True)
        elif self._gesture == "curtain":
            self.curtain_dragged.emit(self._share(event.position()), True)
        elif self._gesture == "window":
            pixel = self.camera.pixel_at(event.position())
            if pixel is not None:
                self._link.clicked.emit(pixel)
        self._gesture = ""
        self.unsetCursor()

    def _near_divider(self, position: QPointF) -> bool:
        divider = self._scene.divider if self._scene is not None else None
        if divider is None:
            return False
        return abs(position.x() - self.camera.to_widget(QPointF(divider, 0)).x()) <= _GRIP

    def _share(self, position: QPointF) -> float:
        width = self._link.size[0] or 1
        return min(max(self.camera.to_image(position).x() / width, 0.0), 1.0)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole image."""
        self._link.fit()

    def leaveEvent(self, event: object) -> None:
        """Clear the pixel under the pointer."""
        self._link.set_pointer(None)

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the tool from commands."""
        tool = self._link.tool if self._scene is not None else None
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if tool is None or not is_key or not tool.wants(cast(QKeyEvent, event)):
            return super().event(event)
        event.accept()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and −, pan with the arrow keys; the tool comes first."""
        key = Qt.Key(event.key())
        tool = self._link.tool if self._scene is not None else None
        if tool is not None and tool.key(self.camera, event):
            return
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.camera.zoom_steps(-1 if key == Qt.Key.Key_Minus else 1)
        elif key in _PAN_KEYS and self._link.size[0]:
            self.camera.pan(_PAN_KEYS[key])
        else:
            super().keyPressEvent(event)

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint background, scene and text."""
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
        viewport = self.camera.viewport()
        scene.paint(painter, viewport, self._cache, phase=self._phase)
        if self._dimmed:
            painter.fillRect(self.rect(), _DIM)
        paint_drawings(painter, viewport, self._link.drawings)
        self._paint_aids(painter, scene)
        annotation = Annotation(viewport, self._badge)
        scene.paint_annotation(painter, self.rect(), annotation, phase=self._phase)

    def _paint_aids(self, painter: QPainter, scene: Scene) -> None:
        pixel = self._link.last_pointer if self._crosshair else self._link.pointer
        if pixel is not None and (self._crosshair or not self.underMouse()):
            point = self.camera.to_widget(QPointF(pixel) + QPointF(0.5, 0.5))
            paint_cross(painter, point, self.width() + self.height() if self._crosshair else 0)
        pixel = self._link.pointer
        if self._magnifier and pixel is not None:
            point = QPointF(pixel) + QPointF(0.5, 0.5)
            box = magnifier_rect(self.rect(), self.camera.to_widget(point))
            viewport = self.camera.magnified(point, box, MAGNIFICATION)
            with clipped_to_magnifier(painter, box):
                painter.fillRect(box, _BACKGROUND)
                scene.paint(painter, viewport, self._cache, phase=self._phase)
                paint_drawings(painter, viewport, self._link.drawings)
