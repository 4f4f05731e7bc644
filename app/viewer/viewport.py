"""Where an image lies on a widget."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF


@dataclass(frozen=True)
class Viewport:
    """Maps image coordinates to widget coordinates.

    Attributes:
        corner: where the upper left corner of the image lies, in logical screen pixels.
        scale: logical screen pixels per image column.
        clip: the part of the widget that may be painted on.
        ratio: device pixels per logical screen pixel.
        aspect: height of an image pixel divided by its width.
    """

    corner: QPointF
    scale: float
    clip: QRectF
    ratio: float
    aspect: float = 1.0

    @property
    def scale_y(self) -> float:
        """Logical screen pixels per image row."""
        return self.scale * self.aspect

    def rect_of(self, size: tuple[int, int]) -> QRectF:
        """Where an image of ``size`` (width, height) lies, without regard to ``clip``."""
        width, height = size[0] * self.scale, size[1] * self.scale_y
        return QRectF(self.corner.x(), self.corner.y(), width, height)
