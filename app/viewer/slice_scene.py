"""A slice of a volume: an image with orientation letters, a scale bar and a crosshair."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from app.i18n.numbers import number
from app.viewer.image_scene import ImageScene
from app.viewer.overlays import colour_bar_area
from app.viewer.painter import paint_box
from app.viewer.pyramid import RenderedImage
from app.viewer.region_cache import RegionCache
from app.viewer.scene import Annotation
from app.viewer.viewport import Viewport

_LINE = QColor(255, 214, 92, 150)
_BAR = QColor("#d3d9e1")
_GAP = 6.0
"""Screen pixels around the point of the crosshair that its lines leave free."""
_BAR_SHARE = 0.3
"""Of the widget's width that a scale bar takes at most."""
_SIDE_LETTERS = 0.3
"""Where the letters at the sides stand, from the top, unless the colour bar is there."""


@dataclass(frozen=True)
class SliceMarks:
    """What is written on all panes of a slice.

    Attributes:
        letters: what of the patient lies at the left, right, top and bottom border.
        column_mm: width of a pixel.
        cross: column and row that the crosshair meets at, pixel centres being whole; None for none.
    """

    letters: tuple[str, str, str, str]
    column_mm: float
    cross: tuple[float, float] | None = None


@dataclass(frozen=True)
class SliceScene:
    """A :class:`app.viewer.scene.Scene` of one or two images of a slice."""

    base: ImageScene
    marks: SliceMarks

    @property
    def is_compared(self) -> bool:
        """True where two images are compared."""
        return self.base.is_compared

    @property
    def images(self) -> tuple[RenderedImage, ...]:
        """The images of its layers."""
        return self.base.images

    @property
    def blinks(self) -> bool:
        """True where two layers are shown alternately."""
        return self.base.blinks

    @property
    def divider(self) -> float | None:
        """Image column of the curtain; None where there is none."""
        return self.base.divider

    def paint(
        self, painter: QPainter, viewport: Viewport, cache: RegionCache, *, phase: bool = False
    ) -> None:
        """Paint the layers inside the viewport's clip."""
        self.base.paint(painter, viewport, cache, phase=phase)

    def paint_annotation(
        self, painter: QPainter, room: QRect, annotation: Annotation, *, phase: bool = False
    ) -> None:
        """Paint crosshair, letters and scale bar besides what is written on any image."""
        if self.marks.cross is not None:
            _paint_cross(painter, annotation.viewport, self.marks.cross)
        self.base.paint_annotation(painter, room, annotation, phase=phase)
        clip = annotation.viewport.clip
        bar = self.base.colour_bar
        taken = colour_bar_area(painter.fontMetrics(), room, annotation.badge, bar)
        places = letter_places(
            painter.fontMetrics(), clip, self.marks.letters, taken, below=self.is_compared
        )
        for text, place in zip(self.marks.letters, places, strict=True):
            paint_box(painter, place, text)
        _paint_scale_bar(painter, annotation.viewport, self.marks.column_mm)


def _paint_cross(painter: QPainter, viewport: Viewport, cross: tuple[float, float]) -> None:
    x = viewport.corner.x() + (cross[0] + 0.5) * viewport.scale
    y = viewport.corner.y() + (cross[1] + 0.5) * viewport.scale_y
    clip = viewport.clip
    painter.save()
    painter.setClipRect(clip)
    painter.setPen(QPen(_LINE, 1))
    for start, end in (
        (QPointF(clip.left(), y), QPointF(x - _GAP, y)),
        (QPointF(x + _GAP, y), QPointF(clip.right(), y)),
        (QPointF(x, clip.top()), QPointF(x, y - _GAP)),
        (QPointF(x, y + _GAP), QPointF(x, clip.bottom())),
    ):
        painter.drawLine(start, end)
    painter.restore()


def letter_places(
    metrics: QFontMetrics,
    clip: QRectF,
    letters: tuple[str, str, str, str],
    taken: QRectF,
    *,
    below: bool,
) -> list[QRectF]:
    """Where the letters at the left, right, top and bottom border stand.

    Args:
        metrics: of the labels' font.
        clip: the visible part of the image.
        taken: what the colour bar covers; the letter at the right gives way to it.
        below: whether the upper letter stands below a line of names.
    """
    height, middle = metrics.height() + 2.0, clip.center()
    side = clip.top() + _SIDE_LETTERS * clip.height() - height / 2
    row = clip.top() + 4 + (height + 6 if below else 0)
    widths = [metrics.horizontalAdvance(text) + 8.0 for text in letters]
    left, right, top, bottom = widths
    at_right = QRectF(clip.right() - 4 - right, side, right, height)
    if at_right.intersects(taken):
        above = taken.top() - 4 - height
        if above >= row:
            at_right.moveTop(above)
        else:
            at_right.moveRight(taken.left() - 4)
    return [
        QRectF(clip.left() + 4, at_right.top(), left, height),
        at_right,
        QRectF(middle.x() - top / 2, row, top, height),
        QRectF(middle.x() - bottom / 2, clip.bottom() - height - 4, bottom, height),
    ]


def bar_length(widest: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50 … mm that is not above ``widest``."""
    power = 10.0 ** math.floor(math.log10(widest))
    return next(step * power for step in (5, 2, 1) if step * power <= widest * (1 + 1e-9))


def _paint_scale_bar(painter: QPainter, viewport: Viewport, column_mm: float) -> None:
    clip, per_mm = viewport.clip, viewport.scale / column_mm
    widest = clip.width() * _BAR_SHARE / per_mm
    if clip.width() < 100 or not math.isfinite(widest) or widest <= 0:
        return
    length = bar_length(widest)
    metrics = painter.fontMetrics()
    left, y = clip.left() + 8, clip.bottom() - 6
    right = left + length * per_mm
    painter.setPen(QPen(_BAR, 2))
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    for x in (left, right):
        painter.drawLine(QPointF(x, y - 4), QPointF(x, y))
    text = f"{number(length, 'g')} mm"
    box = QRectF(left, y - metrics.height() - 6, metrics.horizontalAdvance(text) + 6.0, 0)
    box.setHeight(metrics.height())
    painter.setPen(Qt.PenStyle.NoPen)
    paint_box(painter, box, text)
