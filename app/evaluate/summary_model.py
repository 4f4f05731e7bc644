"""The table of methods: means, rank, significance, parameters, time and memory.

Below the methods are those whose means were measured elsewhere, behind the metrics of pairs the
scores of whole sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QFont

from app.evaluate.metric_words import describe
from app.evaluate.tasks import Analysis
from app.i18n.numbers import localised, number
from app.i18n.translate import plural, translate
from app.widgets.plain_table import ModelIndex

if TYPE_CHECKING:
    from core.evaluation.result import QuotedMeans
    from core.evaluation.statistics import PairedComparison
    from core.evaluation.tables import SummaryCell, SummaryRow

SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
METHOD, RANK = 0, 1
_AFTER = ("parameters", "seconds", "memory", "pairs")
_NO_PARENT = QModelIndex()
SIGNIFICANT = 0.05


class UndefinedLast(QSortFilterProxyModel):
    """Sorts by :data:`SORT_ROLE`; what has no number comes last, in either order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)

    def lessThan(self, source_left: ModelIndex, source_right: ModelIndex) -> bool:
        """Whether the left one comes before the right one in ascending order."""
        left, right = source_left.data(SORT_ROLE), source_right.data(SORT_ROLE)
        if isinstance(left, str):
            return left < str(right)
        if isnan(left) or isnan(right):
            ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
            first, last = (left, right) if ascending else (right, left)
            return isnan(last) and not isnan(first)
        return bool(left < right)


