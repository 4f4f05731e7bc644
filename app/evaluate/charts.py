"""Charts of the scores: distribution per method, two metrics against each other, lines per pair.

They show the values that the means of the table are over. Hollow diamonds are single numbers: means
that were measured elsewhere, and scores of whole sets.
"""

from __future__ import annotations

from html import escape
from math import isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.evaluate.metric_words import describe
from app.i18n.translate import translate
from app.widgets import theme
from app.widgets.chart_axes import ValueAxis
from app.widgets.elided_label import ElidedComboBox, ElidedLabel
from core.evaluation.result import EvaluationResult
from core.metrics import mean_defined
from core.printable import one_line

_ON_LIGHT = ("#1d6fc0", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#475569", "#be185d", "#a16207")
_ON_DARK = ("#5aa9f0", "#f59e5b", "#5fd08a", "#c084fc", "#f87171", "#a8b3c2", "#f472b6", "#e6c35c")
_HALF = 0.3
"""Half the width of a box or violin; methods are 1 apart."""
_ROOM = 0.6
"""Room beside the first and the last method, for their names below the chart."""
_TICKS = 12
"""Height of the ticks of an axis with their distance from the names, in pixels."""
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
        self._whole: EvaluationResult | None = None
        self._result: EvaluationResult | None = None
        """What is drawn: the chosen group of :attr:`_whole`."""
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
        self.group = ElidedComboBox(8)
        self.group.setAccessibleName(self.tr("Group"))
        self.hint = ElidedLabel(
            self.tr("Diamond: mean. Line: median. Click a point to open its pair.")
        )
        self.hint.setObjectName("hint")
        axes = {side: ValueAxis(side) for side in ("left", "bottom")}
        self.plot = pg.PlotWidget(axisItems=axes)
        self.plot.setAccessibleName(self.tr("Chart of the scores"))
        self.plot.setMinimumSize(200, 140)
        item = self.plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        # Below the chart, where it covers no point.
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.legend.setAccessibleName(self.tr("Legend"))
        self._entries: list[str] = []
        row = QHBoxLayout()
        row.setSpacing(6)
        for box in (self.kind, self.first, self.second, self.group):
            row.addWidget(box)
            box.activated.connect(self._draw)
        row.addWidget(self.hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.legend)
        self._draw()

    def show_result(self, result: EvaluationResult | None) -> None:
        """Draw other scores; the chosen metrics and group stay where they are there."""
        from core.evaluation.groups import group_names
        from core.evaluation.tables import heading_of

        self._whole = result
        names: list[str] = []
        groups: list[str] = []
        if result is not None:
            names = [*result.metrics, *(column.metric for column in result.set_columns)]
            groups = group_names(result)
        for place, box in enumerate((self.first, self.second)):
            chosen = box.currentData()
            with QSignalBlocker(box):
                box.clear()
                for name in names:
                    box.addItem(heading_of(name), name)
                    box.setItemData(box.count() - 1, describe(name), Qt.ItemDataRole.ToolTipRole)
                there = box.findData(chosen)
                box.setCurrentIndex(there if there >= 0 else min(place, len(names) - 1))
        chosen = self.group.currentData()
        with QSignalBlocker(self.group):
            self.group.clear()
            self.group.addItem(self.tr("All pairs"), "")
            for name in groups:
                self.group.addItem(name, name)
            self.group.setCurrentIndex(max(0, self.group.findData(chosen)))
        self.group.setVisible(bool(groups))
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
        self._entries = []
        item = self.plot.getPlotItem()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setTextPen(QColor(now.text))
            axis.setPen(QColor(now.muted))
            axis.setTicks(None)
        item.getAxis("bottom").setHeight(None)
        item.showGrid(x=kind == "scatter", y=True, alpha=0.15)
        metric = self.first.currentData()
        self._result = self._of_group()
        result = self._result
        if result is not None and metric and result.common():
            item.setLabel("left", _label(metric), color=now.text)
            item.setLabel("bottom", "", color=now.text)
            by_method = kind != "scatter" and (kind != "lines" or metric not in result.metrics)
            if by_method:
                self._distributions(result, metric, violin=kind == "violin")
            elif kind == "scatter":
                self._scatter(result, metric, self.second.currentData())
            else:
                self._lines(result, metric)
            item.autoRange()
            if by_method:
                count = len(result.methods) + len(self._quoted(result, metric))
                item.setXRange(-_ROOM, count - 1 + _ROOM, padding=0)
        self.legend.setText(" &nbsp; ".join(self._entries))
        self.legend.setVisible(bool(self._entries))

    def _of_group(self) -> EvaluationResult | None:
        from core.evaluation.groups import restricted_to

        group = self.group.currentData() or ""
        return None if self._whole is None else restricted_to(self._whole, group)

    def _enter(self, name: str, colour: QColor, sign: str = "●") -> None:
        """Add a line to the legend."""
        text = escape(one_line(name)).replace(" ", "&nbsp;")
        self._entries.append(f'<span style="color:{colour.name()}">{sign}</span>&nbsp;{text}')

    def _quoted(self, result: EvaluationResult, *metrics: str) -> list[tuple[str, list[float]]]:
        """Names and means of the methods that all ``metrics`` were measured of elsewhere."""
        from core.evaluation.set_scores import quoted_for, quoted_name

        rows = quoted_for(result, self.group.currentData() or "")
        return [
            (translate(quoted_name(row)), [row.means[metric] for metric in metrics])
            for row in rows
            if all(metric in row.means for metric in metrics)
        ]

    def _hollow(self, x: float, y: float, colour: QColor) -> None:
        """A single number: measured elsewhere, or of a whole set."""
        pen = pg.mkPen(colour, width=1.5)
        self.plot.addItem(
            pg.ScatterPlotItem(x=[x], y=[y], symbol="d", size=12, brush=None, pen=pen)
        )

    def _names(self, result: EvaluationResult) -> list[str]:
        return [scores.method.name for scores in result.methods]

    def _colour(self, place: int) -> QColor:
        colours = _ON_DARK if theme.is_dark() else _ON_LIGHT
        return QColor(colours[place % len(colours)])

    def _points(self, x: _Values, y: _Values, places: Any, colour: QColor) -> None:
        """Points that open their pair; ``places`` are numbers of common pairs."""
        faint = QColor(colour)
        faint.setAlpha(170)
        points = pg.ScatterPlotItem(
            x=x, y=y, data=list(places), size=7, pen=None, brush=pg.mkBrush(faint), hoverable=True,
            tip=lambda x, y, data: self._pair(data),
        )  # fmt: skip
        points.sigClicked.connect(self._clicked)
        self.plot.addItem(points)

    def _pair(self, place: int) -> str:
        names = self._result.common() if self._result is not None else ()
        return names[place] if place < len(names) else ""

    def _clicked(self, _plot: object, points: Any, *_event: object) -> None:
        if len(points):
            self.pair_clicked.emit(self._pair(points[0].data()))

    def _scatter(self, result: EvaluationResult, metric: str, other: str) -> None:
        colour = theme.colours().text
        item = self.plot.getPlotItem()
        item.setLabel("left", _label(other), color=colour)
        item.setLabel("bottom", _label(metric), color=colour)
        if metric in result.metrics and other in result.metrics:
            x, y = result.compared(metric), result.compared(other)
            for row, name in enumerate(self._names(result)):
                there = ~(np.isnan(x[row]) | np.isnan(y[row]))
                places = np.flatnonzero(there).tolist()
                self._points(x[row][there], y[row][there], places, self._colour(row))
                self._enter(name, self._colour(row))
        else:
            points = zip(_single(result, metric), _single(result, other), strict=True)
            for row, (name, point) in enumerate(zip(self._names(result), points, strict=True)):
                if not any(map(isnan, point)):
                    self._hollow(*point, self._colour(row))
                    self._enter(name, self._colour(row), "◇")
        for place, (name, means) in enumerate(self._quoted(result, metric, other)):
            shade = self._colour(len(result.methods) + place)
            self._hollow(means[0], means[1], shade)
            self._enter(name, shade, "◇")

    def _lines(self, result: EvaluationResult, metric: str) -> None:
        values = result.compared(metric)
        for row, name in enumerate(self._names(result)):
            there = np.flatnonzero(~np.isnan(values[row]))
            pen = pg.mkPen(self._colour(row), width=1.5)
            numbers = there.astype(np.float64) + 1.0
            self.plot.plot(numbers, values[row][there], pen=pen, antialias=True)
            self._points(numbers, values[row][there], there.tolist(), self._colour(row))
            self._enter(name, self._colour(row))
        for place, (name, means) in enumerate(self._quoted(result, metric)):
            shade = self._colour(len(result.methods) + place)
            pen = pg.mkPen(shade, width=1.5, style=Qt.PenStyle.DashLine)
            self.plot.addItem(pg.InfiniteLine(means[0], angle=0, pen=pen))
            self._enter(name, shade, "- -")
        item, colour = self.plot.getPlotItem(), theme.colours().text
        item.setLabel("bottom", self.tr("Number of the pair"), color=colour)

    def _distributions(self, result: EvaluationResult, metric: str, *, violin: bool) -> None:
        names = self._names(result)
        quoted = self._quoted(result, metric)
        # In two lines, and with room at both ends: else names beside each other are left out.
        below = [name.replace(" (", "\n(") for name, _means in quoted]
        ticks = list(enumerate([*names, *below]))
        axis = self.plot.getPlotItem().getAxis("bottom")
        axis.setTicks([ticks])
        if below:  # the library makes room for one line alone
            axis.setHeight(2 * self.fontMetrics().lineSpacing() + _TICKS)
        if metric not in result.metrics:
            for row, value in enumerate(_single(result, metric)):
                if not isnan(value):
                    self._hollow(float(row), value, self._colour(row))
            return
        values = result.compared(metric)
        for row in range(len(names)):
            defined = values[row][~np.isnan(values[row])]
            if not defined.size:
                continue
            self._outline(row, defined, violin=violin)
            far = np.flatnonzero(outliers(values[row]))
            self._points(
                np.full(far.size, float(row)), values[row][far], far.tolist(), self._colour(row)
            )
        for place, (_name, means) in enumerate(quoted, len(names)):
            self._hollow(float(place), means[0], QColor(theme.colours().text))

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


def _single(result: EvaluationResult, metric: str) -> list[float]:
    """A number per method: the mean of a metric of pairs, or the score of the whole set."""
    for column in result.set_columns:
        if column.metric == metric:
            return [column.values.get(scores.method.name, nan) for scores in result.methods]
    return [mean_defined(row).mean for row in result.compared(metric).tolist()]


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
