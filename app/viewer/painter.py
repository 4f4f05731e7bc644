"""Paints one or two images into a rectangle: alone, or compared in one of five ways."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from app.i18n.numbers import number
from app.viewer.display_state import CompareMode
from app.viewer.pyramid import RenderedImage
from app.viewer.rendering import LevelRegion, render, render_difference, upright_bar
from core.windows import Window

_SHARP_FROM = 2.0
"""From this many screen pixels per image pixel each one is drawn as a square. Between 1 and 2
squares would have to be of unequal width, which looks like structure that is not there."""

_SQUARES = 8
"""Checkerboard squares along the image's width."""

_LINE = QColor(255, 214, 92)
_TEXT = QColor("#d3d9e1")
_BOX = QColor(13, 15, 18, 190)


@dataclass(frozen=True)
class Layer:
    """An image and how it is to look."""

    image: RenderedImage
    window: Window
    palette: str = "grey"
    name: str = ""
    counts: Window | None = None
    """What counts as 0 and 1 in a difference; None for the image's own window."""

    @property
    def zero_one(self) -> Window:
        """What counts as 0 and 1 in a difference."""
        return self.counts or self.image.window

    @classmethod
    def plain(cls, image: RenderedImage) -> Layer:
        """An image in its own window."""
        return cls(image, image.window)


@dataclass(frozen=True)
class Scene:
    """What a canvas shows. ``mode`` and the rest matter only where there are two layers."""

    first: Layer
    second: Layer | None = None
    mode: CompareMode = "off"
    _: KW_ONLY
    position: float = 0.5
    opacity: float = 0.5
    span: float = 0.25
    phase: bool = False

    @property
    def is_compared(self) -> bool:
        """True where two images are on show."""
        return self.second is not None and self.mode != "off"


@dataclass(frozen=True)
class Viewport:
    """Where the image's corner lies, and logical screen pixels per image pixel."""

    corner: QPointF
    scale: float
    clip: QRectF
    ratio: float