class SummaryModel(QAbstractTableModel):
    """A row per method; a column per metric between the mean rank and the costs."""

    def __init__(self) -> None:
        super().__init__()
        self._analysis: Analysis | None = None
        self._rows: tuple[SummaryRow, ...] = ()
        self._quoted: tuple[QuotedMeans, ...] = ()
        self._metrics: tuple[str, ...] = ()
        """Of pairs, then of sets."""
        self._compared: Mapping[tuple[str, str], PairedComparison] = {}

    def show_analysis(self, analysis: Analysis | None) -> None:
        """Show other scores; None for none."""
        self.beginResetModel()
        self._analysis = analysis
        summary = analysis.summary if analysis is not None else None
        self._rows = summary.rows if summary is not None else ()
        self._metrics = (*summary.metrics, *summary.set_metrics) if summary is not None else ()
        self._quoted = () if analysis is None else _quoted_of(analysis)
        compared = analysis.comparisons if analysis is not None else ()
        self._compared = {(one.method, one.metric): one for one in compared}
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of methods, with those whose means were measured elsewhere."""
        return 0 if parent.isValid() else len(self._rows) + len(self._quoted)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Method, mean rank, metrics, parameters, seconds, memory, pairs."""
        return 0 if not self._rows else 2 + len(self._metrics) + len(_AFTER)

    def metric_at(self, column: int) -> str:
        """Name of the metric of a column; "" for another column."""
        place = column - 2
        return self._metrics[place] if 0 <= place < len(self._metrics) else ""

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles, and as tool tips what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        metric = self.metric_at(section)
        if role == Qt.ItemDataRole.DisplayRole:
            if metric:
                from core.evaluation.tables import arrow_of, heading_of

                return f"{heading_of(metric)} {arrow_of(metric)}"
            return self._title(section)
        if role == Qt.ItemDataRole.ToolTipRole:
            return describe(metric) if metric else self._meaning(section)
        if role == Qt.ItemDataRole.TextAlignmentRole and section != METHOD:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _title(self, section: int) -> str:
        titles = (
            self.tr("Parameters"),
            self.tr("Seconds"),
            self.tr("Memory (MiB)"),
            self.tr("Pairs"),
        )
        if section == METHOD:
            return self.tr("Method")
        return self.tr("Mean rank") if section == RANK else titles[section - 2 - len(self._metrics)]

    def _meaning(self, section: int) -> str:
        if section == RANK:
            return self.tr("Rank among the methods, averaged over metrics and pairs; 1 is best.")
        meanings = (
            self.tr("Number of weights that fuse"),
            self.tr("Mean time of fusing one pair"),
            self.tr("Largest rise of memory while fusing"),
            self.tr("Scored pairs; the means are over those that every method was scored on."),
        )
        place = section - 2 - len(self._metrics)
        return meanings[place] if place >= 0 else ""

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, marks of the best, tool tips and values to sort by."""
        metric = self.metric_at(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() != METHOD:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if index.row() >= len(self._rows):
            quoted = self._quoted[index.row() - len(self._rows)]
            return self._quoted_data(quoted, index.column(), role)
        row = self._rows[index.row()]
        if role == SORT_ROLE:
            return self._key(row, index.column())
        if metric:
            return self._metric_data(row, metric, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.method.detail or row.method.name if index.column() == METHOD else None
        return None

    def _quoted_data(self, quoted: QuotedMeans, column: int, role: int) -> object:
        from core.evaluation.set_scores import quoted_name, quoted_text

        metric = self.metric_at(column)
        if role == SORT_ROLE:
            return quoted.name.casefold() if column == METHOD else quoted.means.get(metric, nan)
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setItalic(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return quoted.source
        if role == Qt.ItemDataRole.DisplayRole:
            name = translate(quoted_name(quoted))
            return name if column == METHOD else localised(quoted_text(quoted, metric))
        return None

    def _metric_data(self, row: SummaryRow, metric: str, role: int) -> object:
        cell = _cell(row, metric)
        if role == Qt.ItemDataRole.DisplayRole:
            return localised(cell.text) + self._sign(row.method.name, metric)
        if role == Qt.ItemDataRole.FontRole and cell.mark:
            font = QFont()
            font.setBold(cell.mark == "best")
            font.setUnderline(cell.mark == "second")
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(self._remarks(row.method.name, metric, cell))
        return None

    def _sign(self, method: str, metric: str) -> str:
        """A star after values that differ significantly from those of the reference."""
        found = self._compared.get((method, metric))
        significant = found is not None and found.p_holm < SIGNIFICANT
        return " *" if significant else ""

    def _remarks(self, method: str, metric: str, cell: SummaryCell) -> list[str]:
        lines = {"best": [self.tr("The best")], "second": [self.tr("The second best")]}
        remarks = lines.get(cell.mark, [])
        found = self._compared.get((method, metric))
        if found is not None and self._analysis is not None and not isnan(found.p_holm):
            from core.evaluation.report.comparisons import signed

            text = self.tr("Against {0}: {1}, 95 % interval {2} to {3}, p = {4} (Holm), {5} pairs")
            numbers = (signed(value) for value in (found.difference, found.low, found.high))
            remarks.append(
                text.format(
                    self._analysis.reference,
                    *map(localised, numbers),
                    number(found.p_holm, ".3g"),
                    found.pairs,
                )
            )
        if cell.undefined:
            words = plural(
                "Not defined on {0} pair, which is left out for all methods",
                "Not defined on {0} pairs, which are left out for all methods",
                cell.undefined,
            )
            remarks.append(words.format(cell.undefined))
        return remarks

    def _text(self, row: SummaryRow, column: int) -> str:
        from core.evaluation.tables import format_bytes, format_count, format_seconds

        if column == METHOD:
            return row.method.name
        if column == RANK:
            return "–" if isnan(row.mean_rank) else number(row.mean_rank, ".2f")
        wanted = row.scored + row.failed + row.missing
        texts = (
            format_count(row.method.parameters),
            format_seconds(row.seconds),
            format_bytes(row.peak_bytes),
            f"{row.scored}/{wanted}",
        )
        place = column - 2 - len(self._metrics)
        return localised(texts[place])

    def _key(self, row: SummaryRow, column: int) -> object:
        if column == METHOD:
            return row.method.name.casefold()
        if column == RANK:
            return row.mean_rank
        metric = self.metric_at(column)
        if metric:
            return _cell(row, metric).mean
        memory = -1 if row.peak_bytes is None else row.peak_bytes
        keys = (row.method.parameters or 0, row.seconds, memory, row.scored)
        return float(keys[column - 2 - len(self._metrics)])


def _cell(row: SummaryRow, metric: str) -> SummaryCell:
    """The mean of a metric of pairs, or the score of a whole set."""
    return row.cells[metric] if metric in row.cells else row.set_cells[metric]


def _quoted_of(analysis: Analysis) -> tuple[QuotedMeans, ...]:
    from core.evaluation.set_scores import quoted_for

    return quoted_for(analysis.result, "")
