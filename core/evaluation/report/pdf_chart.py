"""Draws a matplotlib figure as vectors on a page of reportlab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as OutlinePath
from matplotlib.transforms import Affine2D, Transform
from reportlab.platypus import Flowable

from core.evaluation.report.charts import chart_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_POINTS = 72.0
_HIGHEST = 440.0
"""Height of the tallest chart in points: less than a page of A4 in landscape has."""


class ChartFlowable(Flowable):  # type: ignore[misc]
    """A chart in the flow of a document, as wide as the frame and as high as a page at most."""

    def __init__(self, figure: Figure, font: str) -> None:
        super().__init__()
        self.figure = figure
        self.font = font
        self.width, self.height = (side * _POINTS for side in figure.get_size_inches())

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Size on the page: scaled down to the frame."""
        self.scale = min(1.0, width / self.width, _HIGHEST / self.height)
        return self.width * self.scale, self.height * self.scale

    def draw(self) -> None:
        """Draw the figure at the place reportlab has moved the origin to."""
        self.canv.scale(self.scale, self.scale)
        with chart_settings():
            self.figure.set_dpi(_POINTS)
            self.figure.draw(_PageRenderer(self.canv, self.font, self.width, self.height))


class _PageRenderer(RendererBase):
    """Matplotlib's drawing operations on a canvas of reportlab, in points."""

    def __init__(self, canvas: Any, font: str, width: float, height: float) -> None:
        super().__init__()
        self.canvas = canvas
        self.font = font
        self.size = width, height

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.size

    def points_to_pixels(self, points: Any) -> Any:
        return points

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: OutlinePath,
        transform: Transform,
        rgbFace: Any = None,
    ) -> None:
        """Fill and stroke ``path``."""
        line = gc.get_linewidth() > 0 and gc.get_rgb()[3] > 0
        fill = rgbFace is not None and (len(rgbFace) < 4 or rgbFace[3] > 0)
        if not (line or fill):
            return
        self.canvas.saveState()
        self._clip(gc)
        self._style(gc, rgbFace if fill else None)
        outline = _outline(self.canvas, path, transform)
        self.canvas.drawPath(outline, stroke=int(line), fill=int(fill))
        self.canvas.restoreState()

    def _clip(self, gc: GraphicsContextBase) -> None:
        box = gc.get_clip_rectangle()
        if box is not None:
            area = self.canvas.beginPath()
            area.rect(box.x0, box.y0, box.width, box.height)
            self.canvas.clipPath(area, stroke=0, fill=0)

    def _style(self, gc: GraphicsContextBase, face: Any) -> None:
        red, green, blue, alpha = gc.get_rgb()
        forced = gc.get_alpha() if gc.get_forced_alpha() else None
        self.canvas.setStrokeColorRGB(red, green, blue, forced if forced is not None else alpha)
        self.canvas.setLineWidth(gc.get_linewidth())
        dashes: Any
        offset, dashes = gc.get_dashes()
        self.canvas.setDash([] if dashes is None else [float(d) for d in dashes], offset or 0)
        if face is not None:
            own = face[3] if len(face) > 3 else 1.0
            self.canvas.setFillColorRGB(*face[:3], forced if forced is not None else own)

    def draw_text(  # noqa: PLR0917  as matplotlib calls it
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Text | None = None,
    ) -> None:
        """Write ``s`` as text that can be selected, its baseline at the left at (x, y)."""
        self.canvas.saveState()
        self.canvas.translate(x, y)
        self.canvas.rotate(angle)
        self.canvas.setFillColorRGB(*gc.get_rgb()[:3])
        self.canvas.setFont(self.font, prop.get_size_in_points())
        self.canvas.drawString(0, 0, s)
        self.canvas.restoreState()

    def flipy(self) -> bool:
        """The origin is at the bottom."""
        return False


def _outline(canvas: Any, path: OutlinePath, transform: Transform) -> Any:
    """``path`` as a path of reportlab, quadratic curves as cubic ones."""
    outline = canvas.beginPath()
    here = np.zeros(2)
    moved = (transform or Affine2D()).transform_path(path)
    for points, code in moved.iter_segments(simplify=False, remove_nans=True):
        if code == OutlinePath.MOVETO:
            outline.moveTo(*points)
        elif code == OutlinePath.LINETO:
            outline.lineTo(*points)
        elif code == OutlinePath.CURVE3:
            control, end = points[:2], points[2:]
            first, second = here + (control - here) * 2 / 3, end + (control - end) * 2 / 3
            outline.curveTo(*first, *second, *end)
        elif code == OutlinePath.CURVE4:
            outline.curveTo(*points)
        elif code == OutlinePath.CLOSEPOLY:
            outline.close()
            continue
        here = np.asarray(points[-2:])
    return outline
