"""The result of an evaluation: table of methods, charts, scores per pair, worst pairs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.atlas_panel import AtlasPanel
from app.evaluate.group_model import GroupModel
from app.evaluate.pair_model import PairScoreModel
from app.evaluate.summary_model import RANK, SummaryModel, UndefinedLast
from app.evaluate.tasks import Analysis
from app.i18n.numbers import localised, number
from app.i18n.translate import plural, translate, translate_all
from app.widgets.cards import text_label
from app.widgets.plain_table import plain_table

_COLUMN = 86
"""Width of a column of numbers in pixels."""
_SORT_MARK = 14
"""Width of the arrow that marks the sorted column, in pixels."""
_MISSING_ROWS = 4
"""Lines about missing results that are seen without scrolling."""


class EvaluationPanel(QWidget):
    """Tabs of one analysis. The charts are made when there is something to draw."""

    reference_chosen = Signal(str)
    pair_opened = Signal(str)
    """Name of a pair to show with the results of all methods."""
    selection_changed = Signal()
    """See :attr:`current_pair`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = SummaryModel()
        self._sorted = UndefinedLast(self)
        self._sorted.setSourceModel(self.summary)
        self.methods = plain_table(self._sorted, ())
        self.methods.setSortingEnabled(True)
        self.methods.sortByColumn(RANK, Qt.SortOrder.AscendingOrder)
        self.methods.setAccessibleName(self.tr("Means of the methods"))
        self.grouped = GroupModel()
        self.groups = plain_table(self.grouped, ())
        self.groups.setAccessibleName(self.tr("Means by group"))
        self.group_remarks = text_label("hint")
        self.pairs = PairScoreModel()
        self.scores = plain_table(self.pairs, ())
        self.scores.setSortingEnabled(True)
        self.scores.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.scores.setAccessibleName(self.tr("Scores of the pairs"))
        self.scores.activated.connect(
            lambda index: self.pair_opened.emit(self.pairs.row_at(index.row()).score.pair)
        )
        for table in (self.methods, self.scores, self.groups):
            header = table.horizontalHeader()
            header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            header.setStretchLastSection(table is self.scores)
            header.setDefaultSectionSize(_COLUMN)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setAccessibleName(self.tr("Filter"))
        self.filter.textChanged.connect(self.pairs.set_words)
        self.times = QCheckBox(self.tr("Milliseconds of the metrics"))
        self.times.setToolTip(self.tr("How long each metric took for a pair, instead of its value"))
        self.times.toggled.connect(self.pairs.show_times)
        self.atlas = AtlasPanel()
        self.atlas.opened.connect(self.pair_opened)
        self.atlas.selection_changed.connect(self.selection_changed)
        self.scores.selectionModel().currentChanged.connect(
            lambda *_: self.selection_changed.emit()
        )
        self.pairs.modelReset.connect(self.selection_changed)
        self.reference = QComboBox()
        self.reference.setAccessibleName(self.tr("Compared with"))
        self.reference.activated.connect(
            lambda: self.reference_chosen.emit(self.reference.currentText())
        )
        self.about, self.explanation = QLabel(), text_label("hint")
        self.missing = QPlainTextEdit()
        self.missing.setReadOnly(True)
        self.missing.setObjectName("hint")
        self.missing.setFrameShape(QFrame.Shape.NoFrame)
        self.missing.setAccessibleName(self.tr("What is not in the means"))
        self.missing.hide()
        self.charts: QWidget | None = None
        self.tabs = QTabWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        self.tabs.addTab(self._summary_page(), self.tr("Methods"))
        self._group_page = QWidget()
        column = QVBoxLayout(self._group_page)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.groups, 1)
        column.addWidget(self.group_remarks)
        self.tabs.addTab(self._group_page, self.tr("Groups"))
        self._chart_page = QWidget()
        self._chart_column = QVBoxLayout(self._chart_page)
        self._chart_column.setContentsMargins(0, 0, 0, 0)
        self.tabs.addTab(self._chart_page, self.tr("Charts"))
        pairs = QWidget()
        column = QVBoxLayout(pairs)
        column.setContentsMargins(0, 6, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.filter, 1)
        row.addWidget(self.times)
        column.addLayout(row)
        column.addWidget(self.scores, 1)
        self.tabs.addTab(pairs, self.tr("Pairs"))
        self.tabs.addTab(self.atlas, self.tr("Worst pairs"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self.selection_changed)

    @property
    def current_pair(self) -> str:
        """Name of the pair selected in the tab on show; "" for none."""
        if self.tabs.currentWidget() is self.atlas:
            return self.atlas.current_pair
        index = self.scores.currentIndex()
        is_shown = self.tabs.currentWidget() is self.scores.parentWidget()
        return self.pairs.row_at(index.row()).score.pair if is_shown and index.isValid() else ""

    def _summary_page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout()
        row.addWidget(self.about, 1)
        label = QLabel(self.tr("Compared with"))
        label.setBuddy(self.reference)
        row.addWidget(label)
        row.addWidget(self.reference)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 6, 0, 0)
        column.addLayout(row)
        column.addWidget(self.methods, 1)
        column.addWidget(self.missing)
        column.addWidget(self.explanation)
        return page

    def show_analysis(self, analysis: Analysis | None) -> None:
        """Show other scores; None for none."""
        self.summary.show_analysis(analysis)
        self.pairs.show_result(analysis.result if analysis is not None else None)
        self._show_groups(analysis)
        _fit_columns(self.methods, (140,))
        _fit_columns(self.scores, (170, 130))
        self.atlas.show_analysis(analysis)
        with QSignalBlocker(self.reference):
            self.reference.clear()
            if analysis is not None:
                self.reference.addItems([row.method.name for row in analysis.summary.rows])
                self.reference.setCurrentText(analysis.reference)
        if analysis is None:
            self.about.clear()
            return
        count = analysis.summary.pairs
        words = plural(
            "Means over the {0} pair that every method was scored on",
            "Means over the {0} pairs that every method was scored on",
            count,
        )
        text = words.format(number(count, ","))
        every = len(analysis.result.pairs)
        if every > count:
            text += self.tr(", of {0} in all").format(number(every, ","))
        self.about.setText(text)
        self.explanation.setText(self._explained(analysis))
        self._show_missing(analysis)
        self._show_charts(analysis)

    def _explained(self, analysis: Analysis) -> str:
        """What the marks mean, and the test in words for readers who are no statisticians."""
        from core.evaluation.report.comparisons import explanation, few_pairs
        from core.evaluation.set_scores import set_notes

        lines = [self.tr("Bold: best. Underlined: second.")]
        times = self._times(analysis)
        if analysis.comparisons:
            fewest = min(one.pairs for one in analysis.comparisons)
            lines[0] += " " + self.tr(
                "*: p below 0.05 against the compared method (Wilcoxon’s signed-rank test, Holm’s "
                "correction); the tool tip gives the difference with its interval."
            )
            texts = (*explanation(analysis.reference), few_pairs(fewest))
            lines += [translate(text) for text in texts if text]
        lines += translate_all(set_notes(analysis.result))
        if times:
            lines.append(self.tr("Milliseconds of a metric per pair: {0}").format(times))
        return "\n".join(lines)

    def _times(self, analysis: Analysis) -> str:
        from core.evaluation.tables import format_milliseconds, heading_of

        known = [(name, time) for name, time in analysis.milliseconds.items() if not isnan(time)]
        return " · ".join(
            f"{heading_of(name)} {localised(format_milliseconds(time))}" for name, time in known
        )

    def _show_missing(self, analysis: Analysis) -> None:
        from core.evaluation.tables import missing_notes

        found = [note for scores in analysis.result.methods for note in missing_notes(scores)]
        self.missing.setPlainText("\n".join(translate_all(found)))
        self.missing.setVisible(bool(found))
        rows = min(len(found), _MISSING_ROWS)
        self.missing.setFixedHeight(rows * self.fontMetrics().lineSpacing() + 12)

    def _show_groups(self, analysis: Analysis | None) -> None:
        from core.evaluation.groups import group_notes
        from core.evaluation.set_scores import quoted_for, quoted_notes

        self.grouped.show_analysis(analysis)
        found = analysis.groups if analysis is not None else ()
        self.tabs.setTabVisible(self.tabs.indexOf(self._group_page), bool(found))
        if analysis is None or not found:
            return
        groups = [one.group for one in found if one.group]
        quoted = [one for group in groups for one in quoted_for(analysis.result, group)]
        words = [*group_notes(found), *quoted_notes(quoted)]
        self.group_remarks.setText("\n".join(translate_all(words)))
        self.groups.resizeColumnsToContents()

    def _show_charts(self, analysis: Analysis) -> None:
        # Imported late: the charts' library takes a while.
        from app.evaluate.charts import ScoreCharts

        if not isinstance(self.charts, ScoreCharts):
            charts = self.charts = ScoreCharts()
            charts.pair_clicked.connect(self.pair_opened)
            self._chart_column.addWidget(charts)
        self.charts.show_result(analysis.result)

    def shutdown(self) -> None:
        """Wait for the thread of the thumbnails."""
        self.atlas.shutdown()


def _fit_columns(table: QTableView, first: Sequence[int]) -> None:
    """Give the first columns these widths, and the others room for their titles."""
    header = table.horizontalHeader()
    for column in range(header.count()):
        title = max(_COLUMN, header.sectionSizeHint(column) + _SORT_MARK)
        header.resizeSection(column, first[column] if column < len(first) else title)
