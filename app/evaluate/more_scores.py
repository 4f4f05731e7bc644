"""Beside the scores per pair: means by group, means measured elsewhere, scores of other tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.settings import EvaluationChoices
from app.widgets import theme
from app.widgets.elided_label import ElidedComboBox, ElidedLabel
from app.widgets.forms import centre_labels
from core.evaluation.groups import BY_PREFIX

_ASK = "?"
"""Data of the item that asks for a table of groups; no file is called so."""

_BUTTON = 26
"""Width of a button beside a name of a file, in pixels: the names need the room."""


class ChosenFiles(QWidget):
    """The names of chosen files, with buttons to choose and to clear."""

    wanted = Signal()
    cleared = Signal()

    def __init__(self, title: str, meaning: str, parent: QWidget | None = None) -> None:
        """
        Args:
            title: what the files are, for screen readers.
            meaning: what is shown of them and how they are laid out.
        """
        super().__init__(parent)
        self._meaning = meaning
        self.names = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.names.setAccessibleName(title)
        self.choose, self.clear = QToolButton(), QToolButton()
        theme.set_icon(self.choose, "folder-open-outline")
        theme.set_icon(self.clear, "close")
        choose, clear = self.tr("Choose: {0}"), self.tr("Clear: {0}")
        for button, words in ((self.choose, choose), (self.clear, clear)):
            button.setAccessibleName(words.format(title))
            button.setToolTip(words.format(title))
            button.setFixedWidth(_BUTTON)
        self.choose.clicked.connect(self.wanted)
        self.clear.clicked.connect(self.cleared)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.names, 1)
        row.addWidget(self.clear)
        row.addWidget(self.choose)
        self.show_files(())

    def show_files(self, files: tuple[str, ...]) -> None:
        """Show the names of ``files``."""
        self.names.setText(", ".join(Path(one).name for one in files) or self.tr("None"))
        self.names.setToolTip("\n".join((*files, self._meaning)))
        self.clear.setVisible(bool(files))


class MoreScoresForm(QWidget):
    """Shows these parts of :class:`EvaluationChoices`, and emits the changed ones.

    Folded up to a button until something is chosen.
    """

    changed = Signal(object)
    """The new :class:`EvaluationChoices`."""

    def __init__(self, choices: EvaluationChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self.dialog: QFileDialog | None = None
        self.fold = QToolButton()
        self.fold.setText(self.tr("Groups and other scores"))
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setObjectName("fold")
        self.groups = ElidedComboBox(10)
        self.groups.setAccessibleName(self.tr("Groups of pairs"))
        self.groups.setToolTip(
            self.tr("Means are also given by modality, place or whatever else groups the pairs.")
        )
        self.groups.activated.connect(self._choose_groups)
        self.quoted = ChosenFiles(
            self.tr("Means measured elsewhere"),
            self.tr("Further rows, from a TOML file: [TASK] NAME = { MI = 2.4, SSIM = 0.7 }"),
        )
        self.downstream = ChosenFiles(
            self.tr("Scores of other tasks"),
            self.tr("Further columns, mAP and mIoU: what “unifusion downstream … --csv” wrote"),
        )
        self.quoted.wanted.connect(self._ask_quoted)
        self.quoted.cleared.connect(lambda: self._emit(replace(self._choices, quoted="")))
        self.downstream.wanted.connect(self._ask_downstream)
        self.downstream.cleared.connect(lambda: self._emit(replace(self._choices, downstream=())))
        self.body = QWidget()
        form = QFormLayout(self.body)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(self.tr("Groups"), self.groups)
        form.addRow(self.tr("Quoted"), self.quoted)
        form.addRow(self.tr("Downstream"), self.downstream)
        centre_labels(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.fold)
        layout.addWidget(self.body)
        self.fold.clicked.connect(lambda: self._unfold(self.body.isHidden()))
        self._unfold(False)
        self.show_choices(choices)

    def _unfold(self, on: bool) -> None:
        self.body.setVisible(on)
        theme.set_icon(self.fold, "chevron-down" if on else "chevron-right")

    def show_choices(self, choices: EvaluationChoices) -> None:
        """Show choices; unfolds what holds some."""
        self._choices = choices
        with QSignalBlocker(self.groups):
            self.groups.clear()
            self.groups.addItem(self.tr("Those of the data set"), "")
            self.groups.addItem(self.tr("Names up to the first _"), BY_PREFIX)
            if choices.group_by not in ("", BY_PREFIX):
                self.groups.addItem(Path(choices.group_by).name, choices.group_by)
                place = self.groups.count() - 1
                self.groups.setItemData(place, choices.group_by, Qt.ItemDataRole.ToolTipRole)
            self.groups.addItem(self.tr("From a table…"), _ASK)
            self.groups.setCurrentIndex(self.groups.findData(choices.group_by))
        self.quoted.show_files((choices.quoted,) if choices.quoted else ())
        self.downstream.show_files(choices.downstream)
        if choices.group_by or choices.quoted or choices.downstream:
            self._unfold(True)

    def _emit(self, choices: EvaluationChoices) -> None:
        if choices != self._choices:
            self.changed.emit(choices)

    def _choose_groups(self) -> None:
        chosen = self.groups.currentData()
        if chosen != _ASK:
            self._emit(replace(self._choices, group_by=chosen))
            return
        with QSignalBlocker(self.groups):
            self.groups.setCurrentIndex(self.groups.findData(self._choices.group_by))
        self._ask(
            self.tr("Table with the columns pair and group"),
            "CSV (*.csv)",
            lambda names: replace(self._choices, group_by=names[0]),
        )

    def _ask_quoted(self) -> None:
        self._ask(
            self.tr("Means measured elsewhere"),
            "TOML (*.toml)",
            lambda names: replace(self._choices, quoted=names[0]),
        )

    def _ask_downstream(self) -> None:
        def added(names: list[str]) -> EvaluationChoices:
            files = dict.fromkeys((*self._choices.downstream, *names))
            return replace(self._choices, downstream=tuple(files))

        self._ask(self.tr("Scores of other tasks"), "CSV (*.csv)", added, several=True)

    def _ask(
        self,
        title: str,
        kinds: str,
        change: Callable[[list[str]], EvaluationChoices],
        *,
        several: bool = False,
    ) -> None:
        dialog = self.dialog = QFileDialog(self.window(), title)
        many, one = QFileDialog.FileMode.ExistingFiles, QFileDialog.FileMode.ExistingFile
        dialog.setFileMode(many if several else one)
        dialog.setNameFilter(kinds)
        dialog.filesSelected.connect(lambda names: self._emit(change(names)) if names else None)
        dialog.open()
