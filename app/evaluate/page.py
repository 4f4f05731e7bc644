"""The Evaluate workspace: methods over whole folders, compared and reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.engine import EngineSource
from app.evaluate.ablation_panel import AblationPanel
from app.evaluate.controller import EvaluationController
from app.evaluate.pair_model import fused_files
from app.evaluate.results_panel import EvaluationPanel
from app.evaluate.settings import ChosenMethod
from app.evaluate.settings_panel import EvaluationSettingsPanel
from app.i18n.numbers import number
from app.i18n.translate import translate_all, translate_error
from app.widgets import theme
from app.widgets.cards import Card, ErrorCard
from app.widgets.elided_label import ElidedLabel
from app.widgets.file_manager import show_in_folder
from app.widgets.page import Page
from app.widgets.privacy import without_names
from app.workers import details_of
from core.errors import FusionError
from core.types import PairTransform

_SAMPLE_METHODS = ("average", "laplacian", "guided")
_FORMATS = "HTML (*.html);;PDF (*.pdf);;CSV (*.csv);;LaTeX (*.tex)"


@dataclass(frozen=True)
class ResultsRequest:
    """A pair to be shown in the Fuse workspace with its fused images.

    Attributes:
        a, b: its files. task: of the evaluation.
        transform: by which one was resampled onto the other; None where none was.
        results: methods, and the files of their fused images.
    """

    a: Path
    b: Path
    task: str
    results: tuple[tuple[str, Path], ...]
    transform: PairTransform | None = None


class EvaluatePage(Page):
    """Connects an :class:`EvaluationController` to its widgets."""

    pair_wanted = Signal(object)
    """A :class:`ResultsRequest`."""

    def __init__(
        self,
        evaluation: EvaluationController,
        window: EngineSource,
        samples: Path,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            evaluation: owned by the page from now on.
            window: provides the methods of its engine.
            samples: folder of the sample pairs.
        """
        super().__init__(parent)
        self.evaluation = evaluation
        evaluation.setParent(self)
        self._window, self._samples = window, samples
        self._error: FusionError | None = None
        self.dialog: QFileDialog | None = None
        self.choices = EvaluationSettingsPanel(evaluation.choices)
        self.results = EvaluationPanel()
        self.ablation = AblationPanel(evaluation.choices.task)
        self.card, self.note = ErrorCard(), Card(closable=True)
        self.stale = Card(
            self.tr("The choices have changed: the result below is of other settings."),
            (("run", self.tr("Evaluate again")),),
            "history",
        )
        self.stale.hide()
        self.status, self.bar = ElidedLabel(), QProgressBar()
        self.start = QPushButton(self.tr("Evaluate"))
        self.start.setObjectName("fuseButton")
        self.cancel = QPushButton(self.tr("Cancel"))
        self.export = QPushButton(self.tr("Export report…"))
        self.sample = QPushButton(self.tr("Evaluate the samples"))
        self.stack = QStackedWidget()
        self.tabs = QTabWidget()
        self._lay_out()
        self._connect()
        self._show_methods()
        self._show_phase()

    def _lay_out(self) -> None:
        theme.set_icon(self.start, "play", "on_accent")
        theme.set_icon(self.cancel, "close")
        theme.set_icon(self.export, "export")
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the evaluation"))
        self.cancel.setToolTip(self.tr("Stop; scores that were found are kept"))
        self.stack.addWidget(self._empty())
        self.stack.addWidget(self.results)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.choices)
        split.addWidget(self.stack)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        split.setSizes([290, 730])
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addWidget(self.status)
        words.addWidget(self.bar)
        foot = QHBoxLayout()
        foot.addLayout(words, 1)
        for button in (self.export, self.cancel, self.start):
            foot.addWidget(button)
        compare = QWidget()
        layout = QVBoxLayout(compare)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        for card in (self.card, self.note, self.stale):
            layout.addWidget(card)
        layout.addWidget(split, 1)
        layout.addLayout(foot)
        self.tabs.addTab(compare, self.tr("Compare methods"))
        self.tabs.addTab(self.ablation, self.tr("Ablation"))
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(self.tabs)

    def _empty(self) -> QWidget:
        page = QWidget()
        title = QLabel(self.tr("How good is it, and against whom?"))
        title.setObjectName("pageTitle")
        text = QLabel(
            self.tr(
                "Choose a folder of pairs, add methods, and choose Evaluate. Every method is "
                "scored on the same pairs."
            )
        )
        text.setWordWrap(True)
        text.setObjectName("hint")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        layout.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(text)
        layout.addWidget(self.sample, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        return page

    def _connect(self) -> None:
        evaluation = self.evaluation
        self.choices.changed.connect(evaluation.set_choices)
        self.choices.sources_wanted.connect(self._ask_sources)
        self.choices.folder_wanted.connect(self._ask_method)
        self.start.clicked.connect(self._start)
        self.stale.answered.connect(lambda _answer: self._start())
        self.cancel.clicked.connect(evaluation.cancel)
        self.export.clicked.connect(self.ask_export)
        self.sample.clicked.connect(self.evaluate_samples)
        self.results.reference_chosen.connect(evaluation.set_reference)
        self.results.pair_opened.connect(self._open)
        self.results.selection_changed.connect(self.commands_changed)
        self.tabs.currentChanged.connect(self.commands_changed)
        self.card.copy_requested.connect(self._copy_details)
        evaluation.choices_changed.connect(self._show_choices)
        evaluation.datasets_changed.connect(self._show_datasets)
        evaluation.phase_changed.connect(self._show_phase)
        evaluation.progress_changed.connect(self._show_progress)
        evaluation.workers_changed.connect(
            lambda news: self.choices.cluster.show_news(news.workers, news.seen, news.text)
        )
        evaluation.analysis_changed.connect(self._show_analysis)
        evaluation.failed.connect(self._show_error)
        evaluation.cancelled.connect(
            lambda: self.status.setText(self.tr("Cancelled; what was scored is kept."))
        )
        evaluation.finished.connect(self._show_problems)
        evaluation.written.connect(self._written)
        self._window.engine_changed.connect(self._show_methods)
        self.ablation.busy_changed.connect(self.busy_changed)

    # --- interface of the window -------------------------------------------------------------

    @property
    def busy(self) -> str:
        """What is in progress, in words; "" for nothing."""
        if self.evaluation.is_busy:
            return self.tr("Evaluating methods")
        return self.ablation.busy

    def shutdown(self) -> None:
        """Stop; scores that were found are kept. Waits for the threads."""
        self.evaluation.shutdown()
        self.choices.cluster.shutdown()
        self.results.shutdown()
        self.ablation.shutdown()

    def take(self, paths: list[Path]) -> None:
        """Use a dropped folder, or that of dropped files, as sources."""
        folders = [path if path.is_dir() else path.parent for path in paths]
        if folders:
            self._set_sources(folders[0])

    @property
    def commands(self) -> Mapping[str, Callable[[], object]]:
        """Those of the evaluation that are possible now; none while ablations are on show."""
        evaluation, idle = self.evaluation, self.evaluation.phase == "idle"
        if self.tabs.currentWidget() is self.ablation:
            return {}
        pair = self.results.current_pair
        possible: dict[str, tuple[bool, Callable[[], object]]] = {
            "evaluate.run": (idle and evaluation.choices.is_complete, self._start),
            "evaluate.cancel": (evaluation.phase == "running", evaluation.cancel),
            "evaluate.open": (bool(pair), lambda: self._open(pair)),
            "evaluate.export": (idle and evaluation.analysis is not None, self.ask_export),
        }
        return {name: run for name, (now, run) in possible.items() if now}

    # --- requests ----------------------------------------------------------------------------

    def _start(self) -> None:
        self.card.hide()
        self.note.hide()
        self.choices.cluster.begin_run()
        self.evaluation.start()

    def evaluate_samples(self) -> None:
        """Evaluate three classical methods on the samples."""
        methods = tuple(ChosenMethod("classical", name) for name in _SAMPLE_METHODS)
        choices = replace(self.evaluation.choices, sources=str(self._samples), methods=methods)
        self.evaluation.set_choices(choices)
        self._start()

    def _set_sources(self, folder: Path) -> None:
        self.evaluation.set_choices(replace(self.evaluation.choices, sources=str(folder)))

    def _ask_folder(self, title: str) -> QFileDialog:
        dialog = self.dialog = QFileDialog(self.window(), title)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.open()
        return dialog

    def _ask_sources(self) -> None:
        dialog = self._ask_folder(self.tr("Folder of the sources"))
        dialog.fileSelected.connect(lambda name: self._set_sources(Path(name)))

    def _ask_method(self, kind: str) -> None:
        dialog = self._ask_folder(self.tr("Folder of fused pictures"))
        dialog.fileSelected.connect(
            lambda name: self.evaluation.add_method(
                ChosenMethod("folder" if kind == "folder" else "collection", name)
            )
        )

    def ask_export(self) -> None:
        """Ask where to write the report, and in which format."""
        dialog = self.dialog = QFileDialog(self.window(), self.tr("Export report"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(_FORMATS.split(";;"))
        dialog.setDefaultSuffix("html")
        dialog.filterSelected.connect(
            lambda kind: dialog.setDefaultSuffix(kind.rpartition(".")[2].rstrip(")"))
        )
        dialog.selectFile("evaluation.html")
        dialog.fileSelected.connect(lambda name: self.evaluation.export(Path(name)))
        dialog.open()

    def _open(self, name: str) -> None:
        analysis, evaluated = self.evaluation.analysis, self.evaluation.evaluated
        if analysis is None or evaluated is None:
            return
        pair = next((one for one in analysis.result.pairs if one.name == name), None)
        if pair is not None:
            files = tuple(fused_files(analysis.result, name))
            self.pair_wanted.emit(
                ResultsRequest(pair.a, pair.b, evaluated.task, files, pair.transform)
            )

    # --- to the screen -----------------------------------------------------------------------

    def _show_methods(self) -> None:
        engine = self._window.engine
        task = self.evaluation.choices.task
        self.choices.show_methods(engine.methods.get(task, ()) if engine is not None else ())

    def _show_choices(self) -> None:
        self.choices.show_choices(self.evaluation.choices)
        self._show_methods()
        self._show_phase()

    def _show_datasets(self) -> None:
        row = self.choices.dataset
        row.show_known(self.evaluation.datasets)
        row.show_found(self.evaluation.dataset)

    def _show_phase(self) -> None:
        evaluation = self.evaluation
        idle = evaluation.phase == "idle"
        self.choices.setEnabled(not evaluation.is_busy)
        self.results.reference.setEnabled(evaluation.phase == "idle")
        self.start.setVisible(not evaluation.is_busy)
        self.start.setEnabled(idle and evaluation.choices.is_complete)
        self.sample.setEnabled(idle)
        self.cancel.setVisible(evaluation.is_busy)
        self.cancel.setEnabled(evaluation.phase == "running")
        self.export.setVisible(evaluation.analysis is not None)
        self.export.setEnabled(idle)
        self.stale.setVisible(evaluation.is_stale and not evaluation.is_busy)
        self.bar.setVisible(evaluation.is_busy)
        if evaluation.is_busy:
            self._show_progress()
        elif evaluation.phase == "analysing":
            self.status.setText(self.tr("Comparing the scores…"))
        elif idle:
            self.status.setText("" if evaluation.choices.is_complete else self._missing())
        self.busy_changed.emit()
        self.commands_changed.emit()

    def _missing(self) -> str:
        choices = self.evaluation.choices
        if choices.folder is None:
            return self.tr("Choose a folder of sources.")
        if not choices.methods:
            return self.tr("Add a method.")
        return self.tr("Choose a metric.")

    def _show_progress(self) -> None:
        evaluation = self.evaluation
        self.bar.setRange(0, evaluation.total)
        self.bar.setValue(evaluation.done)
        parts = []
        if evaluation.total:
            parts.append(f"{number(evaluation.done, ',')} / {number(evaluation.total, ',')}")
        elif not evaluation.stage:
            parts.append(self.tr("Starting…"))
        if evaluation.errors:
            parts.append(self.tr("{0} failed").format(number(evaluation.errors, ",")))
        left = evaluation.seconds_left
        if left is not None and left >= 1:
            minutes, seconds = divmod(round(left), 60)
            parts.append(self.tr("{0} left").format(f"{minutes}:{seconds:02}"))
        parts.append(evaluation.stage)
        self.status.setText(" · ".join(part for part in parts if part))

    def _show_analysis(self) -> None:
        self.results.show_analysis(self.evaluation.analysis)
        self.stack.setCurrentWidget(self.results)
        self._show_phase()

    def _show_problems(self, problems: list[str]) -> None:
        if problems:
            self.note.show_message("\n".join(translate_all(problems)))

    def _show_error(self, error: FusionError) -> None:
        self._error = error
        self.card.show_error(*translate_error(error), "", "")

    def _copy_details(self) -> None:
        if self._error is not None:
            text = without_names(
                f"{self._error}\n{details_of(self._error)}", self.evaluation.choices.paths
            )
            QGuiApplication.clipboard().setText(text)

    def _written(self, path: Path) -> None:
        self.note.show_message(
            self.tr("The report was written: {0}").format(path.name),
            answers=(("folder", self.tr("Show in folder")),),
        )
        self.note.buttons["folder"].clicked.connect(lambda: show_in_folder(path))
