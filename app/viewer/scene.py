"""The interface of what a canvas can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.viewer.pyramid import RenderedImage
from app.viewer.region_cache import RegionCache
from app.viewer.viewport import Viewport


@dataclass(frozen=True)
class Annotation:
    """What is written over a scene.

    Attributes:
        viewport: where the images lie.
        badge: a permanent line at the bottom; "" for none.
    """

    viewport: Viewport
    badge: str = ""

    @property
    def zoom(self) -> float:
        """Device pixels per image column."""
        return self.viewport.scale * self.viewport.ratio


class Scene(Protocol):
    """Something a canvas can show: an immutable value, equal to another one that looks the same.

    The extent of its images, and the shape of their pixels, are those of the canvas's
    :class:`app.viewer.view_link.ViewLink`.
    """

    @property
    def images(self) -> tuple[RenderedImage, ...]:
        """The images it is made of, the main one first; scenes of other images are new data."""

    @property
    def blinks(self) -> bool:
        """Whether two phases of it are painted alternately."""

    @property
    def divider(self) -> float | None:
        """Image column of a vertical line that can be dragged; None where there is none."""

    def paint(
        self, painter: QPainter, viewport: Viewport, cache: RegionCache, *, phase: bool = False
    ) -> None:
        """Paint the images inside the viewport's clip.

        Args:
            cache: renders regions of ``images`` and keeps the last ones.
            phase: alternates between False and True if the scene blinks.
        """

    def paint_annotation(
        self, painter: QPainter, room: QRect, annotation: Annotation, *, phase: bool = False
    ) -> None:
        """Paint text and scales over the images; ``room`` is the whole widget."""
