"""One image, or two that are compared in one of five ways."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.viewer.display_state import CompareMode
from app.viewer.outlines import OutlineGroup, paint_legend, paint_outlines
from app.viewer.overlays import ColourBar, paint_names, paint_overlays
from app.viewer.pyramid import RenderedImage
from app.viewer.region_cache import RegionCache
from app.viewer.scene import Annotation
from app.viewer.viewport import Viewport
from app.viewer.warping import Warp
from core.windows import Window

_SQUARES = 8
"""Checkerboard squares along the image's width."""

_LINE = QColor(255, 214, 92)


@dataclass(frozen=True)
class Layer:
    """An image and how it is displayed.

    Attributes:
        difference_range: the values that count as 0 and 1 in a difference; None for the image's
            own window.
        warp: how it is drawn onto the other layer; None where it has the pixels of that.
    """

    image: RenderedImage
    window: Window
    palette: str = "grey"
    name: str = ""
    difference_range: Window | None = None
    _: KW_ONLY
    warp: Warp | None = None

    @property
    def unit_range(self) -> Window:
        """The values that count as 0 and 1 in a difference."""
        return self.difference_range or self.image.window

    @classmethod
    def plain(cls, image: RenderedImage) -> Layer:
        """An image in its own window."""
        return cls(image, image.window)


@dataclass(frozen=True)
class ImageScene:
    """A :class:`app.viewer.scene.Scene` of one layer, or of two that are compared.

    Attributes:
        mode: how they are compared; this and the rest matter only where there are two.
        position: of the curtain, as a share of the image's width.
        opacity: of the second layer over the first, 0 to 1.
        span: differences are shown from −span to +span.
        outlined: places that are outlined over it.
    """

    first: Layer
    second: Layer | None = None
    mode: CompareMode = "off"
    _: KW_ONLY
    position: float = 0.5
    opacity: float = 0.5
    span: float = 0.25
    outlined: tuple[OutlineGroup, ...] = ()

    @property
    def is_compared(self) -> bool:
        """True where two images are compared."""
        return self.second is not None and self.mode != "off"

    @property
    def images(self) -> tuple[RenderedImage, ...]:
        """The images of its layers."""
        return tuple(layer.image for layer in (self.first, self.second) if layer is not None)

    @property
    def blinks(self) -> bool:
        """True where the two layers are shown alternately."""
        return self.is_compared and self.mode == "blink"

    @property
    def divider(self) -> float | None:
        """Image column of the curtain; None where there is none."""
        if self.is_compared and self.mode == "curtain":
            return self.position * self.first.image.size[0]
        return None

    @property
    def colour_bar(self) -> ColourBar | None:
        """The scale of its values; None for colour images."""
        if self.is_compared and self.mode == "difference":
            return ColourBar("difference", (-self.span, self.span))
        if self.first.image.is_colour:
            return None
        return ColourBar(self.first.palette, self.first.window, self.first.image.unit)

    def paint(
        self, painter: QPainter, viewport: Viewport, cache: RegionCache, *, phase: bool = False
    ) -> None:
        """Paint the layers inside the viewport's clip."""
        first, second = self.first, self.second
        if second is None or self.mode == "off":
            _paint_layer(painter, first, viewport, cache)
        elif self.mode == "blink":
            _paint_layer(painter, second if phase else first, viewport, cache)
        elif self.mode == "difference":
            cache.draw_difference(
                painter,
                (first.image, second.image),
                viewport,
                windows=(first.unit_range, second.unit_range),
                span=self.span,
                warp=second.warp,
            )
        else:
            _paint_layer(painter, first, viewport, cache)
            painter.save()
            if self.mode == "curtain":
                line = viewport.corner.x() + (self.divider or 0.0) * viewport.scale
                clip = viewport.clip
                right = QRectF(line, clip.top(), clip.right() - line, clip.height())
                painter.setClipRect(right, Qt.ClipOperation.IntersectClip)
            elif self.mode == "checker":
                squares = _squares(first.image, viewport)
                painter.setClipPath(squares, Qt.ClipOperation.IntersectClip)
            else:
                painter.setOpacity(self.opacity)
            _paint_layer(painter, second, viewport, cache)
            painter.restore()
            if self.mode == "curtain":
                _paint_curtain(painter, line, viewport.clip)

    def paint_annotation(
        self, painter: QPainter, room: QRect, annotation: Annotation, *, phase: bool = False
    ) -> None:
        """Paint outlines, zoom, badge, colour bar, and the names of layers that are compared."""
        paint_outlines(painter, annotation.viewport, self.outlined)
        paint_overlays(painter, room, annotation, self.colour_bar)
        if self.is_compared:
            paint_names(painter, room, self.names(phase))
        paint_legend(painter, room, self.outlined, below=self.is_compared)

    def names(self, phase: bool = False) -> list[tuple[str, bool]]:
        """The names of layers that are compared, and whether each is written at the right."""
        if self.second is None:
            return []
        first, second = self.first.name, self.second.name
        if self.mode == "blink":
            return [(second if phase else first, False)]
        if self.mode == "difference":
            return [(f"{second} − {first}", False)]
        if self.mode == "overlay":
            return [(first, False), (f"{second} {self.opacity * 100:.0f} %", True)]
        return [(first, False), (second, True)]


def _paint_layer(painter: QPainter, layer: Layer, viewport: Viewport, cache: RegionCache) -> None:
    if layer.warp is None:
        cache.draw(painter, layer.image, viewport, window=layer.window, palette=layer.palette)
    else:
        cache.draw_warped(
            painter, layer.image, layer.warp, viewport, window=layer.window, palette=layer.palette
        )


def _paint_curtain(painter: QPainter, line: float, clip: QRectF) -> None:
    painter.setPen(QPen(_LINE, 1))
    painter.drawLine(QPointF(line, clip.top()), QPointF(line, clip.bottom()))
    painter.setBrush(_LINE)
    painter.drawEllipse(QPointF(line, clip.center().y()), 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _squares(image: RenderedImage, viewport: Viewport) -> QPainterPath:
    """Every other square of the checkerboard, where it is visible."""
    side = max(1.0, image.size[0] / _SQUARES) * viewport.scale
    path = QPainterPath()
    clip, corner = viewport.clip, viewport.corner
    columns = range(
        max(0, math.floor((clip.left() - corner.x()) / side)),
        math.ceil((clip.right() - corner.x()) / side),
    )
    rows = range(
        max(0, math.floor((clip.top() - corner.y()) / side)),
        math.ceil((clip.bottom() - corner.y()) / side),
    )
    for row in rows:
        for column in columns:
            if (row + column) % 2:
                path.addRect(
                    QRectF(corner.x() + column * side, corner.y() + row * side, side, side)
                )
    return path
