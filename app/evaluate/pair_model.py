"""The table of scores: a row per pair and method, for tens of thousands of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QColor

from app.evaluate.metric_words import describe
from app.i18n.numbers import localised, number
from app.i18n.translate import translate
from app.widgets import theme
from app.widgets.plain_table import ModelIndex
from core.evaluation.result import EvaluationResult, PairScore

PAIR, METHOD = 0, 1
_NO_PARENT = QModelIndex()


@dataclass(frozen=True)
class MethodPairScore:
    """A score with its method."""

    method: str
    score: PairScore


class PairScoreModel(QAbstractTableModel):
    """Sorts and filters by arrays of keys, without a call per comparison or per row."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[MethodPairScore] = []
        self._metrics: tuple[str, ...] = ()
        self._scores: npt.NDArray[np.float64] = np.empty((0, 0))
        self._times: npt.NDArray[np.float64] = np.empty((0, 0))
        self.shows_times = False
        """Whether the columns of metrics hold the milliseconds they took, not their values."""
        self._ranks: tuple[npt.NDArray[np.intp], ...] = ()
        self._words: list[str] = []
        self._kept = np.arange(0)
        self._order = np.arange(0)
        self._sorting = (PAIR, Qt.SortOrder.AscendingOrder)

    def show_result(self, result: EvaluationResult | None) -> None:
        """Show other scores; None for none."""
        self.beginResetModel()
        methods = result.methods if result is not None else ()
        self._metrics = result.metrics if result is not None else ()
        self._rows = [MethodPairScore(m.method.name, score) for m in methods for score in m.pairs]
        self._scores = self._columns([row.score.values for row in self._rows])
        self._times = self._columns([row.score.milliseconds for row in self._rows])
        pairs = [row.score.pair for row in self._rows]
        names = [row.method for row in self._rows]
        self._ranks = tuple(np.unique(texts, return_inverse=True)[1] for texts in (pairs, names))
        self._words = [f"{a}\n{b}".casefold() for a, b in zip(pairs, names, strict=True)]
        self._kept = np.arange(len(self._rows))
        self._order = self._sorted()
        self.endResetModel()

    def _columns(self, found: Sequence[Mapping[str, float]]) -> npt.NDArray[np.float64]:
        """Numbers by metric as columns, and the seconds of the fusions."""
        nan = float("nan")
        table = [
            [*(numbers.get(name, nan) for name in self._metrics), _seconds(row)]
            for numbers, row in zip(found, self._rows, strict=True)
        ]
        shape = len(self._rows), len(self._metrics) + 1
        return np.array(table, dtype=np.float64).reshape(shape)

    def show_times(self, on: bool) -> None:
        """Show the milliseconds that the metrics took, or their values again."""
        if on != self.shows_times:
            self.shows_times = on
            self.sort(*self._sorting)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self._note)

    @property
    def _values(self) -> npt.NDArray[np.float64]:
        return self._times if self.shows_times else self._scores

    # --- order -----------------------------------------------------------------------------

    def _sorted(self) -> npt.NDArray[np.intp]:
        column, order = self._sorting
        keys: npt.NDArray[np.float64]
        if column in (PAIR, METHOD):
            keys = self._ranks[column].astype(np.float64) if self._ranks else np.empty(0)
        else:
            keys = self._values[:, min(column - 2, len(self._metrics))]
        keys = keys[self._kept]
        if order == Qt.SortOrder.DescendingOrder:
            keys = -keys
        # NaN comes last, in either order.
        return self._kept[np.argsort(keys, kind="stable")]

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; undefined values come last."""
        if not 0 <= column < max(self.columnCount(), 1):
            return
        self.layoutAboutToBeChanged.emit()
        before = {index: self._order[index.row()] for index in self.persistentIndexList()}
        self._sorting = (column, order)
        self._order = self._sorted()
        places = {int(row): place for place, row in enumerate(self._order)} if before else {}
        for index, row in before.items():
            self.changePersistentIndex(index, self.index(places[int(row)], index.column()))
        self.layoutChanged.emit()

    def set_words(self, text: str) -> None:
        """Show only rows whose pair or method contains ``text``, whatever the case."""
        words = text.strip().casefold()
        self.beginResetModel()
        self._kept = np.array(
            [place for place, known in enumerate(self._words) if words in known], dtype=np.intp
        )
        self._order = self._sorted()
        self.endResetModel()

    def row_at(self, place: int) -> MethodPairScore:
        """The score in a row of the table."""
        return self._rows[int(self._order[place])]

    # --- the model -------------------------------------------------------------------------

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of rows that the filter lets through."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Pair, method, metrics, seconds, note."""
        return len(self._metrics) + 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles, and what the metrics mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        place = section - 2
        is_metric = 0 <= place < len(self._metrics)
        if role == Qt.ItemDataRole.DisplayRole:
            if is_metric:
                from core.evaluation.tables import arrow_of, heading_of

                heading = heading_of(self._metrics[place])
                return f"{heading} {'(ms)' if self.shows_times else arrow_of(self._metrics[place])}"
            titles = (self.tr("Pair"), self.tr("Method"), self.tr("Seconds"), self.tr("Note"))
            return titles[section if section < 2 else section - len(self._metrics)]
        if role == Qt.ItemDataRole.TextAlignmentRole and 2 <= section < self._note:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole and is_metric:
            return describe(self._metrics[place])
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, and the colour of failures."""
        row, column = self.row_at(index.row()), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and 2 <= column < len(self._metrics) + 3:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.ForegroundRole and row.score.error is not None:
            return QColor(theme.colours().error_border)
        return None

    @property
    def _note(self) -> int:
        return len(self._metrics) + 3

    def _text(self, row: MethodPairScore, column: int) -> str:
        from core.evaluation.tables import format_milliseconds, format_seconds, format_value

        if column in (PAIR, METHOD):
            return row.score.pair if column == PAIR else row.method
        if column == self._note:
            return translate(row.score.error) if row.score.error is not None else ""
        if column == self._note - 1:
            return localised(format_seconds(_seconds(row)))
        metric = self._metrics[column - 2]
        if self.shows_times:
            return localised(format_milliseconds(row.score.milliseconds.get(metric, float("nan"))))
        return localised(format_value(row.score.values.get(metric, float("nan"))))

    def _tip(self, row: MethodPairScore, column: int) -> str | None:
        """A text that may be elided in its cell, or how long a metric took."""
        if column in (PAIR, METHOD, self._note):
            return self._text(row, column)
        time = (
            row.score.milliseconds.get(self._metrics[column - 2])
            if column < self._note - 1
            else None
        )
        return None if time is None else self.tr("{0} ms").format(number(time, ".1f"))


def _seconds(row: MethodPairScore) -> float:
    return float("nan") if row.score.seconds is None else row.score.seconds


def fused_files(result: EvaluationResult, pair: str) -> list[tuple[str, Path]]:
    """Methods and the files of their fused images of ``pair``; those that were not kept missing."""
    found = [(m.method.name, m.scored().get(pair)) for m in result.methods]
    return [(name, one.fused) for name, one in found if one is not None and one.fused is not None]
