"""Mouse and keys on the canvases of one link: drawing, moving and resizing regions."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPolygonF

from app.regions.editing import Naming, Stroke, drawn, grown, put, shifted, with_handle
from app.regions.state import RegionsState
from app.regions.view_plane import ViewPlane
from app.viewer.canvas_tool import CanvasCoordinates
from app.viewer.drawings import Drawing, ImagePlace, distance_to_line
from app.viewer.view_link import ViewLink
from core.errors import RegionError
from core.regions import Annotation, SphereRegion, ThresholdRegion

_GRIP = 7.0
"""Screen pixels from a line or a handle within which it is taken."""
_CLICK = 3.0
"""Screen pixels that a press may move and still be a click."""
_FAST = 10
_ARROWS: dict[Qt.Key, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_PUT = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_REMOVE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_NEXT_HANDLE = Qt.Key.Key_Period
_UNLOCKED = Qt.KeyboardModifier.KeypadModifier


class RegionTool:
    """A :class:`app.viewer.canvas_tool.CanvasTool`.

    With a tool chosen, a drag draws and a click or Enter puts a shape of the usual size. Otherwise
    lines and handles are dragged; arrow keys move the selected region, with Ctrl its handle.
    """

    def __init__(
        self,
        state: RegionsState,
        link: ViewLink,
        plane: Callable[[], ViewPlane | None],
        title: Callable[[], str],
    ) -> None:
        """
        Args:
            plane: of what the canvases show; None for nothing.
            title: of what the chosen tool draws.
        """
        self._state = state
        self._link = link
        self._plane = plane
        self._title = title
        self._gesture = ""
        self._start: ImagePlace = (0.0, 0.0)
        self._from = QPointF()
        self._is_click = True
        """The pointer has not been moved since the button was pressed."""
        self._path: list[ImagePlace] = []
        self._name = ""
        self._before: Annotation | None = None

    # --- mouse -----------------------------------------------------------------------------

    def press(self, camera: CanvasCoordinates, event: QMouseEvent) -> bool:
        """Begin to draw, or take what lies under the pointer."""
        state = self._state
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if not plain or not state.is_active or self._plane() is None:
            return False
        self._from, self._start = event.position(), _place_at(camera, event.position())
        self._is_click = True
        if state.tool != "select":
            self._gesture, self._before = "draw", None
            self._path = [self._start]
            self._name = state.free_name(self._title())
            state.select("")
            return True
        found = self._under(camera, event.position())
        if found is None:
            return False
        drawing, handle = found
        self._gesture = "move" if handle is None else "handle"
        state.select(drawing.key, state.handle if handle is None else handle)
        self._name, self._before = drawing.key, state.find(drawing.key)
        return True

    def move(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """Show what the gesture makes so far."""
        place, plane = _place_at(camera, event.position()), self._plane()
        self._is_click &= (event.position() - self._from).manhattanLength() <= _CLICK
        if plane is None or self._is_click:
            return
        if self._gesture == "draw":
            self._path.append(place)
            self._draw(Stroke(self._start, place, tuple(self._path)), plane)
        elif self._before is not None:
            self._change(plane, place)

    def release(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """End the gesture: one step of undo."""
        plane, gesture = self._plane(), self._gesture
        self.move(camera, event)
        if gesture == "draw" and plane is not None and self._is_click:
            self._put(plane, self._start)
        elif gesture == "draw" and self._state.find(self._name) is None:
            self._refuse(plane)
        self._gesture, self._before = "", None
        if gesture == "draw":
            self._state.choose_tool("select")
        self._state.settle()

    def cursor(self, camera: CanvasCoordinates, position: QPointF) -> Qt.CursorShape | None:
        """A cross while a tool is chosen, a hand over what can be taken."""
        if not self._state.is_active:
            return None
        if self._state.tool != "select":
            return Qt.CursorShape.CrossCursor
        found = self._under(camera, position)
        if found is None:
            return None
        is_handle = found[1] is not None
        return Qt.CursorShape.PointingHandCursor if is_handle else Qt.CursorShape.SizeAllCursor

    def _naming(self, name: str) -> Naming:
        return Naming(name, threshold=self._state.threshold, side=self._state.side)

    def _draw(self, stroke: Stroke, plane: ViewPlane) -> None:
        state = self._state
        try:
            region = drawn(state.tool, stroke, plane, self._naming(self._name))
        except RegionError:
            return  # too small so far
        if state.find(self._name) is None:
            state.add(region, settled=False)
        else:
            state.change(self._name, region, settled=False)

    def _refuse(self, plane: ViewPlane | None) -> None:
        """Say why nothing came of a stroke."""
        if plane is not None:
            stroke = Stroke(self._start, self._path[-1], tuple(self._path))
            try:
                drawn(self._state.tool, stroke, plane, self._naming(self._name))
            except RegionError as error:
                self._state.refused.emit(error)

    def _change(self, plane: ViewPlane, place: ImagePlace) -> None:
        """Move what was taken, from where it was when the button was pressed."""
        assert self._before is not None
        columns, rows = place[0] - self._start[0], place[1] - self._start[1]
        by = plane.vector_of(columns, rows)
        if self._gesture == "move":
            changed = shifted(self._before, by)
        else:
            changed = self._with_handle(self._before, self._state.handle, place, plane)
        self._state.change(self._name, changed, settled=False)

    def _with_handle(
        self, region: Annotation, handle: int, place: ImagePlace, plane: ViewPlane
    ) -> Annotation:
        try:
            return with_handle(region, handle, plane.point_of(place))
        except RegionError:
            return region  # e.g. an arm without a length

    def _under(
        self, camera: CanvasCoordinates, position: QPointF
    ) -> tuple[Drawing, int | None] | None:
        """What lies under the pointer, and the number of its handle; the selected one first."""
        named = [one for one in self._link.drawings if one.key]
        drawings = sorted(named, key=lambda one: not one.is_selected)
        for drawing in drawings:
            for number, handle in drawing.handles if drawing.is_selected else ():
                off = _on(camera, handle) - position
                if max(abs(off.x()), abs(off.y())) <= _GRIP:
                    return drawing, number
        for drawing in drawings:
            lines = [[_on(camera, place) for place in line] for line in drawing.lines]
            lines += [[_on(camera, dot)] for dot in drawing.dots]
            if any(distance_to_line(position, line) <= _GRIP for line in lines):
                return drawing, None
            inside = any(_contains(line, position) for line in lines)
            if drawing.is_selected and inside:
                return drawing, None
        return None

    # --- keys ------------------------------------------------------------------------------

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key puts, moves or removes a region that is seen here."""
        state, key = self._state, Qt.Key(event.key())
        held = event.modifiers() & ~_UNLOCKED
        if not state.is_active or self._plane() is None:
            return False
        if state.tool != "select" and key in _PUT:
            return not held
        if self._selected() is None:
            return False
        if key in _ARROWS:
            allowed = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            return not held & ~allowed
        return (key in _REMOVE or key == _NEXT_HANDLE) and not held

    def key(self, camera: CanvasCoordinates, event: QKeyEvent) -> bool:
        """Carry out a key."""
        plane, state, key = self._plane(), self._state, Qt.Key(event.key())
        if plane is None or not self.wants(event):
            return False
        if state.tool != "select" and key in _PUT:
            self._name = state.free_name(self._title())
            self._put(plane, self._middle(camera))
            state.choose_tool("select")
            state.settle()
        elif key in _REMOVE:
            state.remove(state.selected)
        elif key == _NEXT_HANDLE:
            self._next_handle()
        else:
            self._step(key, event.modifiers(), plane)
        return True

    def _put(self, plane: ViewPlane, place: ImagePlace) -> None:
        try:
            region = put(self._state.tool, place, plane, self._naming(self._name))
        except RegionError as error:
            self._state.refused.emit(error)
        else:
            self._state.add(region, settled=False)

    def _middle(self, camera: CanvasCoordinates) -> ImagePlace:
        """Where keys put a shape: the last place of the pointer, else the middle of the image."""
        pixel, (width, height) = self._link.last_pointer, self._link.size
        if pixel is not None:
            return float(pixel.x()), float(pixel.y())
        return (width - 1) / 2, (height - 1) / 2

    def _selected(self) -> Drawing | None:
        return next((one for one in self._link.drawings if one.is_selected and one.key), None)

    def _next_handle(self) -> None:
        drawing = self._selected()
        numbers = [number for number, _place in drawing.handles] if drawing is not None else []
        if numbers:
            later = [number for number in numbers if number > self._state.handle]
            self._state.select(self._state.selected, (later or numbers)[0])

    def _step(self, key: Qt.Key, held: Qt.KeyboardModifier, plane: ViewPlane) -> None:
        state, region, drawing = self._state, self._state.chosen, self._selected()
        if region is None or drawing is None:
            return
        times = _FAST if held & Qt.KeyboardModifier.ShiftModifier else 1
        x, y = (one * times for one in _ARROWS[key])
        if not held & Qt.KeyboardModifier.ControlModifier:
            changed = shifted(region, plane.vector_of(x, y))
        else:
            place = dict(drawing.handles).get(state.handle)
            if place is None:
                return
            if isinstance(region, (SphereRegion, ThresholdRegion)):
                changed = grown(region, (x + y) * plane.steps[0])
            else:
                to = place[0] + x, place[1] + y
                changed = self._with_handle(region, state.handle, to, plane)
        state.change(state.selected, changed, settled=False)
        state.settle(joins=True)


def _place_at(camera: CanvasCoordinates, position: QPointF) -> ImagePlace:
    """In pixels of the image, the centre of the first one being (0, 0)."""
    at = camera.to_image(position)
    return at.x() - 0.5, at.y() - 0.5


def _on(camera: CanvasCoordinates, place: ImagePlace) -> QPointF:
    return camera.to_widget(QPointF(place[0] + 0.5, place[1] + 0.5))


def _contains(line: list[QPointF], position: QPointF) -> bool:
    if len(line) < 4 or line[0] != line[-1]:
        return False
    shape = QPolygonF(line)
    box: QRectF = shape.boundingRect()
    return box.contains(position) and shape.containsPoint(position, Qt.FillRule.OddEvenFill)
