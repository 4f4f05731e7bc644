"""The result of an evaluation: table of methods, charts, scores per pair, worst pairs."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.atlas_panel import AtlasPanel
from app.evaluate.pair_model import PairScoreModel
from app.evaluate.summary_model import RANK, SORT_ROLE, SummaryModel
from app.evaluate.tasks import Analysis
from app.i18n.numbers import number
from app.i18n.translate import plural
from app.widgets.cards import text_label
from app.widgets.plain_table import plain_table


class EvaluationPanel(QWidget):
    """Tabs of one analysis. The charts are made when there is something to draw."""

    reference_chosen = Signal(str)
    pair_opened = Signal(str)
    """Name of a pair to show with the results of all methods."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary = SummaryModel()
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSortRole(SORT_ROLE)
        self._sorted.setSourceModel(self.summary)
        self.methods = plain_table(self._sorted, (150, 84))
        self.methods.setSortingEnabled(True)
        self.methods.sortByColumn(RANK, Qt.SortOrder.AscendingOrder)
        self.methods.setAccessibleName(self.tr("Means of the methods"))
        self.pairs = PairScoreModel()
        self.scores = plain_table(self.pairs, (170, 130))
        self.scores.setSortingEnabled(True)
        self.scores.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.scores.setAccessibleName(self.tr("Scores of the pairs"))
        self.scores.activated.connect(
            lambda index: self.pair_opened.emit(self.pairs.row_at(index.row()).score.pair)
        )
        for table in (self.methods, self.scores):
            header = table.horizontalHeader()
            header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            header.setStretchLastSection(table is self.scores)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setAccessibleName(self.tr("Filter"))
        self.filter.textChanged.connect(self.pairs.set_words)
        self.atlas = AtlasPanel()
        self.atlas.opened.connect(self.pair_opened)
        self.reference = QComboBox()
        self.reference.setAccessibleName(self.tr("Compared with"))
        self.reference.activated.connect(
            lambda: self.reference_chosen.emit(self.reference.currentText())
        )
        self.about, self.explanation = QLabel(), text_label("hint")
        self.charts: QWidget | None = None
        self.tabs = QTabWidget()
        self._lay_out()

    def _lay_out(self) -> None:
        self.tabs.addTab(self._summary_page(), self.tr("Methods"))
        self._chart_page = QWidget()
        self._chart_column = QVBoxLayout(self._chart_page)
        self._chart_column.setContentsMargins(0, 0, 0, 0)
        self.tabs.addTab(self._chart_page, self.tr("Charts"))
        pairs = QWidget()
        column = QVBoxLayout(pairs)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.filter)
        column.addWidget(self.scores, 1)
        self.tabs.addTab(pairs, self.tr("Pairs"))
        self.tabs.addTab(self.atlas, self.tr("Worst pairs"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tabs)

    def _summary_page(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout()
        row.addWidget(self.about, 1)
        label = QLabel(self.tr("Compared with"))
        label.setBuddy(self.reference)
        row.addWidget(label)
        row.addWidget(self.reference)
        self.explanation.setText(
            self.tr(
                "Bold: best. Underlined: second. A star marks a difference from the compared "
                "method that would rarely come about by chance (Wilcoxon signed-rank test with "
                "Holm’s correction, p < 0.05); the tool tip gives its size with an interval. A "
                "significant difference may still be too small to matter, and no score proves a "
                "picture better for diagnosis."
            )
        )
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 6, 0, 0)
        column.addLayout(row)
        column.addWidget(self.methods, 1)
        column.addWidget(self.explanation)
        return page

    def show_analysis(self, analysis: Analysis | None) -> None:
        """Show other scores; None for none."""
        self.summary.show_analysis(analysis)
        self.pairs.show_result(analysis.result if analysis is not None else None)
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
        self.about.setText(words.format(number(count, ",")))
        self._show_charts(analysis)

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
