"""Converts between the coordinates of a widget and those of the image shown on it."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtWidgets import QWidget

from app.viewer.view_link import MOST_PIXELS, ViewLink
from app.viewer.viewport import Viewport

_MARGIN = 6
"""Logical screen pixels around an image that fits."""
_ZOOM_STEP = 1.25


class Camera:
    """The shared position of a :class:`ViewLink` as one widget sees it.

    Image coordinates are in pixels with the origin at the upper left corner; a pixel need not be
    square. Widget coordinates are in logical screen pixels. The bottom of the widget, as high as
    ``link.footer``, is left to text.
    """

    def __init__(self, link: ViewLink, widget: QWidget) -> None:
        self._link = link
        self._widget = widget

    def fit_scale(self) -> float:
        """Screen pixels per image column at which the whole image is visible."""
        width, height = self._link.size
        if not width or not height:
            return 1.0
        free_x = max(1, self._widget.width() - 2 * _MARGIN)
        free_y = max(1, self._widget.height() - self._link.footer - 2 * _MARGIN)
        return min(free_x / width, free_y / (height * self._link.aspect), MOST_PIXELS)

    def scale(self) -> float:
        """Screen pixels per image column now."""
        return self.fit_scale() if self._link.fitted else self._link.scale

    def to_image(self, position: QPointF) -> QPointF:
        """Image coordinates of a point of the widget."""
        return self._link.centre + self.distance_to_image(position - self._middle())

    def to_widget(self, point: QPointF) -> QPointF:
        """Widget coordinates of a point of the image."""
        moved, scale = point - self._link.centre, self.scale()
        return self._middle() + QPointF(moved.x() * scale, moved.y() * scale * self._link.aspect)

    def distance_to_image(self, distance: QPointF, scale: float | None = None) -> QPointF:
        """A distance on the widget in image pixels, at ``scale`` or at the present one."""
        scale = scale or self.scale()
        return QPointF(distance.x() / scale, distance.y() / (scale * self._link.aspect))

    def pixel_at(self, position: QPointF) -> QPoint | None:
        """The image pixel at a point of the widget; None outside the image."""
        width, height = self._link.size
        point = self.to_image(position)
        x, y = math.floor(point.x()), math.floor(point.y())
        return QPoint(x, y) if 0 <= x < width and 0 <= y < height else None

    def viewport(self) -> Viewport:
        """Where the image lies now, clipped to the widget without its footer."""
        clip = QRectF(self._widget.rect().adjusted(0, 0, 0, -self._link.footer))
        corner, ratio = self.to_widget(QPointF(0, 0)), self._widget.devicePixelRatioF()
        return Viewport(corner, self.scale(), clip, ratio, self._link.aspect)

    def magnified(self, point: QPointF, box: QRectF, power: float) -> Viewport:
        """The image magnified ``power`` times, with ``point`` of it in the middle of ``box``."""
        scale, aspect = min(max(self.scale() * power, 4.0), MOST_PIXELS), self._link.aspect
        corner = box.center() - QPointF(point.x() * scale, point.y() * scale * aspect)
        return Viewport(corner, scale, box, self._widget.devicePixelRatioF(), aspect)

    def zoom_about(self, position: QPointF, factor: float) -> None:
        """Zoom all linked widgets so that the image point at ``position`` stays there."""
        if not self._link.size[0]:
            return
        fixed = self.to_image(position)
        lowest = min(self.fit_scale() / 2, 1 / self._widget.devicePixelRatioF())
        scale = min(max(self.scale() * factor, lowest), MOST_PIXELS)
        offset = self.distance_to_image(position - self._middle(), scale)
        self._link.look_at(fixed - offset, scale)

    def zoom_steps(self, steps: float, position: QPointF | None = None) -> None:
        """Zoom in by a number of steps, out where it is negative, about the middle by default."""
        self.zoom_about(self._middle() if position is None else position, _ZOOM_STEP**steps)

    def pan(self, distance: QPointF) -> None:
        """Move the image by a distance on the widget."""
        if self._link.size[0]:
            self._link.look_at(self._link.centre - self.distance_to_image(distance), self.scale())

    def one_to_one(self) -> None:
        """Show one image column per device pixel."""
        if self._link.size[0]:
            self._link.look_at(self._link.centre, 1 / self._widget.devicePixelRatioF())

    def _middle(self) -> QPointF:
        """The middle of the widget without its footer."""
        return QPointF(self._widget.width() / 2, (self._widget.height() - self._link.footer) / 2)
