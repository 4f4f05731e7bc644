"""The table of groups: the means of every method over the pairs of each group, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QFont

from app.evaluate.metric_words import describe
from app.evaluate.tasks import Analysis
from app.i18n.numbers import localised, number
from app.i18n.translate import translate
from app.widgets.plain_table import ModelIndex

if TYPE_CHECKING:
    from core.evaluation.groups import GroupCell, GroupRow, GroupSummary
    from core.evaluation.result import QuotedMeans

GROUP, METHOD, PAIRS = 0, 1, 2
_NO_PARENT = QModelIndex()


@dataclass(frozen=True)
class _Row:
    """A method in a group: scored here, or quoted."""

    found: GroupSummary
    scored: GroupRow | None = None
    quoted: QuotedMeans | None = None


class GroupModel(QAbstractTableModel):
    """A row per group and method: all pairs first, means measured elsewhere last in each group."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_Row] = []
        self._metrics: tuple[str, ...] = ()

    def show_analysis(self, analysis: Analysis | None) -> None:
        """Show other scores; None for none."""
        self.beginResetModel()
        self._rows = []
        self._metrics = analysis.result.metrics if analysis is not None else ()
        if analysis is not None and analysis.groups:
            from core.evaluation.set_scores import quoted_for

            for found in analysis.groups:
                self._rows += [_Row(found, row) for row in found.rows]
                quoted = quoted_for(analysis.result, found.group)
                self._rows += [_Row(found, None, one) for one in quoted]
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of groups times methods, and means measured elsewhere."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Group, method, pairs, metrics."""
        return 3 + len(self._metrics)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles, and what the metrics mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        metric = self._metrics[section - 3] if section > PAIRS else ""
        if role == Qt.ItemDataRole.DisplayRole:
            if metric:
                from core.evaluation.tables import arrow_of, heading_of

                return f"{heading_of(metric)} {arrow_of(metric)}"
            return (self.tr("Group"), self.tr("Method"), self.tr("Pairs"))[section]
        if role == Qt.ItemDataRole.ToolTipRole and metric:
            return describe(metric)
        if role == Qt.ItemDataRole.TextAlignmentRole and section >= PAIRS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, marks of the best, and where quoted means are from."""
        row, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole and column >= PAIRS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.DisplayRole and column == GROUP:
            return row.found.group or self.tr("All pairs")
        if row.scored is not None:
            return self._method_data(row.found, row.scored, column, role)
        return None if row.quoted is None else self._quoted_data(row.quoted, column, role)

    def _method_data(self, found: GroupSummary, row: GroupRow, column: int, role: int) -> object:
        if column <= PAIRS:
            texts = {METHOD: row.method.name, PAIRS: number(found.pairs, ",")}
            return texts.get(column) if role == Qt.ItemDataRole.DisplayRole else None
        cell = row.cells[self._metrics[column - 3]]
        if role == Qt.ItemDataRole.DisplayRole:
            return localised(cell.text) + self._interval(cell)
        if role == Qt.ItemDataRole.FontRole and cell.mark:
            font = QFont()
            font.setBold(cell.mark == "best")
            font.setUnderline(cell.mark == "second")
            return font
        if role == Qt.ItemDataRole.ToolTipRole and cell.pairs < found.pairs:
            words = self.tr("Over {0} of {1} pairs: it is not defined on the others.")
            return words.format(number(cell.pairs, ","), number(found.pairs, ","))
        return None

    def _interval(self, cell: GroupCell) -> str:
        from core.evaluation.tables import format_value

        if isnan(cell.low):
            return ""
        low, high = (localised(format_value(value)) for value in (cell.low, cell.high))
        return self.tr(" ({0} to {1})").format(low, high)

    def _quoted_data(self, quoted: QuotedMeans, column: int, role: int) -> object:
        from core.evaluation.set_scores import quoted_name, quoted_text

        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setItalic(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return quoted.source
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if column == METHOD:
            return translate(quoted_name(quoted))
        return "–" if column == PAIRS else localised(quoted_text(quoted, self._metrics[column - 3]))
