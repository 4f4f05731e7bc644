"""The result of a run: the new model compared with its parent."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import number
from app.i18n.translate import plural, translate
from app.train import formatting
from app.train.preview_strip import PreviewStrip
from app.train.state import TrainState
from app.train.view_models import ScoreRow
from app.viewer.painter import short
from app.widgets import theme


class ResultPanel(QWidget):
    """Metrics and images of both, and buttons to make the new model the default or not."""

    default_requested = Signal()
    report_requested = Signal()
    keep_requested = Signal()
    """The default is to stay as it is."""
    another_requested = Signal()
    curves_requested = Signal()

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.title, self.text, self.note = QLabel(), QLabel(), QLabel()
        self.title.setObjectName("pageTitle")
        self.note.setObjectName("hint")
        for label in (self.title, self.text, self.note):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.default = QPushButton(self.tr("Make default"))
        self.keep = QPushButton(self.tr("Keep the old one"))
        self.keep.setToolTip(self.tr("Fuse goes on with what it takes now; nothing is deleted"))
        self.keep.clicked.connect(self.keep_requested)
        self.default.clicked.connect(self.default_requested)
        self.report = QPushButton(self.tr("Open model card"))
        self.report.clicked.connect(self.report_requested)
        self.curves = QPushButton(self.tr("Show curves"))
        self.curves.clicked.connect(self.curves_requested)
        self.another = QPushButton(self.tr("Train another"))
        self.another.clicked.connect(self.another_requested)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.default, self.keep, self.report, self.curves, self.another):
            row.addWidget(button)
        row.addStretch(1)
        self.table = self._make_table()
        self._rows = QWidget()
        self._column = QVBoxLayout(self._rows)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setWidget(self._rows)
        self.strips: list[PreviewStrip] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self.title, self.text):
            layout.addWidget(part)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(self.table)
        layout.addWidget(self.area, 100)
        layout.addStretch(1)
        state.saved_pack_changed.connect(self._show)
        state.background_task_changed.connect(self._show_note)
        self._show()

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 4)
        table.setAccessibleName(self.tr("Scores of the parent and of the new model"))
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(24)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        return table

    # --- display ---------------------------------------------------------------------------

    def _show(self) -> None:
        kept, comparison = self._state.saved_pack, self._state.comparison
        if kept is not None:
            self.title.setText(self.tr("“{0}” is ready").format(kept.name))
            self.text.setText(self._verdict())
            self.default.setEnabled(not self._state.is_default)
            made = self._state.is_default
            self.default.setText(self.tr("Is the default") if made else self.tr("Make default"))
            self.default.setToolTip(self.tr("Fuse takes it when no other method is chosen"))
            self.report.setEnabled(kept.report.name != "")
            self.keep.setVisible(not made)
            self._show_primary()
        self.table.setVisible(comparison is not None)
        self._show_strips()
        if comparison is not None:
            self._fill(comparison.lines)
        self._show_note()

    @property
    def is_better(self) -> bool | None:
        """Whether the new model is better than what it is compared with; None where unknown."""
        kept, comparison = self._state.saved_pack, self._state.comparison
        if kept is None or not kept.score:
            return None
        if comparison is not None:
            better = sum(line.better for line in comparison.lines)
            return better > 0 and (kept.parent is None or kept.score > 1)
        return None if kept.parent is None else kept.score > 1

    def _show_primary(self) -> None:
        """Emphasise the recommended button: a new default only for a better model."""
        primary = {True: self.default, False: self.keep, None: None}[self.is_better]
        for button in (self.default, self.keep):
            button.setObjectName("fuseButton" if button is primary else "")
            button.style().unpolish(button)
            button.style().polish(button)

    def _verdict(self) -> str:
        kept = self._state.saved_pack
        if kept is None:
            return ""
        steps = formatting.count(kept.step)
        if kept.kept != "best":
            which = self.tr("It holds the last state, of step {0}.").format(steps)
        elif not kept.best_step:
            which = plural(
                "No state of {0} step was better, so it holds the start.",
                "No state of {0} steps was better, so it holds the start.",
                kept.step,
            ).format(steps)
        else:
            which = self.tr("It holds the best state, of step {0} of {1}.")
            which = which.format(formatting.count(kept.best_step), steps)
        where = self.tr("You find it in the list of methods of the Fuse workspace.")
        if not kept.score:
            judged = self.tr("Nothing was held back to check with, so look at it with care.")
        elif kept.since:
            judged = self.tr(
                "The pairs held back changed: its score is {0} times that of step {1}."
            )
            judged = judged.format(number(kept.score, ".3f"), formatting.count(kept.since))
        elif kept.parent is None:
            judged = self.tr("It was trained from scratch and is compared with a classical method.")
        elif kept.score <= 1:
            judged = self.tr("On the pairs held back it is not better than what it started from.")
        else:
            gain = number(100 * (kept.score - 1), ".1f")
            judged = self.tr("On the pairs held back it is {0} % better on average.").format(gain)
        return f"{judged} {which} {where}"

    def _show_note(self) -> None:
        comparison, background_task = self._state.comparison, self._state.background_task
        if comparison is not None:
            text = plural(
                "Compared on the one pair held back: the new one is better on {1} of {0}. Look at "
                "the pictures as well: no single score says a fused picture is good.",
                "Compared on the {0} pairs held back: the new one is better on {1} of them. Look "
                "at the pictures as well: no single score says a fused picture is good.",
                comparison.pairs,
            )
            self.note.setText(text.format(comparison.pairs, comparison.wins))
        elif background_task is not None and background_task.kind == "compare":
            share = (
                f" {background_task.done:.0f}/{background_task.total:.0f}"
                if background_task.total
                else ""
            )
            self.note.setText(self.tr("Comparing it with what was there before…") + share)
        else:
            self.note.setText("")

    def _fill(self, lines: tuple[ScoreRow, ...]) -> None:
        table, now = self.table, theme.colours()
        headings = (self.tr("Metric"), self._before(), self.tr("New"), self.tr("Change"))
        table.setHorizontalHeaderLabels(headings)
        for column in range(len(headings)):
            side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            heading = table.horizontalHeaderItem(column)
            if heading is not None:
                heading.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        table.setRowCount(len(lines))
        for row, line in enumerate(lines):
            base = abs(line.parent)
            change = f"{number(100 * (line.child - line.parent) / base, '+.2f')} %" if base else "–"
            cells = (line.name, short(line.parent), short(line.child), change.replace("-", "−"))
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(translate(line.title))
                if column:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                if column == 3 and line.better:
                    item.setForeground(QColor(now.accent if line.better > 0 else now.error_border))
                table.setItem(row, column, item)
        height = table.horizontalHeader().sizeHint().height() + 24 * len(lines) + 4
        table.setFixedHeight(min(220, height))

    def _before(self) -> str:
        """Name of what the new model is compared with."""
        kept = self._state.saved_pack
        scratch = kept is not None and kept.parent is None
        return self.tr("Classical") if scratch else self.tr("Parent")

    def _show_strips(self) -> None:
        comparison = self._state.comparison
        for strip in self.strips:
            self._column.removeWidget(strip)
            strip.hide()
            strip.deleteLater()
        self.strips.clear()
        self.area.setVisible(comparison is not None and bool(comparison.strips))
        if comparison is None:
            return
        names = (self.tr("A"), self.tr("B"), self._before(), self.tr("New"))
        for images in comparison.strips:
            strip = PreviewStrip("")
            strip.setMinimumHeight(150)
            strip.show_images(images, names)
            self._column.addWidget(strip)
            self.strips.append(strip)
