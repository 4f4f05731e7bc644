"""Figures of the results of a pair, side by side, each with a line that explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.numbers import number


@dataclass(frozen=True)
class MetricLine:
    """One metric: name, title, which way is better, one line for someone new to it."""

    name: str
    title: str
    higher: bool
    explanation: str


@dataclass(frozen=True, eq=False)
class MetricColumn:
    """The figures of one result; those not there yet are missing."""

    key: str
    title: str
    values: Mapping[str, float] = field(default_factory=dict)
    stale: bool = False


class MetricsTab(QWidget):
    """A table: one line per metric, one column per result. The best of a line is bold."""

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
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)  # Tab goes on to the next control
        self.table.verticalHeader().hide()
        self.table.setWordWrap(True)
        header = self.table.horizontalHeader()
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.currentCellChanged.connect(lambda row, *_: self._explain(row))
        self.explanation = QLabel()
        self.explanation.setWordWrap(True)
        self._lines: Sequence[MetricLine] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.explanation)
        self.show_metrics((), ())

    def showEvent(self, event: QShowEvent) -> None:
        """Now somebody looks."""
        super().showEvent(event)
        self.needed.emit()

    def show_metrics(self, lines: Sequence[MetricLine], columns: Sequence[MetricColumn]) -> None:
        """Show figures; both empty where there is no result."""
        self._lines = lines
        self.table.setVisible(bool(columns))
        self.note.setText(
            self.tr("Compared with both sources. No single figure says a fused picture is good.")
            if columns
            else self.tr("Fuse a pair to see its figures here.")
        )
        self.table.setRowCount(len(lines))
        self.table.setColumnCount(1 + len(columns))
        self.table.setHorizontalHeaderLabels([self.tr("Metric"), *(c.title for c in columns)])
        for index, column in enumerate(columns, 1):
            head = self.table.horizontalHeaderItem(index)
            assert head is not None  # labelled just now
            head.setToolTip(column.title)
        for row, line in enumerate(lines):
            self._fill(row, line, columns)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._explain(self.table.currentRow())

    def _fill(self, row: int, line: MetricLine, columns: Sequence[MetricColumn]) -> None:
        arrow = "↑" if line.higher else "↓"
        name = QTableWidgetItem(f"{line.name} {arrow}")
        better = self.tr("higher is better") if line.higher else self.tr("lower is better")
        tip = f"{line.title} ({better}). {line.explanation}"
        name.setToolTip(tip)
        self.table.setItem(row, 0, name)
        present = [c.values[line.name] for c in columns if line.name in c.values]
        best = (max if line.higher else min)(present) if len(present) > 1 else None
        for index, column in enumerate(columns, 1):
            value = column.values.get(line.name)
            item = QTableWidgetItem("…" if value is None else number(value, ".4g"))
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(tip)
            font = item.font()
            font.setBold(value is not None and value == best)
            item.setFont(font)
            self.table.setItem(row, index, item)

    def _explain(self, row: int) -> None:
        if 0 <= row < len(self._lines):
            line = self._lines[row]
            better = self.tr("higher is better") if line.higher else self.tr("lower is better")
            self.explanation.setText(f"{line.title} ({better}): {line.explanation}")
        else:
            hint = self.tr("Choose a line to read what it means.")
            self.explanation.setText(hint if self._lines else "")

    def value(self, name: str, column: int = 1) -> str:
        """What the table says."""
        row = next((k for k, line in enumerate(self._lines) if line.name == name), -1)
        item = self.table.item(row, column)
        return item.text() if item is not None else ""
