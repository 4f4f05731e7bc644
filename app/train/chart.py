"""A chart of growing curves: zoom, smoothing, log axis, legend, and values at the pointer."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget
from superqt import QFlowLayout

from app.train.curves import Curve, CurveStore, Numbers, reduced, smoothed
from app.train.formatting import count, curve_title
from app.train.step_axis import StepAxis
from app.viewer.painter import short
from app.widgets import theme
from app.widgets.chart_axes import ValueAxis

_ON_LIGHT = (
    *("#1d6fc0", "#c2410c", "#15803d", "#7e22ce", "#b91c1c"),
    *("#475569", "#be185d", "#a16207", "#0e7490"),
)
_ON_DARK = (
    *("#5aa9f0", "#f59e5b", "#5fd08a", "#c084fc", "#f87171"),
    *("#a8b3c2", "#f472b6", "#e6c35c", "#4dd0e1"),
)
"""Colours by order of appearance, as many as a run has losses; legible as text colours, too."""
_FAINT = 70
_LINE = 1.5
_DASHES = (4.0, 2.0)
"""Dash pattern of curves on the right axis."""
_FEW = 40
"""Curves with fewer points have markers: a single point has no line."""


@dataclass
class _Line:
    """Plot items of a curve: the smoothed values, the raw values below them, the legend entry."""

    main: pg.PlotDataItem
    raw: pg.PlotDataItem
    box: QCheckBox
    number: int
    on_right: bool
    """Whether it belongs to the right axis."""


class Chart(QWidget):
    """Draws a :class:`CurveStore`.

    Only the visible part is drawn, with at most two points per pixel column (minimum and maximum),
    so that the time hardly depends on the number of steps. The view follows the growing run until
    the user zooms; :meth:`show_all` follows it again.
    """

    step_hovered = Signal(object)
    """Step at the pointer (float), or None."""

    def __init__(
        self,
        title: str,
        hidden: frozenset[str] = frozenset(),
        *,
        scale: str = "",
        right_curves: frozenset[str] = frozenset(),
        right_scale: str = "",
        draws: Callable[[str], bool] = bool,
    ) -> None:
        """
        Args:
            title: accessible name. hidden: curves that are hidden at first.
            scale: title of the value axis, with its unit.
            right_curves: curves of another unit or magnitude. They are dashed and belong to a right
                axis. right_scale: title of that axis.
            draws: whether a curve of a given name belongs to this chart.
        """
        super().__init__()
        self.setAccessibleName(title)
        self.curves = CurveStore()
        self.span, self.log = 1, False
        self._hidden, self._draws = hidden, draws
        self._follows, self._moving = True, False
        self._lines: dict[str, _Line] = {}
        axes = {
            "left": ValueAxis("left"),
            "right": ValueAxis("right"),
            "bottom": StepAxis("bottom"),
        }
        self.plot = pg.PlotWidget(axisItems=axes)
        self._scales = {"left": scale, "right": right_scale, "bottom": self.tr("Step")}
        self.plot.setAccessibleName(title)
        self.plot.setMinimumSize(160, 90)
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.disableAutoRange()
        item.showGrid(x=True, y=True, alpha=0.15)
        item.getAxis("right").setGrid(False)  # the grid lines of two axes would not coincide
        item.getViewBox().setMouseMode(pg.ViewBox.RectMode)
        self._right_view, self._right_curves = pg.ViewBox(enableMouse=False), right_curves
        self._make_right_view()
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._best = pg.InfiniteLine(angle=90, movable=False)
        self._words = pg.TextItem(anchor=(0, 0))
        for extra in (self._cross, self._best):
            item.addItem(extra, ignoreBounds=True)
            extra.hide()
        self._words.setParentItem(item.getViewBox())
        self._words.hide()
        self.legend = QWidget()
        self._flow = QFlowLayout(self.legend)
        self._flow.setContentsMargins(4, 0, 4, 0)
        self._flow.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.legend)
        item.getViewBox().sigRangeChanged.connect(self._zoomed)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self._apply_theme()

    # --- curves ----------------------------------------------------------------------------

    def show_curves(self, curves: CurveStore) -> None:
        """Draw another set of curves from now on."""
        self.curves = curves
        for line in self._lines.values():
            for item in (line.main, line.raw):
                self._view_of(line).removeItem(item)
            self._flow.removeWidget(line.box)
            # Deleted later by the event loop; until then they would be visible beside the new ones.
            line.box.hide()
            line.box.deleteLater()
        self._lines.clear()
        self._best.hide()
        self.show_crosshair(None)
        self.show_all()

    def refresh(self) -> None:
        """Draw the points added since the last call."""
        for name in self._names():
            if name not in self._lines:
                self._add(name)
        if self._follows:
            self._fit()
        self._paint_right_axis()
        self._draw()

    def _names(self) -> Iterator[str]:
        """Names of the curves of this chart."""
        return (name for name in self.curves if self._draws(name))

    def set_smoothing(self, span: int) -> None:
        """Draw the mean of the last ``span`` points, and the raw values faintly below it."""
        self.span = span
        self.refresh()

    def set_log(self, log: bool) -> None:
        """Make the value axis logarithmic or linear."""
        self.log = log
        self.plot.setLogMode(x=False, y=log)
        self.plot.getPlotItem().getAxis("right").setLogMode(x=False, y=log)
        for line in self._lines.values():
            for item in (line.raw, line.main):
                item.setLogMode(False, log)
        self.show_all()

    def show_all(self) -> None:
        """Show the whole run, and follow it as it grows."""
        self._follows = True
        self.refresh()

    def mark_best(self, step: int) -> None:
        """Mark the step of the best state by a line; 0 removes it."""
        self._best.setVisible(step > 0)
        self._best.setValue(step)

    def shows(self, name: str) -> bool:
        """Whether a curve exists and is visible."""
        return name in self._lines and self._lines[name].box.isChecked()

    def image(self) -> QImage:
        """Image of the chart as shown, with its legend."""
        return self.grab().toImage()

    def _add(self, name: str) -> None:
        box = QCheckBox(curve_title(name))
        box.setChecked(name not in self._hidden)
        box.setToolTip(self.tr("Show or hide this curve"))
        box.toggled.connect(self.refresh)
        raw, main = (pg.PlotDataItem(connect="finite") for _ in range(2))
        line = self._lines[name] = _Line(
            main, raw, box, len(self._lines), name in self._right_curves
        )
        for item in (line.raw, line.main):
            item.setLogMode(False, self.log)
            self._view_of(line).addItem(item)
        self._flow.addWidget(box)
        self._paint_line(line)

    def _shown(self) -> list[tuple[_Line, Curve]]:
        pairs = ((line, self.curves[name]) for name, line in self._lines.items())
        return [(line, curve) for line, curve in pairs if line.box.isChecked() and len(curve)]

    def _fit(self) -> None:
        """Fit the axes to the visible curves."""
        shown = self._shown()
        ranges = [
            self._range_of([c for line, c in shown if line.on_right is a]) for a in (False, True)
        ]
        self.plot.getPlotItem().showAxis("right", ranges[1] is not None)
        if not any(ranges):
            return
        left = min(curve.steps[0] for _, curve in shown)
        right = max(curve.steps[-1] for _, curve in shown)
        wide = 0.02 * (right - left) or 1.0
        self._moving = True
        self.plot.setXRange(left - wide, right + wide, padding=0)
        for box, ends in zip(
            (self.plot.getPlotItem().getViewBox(), self._right_view), ranges, strict=True
        ):
            if ends is not None:
                box.setYRange(*ends, padding=0)
        self._moving = False

    def _range_of(self, curves: Sequence[Curve]) -> tuple[float, float] | None:
        """Range of an axis that shows all of these curves; None where they have no points."""
        bounds = [self._bounds(curve.values) for curve in curves]
        bounds = [pair for pair in bounds if np.isfinite(pair).all()]
        if not bounds:
            return None
        low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
        spare = 0.06 * (high - low) or 0.06 * abs(high) or 0.1
        return low - spare, high + spare

    def _make_right_view(self) -> None:
        """Create the view of the right axis, which lies over the main view."""
        item = self.plot.getPlotItem()
        item.hideAxis("right")
        item.scene().addItem(self._right_view)
        item.getAxis("right").linkToView(self._right_view)
        self._right_view.setXLink(item.getViewBox())
        item.getViewBox().sigResized.connect(self._align_right_view)

    def _align_right_view(self) -> None:
        main = self.plot.getPlotItem().getViewBox()
        self._right_view.setGeometry(main.sceneBoundingRect())
        self._right_view.linkedViewChanged(main, pg.ViewBox.XAxis)

    def _view_of(self, line: _Line) -> Any:
        return self._right_view if line.on_right else self.plot

    def _bounds(self, values: Numbers) -> tuple[float, float]:
        """Minimum and maximum on the axis; outliers among the first values are ignored."""
        seen = self._drawable(values)
        low, high = (float(np.nanmin(seen)), float(np.nanmax(seen))) if seen.size else (0.0, 0.0)
        return (math.log10(low), math.log10(high)) if self.log and low > 0 else (low, high)

    def _draw(self) -> None:
        (low, high), _ = self.plot.getPlotItem().getViewBox().viewRange()
        columns = max(100, self.plot.width())
        for line in self._lines.values():
            line.main.setVisible(line.box.isChecked())
            line.raw.setVisible(line.box.isChecked() and self.span > 1)
        for line, curve in self._shown():
            steps, values = reduced(curve.steps, curve.values, low, high, columns)
            if self.span > 1:
                line.raw.setData(steps, self._drawable(values))
                mean = smoothed(curve.values, self.span)
                steps, values = reduced(curve.steps, mean, low, high, columns)
            dots = "o" if len(curve) <= _FEW else None
            line.main.setData(steps, self._drawable(values), symbol=dots)

    def _drawable(self, values: Numbers) -> Numbers:
        # A logarithmic axis cannot show zero.
        return np.where(values > 0, values, np.nan) if self.log and (values <= 0).any() else values

    def _zoomed(self) -> None:
        """Handle a change of the view's range, by the program or by the user."""
        if not self._moving:
            self._follows = False
            self._draw()

    # --- the pointer -----------------------------------------------------------------------

    def show_crosshair(self, step: float | None) -> None:
        """Show the crosshair and all values at a step; None hides them."""
        there = step is not None and any(len(self.curves[name]) for name in self._names())
        self._cross.setVisible(there)
        self._words.setVisible(there)
        if step is None or not there:
            return
        self._cross.setValue(step)
        self._words.setHtml(self._reading(step))
        view = self.plot.getPlotItem().getViewBox()
        place = view.mapFromView(QPointF(step, 0)).x()
        room = self._words.boundingRect().width() + 12
        left = place - room if place + room > view.width() else place + 8
        self._words.setPos(max(0.0, left), 4)

    def readings(self, step: float) -> dict[str, float]:
        """Values of the visible curves at the points nearest to ``step``."""
        found = {n: self.curves[n].at(step) for n in self._names() if self.shows(n)}
        return {name: value for name, value in found.items() if value is not None}

    def _reading(self, step: float) -> str:
        now = theme.colours()
        lines = [self.tr("Step {0}").format(count(round(step)))]
        for name, value in self.readings(step).items():
            colour = self._colour(self._lines[name].number).name()
            text = html.escape(f"{curve_title(name)}  {short(value)}")
            lines.append(f'<span style="color:{colour}">{text}</span>')
        body = "<br>".join(lines)
        return f'<div style="background:{now.raised};color:{now.text}">{body}</div>'

    def _moved(self, place: QPointF) -> None:
        view = self.plot.getPlotItem().getViewBox()
        inside = view.sceneBoundingRect().contains(place)
        self.step_hovered.emit(view.mapSceneToView(place).x() if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the values."""
        super().leaveEvent(event)
        self.step_hovered.emit(None)

    # --- colours ---------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the points added while the chart was hidden."""
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colours of the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_flow"):
            self._apply_theme()

    def _apply_theme(self) -> None:
        now = theme.colours()
        self.plot.setBackground(QColor(now.surface))
        item = self.plot.getPlotItem()
        for side, text in self._scales.items():
            axis = item.getAxis(side)
            axis.setPen(QColor(now.border))
            axis.setTextPen(QColor(now.text))
            if text:
                axis.setLabel(text, color=now.text)
        item.getAxis("left").setWidth(64 if self._scales["left"] else 52)
        item.getAxis("right").setWidth(64)
        self._cross.setPen(pg.mkPen(now.muted, width=1, style=Qt.PenStyle.DashLine))
        self._best.setPen(pg.mkPen(now.accent, width=1, style=Qt.PenStyle.DotLine))
        for line in self._lines.values():
            self._paint_line(line)
        self._paint_right_axis()

    def _paint_right_axis(self) -> None:
        """Give the right axis of a single curve the colour of that curve."""
        shown = [line.number for line, _ in self._shown() if line.on_right]
        colour = self._colour(shown[0]) if len(shown) == 1 else QColor(theme.colours().text)
        axis = self.plot.getPlotItem().getAxis("right")
        axis.setTextPen(colour)
        if self._scales["right"]:
            axis.setLabel(self._scales["right"], color=colour.name())

    def _colour(self, number: int) -> QColor:
        colours = _ON_DARK if theme.is_dark() else _ON_LIGHT
        return QColor(colours[number % len(colours)])

    def _paint_line(self, line: _Line) -> None:
        colour = self._colour(line.number)
        faint = QColor(colour)
        faint.setAlpha(_FAINT)
        pen = pg.mkPen(colour, width=_LINE, dash=_DASHES if line.on_right else None)
        line.main.setPen(pen)
        line.main.setSymbolBrush(colour)
        line.main.setSymbolPen(None)
        line.main.setSymbolSize(5)
        line.raw.setPen(pg.mkPen(faint, width=1))
        swatch = QPixmap(14, 4)
        swatch.fill(Qt.GlobalColor.transparent)
        with QPainter(swatch) as painter:
            for begin, width in ((0, 6), (8, 6)) if line.on_right else ((0, 14),):
                painter.fillRect(begin, 0, width, 4, colour)
        line.box.setIcon(QIcon(swatch))
