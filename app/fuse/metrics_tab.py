"""The table of metrics: a row per result, a column per metric, with explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import number

_COLUMN, _METHOD = 76, 100
"""Width of a metric column, and greatest width of the method names, in pixels."""


@dataclass(frozen=True)
class MetricColumn:
    """One metric: name, title, whether higher is better, and an explanation in one sentence."""

    name: str
    title: str
    higher: bool
    explanation: str


@dataclass(frozen=True, eq=False)
class MetricRow:
    """The values of one result, by metric; those still being computed are missing."""

    key: str
    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    stale: bool = False


class MetricsTab(QWidget):
    """A table with one row per result and one column per metric; the best values are bold.

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.explanation)
        self.show_metrics((), ())

    def _style_headers(self) -> None:
        metrics, methods = self.table.horizontalHeader(), self.table.verticalHeader()
        metrics.setDefaultSectionSize(_COLUMN)
        metrics.setHighlightSections(False)
        metrics.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        methods.setMaximumWidth(_METHOD)
        methods.setHighlightSections(False)
        methods.setTextElideMode(Qt.TextElideMode.ElideRight)
        methods.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        methods.setDefaultSectionSize(26)

    def showEvent(self, event: QShowEvent) -> None:
        """Emit ``became_visible``."""
        super().showEvent(event)
        self.became_visible.emit()

    def show_metrics(self, columns: Sequence[MetricColumn], rows: Sequence[MetricRow]) -> None:
        """Show values; both arguments are empty if there is no result."""
        self._columns = columns
        self.table.setVisible(bool(rows))
        self.note.setText(
            self.tr("Compared with both sources. No single score says a fused picture is good.")
            if rows
            else self.tr("Fuse a pair to see its scores here.")
        )
        self.table.setRowCount(len(rows))
        self.table.setColumnCount(len(columns))
        for place, row in enumerate(rows):
            title = self.tr("{0} (stale)").format(row.title) if row.stale else row.title
            head = QTableWidgetItem(title)
            head.setToolTip(title)
            self.table.setVerticalHeaderItem(place, head)
        for column, metric in enumerate(columns):
            self._fill(column, metric, rows)
        self._explain(self.table.currentColumn())

    def _better(self, metric: MetricColumn) -> str:
        return self.tr("higher is better") if metric.higher else self.tr("lower is better")

    def _fill(self, column: int, metric: MetricColumn, rows: Sequence[MetricRow]) -> None:
        arrow = "↑" if metric.higher else "↓"
        room, end = _COLUMN - 12, Qt.TextElideMode.ElideRight
        title = self.fontMetrics().elidedText(metric.title, end, room)
        head = QTableWidgetItem(f"{metric.name.replace('_', '-')} {arrow}\n{title}")
        tip = f"{metric.name}: {metric.title} ({self._better(metric)}). {metric.explanation}"
        head.setToolTip(tip)
        self.table.setHorizontalHeaderItem(column, head)
        present = [row.values[metric.name] for row in rows if metric.name in row.values]
        best = (max if metric.higher else min)(present) if len(present) > 1 else None
        for place, row in enumerate(rows):
            value = row.values.get(metric.name)
            item = QTableWidgetItem("…" if value is None else number(value, ".4g"))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            is_best = value is not None and value == best
            label = self.tr("{0}: the best of these").format(row.title) if is_best else row.title
            item.setToolTip(f"{label}\n{tip}")
            font = item.font()
            font.setBold(is_best)
            item.setFont(font)
            self.table.setItem(place, column, item)

    def _explain(self, column: int) -> None:
        if 0 <= column < len(self._columns) and self.table.rowCount():
            metric = self._columns[column]
            text = f"{metric.title} ({self._better(metric)}): {metric.explanation}"
            self.explanation.setText(text)
        else:
            hint = self.tr("Choose a column to read what it means.")
            self.explanation.setText(hint if self.table.rowCount() else "")

    def value(self, name: str, result: int = 1) -> str:
        """The text of a metric for the ``result``-th result, counted from 1."""
        column = next((k for k, metric in enumerate(self._columns) if metric.name == name), -1)
        item = self.table.item(result - 1, column)
        return item.text() if item is not None else ""
