"""Renders the visible regions of images, and keeps the last ones."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.viewer.pyramid import RenderedImage
from app.viewer.rendering import LevelRegion, render, render_difference, render_warped
from app.viewer.viewport import Viewport
from app.viewer.warping import Warp, scaling
from core.windows import Window

_SHARP_FROM = 2.0
"""From this many device pixels per image pixel on, each one is drawn as a rectangle. Between 1 and
2 the rectangles would have unequal sizes, which looks like structure that is not there."""

_KEPT = 6


class RegionCache:
    """Draws images so that a moving crosshair or curtain costs next to nothing.

    What it keeps belongs to one set of images: call :meth:`set_images` when that changes.
    """

    def __init__(self) -> None:
        self._regions: dict[tuple[object, ...], QImage] = {}
        self._images: tuple[RenderedImage, ...] = ()

    def set_images(self, images: tuple[RenderedImage, ...]) -> bool:
        """Drop the regions of other images; return True if the images are other ones."""
        # The images are held, so that an id cannot come to mean another one.
        if images == self._images:
            return False
        self._regions.clear()
        self._images = images
        return True

    def draw(
        self,
        painter: QPainter,
        image: RenderedImage,
        viewport: Viewport,
        *,
        window: Window,
        palette: str = "grey",
    ) -> None:
        """Draw an image in a window and a palette."""
        visible = _visible(image, viewport)
        if visible is None:
            return
        region, target = visible
        key = (id(image), region, window, palette)
        drawn = self._regions.get(key)
        if drawn is None:
            drawn = self._keep(key, render(image, region, window, palette))
        _draw(painter, target, drawn, viewport)

    def draw_warped(
        self,
        painter: QPainter,
        image: RenderedImage,
        warp: Warp,
        viewport: Viewport,
        *,
        window: Window,
        palette: str = "grey",
    ) -> None:
        """Draw an image through a transform, within the bounds of the image it is drawn onto."""
        whole = viewport.rect_of(warp.size)
        seen = whole.intersected(viewport.clip)
        ratio = viewport.ratio
        left, top = math.floor(seen.left() * ratio), math.floor(seen.top() * ratio)
        size = (math.ceil(seen.right() * ratio) - left, math.ceil(seen.bottom() * ratio) - top)
        if seen.isEmpty() or min(size) < 1:
            return
        across, down = viewport.scale * ratio, viewport.scale_y * ratio
        onto = scaling(
            1 / across, 1 / down, (left - whole.x() * ratio) / across,
            (top - whole.y() * ratio) / down,
        )  # fmt: skip
        key = (id(image), warp, onto.tobytes(), size, window, palette)
        drawn = self._regions.get(key)
        if drawn is None:
            made = render_warped(image, warp, onto, size, window=window, palette=palette)
            drawn = self._keep(key, made)
        target = QRectF(left / ratio, top / ratio, size[0] / ratio, size[1] / ratio)
        painter.save()
        painter.setClipRect(seen, Qt.ClipOperation.IntersectClip)
        painter.drawImage(target, drawn, QRectF(drawn.rect()))
        painter.restore()

    def draw_difference(
        self,
        painter: QPainter,
        images: tuple[RenderedImage, RenderedImage],
        viewport: Viewport,
        *,
        windows: tuple[Window, Window],
        span: float,
        warp: Warp | None = None,
    ) -> None:
        """Draw the second image minus the first one, in signed colours from −span to +span.

        Args:
            windows: the values that count as 0 and 1, for each image.
            warp: how the second image is drawn onto the first one; None where they have one grid.
        """
        first, second = images
        visible = _visible(first, viewport)
        if visible is None:
            return
        region, target = visible
        key = (id(first), id(second), region, span, windows, warp)
        drawn = self._regions.get(key)
        if drawn is None:
            made = render_difference(first, second, region, span, windows, warp=warp)
            drawn = self._keep(key, made)
        _draw(painter, target, drawn, viewport)

    def _keep(self, key: tuple[object, ...], image: QImage) -> QImage:
        while len(self._regions) >= _KEPT:
            del self._regions[next(iter(self._regions))]
        self._regions[key] = image
        return image


def _visible(image: RenderedImage, viewport: Viewport) -> tuple[LevelRegion, QRectF] | None:
    """The visible region of the best level, and where it goes; None if nothing is visible."""
    whole = viewport.rect_of(image.size)
    seen = whole.intersected(viewport.clip)
    if seen.isEmpty():
        return None
    index = _best_level(image, whole.width() * viewport.ratio)
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
    wide = max(1, round(target.width() * viewport.ratio))
    high = max(1, round(target.height() * viewport.ratio))
    region = LevelRegion(
        index, left=left, top=top, right=right, bottom=bottom, width=wide, height=high
    )
    return region, target


def _best_level(image: RenderedImage, wanted: float) -> int:
    """The smallest level that still has ``wanted`` pixels across, or else the full one."""
    sufficient = [k for k, level in enumerate(image.levels) if level.shape[1] >= wanted]
    return sufficient[-1] if sufficient else 0


def _draw(painter: QPainter, target: QRectF, image: QImage, viewport: Viewport) -> None:
    smooth = min(viewport.scale, viewport.scale_y) * viewport.ratio < _SHARP_FROM
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(target, image, QRectF(image.rect()))
