"""Step 3: progress and control of a run."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import number, read
from app.i18n.translate import plural, translate
from app.train import formatting
from app.train.charts import Charts
from app.train.preview_strip import PreviewStrip
from app.train.state import TrainState
from app.widgets import theme
from app.widgets.cards import Card


class RunPanel(QWidget):
    """Progress, buttons, charts, and the strip of validation images."""

    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()
    aside_requested = Signal()
    rates_chosen = Signal(float, float)
    smaller_allowed = Signal()

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._make_bar()
        self._make_rates()
        self.question = Card(
            answers=(
                ("smaller", self.tr("Go on with half the batch")),
                ("stop", self.tr("Stop and keep best")),
            ),
            icon="memory",
            recommended="smaller",
        )
        self.question.answered.connect(self._answered)
        self.charts = Charts(state)
        self.strip = PreviewStrip(
            self.tr(
                "The first pair to check with appears here: A, B, fused now, and fused as it "
                "was at the start."
            )
        )
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.charts)
        split.addWidget(self.strip)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([360, 200])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._bar)
        layout.addWidget(self.progress)
        layout.addWidget(self._rates)
        layout.addWidget(self.question)
        layout.addWidget(split, 1)
        state.phase_changed.connect(self._show_phase)
        state.run_progress_changed.connect(self._show_run_progress)
        state.strip_changed.connect(self._show_strip)
        state.question_changed.connect(self._show_question)
        state.background_task_changed.connect(self._show_phase)
        self._show_phase()

    # --- parts -----------------------------------------------------------------------------

    def _make_bar(self) -> None:
        self.headline, self.details = QLabel(), QLabel()
        self.headline.setObjectName("paneTitle")
        self.details.setObjectName("hint")
        for label in (self.headline, self.details):
            label.setWordWrap(True)
        self.pause = QPushButton(self.tr("Pause"))
        self.pause.setToolTip(self.tr("Wait after this step; the state is saved"))
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop = QPushButton(self.tr("Stop and keep best"))
        self.stop.setToolTip(self.tr("End now; the best state so far becomes a model"))
        self.stop.clicked.connect(self.stop_requested)
        self.aside = QPushButton(self.tr("Set aside"))
        self.aside.setToolTip(self.tr("End now without a model; go on later where it was"))
        self.aside.clicked.connect(self.aside_requested)
        theme.set_icon(self.pause, "pause")
        theme.set_icon(self.stop, "stop")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.headline)
        words.addWidget(self.details)
        self._bar = QHBoxLayout()
        self._bar.setSpacing(8)
        self._bar.addLayout(words, 1)
        for button in (self.pause, self.stop, self.aside):
            self._bar.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Steps done"))

    def _make_rates(self) -> None:
        self._rates = QWidget()
        self.rate_lower, self.rate_upper = QLineEdit(), QLineEdit()
        self.rate_lower.setAccessibleName(self.tr("Learning rate of the lower level"))
        self.rate_upper.setAccessibleName(self.tr("Learning rate of the upper level"))
        self._rate_boxes = (self.rate_lower, self.rate_upper)
        self.apply = QPushButton(self.tr("Use these"))
        self.apply.clicked.connect(self._send_rates)
        self.rates_note = QLabel()
        self.rates_note.setObjectName("hint")
        row = QHBoxLayout(self._rates)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(QLabel(self.tr("Learning rates from here on")))
        for text, box in zip((self.tr("lower"), self.tr("upper")), self._rate_boxes, strict=True):
            box.setFixedWidth(90)
            box.returnPressed.connect(self._send_rates)
            row.addWidget(QLabel(text))
            row.addWidget(box)
        row.addWidget(self.apply)
        row.addWidget(self.rates_note, 1)
        self._rates.hide()

    # --- commands --------------------------------------------------------------------------

    def _pause_or_resume(self) -> None:
        if self._state.phase == "paused":
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()

    def _send_rates(self) -> None:
        try:
            lower, upper = (read(b.text()) for b in (self.rate_lower, self.rate_upper))
        except ValueError:
            self.rates_note.setText(self.tr("These are no numbers."))
            return
        self.rates_note.setText("")
        self.rates_chosen.emit(lower, upper)

    def show_rates_taken(self) -> None:
        """Confirm that the new learning rates were accepted."""
        self.rates_note.setText(self.tr("They hold from the next step on."))

    def _answered(self, name: str) -> None:
        if name == "smaller":
            self.smaller_allowed.emit()
        else:
            self.stop_requested.emit()

    # --- display ---------------------------------------------------------------------------

    def _show_phase(self) -> None:
        phase = self._state.phase
        paused = phase == "paused"
        self.pause.setText(self.tr("Resume") if paused else self.tr("Pause"))
        theme.set_icon(self.pause, "play" if paused else "pause")
        self.pause.setEnabled(phase in ("running", "paused"))
        self.stop.setEnabled(phase in ("running", "pausing", "paused"))
        self.aside.setEnabled(phase in ("starting", "running", "pausing", "paused"))
        for button in (self.pause, self.stop, self.aside):
            button.setVisible(self._state.at_work)
        if paused and not self._rates.isVisible():
            for box, rate in zip(
                (self.rate_lower, self.rate_upper), self._state.run_progress.rates, strict=True
            ):
                box.setText(number(rate, ".3g"))
            self.rates_note.setText("")
        self._rates.setVisible(paused)
        self._show_run_progress()

    def _show_run_progress(self) -> None:
        progress = self._state.run_progress
        self.headline.setText(self._headline())
        parts = [formatting.pace(progress.pace)]
        left = progress.seconds_left
        if left is not None and self._state.phase == "running" and progress.step < progress.steps:
            parts.append(self.tr("about {0} left").format(formatting.duration(left)))
        if progress.memory:
            parts.append(self.tr("{0} of memory in use").format(formatting.memory(progress.memory)))
        if progress.best_step:
            best = self.tr("best so far at step {0}")
            parts.append(best.format(formatting.count(progress.best_step)))
        if progress.device:
            parts.append(formatting.device(progress.device, translate(progress.reason)))
        if progress.precision:
            reason = translate(progress.precision_reason)
            parts.append(formatting.precision(progress.precision, reason))
        self.details.setText(" · ".join(part for part in parts if part))
        waits = self._state.phase in ("starting", "stopping") or not progress.steps
        self.progress.setRange(0, 0 if waits and self._state.at_work else max(1, progress.steps))
        self.progress.setValue(progress.step)
        self.progress.setVisible(self._state.phase != "setup")

    def _headline(self) -> str:
        progress = self._state.run_progress
        at = self.tr("step {0} of {1}").format(
            formatting.count(progress.step), formatting.count(progress.steps)
        )
        texts = {
            "setup": self.tr("Nothing is running yet"),
            "starting": self.tr("Reading the pictures"),
            "running": self.tr("Training: {0}"),
            "pausing": self.tr("Pausing after this step: {0}"),
            "paused": self.tr("Paused and saved: {0}"),
            "stopping": self.tr("Stopping, and writing the best state"),
            "done": self.tr("Finished: {0}"),
            "failed": self.tr("Stopped by an error: {0}"),
            "set aside": self.tr("Set aside and saved: {0}"),
        }
        return texts[self._state.phase].format(at)

    def _show_strip(self) -> None:
        now = self.tr("Fused at step {0}").format(formatting.count(self._state.strip_step))
        names = (self.tr("A"), self.tr("B"), now, self.tr("Fused at the start"))
        images = self._state.strip
        self.strip.show_images(images, names[: len(images)])

    def _show_question(self) -> None:
        batch = self._state.question
        if not batch:
            self.question.show_message("")
            return
        self.question.show_message(
            plural(
                "The run waits; nothing is lost. With {0} crop per step it can go on. It will "
                "learn a little less steadily.",
                "The run waits; nothing is lost. With {0} crops per step it can go on. It will "
                "learn a little less steadily.",
                batch,
            ).format(batch),
            self.tr("The memory is not enough for this batch"),
        )
