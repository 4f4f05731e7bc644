"""Charts of the scores: distribution per method, two metrics against each other, lines per pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.evaluate.metric_words import describe
from app.widgets import theme
from app.widgets.chart_axes import ValueAxis
from app.widgets.elided_label import ElidedComboBox
from core.evaluation.result import EvaluationResult

_ON_LIGHT = ("#1d6fc0", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#475569", "#be185d", "#a16207")
_ON_DARK = ("#5aa9f0", "#f59e5b", "#5fd08a", "#c084fc", "#f87171", "#a8b3c2", "#f472b6", "#e6c35c")
_HALF = 0.3
"""Half the width of a box or violin; methods are 1 apart."""
_BINS = 128
_FENCE = 1.5
"""_Values farther from the quartiles than this times their distance are outliers."""

_Values = npt.NDArray[np.float64]


def outliers(values: _Values) -> npt.NDArray[np.bool_]:
    """Which values lie beyond Tukey's fences; NaN does not."""
    defined = values[~np.isnan(values)]
    if not defined.size:
        return np.zeros(values.shape, dtype=bool)
    low, high = np.percentile(defined, (25, 75))
    reach = _FENCE * (high - low)
    found: npt.NDArray[np.bool_] = (values < low - reach) | (values > high + reach)
    return found


