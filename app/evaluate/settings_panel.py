"""What to evaluate: sources, methods, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.metric_words import describe
from app.evaluate.more_scores import MoreScoresForm
from app.evaluate.settings import ChosenMethod, EvaluationChoices
from app.i18n.translate import translate
from app.pairs.cluster_rows import ClusterRows
from app.pairs.dataset_row import DatasetRow
from app.pairs.datasets import DatasetChoice
from app.widgets import theme
from app.widgets.elided_label import ElidedComboBox
from app.widgets.forms import centre_labels
from core.fusion.protocol import MethodInfo
from core.metrics import METRICS
from core.metrics.metric import METRIC_GROUPS
from core.tasks import TASKS

_NAME = int(Qt.ItemDataRole.UserRole)
_ROW = 22
"""Height of a row in pixels: the boxes to tick are higher than a line of text."""


class EvaluationSettingsPanel(QWidget):
    """Shows :class:`EvaluationChoices`, and emits the changed ones."""

    changed = Signal(object)
    """The new :class:`EvaluationChoices`."""
    sources_wanted = Signal()
    folder_wanted = Signal(str)
    """A folder for a method of this kind: "folder" or "collection"."""

    def __init__(self, choices: EvaluationChoices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choices = choices
        self.setMinimumWidth(240)
        self._make_sources()
        self._make_methods()
        self._make_metrics()
        self.more = MoreScoresForm(choices)
        self.more.changed.connect(self.changed)
        self.cluster = ClusterRows(self._cluster_methods, counts_rows=False)
        self.cluster.edited.connect(self._choose_cluster)
        form = QFormLayout()
        form.addRow(self.tr("Task"), self.tasks)
        row = QHBoxLayout()
        row.addWidget(self.sources, 1)
        row.addWidget(self.browse)
        form.addRow(self.tr("Sources"), row)
        form.addRow(self.tr("Data set"), self.dataset)
        centre_labels(form)
        buttons = QHBoxLayout()
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 6, 0)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addWidget(_heading(self.tr("Methods")))
        layout.addWidget(self.methods, 2)
        layout.addLayout(buttons)
        layout.addWidget(self.command_row)
        layout.addWidget(_heading(self.tr("Metrics")))
        layout.addWidget(self.metrics, 3)
        layout.addWidget(self.more)
        layout.addWidget(self.cluster)
        self.show_choices(choices)

    def _make_sources(self) -> None:
        self.tasks = ElidedComboBox(10)
        self.tasks.setAccessibleName(self.tr("Task of the evaluation"))
        for task in TASKS.values():
            self.tasks.addItem(translate(task.title), task.name)
        self.tasks.activated.connect(self._edited)
        self.sources = QLineEdit()
        self.sources.setAccessibleName(self.tr("Folder of the sources"))
        self.sources.setPlaceholderText(self.tr("Pairs, or a finished batch"))
        self.sources.editingFinished.connect(self._edited)
        self.browse = QToolButton()
        theme.set_icon(self.browse, "folder-open-outline")
        self.browse.setToolTip(self.tr("Choose the folder of the sources…"))
        self.browse.setAccessibleName(self.tr("Choose the folder of the sources…"))
        self.browse.clicked.connect(self.sources_wanted)
        self.dataset = DatasetRow()
        self.dataset.chosen.connect(self._choose_dataset)

    def _make_methods(self) -> None:
        self.methods = QListWidget()
        self.methods.setAccessibleName(self.tr("Methods to evaluate"))
        self.methods.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.add = QPushButton(self.tr("Add method"))
        theme.set_icon(self.add, "plus")
        self._menu = QMenu(self.add)
        self.add.setMenu(self._menu)
        # Without a text: both do not fit beside each other in every language.
        self.remove = QPushButton()
        theme.set_icon(self.remove, "minus")
        self.remove.setToolTip(self.tr("Remove the selected methods"))
        self.remove.setAccessibleName(self.tr("Remove the selected methods"))
        self.remove.clicked.connect(self._remove)
        self.methods.itemSelectionChanged.connect(self._show_remove)
        self.command_row = QWidget()
        self.command = QLineEdit()
        self.command.setAccessibleName(self.tr("Command line"))
        self.command.setPlaceholderText("program {a} {b} {out}")
        self.command.setToolTip(
            self.tr("{a} and {b} become the files of the sources, {out} the file to write.")
        )
        self.command.returnPressed.connect(self._add_command)
        take = QPushButton(self.tr("Add"))
        take.clicked.connect(self._add_command)
        row = QHBoxLayout(self.command_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.command, 1)
        row.addWidget(take)
        self.command_row.hide()
        self.show_methods(())

    def _make_metrics(self) -> None:
        self.metrics = QTreeWidget()
        self.metrics.setAccessibleName(self.tr("Metrics to compute"))
        self.metrics.setHeaderHidden(True)
        for group, title in METRIC_GROUPS.items():
            branch = QTreeWidgetItem([translate(title)])
            self.metrics.addTopLevelItem(branch)
            for metric in METRICS.values():
                if metric.group == group:
                    leaf = QTreeWidgetItem([f"{metric.heading}  {translate(metric.title)}"])
                    leaf.setData(0, _NAME, metric.name)
                    leaf.setToolTip(0, describe(metric.name))
                    branch.addChild(leaf)
            branch.setSizeHint(0, QSize(0, _ROW))
            branch.setExpanded(True)
        self.metrics.setIndentation(14)
        for leaf in self._leaves():
            leaf.setSizeHint(0, QSize(0, _ROW))
        self.metrics.itemChanged.connect(self._ticked)

    # --- to the screen ---------------------------------------------------------------------

    def show_methods(self, methods: Sequence[MethodInfo]) -> None:
        """Offer the packs and classical methods of the task."""
        self._menu.clear()
        for method in methods:
            kind = "pack" if method.kind == "pack" else "classical"
            action = self._menu.addAction(translate(method.title))
            action.setToolTip(translate(method.summary))
            chosen = ChosenMethod("pack" if kind == "pack" else "classical", method.name)
            action.triggered.connect(lambda _=False, chosen=chosen: self._add(chosen))
        self._menu.addSeparator()
        self._menu.addAction(
            self.tr("Folder of results…"), lambda: self.folder_wanted.emit("folder")
        )
        self._menu.addAction(
            self.tr("Collection IMAGE_METHOD.ext…"), lambda: self.folder_wanted.emit("collection")
        )
        self._menu.addAction(self.tr("External program…"), self._ask_command)

    def show_choices(self, choices: EvaluationChoices) -> None:
        """Show choices."""
        self._choices = choices
        with QSignalBlocker(self.tasks):
            self.tasks.setCurrentIndex(self.tasks.findData(choices.task))
        if self.sources.text() != choices.sources:
            self.sources.setText(choices.sources)
        self.sources.setToolTip(choices.sources)
        self.dataset.show_choice(choices.dataset)
        self.more.show_choices(choices)
        self.cluster.show_choice(choices.scheduler, choices.certificates)
        self.methods.clear()
        for method in choices.methods:
            item = QListWidgetItem(method.title)
            item.setToolTip(method.value)
            item.setSizeHint(QSize(0, _ROW))
            self.methods.addItem(item)
        with QSignalBlocker(self.metrics):
            for leaf in self._leaves():
                on = leaf.data(0, _NAME) in choices.metrics
                state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                leaf.setCheckState(0, state)
        self._show_remove()

    def _leaves(self) -> list[QTreeWidgetItem]:
        branches = [self.metrics.topLevelItem(k) for k in range(self.metrics.topLevelItemCount())]
        leaves = (b.child(k) for b in branches if b is not None for k in range(b.childCount()))
        return [leaf for leaf in leaves if leaf is not None]

    def _show_remove(self) -> None:
        self.remove.setEnabled(bool(self.methods.selectedIndexes()))

    # --- requests --------------------------------------------------------------------------

    def _edited(self) -> None:
        chosen = replace(self._choices, sources=self.sources.text().strip())
        self._emit(chosen.with_task(self.tasks.currentData()))

    def _choose_dataset(self, chosen: DatasetChoice) -> None:
        self._emit(replace(self._choices, dataset=chosen))

    def _choose_cluster(self) -> None:
        self._emit(replace(self._choices, **self.cluster.settings))

    def _cluster_methods(self) -> list[tuple[str, str]]:
        """Task and name of each method that workers need an engine for."""
        chosen = [one for one in self._choices.methods if one.kind in ("pack", "classical")]
        return [(self._choices.task, one.value) for one in chosen]

    def _emit(self, choices: EvaluationChoices) -> None:
        if choices != self._choices:
            self.changed.emit(choices)

    def _add(self, method: ChosenMethod) -> None:
        self._emit(self._choices.with_method(method))

    def _ask_command(self) -> None:
        self.command_row.show()
        self.command.setFocus()

    def _add_command(self) -> None:
        text = self.command.text().strip()
        if text:
            self._add(ChosenMethod("command", text, text.split()[0].rpartition("/")[2]))
            self.command.clear()
            self.command_row.hide()

    def _remove(self) -> None:
        places = {index.row() for index in self.methods.selectedIndexes()}
        self._emit(self._choices.without_methods(places))

    def _ticked(self, item: QTreeWidgetItem) -> None:
        name = item.data(0, _NAME)
        if name:
            on = item.checkState(0) == Qt.CheckState.Checked
            self._emit(self._choices.with_metric(name, chosen=on))


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("paneTitle")
    return label