class Painter:
    """Paints scenes and remembers the last parts it mapped, so that a moving cross or curtain
    costs next to nothing.

    What it remembers belongs to the images of one scene: call :meth:`keep_for` when that changes.
    """

    _KEPT = 6

    def __init__(self) -> None:
        self._parts: dict[tuple[object, ...], QImage] = {}
        self._images: tuple[RenderedImage, ...] = ()

    def keep_for(self, scene: Scene | None) -> bool:
        """Drop what was mapped of other images than this scene's; True when there were others."""
        layers = (scene.first, scene.second) if scene is not None else ()
        images = tuple(layer.image for layer in layers if layer is not None)
        # Held, so that an id cannot come to mean another image.
        if images == self._images:
            return False
        self._parts.clear()
        self._images = images
        return True

    def paint(self, painter: QPainter, scene: Scene, port: Viewport) -> None:
        """Draw a scene inside the viewport's clip."""
        first, second = scene.first, scene.second
        if second is None or scene.mode == "off":
            self._layer(painter, first, port)
        elif scene.mode == "curtain":
            self._curtain(painter, scene, port)
        elif scene.mode == "blink":
            self._layer(painter, second if scene.phase else first, port)
        elif scene.mode == "checker":
            self._layer(painter, first, port)
            painter.save()
            painter.setClipPath(_squares(first.image, port), Qt.ClipOperation.IntersectClip)
            self._layer(painter, second, port)
            painter.restore()
        elif scene.mode == "difference":
            self._difference(painter, scene, port)
        else:
            self._layer(painter, first, port)
            painter.setOpacity(scene.opacity)
            self._layer(painter, second, port)
            painter.setOpacity(1.0)

    def _layer(self, painter: QPainter, layer: Layer, port: Viewport) -> None:
        placed = _placed(layer.image, port)
        if placed is None:
            return
        part, target = placed
        key = (id(layer.image), part, layer.window, layer.palette)
        image = self._parts.get(key)
        if image is None:
            image = self._keep(key, render(layer.image, part, layer.window, layer.palette))
        _draw(painter, target, image, port)

    def _curtain(self, painter: QPainter, scene: Scene, port: Viewport) -> None:
        assert scene.second is not None
        at = port.corner.x() + scene.position * scene.first.image.size[0] * port.scale
        self._layer(painter, scene.first, port)
        painter.save()
        right = QRectF(at, port.clip.top(), port.clip.right() - at, port.clip.height())
        painter.setClipRect(right, Qt.ClipOperation.IntersectClip)
        self._layer(painter, scene.second, port)
        painter.restore()
        painter.setPen(QPen(_LINE, 1))
        painter.drawLine(QPointF(at, port.clip.top()), QPointF(at, port.clip.bottom()))
        middle = QPointF(at, port.clip.center().y())
        painter.setBrush(_LINE)
        painter.drawEllipse(middle, 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _difference(self, painter: QPainter, scene: Scene, port: Viewport) -> None:
        assert scene.second is not None
        placed = _placed(scene.first.image, port)
        if placed is None:
            return
        part, target = placed
        first, second = scene.first.image, scene.second.image
        counts = (scene.first.zero_one, scene.second.zero_one)
        key = (id(first), id(second), part, scene.span, counts)
        image = self._parts.get(key)
        if image is None:
            image = self._keep(key, render_difference(first, second, part, scene.span, counts))
        _draw(painter, target, image, port)

    def _keep(self, key: tuple[object, ...], image: QImage) -> QImage:
        while len(self._parts) >= self._KEPT:
            del self._parts[next(iter(self._parts))]
        self._parts[key] = image
        return image


def _placed(image: RenderedImage, port: Viewport) -> tuple[LevelRegion, QRectF] | None:
    """The part of the best level that is seen, and where it goes."""
    scale, corner = port.scale, port.corner
    whole = QRectF(corner.x(), corner.y(), image.size[0] * scale, image.size[1] * scale)
    seen = whole.intersected(port.clip)
    if seen.isEmpty():
        return None
    index = _best_level(image, whole.width() * port.ratio)
    height, width = image.levels[index].shape[:2]
    across, down = width / whole.width(), height / whole.height()
    left = max(0, math.floor((seen.x() - whole.x()) * across))
    top = max(0, math.floor((seen.y() - whole.y()) * down))
    right = min(width, math.ceil((seen.right() - whole.x()) * across))
    bottom = min(height, math.ceil((seen.bottom() - whole.y()) * down))
    if right <= left or bottom <= top:
        return None
    target = QRectF(
        whole.x() + left / across,
        whole.y() + top / down,
        (right - left) / across,
        (bottom - top) / down,
    )
    wide = max(1, round(target.width() * port.ratio))
    high = max(1, round(target.height() * port.ratio))
    part = LevelRegion(
        index, left=left, top=top, right=right, bottom=bottom, width=wide, height=high
    )
    return part, target


def _best_level(image: RenderedImage, wanted: float) -> int:
    """The smallest level that still has ``wanted`` pixels across (else the full one)."""
    fitting = [k for k, level in enumerate(image.levels) if level.shape[1] >= wanted]
    return fitting[-1] if fitting else 0


def _draw(painter: QPainter, target: QRectF, image: QImage, port: Viewport) -> None:
    smooth = port.scale * port.ratio < _SHARP_FROM
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(target, image, QRectF(image.rect()))


def _squares(image: RenderedImage, port: Viewport) -> QPainterPath:
    """Every other square of the board, where it is seen."""
    side = max(1.0, image.size[0] / _SQUARES) * port.scale
    path = QPainterPath()
    clip, corner = port.clip, port.corner
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


# --- texts on the image ----------------------------------------------------------------------


def paint_box(painter: QPainter, box: QRectF, text: str) -> None:
    """A word or two on a dark ground."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BOX)
    painter.drawRoundedRect(box, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_TEXT)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


def bar_of(scene: Scene) -> tuple[str, Window, str] | None:
    """Palette, range and unit of the colour bar a scene needs; None for colour images."""
    if scene.is_compared and scene.mode == "difference":
        return "difference", (-scene.span, scene.span), ""
    if scene.first.image.is_colour:
        return None
    return scene.first.palette, scene.first.window, scene.first.image.unit


def paint_bar(painter: QPainter, room: QRect, bar: tuple[str, Window, str]) -> None:
    """A colour bar with its ends (and unit) at the right of ``room``, a little above its foot."""
    palette, (low, high), unit = bar
    height = min(140, room.height() - 80)
    if height < 40 or room.width() < 140:
        return
    box = QRectF(room.right() - 16, room.bottom() - 34 - height, 8, height)
    painter.drawImage(box, upright_bar(palette))
    painter.setPen(QColor(255, 255, 255, 90))
    painter.drawRect(box)
    metrics = painter.fontMetrics()
    for text, y in ((f"{short(high)} {unit}".strip(), box.top()), (short(low), box.bottom())):
        width = metrics.horizontalAdvance(text) + 6
        tall = metrics.height()
        paint_box(painter, QRectF(box.left() - width - 4, y - tall / 2, width, tall), text)


def short(value: float) -> str:
    """A number in few characters."""
    if value and (abs(value) >= 100_000 or abs(value) < 0.001):
        return number(value, ".2g")
    text = number(value, ".0f" if abs(value) >= 100 else ".3g")
    return text.replace("-", "−")