class ScoreCharts(QWidget):
    """One chart at a time of one or two metrics; a click on a point opens its pair."""

    pair_clicked = Signal(str)
    """Name of a pair."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: EvaluationResult | None = None
        self.kind = QComboBox()
        self.kind.setAccessibleName(self.tr("Chart"))
        for name, title in (
            ("box", self.tr("Box plot")),
            ("violin", self.tr("Violin plot")),
            ("scatter", self.tr("Two metrics")),
            ("lines", self.tr("Lines over the pairs")),
        ):
            self.kind.addItem(title, name)
        self.first, self.second = ElidedComboBox(8), ElidedComboBox(8)
        self.first.setAccessibleName(self.tr("Metric"))
        self.second.setAccessibleName(self.tr("Second metric"))
        self.hint = QLabel(self.tr("Diamond: mean. Line: median. Click a point to open its pair."))
        self.hint.setObjectName("hint")
        axes = {side: ValueAxis(side) for side in ("left", "bottom")}
        self.plot = pg.PlotWidget(axisItems=axes)
        self.plot.setAccessibleName(self.tr("Chart of the scores"))
        self.plot.setMinimumSize(200, 140)
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        self.legend = item.addLegend(offset=(-8, 8))
        row = QHBoxLayout()
        row.setSpacing(6)
        for box in (self.kind, self.first, self.second):
            row.addWidget(box)
            box.activated.connect(self._draw)
        row.addWidget(self.hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.plot, 1)
        self._draw()

    def show_result(self, result: EvaluationResult | None) -> None:
        """Draw other scores; the chosen metrics stay where they are there."""
        from core.evaluation.tables import heading_of

        self._result = result
        names = result.metrics if result is not None else ()
        for place, box in enumerate((self.first, self.second)):
            chosen = box.currentData()
            with QSignalBlocker(box):
                box.clear()
                for name in names:
                    box.addItem(heading_of(name), name)
                    box.setItemData(box.count() - 1, describe(name), Qt.ItemDataRole.ToolTipRole)
                there = box.findData(chosen)
                box.setCurrentIndex(there if there >= 0 else min(place, len(names) - 1))
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Draw in the colours of the appearance."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    # --- drawing ---------------------------------------------------------------------------

    def _draw(self) -> None:
        kind = self.kind.currentData()
        self.second.setVisible(kind == "scatter")
        now = theme.colours()
        self.plot.setBackground(QColor(now.surface))
        self.plot.clear()
        self.legend.clear()
        item = self.plot.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setTextPen(QColor(now.text))
            axis.setPen(QColor(now.muted))
            axis.setTicks(None)
        item.showGrid(x=kind == "scatter", y=True, alpha=0.15)
        result, metric = self._result, self.first.currentData()
        if result is None or not metric or not result.common():
            return
        values = result.values(metric)
        item.setLabel("left", _label(metric), color=now.text)
        item.setLabel("bottom", "", color=now.text)
        self.legend.setVisible(kind in ("scatter", "lines"))
        self.legend.setLabelTextColor(QColor(now.text))
        behind = QColor(now.surface)
        behind.setAlpha(210)
        self.legend.setBrush(pg.mkBrush(behind))
        if kind == "scatter":
            item.setLabel("left", _label(self.second.currentData()), color=now.text)
            item.setLabel("bottom", _label(metric), color=now.text)
            self._scatter(result, values, result.values(self.second.currentData()))
        elif kind == "lines":
            self._lines(result, values)
        else:
            self._distributions(result, values, violin=kind == "violin")
        item.autoRange()

    def _names(self, result: EvaluationResult) -> list[str]:
        return [scores.method.name for scores in result.methods]

    def _colour(self, place: int) -> QColor:
        colours = _ON_DARK if theme.is_dark() else _ON_LIGHT
        return QColor(colours[place % len(colours)])

    def _points(self, x: _Values, y: _Values, places: Any, colour: QColor, name: str = "") -> None:
        """Points that open their pair; ``places`` are numbers of common pairs."""
        faint = QColor(colour)
        faint.setAlpha(170)
        points = pg.ScatterPlotItem(
            x=x, y=y, data=list(places), size=7, pen=None, brush=pg.mkBrush(faint), hoverable=True,
            name=name or None, tip=lambda x, y, data: self._pair(data),
        )  # fmt: skip
        points.sigClicked.connect(self._clicked)
        self.plot.addItem(points)

    def _pair(self, place: int) -> str:
        names = self._result.common() if self._result is not None else ()
        return names[place] if place < len(names) else ""

    def _clicked(self, _plot: object, points: Any, *_event: object) -> None:
        if len(points):
            self.pair_clicked.emit(self._pair(points[0].data()))

    def _scatter(self, result: EvaluationResult, x: _Values, y: _Values) -> None:
        for row, name in enumerate(self._names(result)):
            there = ~(np.isnan(x[row]) | np.isnan(y[row]))
            places = np.flatnonzero(there).tolist()
            self._points(x[row][there], y[row][there], places, self._colour(row), name)

    def _lines(self, result: EvaluationResult, values: _Values) -> None:
        for row, name in enumerate(self._names(result)):
            there = np.flatnonzero(~np.isnan(values[row]))
            pen = pg.mkPen(self._colour(row), width=1.5)
            numbers = there.astype(np.float64) + 1.0
            self.plot.plot(numbers, values[row][there], pen=pen, name=name, antialias=True)
            self._points(numbers, values[row][there], there.tolist(), self._colour(row))
        item, colour = self.plot.getPlotItem(), theme.colours().text
        item.setLabel("bottom", self.tr("Number of the pair"), color=colour)

    def _distributions(self, result: EvaluationResult, values: _Values, *, violin: bool) -> None:
        ticks = list(enumerate(self._names(result)))
        self.plot.getPlotItem().getAxis("bottom").setTicks([ticks])
        for row, _name in ticks:
            defined = values[row][~np.isnan(values[row])]
            if not defined.size:
                continue
            self._outline(row, defined, violin=violin)
            far = np.flatnonzero(outliers(values[row]))
            self._points(
                np.full(far.size, float(row)), values[row][far], far.tolist(), self._colour(row)
            )

    def _outline(self, row: int, defined: _Values, *, violin: bool) -> None:
        """A box with whiskers, or a violin; with median and mean."""
        colour = self._colour(row)
        pen, fill = pg.mkPen(colour, width=1.5), QColor(colour)
        fill.setAlpha(70)
        low, median, high = np.percentile(defined, (25, 50, 75))
        if violin:
            heights, shares = _density(defined)
            sides = (row - _HALF * shares, row + _HALF * shares)
            left, right = (pg.PlotCurveItem(x, heights) for x in sides)
            self.plot.addItem(pg.FillBetweenItem(left, right, brush=fill))
            around = np.concatenate([sides[0], sides[1][::-1], sides[0][:1]])
            up = np.concatenate([heights, heights[::-1], heights[:1]])
            self.plot.addItem(pg.PlotCurveItem(around, up, pen=pen, antialias=True))
        else:
            inside = defined[~outliers(defined)]
            ends = (inside.min(), inside.max()) if inside.size else (low, high)
            self.plot.addItem(
                pg.BarGraphItem(
                    x0=[row - _HALF],
                    width=[2 * _HALF],
                    y0=[low],
                    height=[high - low],
                    pen=pen,
                    brush=fill,
                )
            )
            for start, end in ((ends[0], low), (high, ends[1])):
                self.plot.addItem(pg.PlotCurveItem([row, row], [start, end], pen=pen))
        across = [row - _HALF, row + _HALF]
        line = pg.mkPen(QColor(theme.colours().text), width=2)
        self.plot.addItem(pg.PlotCurveItem(across, [median, median], pen=line))
        mean = pg.ScatterPlotItem(
            x=[row], y=[defined.mean()], symbol="d", size=11, brush=QColor(theme.colours().text),
            pen=None,
        )  # fmt: skip
        self.plot.addItem(mean)


def _label(metric: str) -> str:
    """A metric with its better direction, for an axis."""
    from core.evaluation.tables import arrow_of, heading_of

    return f"{heading_of(metric)} {arrow_of(metric)}"


def _density(values: _Values) -> tuple[_Values, _Values]:
    """Values from the least to the greatest, and the density at each, 1 at most.

    Kernel density estimate by a Gaussian kernel of Silverman's width (1986), over bins.
    """
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.array([low, high]), np.ones(2)
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    quarters = np.subtract(*np.percentile(values, (75, 25))) / 1.34
    spread = min(values.std(), quarters) or values.std()
    width = max(0.9 * spread * values.size**-0.2, (high - low) / _BINS)
    offsets = np.arange(-_BINS, _BINS + 1) * (high - low) / _BINS
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    smooth = np.convolve(counts, kernel)[_BINS : 2 * _BINS]
    middles = (edges[1:] + edges[:-1]) / 2
    return middles, smooth / smooth.max()
