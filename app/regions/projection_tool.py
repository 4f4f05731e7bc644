"""Why nothing is drawn on the projection: a place of it lies in no slice."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from app.i18n.translate import tr
from app.regions.state import RegionsState
from app.viewer.canvas_tool import CanvasCoordinates
from core.errors import RegionError


class ProjectionTool:
    """A :class:`app.viewer.canvas_tool.CanvasTool` that refuses to draw, and says where to."""

    def __init__(self, state: RegionsState) -> None:
        self._state = state

    @property
    def _is_drawing(self) -> bool:
        return self._state.is_active and self._state.tool != "select"

    def press(self, camera: CanvasCoordinates, event: QMouseEvent) -> bool:
        """Say why nothing is drawn; the tool stays chosen."""
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if not plain or not self._is_drawing:
            return False
        self._state.refused.emit(
            RegionError(
                tr("Nothing is drawn on the projection"),
                tr("it shows all slices at once"),
                tr("Draw in one of the three planes."),
            )
        )
        return True

    def move(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """Nothing is drawn."""

    def release(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """Nothing was drawn."""

    def cursor(self, camera: CanvasCoordinates, position: QPointF) -> Qt.CursorShape | None:
        """A sign that nothing can be drawn, while a tool is chosen."""
        return Qt.CursorShape.ForbiddenCursor if self._is_drawing else None

    def wants(self, event: QKeyEvent) -> bool:
        """No key is for this tool."""
        return False

    def key(self, camera: CanvasCoordinates, event: QKeyEvent) -> bool:
        """No key is carried out."""
        return False
