"""The Train workspace: Data, Settings, Run, and the result beside its parent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import plural, translate, translate_error
from app.train import formatting
from app.train.controller import TrainController
from app.train.data_panel import DataPanel
from app.train.open_runs import OpenRuns
from app.train.result_panel import ResultPanel
from app.train.settings_panel import SettingsPanel
from app.train.start_box import StartBox
from app.train.state import TrainState
from app.train.task_mismatch_card import TaskMismatchCard
from app.train.view_models import OpenRun
from app.widgets.cards import Card, ErrorCard
from app.widgets.choice_card import ChoiceCard
from app.widgets.drop import dropped_paths
from app.widgets.page import Page
from app.widgets.privacy import without_names
from app.workers import details_of

if TYPE_CHECKING:
    from app.train.run_panel import RunPanel

_RAIL = 236
_DATA, _SETTINGS, _RUN = range(3)
_SHORTEST_NAME = 3


class TrainPage(Page):
    """Three numbered steps at the left; the panel of the current one at the right."""

    pack_written = Signal()
    """There is a new pack, or another default."""

    def __init__(self, task: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = TrainState(self)
        self.training = TrainController(self.state, self)
        self.training.preparing.set_task(task)
        self.data = DataPanel(self.state)
        self.settings = SettingsPanel(self.state)
        self.result = ResultPanel(self.state)
        self.run: RunPanel | None = None
        self.start = StartBox(self.state)
        self.card = ErrorCard()
        self.message = Card(closable=True)
        self.open_runs = OpenRuns(self.state)
        self.task_mismatch = TaskMismatchCard(self.state)
        self._begun = False
        self._lay_out()
        self._connect()
        self.setAcceptDrops(True)
        self.show_step(_DATA)

    # --- layout ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        rail = QWidget()
        rail.setFixedWidth(_RAIL)
        column = QVBoxLayout(rail)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        title = QLabel(self.tr("Train on your own pictures"))
        title.setObjectName("paneTitle")
        column.addWidget(title)
        self.steps = (
            ChoiceCard(self.tr("Data"), number=1),
            ChoiceCard(self.tr("Settings"), number=2),
            ChoiceCard(self.tr("Run"), number=3),
        )
        self._group = QButtonGroup(self)
        for place, step in enumerate(self.steps):
            self._group.addButton(step, place)
            column.addWidget(step)
        self._group.idClicked.connect(self.show_step)
        column.addStretch(1)
        column.addWidget(self.start)
        self.stack = QStackedWidget()
        self._run_stack = QStackedWidget()
        self._run_stack.addWidget(QLabel(self.tr("Starting the engine…")))
        self._run_stack.addWidget(self.result)
        for panel in (self.data, self.settings, self._run_stack):
            self.stack.addWidget(panel)
        middle = QHBoxLayout()
        middle.setSpacing(14)
        middle.addWidget(rail)
        middle.addWidget(self.stack, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addWidget(self.open_runs)
        layout.addWidget(self.card)
        layout.addWidget(self.message)
        layout.addWidget(self.task_mismatch)
        layout.addLayout(middle, 1)

    def _connect(self) -> None:
        state, training, preparing = self.state, self.training, self.training.preparing
        self.data.paths_chosen.connect(preparing.set_data)
        self.data.task_chosen.connect(preparing.choose_task)
        self.task_mismatch.task_chosen.connect(preparing.choose_task)
        self.data.share_chosen.connect(preparing.set_share)
        self.data.validation_chosen.connect(preparing.set_validation)
        self.data.swapped_chosen.connect(preparing.set_swapped)
        self.data.align_chosen.connect(preparing.set_align)
        self.data.dataset.chosen.connect(preparing.set_dataset)
        self.settings.parent_chosen.connect(preparing.choose_parent)
        self.settings.preset_chosen.connect(preparing.choose_preset)
        self.settings.value_chosen.connect(preparing.set_value)
        self.settings.network_chosen.connect(preparing.set_network)
        self.settings.name_chosen.connect(preparing.set_name)
        self.settings.about_chosen.connect(preparing.set_about)
        self.settings.tensorboard_chosen.connect(preparing.set_tensorboard)
        self.settings.backbone.offer_requested.connect(training.fetching.offer)
        self.settings.backbone.fetch_requested.connect(training.fetching.start)
        self.settings.backbone.cancel_requested.connect(training.fetching.cancel)
        self.settings.backbone.dismissed.connect(training.fetching.dismiss)
        self.settings.load_requested.connect(preparing.load)
        self.settings.save_requested.connect(preparing.save)
        self.start.start_requested.connect(training.start)
        self.start.estimate_requested.connect(preparing.estimate)
        self.start.device_chosen.connect(preparing.set_device)
        self.result.default_requested.connect(training.make_default)
        self.result.keep_requested.connect(self._keep_old)
        self.result.report_requested.connect(self._open_report)
        self.result.curves_requested.connect(self._show_curves)
        self.result.another_requested.connect(self._another)
        self.card.dismissed.connect(lambda: state.set_problem(None))
        self.card.action_requested.connect(self._remedy)
        self.card.copy_requested.connect(self._copy_details)
        self.message.dismissed.connect(lambda: state.set_message(""))
        training.pack_written.connect(self.pack_written)
        state.capabilities_changed.connect(self._make_run_panel)
        state.phase_changed.connect(self._show_phase)
        state.saved_pack_changed.connect(self._show_kept)
        state.problem_changed.connect(self._show_problem)
        state.message_changed.connect(lambda: self.message.show_message(state.message))
        self.open_runs.resume_requested.connect(self._resume_run)
        self.open_runs.discard_requested.connect(training.running.discard)
        for signal in (
            state.data_changed,
            state.settings_changed,
            state.capabilities_changed,
            state.background_task_changed,
            state.run_progress_changed,
        ):
            signal.connect(self._show_steps)
        self._show_steps()

    def _make_run_panel(self) -> None:
        if self.run is not None:
            return
        # Imported late: the charts' library has been imported on a worker thread by now.
        from app.train.run_panel import RunPanel

        running = self.training.running
        self.run = RunPanel(self.state)
        self.run.pause_requested.connect(running.pause)
        self.run.resume_requested.connect(running.resume)
        self.run.stop_requested.connect(running.stop)
        self.run.aside_requested.connect(running.set_aside)
        self.run.smaller_allowed.connect(running.allow_smaller_batch)
        self.run.rates_chosen.connect(self._set_rates)
        self.run.charts.image_requested.connect(self._save_image)
        self.run.charts.table_requested.connect(lambda name: self.training.export_table(Path(name)))
        old = self._run_stack.widget(0)
        self._run_stack.insertWidget(0, self.run)
        if old is not None:
            self._run_stack.removeWidget(old)
            old.deleteLater()
        self._run_stack.setCurrentIndex(0)

    # --- a page of the window --------------------------------------------------------------

    @property
    def busy(self) -> str:
        """The run under way, such as “Training my-model, step 30 of 100”, or ""."""
        if not self.state.at_work:
            return ""
        progress = self.state.run_progress
        text = self.tr("Training “{0}”, step {1} of {2}")
        name = self.training.running.name or self.state.name
        return text.format(name, formatting.count(progress.step), formatting.count(progress.steps))

    def shutdown(self) -> None:
        """Save the run and wait for the threads."""
        self.data.shutdown()
        self.training.shutdown()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the engine's capabilities when the page is first shown."""
        super().showEvent(event)
        if not self._begun:
            self._begun = True
            self.training.begin()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept images anywhere on the page, unless a run is active."""
        if dropped_paths(event.mimeData()) and not self.state.at_work:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Use the dropped files as data."""
        event.acceptProposedAction()
        self.show_step(_DATA)
        self.training.preparing.set_data(dropped_paths(event.mimeData()))

    # --- steps -----------------------------------------------------------------------------

    def show_step(self, place: int) -> None:
        """Show the step of index 0, 1 or 2."""
        self.steps[place].setChecked(True)
        for step in self.steps:
            # An exclusive group removes all buttons but the checked one from the tab order.
            step.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.stack.setCurrentIndex(place)

    def _show_steps(self) -> None:
        data, settings, run = self.steps
        words, good, bad = self._data_words()
        data.set_body(words, done=good, warns=bad)
        faults = len(self.state.faults.keys() - {"device"})  # that one is shown beside Start
        settings.set_body(
            self._settings_words(), done=bool(self.state.settings) and not faults, warns=faults > 0
        )
        run.set_body(self._run_words(), done=self.state.phase == "done")

    def _data_words(self) -> tuple[str, bool, bool]:
        state = self.state
        report = state.report
        if report is not None:
            text = self.tr("{0} to learn from, {1} to check with")
            numbers = (report.count("train"), report.count("validation"))
            text = text.format(*(formatting.count(n) for n in numbers))
            if report.count("problem"):
                left = self.tr("{0} left out").format(formatting.count(report.count("problem")))
                text = f"{text}, {left}"
            return text, not state.is_task_unknown, state.is_task_unknown
        if state.data.paths and state.background_task is not None:  # or queued behind another task
            return self.tr("Looking at the pairs…"), False, False
        if state.data.paths and state.settings and not state.faults:
            return self.tr("These pictures cannot be used"), False, True
        return self.tr("Which pictures to learn from"), False, False

    def _settings_words(self) -> str:
        state = self.state
        if state.capabilities is None or not state.settings:
            return self.tr("What to start from, and how long")
        faults = len(state.faults.keys() - {"device"})
        if faults:
            return self.tr("{0} to put right").format(faults)
        presets = {preset.name: preset.title for preset in state.capabilities.presets}
        how = translate(presets.get(state.preset, "")) or self.tr("Own settings")
        parent = state.parent_choice
        start = parent.name if parent is not None else self.tr("from scratch")
        count = int(state.settings["steps"])
        steps = plural("{0} step", "{0} steps", count).format(formatting.count(count))
        return f"{how}, {start}, {steps}"

    def _run_words(self) -> str:
        progress, phase = self.state.run_progress, self.state.phase
        if phase == "setup":
            return self.tr("Watch, steer, keep the best")
        if phase == "starting":
            return self.tr("Reading the pictures")
        if phase == "done":
            return self.tr("Finished")
        share = 100 * progress.step / progress.steps if progress.steps else 0
        words = {
            "running": self.tr("Training"),
            "pausing": self.tr("Pausing"),
            "paused": self.tr("Paused"),
            "stopping": self.tr("Stopping"),
            "failed": self.tr("Stopped by an error"),
            "set aside": self.tr("Set aside", "state"),
        }
        return f"{words[phase]}, {share:.0f} %"

    def _show_phase(self) -> None:
        state = self.state
        for panel in (self.data, self.settings):
            panel.setEnabled(not state.at_work)
        if state.phase == "starting":
            self._run_stack.setCurrentIndex(0)
            self.show_step(_RUN)
        self._show_steps()
        self.busy_changed.emit()

    def _show_kept(self) -> None:
        if self.state.saved_pack is not None and self.state.comparison is None:
            self._run_stack.setCurrentWidget(self.result)

    def _show_curves(self) -> None:
        self._run_stack.setCurrentIndex(0)

    def _keep_old(self) -> None:
        kept = self.state.saved_pack
        self.state.clear_run()
        self.state.set_phase("setup")
        self._run_stack.setCurrentIndex(0)
        if kept is not None:
            text = self.tr("Nothing was changed. “{0}” stays in the list of methods.")
            self.state.set_message(text.format(kept.name))
        self.show_step(_SETTINGS)

    def _another(self) -> None:
        self.state.clear_run()
        self.state.set_phase("setup")
        self._run_stack.setCurrentIndex(0)
        self.training.preparing.suggest_another_name()
        self.show_step(_SETTINGS)

    # --- problems --------------------------------------------------------------------------

    def _show_problem(self) -> None:
        error = self.state.problem
        if error is None:
            self.card.hide()
            return
        labels = {
            "open": self.tr("Try again"),
            "data": self.tr("Choose other pictures"),
            "resume": self.tr("Resume"),
            "keep": self.tr("Keep the best state"),
        }
        remedy = self.state.remedy
        self.card.show_error(*translate_error(error), remedy, labels.get(remedy, ""))

    def _remedy(self, remedy: str) -> None:
        if remedy == "open":
            self.state.set_problem(None)
            self.training.begin()
        elif remedy == "data":
            self.show_step(_DATA)
            self.data.ask_folder()
        elif remedy == "resume":
            self.training.running.resume_failed()
        elif remedy == "keep":
            self.training.running.keep_best()

    def _copy_details(self) -> None:
        error = self.state.problem
        if error is not None:
            text = f"{error}\n\n{details_of(error)}"
            known = [path for path in (*self.state.data.paths, self.state.data.validation) if path]
            report = self.state.report
            names = []
            if report is not None:
                names = [row.name for row in report.rows] + [side.name for side in report.sides]
            # Names of pairs may identify patients; very short ones would also match other words.
            known += [Path(name) for name in names if len(name) > _SHORTEST_NAME]
            QGuiApplication.clipboard().setText(without_names(text, known))

    # --- requests --------------------------------------------------------------------------

    def _resume_run(self, run: OpenRun) -> None:
        self.training.preparing.show_run(run)
        self.training.running.resume_run(run)

    def _set_rates(self, lower: float, upper: float) -> None:
        if self.training.running.set_rates(lower, upper) and self.run is not None:
            self.run.show_rates_taken()

    def _save_image(self, image: QImage, name: str) -> None:
        self.training.export_picture(image, Path(name))

    def _open_report(self) -> None:
        if self.state.saved_pack is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.state.saved_pack.report)))
