"""Scores of the results of a pair: a row per method, a column per metric that explains itself."""

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
"""Pixels of a metric, and most pixels of the name of a method."""


@dataclass(frozen=True)
class MetricLine:
    """One metric: name, title, which way is better, one line for someone new to it."""

    name: str
    title: str
    higher: bool
    explanation: str


@dataclass(frozen=True, eq=False)
class MetricRow:
    """The scores of one result; those not there yet are missing."""

    key: str
    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    stale: bool = False


class MetricsTab(QWidget):
    """A table: one row per result, one column per metric. The best of a column is bold.

    The names of the methods stay in sight however far the scores are scrolled.
    """

    needed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.table = QTableWidget()
        # Tab goes on to the next control, not from cell to cell.
        self.table.setTabKeyNavigation(False)
        self.table.setAccessibleName(self.tr("Metrics of the results of this pair"))
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setHorizontalScrollMode(QTableWidget.ScrollMode.ScrollPerPixel)
        self._dress_headers()
        self.table.currentCellChanged.connect(lambda _row, column, *_: self._explain(column))
        self.table.horizontalHeader().sectionClicked.connect(self._explain)
        self.explanation = QLabel()
        self.explanation.setWordWrap(True)
        self._lines: Sequence[MetricLine] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.explanation)
        self.show_metrics((), ())

    def _dress_headers(self) -> None:
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
        """Now somebody looks."""
        super().showEvent(event)
        self.needed.emit()

    def show_metrics(self, lines: Sequence[MetricLine], rows: Sequence[MetricRow]) -> None:
        """Show scores; both empty where there is no result."""
        self._lines = lines
        self.table.setVisible(bool(rows))
        self.note.setText(
            self.tr("Compared with both sources. No single score says a fused picture is good.")
            if rows
            else self.tr("Fuse a pair to see its scores here.")
        )
        self.table.setRowCount(len(rows))
        self.table.setColumnCount(len(lines))
        for place, row in enumerate(rows):
            title = self.tr("{0} (stale)").format(row.title) if row.stale else row.title
            head = QTableWidgetItem(title)
            head.setToolTip(title)
            self.table.setVerticalHeaderItem(place, head)
        for column, line in enumerate(lines):
            self._fill(column, line, rows)
        self._explain(self.table.currentColumn())

    def _better(self, line: MetricLine) -> str:
        return self.tr("higher is better") if line.higher else self.tr("lower is better")

    def _fill(self, column: int, line: MetricLine, rows: Sequence[MetricRow]) -> None:
        arrow = "↑" if line.higher else "↓"
        room, end = _COLUMN - 12, Qt.TextElideMode.ElideRight
        title = self.fontMetrics().elidedText(line.title, end, room)
        head = QTableWidgetItem(f"{line.name.replace('_', '-')} {arrow}\n{title}")
        tip = f"{line.name}: {line.title} ({self._better(line)}). {line.explanation}"
        head.setToolTip(tip)
        self.table.setHorizontalHeaderItem(column, head)
        present = [row.values[line.name] for row in rows if line.name in row.values]
        best = (max if line.higher else min)(present) if len(present) > 1 else None
        for place, row in enumerate(rows):
            value = row.values.get(line.name)
            item = QTableWidgetItem("…" if value is None else number(value, ".4g"))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            is_best = value is not None and value == best
            said = self.tr("{0}: the best of these").format(row.title) if is_best else row.title
            item.setToolTip(f"{said}\n{tip}")
            font = item.font()
            font.setBold(is_best)
            item.setFont(font)
            self.table.setItem(place, column, item)

    def _explain(self, column: int) -> None:
        if 0 <= column < len(self._lines) and self.table.rowCount():
            line = self._lines[column]
            self.explanation.setText(f"{line.title} ({self._better(line)}): {line.explanation}")
        else:
            hint = self.tr("Choose a column to read what it means.")
            self.explanation.setText(hint if self.table.rowCount() else "")

    def value(self, name: str, result: int = 1) -> str:
        """What the table says of a metric of the ``result``-th result, counted from 1."""
        column = next((k for k, line in enumerate(self._lines) if line.name == name), -1)
        item = self.table.item(result - 1, column)
        return item.text() if item is not None else ""
