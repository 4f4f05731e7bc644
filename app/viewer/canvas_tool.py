"""The interface of what takes mouse and keyboard of canvases for itself."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent


class CanvasCoordinates(Protocol):
    """Where things of the image lie on one canvas: a :class:`app.viewer.camera.Camera`."""

    def to_image(self, position: QPointF) -> QPointF:
        """Image coordinates of a point of the widget, the origin at the upper left corner."""

    def to_widget(self, point: QPointF) -> QPointF:
        """Widget coordinates of a point of the image."""


class CanvasTool(Protocol):
    """Draws or moves something on the canvases of a link; see :attr:`ViewLink.tool`.

    What it does not take is left to the canvas: slices, zoom, window and position.
    """

    def press(self, camera: CanvasCoordinates, event: QMouseEvent) -> bool:
        """Whether a gesture of this tool begins; it gets the following moves and the release."""

    def move(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """Go on with the gesture."""

    def release(self, camera: CanvasCoordinates, event: QMouseEvent) -> None:
        """End the gesture."""

    def cursor(self, camera: CanvasCoordinates, position: QPointF) -> Qt.CursorShape | None:
        """What the pointer looks like where no gesture goes on; None for the canvas's own."""

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key is for this tool and no command; asked before every press."""

    def key(self, camera: CanvasCoordinates, event: QKeyEvent) -> bool:
        """Carry out a key; whether it was one of this tool."""
