"""A canvas shows anything that is a scene, also one with pixels that are not square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter

from app.viewer.canvas import Canvas
from app.viewer.overlays import paint_overlays
from app.viewer.pyramid import RenderedImage, rendered_image
from app.viewer.region_cache import RegionCache
from app.viewer.scene import Annotation
from app.viewer.view_link import MOST_PIXELS, ViewLink
from app.viewer.viewport import Viewport

BAR = QColor(1, 200, 3)
ASPECT = 2.5
"""A sagittal slice: 2.5 mm from row to row, 1 mm from column to column."""


@dataclass(frozen=True)
class Slice:
    """A slice of a volume, with the letters of its edges."""

    image: RenderedImage
    letters: str = "AP"

    blinks = False
    divider = None

    @property
    def images(self) -> tuple[RenderedImage, ...]:
        return (self.image,)

    def paint(
        self, painter: QPainter, viewport: Viewport, cache: RegionCache, *, phase: bool = False
    ) -> None:
        cache.draw(painter, self.image, viewport, window=self.image.window)

    def paint_annotation(
        self, painter: QPainter, room: QRect, annotation: Annotation, *, phase: bool = False
    ) -> None:
        paint_overlays(painter, room, annotation)
        painter.drawText(room.left() + 4, room.center().y(), self.letters[0])
        # A scale bar of 10 columns (10 mm) in the middle of the fifth row.
        left = annotation.viewport.corner + QPointF(0, 4.5 * annotation.viewport.scale_y)
        painter.fillRect(QRectF(left, QSizeF(10 * annotation.viewport.scale, 4)), BAR)


def halves() -> RenderedImage:
    """40×20 pixels: the upper ten rows black, the lower ten white."""
    pixels = np.zeros((20, 40, 1), np.float32)
    pixels[10:] = 1
    return rendered_image(pixels)


@pytest.fixture
def canvas(qtbot) -> Canvas:
    """A canvas with room for 200×400 screen pixels."""
    link = ViewLink()
    made = Canvas(link)
    qtbot.addWidget(made)
    made.resize(200 + 12, 400 + 12)
    link.set_size((40, 20), ASPECT)
    made.set_scene(Slice(halves()))
    made.show()
    return made


def shot(canvas: Canvas) -> QImage:
    return canvas.grab().toImage()


def test_the_whole_slice_is_fitted_in_its_physical_shape(canvas):
    # 40 columns at 5 screen pixels; 20 rows at 12.5.
    assert canvas.camera.scale() == pytest.approx(5.0)
    corner = canvas.camera.to_widget(QPointF(0, 0))
    foot = canvas.camera.to_widget(QPointF(40, 20))
    assert (foot.x() - corner.x(), foot.y() - corner.y()) == pytest.approx((200, 250))


def test_points_of_widget_and_slice_are_each_others_inverse(canvas):
    canvas.camera.zoom_about(QPointF(30, 300), 1.7)
    for point in (QPointF(0, 0), QPointF(13.5, 7.25), QPointF(40, 20)):
        back = canvas.camera.to_image(canvas.camera.to_widget(point))
        assert (back.x(), back.y()) == pytest.approx((point.x(), point.y()))


def test_zooming_keeps_the_point_under_the_pointer_and_panning_moves_by_as_much(canvas):
    at = QPointF(60, 150)
    before = canvas.camera.to_image(at)
    canvas.camera.zoom_about(at, 2)
    after = canvas.camera.to_image(at)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))
    canvas.camera.pan(QPointF(10, -20))
    moved = canvas.camera.to_image(at + QPointF(10, -20))
    assert (moved.x(), moved.y()) == pytest.approx((before.x(), before.y()))


def test_the_edge_between_the_rows_is_painted_where_the_camera_says(canvas):
    edge = round(canvas.camera.to_widget(QPointF(20, 10)).y())
    image = shot(canvas)
    assert image.pixelColor(100, edge - 3).red() < 10
    assert image.pixelColor(100, edge + 3).red() > 245
    assert canvas.camera.pixel_at(QPointF(100, edge - 3)).y() == 9
    assert canvas.camera.pixel_at(QPointF(100, edge + 3)).y() == 10


def test_the_magnifier_keeps_the_physical_shape_and_its_middle(canvas):
    box = QRect(20, 30, 80, 80)
    port = canvas.camera.magnified(QPointF(12, 8), box.toRectF(), 4)
    assert port.scale == pytest.approx(min(20.0, MOST_PIXELS))
    assert port.scale_y == pytest.approx(port.scale * ASPECT)
    middle = port.corner + QPointF(12 * port.scale, 8 * port.scale_y)
    assert middle == box.toRectF().center()


def test_the_annotation_of_a_scene_is_its_own(canvas):
    with_letter = shot(canvas)
    canvas.set_scene(Slice(canvas.image, letters=" "))
    assert shot(canvas) != with_letter


def test_an_annotation_finds_places_of_the_slice(canvas):
    row = round(canvas.camera.to_widget(QPointF(0, 4.5)).y()) + 2
    image = shot(canvas)
    line = [x for x in range(212) if image.pixelColor(x, row) == BAR]
    start, end = (canvas.camera.to_widget(QPointF(x, 4.5)).x() for x in (0, 10))
    assert (line[0], line[-1]) == pytest.approx((start, end), abs=1)


def test_another_pixel_shape_starts_fitted(canvas):
    canvas.camera.one_to_one()
    canvas._link.set_size((40, 20), 1.0)
    assert canvas._link.fitted
    assert canvas.camera.scale() == pytest.approx(5.0)
