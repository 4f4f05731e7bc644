"""The table of metrics: a row per result, a column per metric, with explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf, isnan

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.fuse.measuring import MetricColumn
from app.i18n.numbers import number

_NARROW, _WIDE = 54, 150
"""Least and greatest room for the title of a metric, which has two lines, in pixels."""

_WHOLE = 2
"""Columns that are to be seen whole; where they are not, heads are the short names alone."""

_METHODS = (88, 200)
"""Least and greatest room for the names of the methods, in pixels; two fifths of the table."""

_MARGIN = 12
_UNDEFINED = "–"


@dataclass(frozen=True, eq=False)
class MetricRow:
    """The values of one result, by metric; NaN where undefined, missing while being computed."""

    key: str
    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    stale: bool = False


class MetricsTab(QWidget):
    """A table with one row per result and one column per metric.

    The best value of a metric is bold, the second best of three or more is underlined. Values that
    look equal share a place. A metric that is not defined on the pictures has "–".
    The names of the methods stay visible when the table is scrolled horizontally.
    """

    became_visible = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.table = QTableWidget()
        # Tab moves to the next control, not to the next cell.
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(self.tr("Metrics of the results of this pair"))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setHorizontalScrollMode(QTableWidget.ScrollMode.ScrollPerPixel)
        self._style_headers()
        self.table.currentCellChanged.connect(lambda _row, column, *_: self._explain(column))
        self.table.horizontalHeader().sectionClicked.connect(self._explain)
        self.explanation = QLabel()
        self.explanation.setWordWrap(True)
        self._columns: Sequence[MetricColumn] = ()
        self._rows: Sequence[MetricRow] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.explanation)
        self.show_metrics((), ())

    def _style_headers(self) -> None:
        metrics, methods = self.table.horizontalHeader(), self.table.verticalHeader()
        metrics.setHighlightSections(False)
        metrics.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        methods.setHighlightSections(False)
        methods.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        methods.setDefaultSectionSize(2 * self.fontMetrics().lineSpacing() + 6)

    def showEvent(self, event: QShowEvent) -> None:
        """Emit ``became_visible``."""
        super().showEvent(event)
        self.became_visible.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the names of the methods their share of the width, and the titles what is left."""
        super().resizeEvent(event)
        self._name_methods()
        self._name_metrics()

    def show_metrics(self, columns: Sequence[MetricColumn], rows: Sequence[MetricRow]) -> None:
        """Show values; both arguments are empty if there is no result."""
        self._columns, self._rows = columns, rows
        self.table.setVisible(bool(rows))
        self.note.setText(
            self.tr("Compared with both sources. No single score says a fused picture is good.")
            if rows
            else self.tr("Fuse a pair to see its scores here.")
        )
        self.table.setRowCount(len(rows))
        self.table.setColumnCount(len(columns))
        self._name_methods()
        self._name_metrics()
        for column, metric in enumerate(columns):
            self._fill(column, metric, rows)
        self._explain(self.table.currentColumn())

    def _name_methods(self) -> None:
        room = self._room_for_methods()
        self.table.verticalHeader().setMaximumWidth(room)
        for place, row in enumerate(self._rows):
            title = self.tr("{0} (stale)").format(row.title) if row.stale else row.title
            head = QTableWidgetItem(in_two_lines(title, self.fontMetrics(), room - _MARGIN))
            head.setToolTip(title)
            self.table.setVerticalHeaderItem(place, head)

    def _room_for_methods(self) -> int:
        least, most = _METHODS
        return min(most, max(least, self.width() * 2 // 5))

    def _name_metrics(self) -> None:
        """Head the columns: short name and title, or the short name where there is little room."""
        size = self.fontMetrics()
        widths = [width_in_two_lines(metric.title, size) + _MARGIN for metric in self._columns]
        inside = self.table.contentsRect().width() - self._room_for_methods()
        compact = sum(widths[:_WHOLE]) > inside
        for column, metric in enumerate(self._columns):
            name = (
                f"{metric.heading or metric.name.replace('_', '-')} {'↑' if metric.higher else '↓'}"
            )
            room = width_in_two_lines("" if compact else metric.title, size)
            if compact:
                room = max(room, size.horizontalAdvance(name))
            title = "" if compact else f"\n{in_two_lines(metric.title, size, room)}"
            self.table.setColumnWidth(column, room + _MARGIN)
            head = QTableWidgetItem(f"{name}{title}")
            head.setToolTip(self._tip(metric))
            self.table.setHorizontalHeaderItem(column, head)

    def _tip(self, metric: MetricColumn) -> str:
        tip = f"{metric.name}: {metric.title} ({self._better(metric)}). {metric.explanation}"
        return "\n".join(filter(None, (tip, self._facts(metric))))

    def _better(self, metric: MetricColumn) -> str:
        return self.tr("higher is better") if metric.higher else self.tr("lower is better")

    def _facts(self, metric: MetricColumn) -> str:
        """Range and definition, as one sentence."""
        low, high = (number(end, ".4g") for end in metric.bounds)
        if isinf(metric.bounds[0]):
            between = ""
        elif isinf(metric.bounds[1]):
            between = self.tr("{0} or more").format(low)
        else:
            between = self.tr("{0} to {1}").format(low, high)
        return "; ".join(filter(None, (between, metric.definition)))

    def _fill(self, column: int, metric: MetricColumn, rows: Sequence[MetricRow]) -> None:
        tip = self._tip(metric)
        texts = [_text(row.values.get(metric.name)) for row in rows]
        places = _places(metric, rows)
        for place, (row, text) in enumerate(zip(rows, texts, strict=True)):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label = row.title
            if places[place] == 1:
                label = self.tr("{0}: the best of these").format(row.title)
            elif places[place] == 2:
                label = self.tr("{0}: the second best of these").format(row.title)
            why = metric.undefined_when if text == _UNDEFINED else ""
            item.setToolTip("\n".join(filter(None, (label, why, tip))))
            font = item.font()
            font.setBold(places[place] == 1)
            font.setUnderline(places[place] == 2)
            item.setFont(font)
            self.table.setItem(place, column, item)

    def _explain(self, column: int) -> None:
        if 0 <= column < len(self._columns) and self.table.rowCount():
            metric = self._columns[column]
            text = f"{metric.title} ({self._better(metric)}): {metric.explanation}"
            self.explanation.setText("\n".join(filter(None, (text, self._facts(metric)))))
        else:
            hint = self.tr("Choose a column to read what it means.")
            self.explanation.setText(hint if self.table.rowCount() else "")

    def value(self, name: str, result: int = 1) -> str:
        """The text of a metric for the ``result``-th result, counted from 1."""
        column = next((k for k, metric in enumerate(self._columns) if metric.name == name), -1)
        item = self.table.item(result - 1, column)
        return item.text() if item is not None else ""


def _text(value: float | None) -> str:
    if value is None:
        return "…"
    return _UNDEFINED if isnan(value) else number(value, ".4g")


def _places(metric: MetricColumn, rows: Sequence[MetricRow]) -> list[int]:
    """1 for the best value of several, 2 for the second best of three or more, otherwise 0."""
    values = [row.values.get(metric.name) for row in rows]
    seen = [None if value is None or isnan(value) else float(f"{value:.4g}") for value in values]
    defined = [value for value in seen if value is not None]
    marked = 2 if len(defined) > 2 else 1 if len(defined) > 1 else 0
    ranked = sorted(set(defined), reverse=metric.higher)[:marked]
    return [0 if value not in ranked else ranked.index(value) + 1 for value in seen]


def in_two_lines(text: str, metrics: QFontMetrics, room: int) -> str:
    """``text`` broken between words where it is wider than ``room`` pixels; the rest is elided."""
    words = text.split(" ")
    count = len(words)
    while count > 1 and metrics.horizontalAdvance(" ".join(words[:count])) > room:
        count -= 1
    lines = (" ".join(words[:count]), " ".join(words[count:]))
    end = Qt.TextElideMode.ElideRight
    return "\n".join(metrics.elidedText(line, end, room) for line in lines if line)


def width_in_two_lines(text: str, metrics: QFontMetrics) -> int:
    """Pixels that ``text`` takes in two lines, within the limits of a column."""
    words = text.split(" ")
    widths = (
        max(metrics.horizontalAdvance(" ".join(part)) for part in (words[:k], words[k:]))
        for k in range(1, len(words) + 1)
    )
    return max(_NARROW, min(_WIDE, min(widths) + 2))
