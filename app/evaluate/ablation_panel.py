"""Ablations in the window: choose, run, pause, stop, and watch the table fill."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.compute.remote import Control, compute
from app.evaluate.ablation_form import AblationForm
from app.evaluate.ablation_table import AblationRows
from app.evaluate.ablation_tasks import AblationTable, PauseState, RunStep, run_choice
from app.i18n.numbers import filled, number
from app.i18n.translate import plural, translate, translate_error
from app.widgets import theme
from app.widgets.cards import ErrorCard
from app.widgets.plain_table import plain_table
from app.workers import Job, Runner, details_of
from core.errors import FusionError
from core.messages import Message

Phase = Literal["idle", "running", "pausing", "paused"]
_FORM_WIDTH = 340
_RESOLUTION = 1000
_NARROW, _WIDE = 84, 130


class AblationPanel(QWidget):
    """The form at the left; progress and the table of finished runs at the right."""

    busy_changed = Signal()
    """Work started or ended; see :attr:`busy`."""

    def __init__(self, task: str = "mif", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner("ablation", self, background=True)
        self._job: Job | None = None
        self._control: Control | None = None
        self.phase: Phase = "idle"
        self.page: Path | None = None
        self._error: FusionError | None = None
        self.form = AblationForm(task)
        self.rows = AblationRows()
        self.table = plain_table(self.rows, (140, _NARROW, _NARROW, 110, _NARROW, 60))
        self.table.setAccessibleName(self.tr("Scores of the variants"))
        self.card = ErrorCard()
        self.start = QPushButton(self.tr("Start"))
        self.start.setObjectName("fuseButton")
        self.pause, self.stop = QPushButton(self.tr("Pause")), QPushButton(self.tr("Stop"))
        self.stop.setToolTip(self.tr("What was done is kept; starting again goes on from there"))
        self.report = QPushButton(self.tr("Open report"))
        self.bar, self.status, self.note = QProgressBar(), QLabel(), QLabel()
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        title = QLabel(self.tr("What each part of the method is worth"))
        title.setObjectName("paneTitle")
        hint = QLabel(
            self.tr(
                "Trains the whole method and the method without one part, each as long as the "
                "other, and compares their scores on pictures that were held back."
            )
        )
        for label in (hint, self.status, self.note):
            label.setWordWrap(True)
        hint.setObjectName("hint")
        self.note.setObjectName("hint")
        self.bar.setRange(0, _RESOLUTION)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of all runs"))
        theme.set_icon(self.start, "play", "on_accent")
        left = QWidget()
        left.setFixedWidth(_FORM_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (title, hint, self.form):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.start)
        buttons = QHBoxLayout()
        buttons.addWidget(self.status, 1)
        for button in (self.pause, self.stop, self.report):
            buttons.addWidget(button)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.card)
        right.addLayout(buttons)
        right.addWidget(self.bar)
        right.addWidget(self.table, 1)
        right.addWidget(self.note)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(14, 12, 14, 12)
        whole.setSpacing(14)
        whole.addWidget(left)
        whole.addLayout(right, 1)

    def _connect(self) -> None:
        self.form.changed.connect(self._show)
        self.start.clicked.connect(self.begin)
        self.pause.clicked.connect(self._toggle_pause)
        self.stop.clicked.connect(self.end)
        self.report.clicked.connect(self._open_report)
        self.card.copy_requested.connect(self._copy_details)

    @property
    def busy(self) -> str:
        """Description of the work under way, or ""."""
        if self._job is None:
            return ""
        return self.tr("Training the variants of an ablation")

    # --- commands --------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the ablation, or continue one in the same folder."""
        choice = self.form.choice()
        if choice is None or self._job is not None:
            return
        self.card.hide()
        self.page, self._error = None, None
        self.rows.show_table(None)
        self.status.setText(self.tr("Starting the engine…"))
        self.bar.setValue(0)
        control = self._control = Control("trainer.run.control:RunControl")
        kept = Message("Runs that have ended are kept; start again in the same folder to go on.")
        work = compute(run_choice, choice, control=control, kept=kept)
        self._job = job = self._runner.submit(work)
        job.yielded.connect(self._take)
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._stopped)
        self._set_phase("running")
        self.busy_changed.emit()

    def end(self) -> None:
        """Stop with a checkpoint, so that the ablation can be continued."""
        if self._job is not None:
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop with a checkpoint, and wait for the thread."""
        self._runner.shutdown()

    def _toggle_pause(self) -> None:
        if self._control is None:
            return
        if self.phase == "running":
            self._control.request("pause")
            self._set_phase("pausing")
        elif self.phase in ("paused", "pausing"):
            self._control.request("resume")
            self._set_phase("running")

    def _open_report(self) -> None:
        if self.page is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.page)))

    def _copy_details(self) -> None:
        if self._error is not None:
            QGuiApplication.clipboard().setText(details_of(self._error))

    # --- the thread's answers --------------------------------------------------------------

    def _take(self, event: object) -> None:
        if isinstance(event, RunStep):
            self._show_step(event)
        elif isinstance(event, AblationTable):
            self._show_table(event)
        elif isinstance(event, PauseState):
            self._set_phase("paused" if event.paused else "running")

    def _show_step(self, event: RunStep) -> None:
        done = (event.run - 1 + event.step / event.steps) / event.total
        self.bar.setValue(round(done * _RESOLUTION))
        text = filled(
            self.tr("Run {0} of {1}: {2}, seed {3}, step {4} of {5}"),
            event.run,
            event.total,
            translate(event.title),
            str(event.seed),
            event.step,
            event.steps,
        )
        if event.pace:
            left = event.pace * event.steps * event.total * (1 - done) / 60
            minutes = max(1, round(left))
            text += ", " + filled(
                plural("about {0} minute left", "about {0} minutes left", minutes), minutes
            )
        self.status.setText(text)

    def _show_table(self, table: AblationTable) -> None:
        columns = self.rows.columnCount()
        self.rows.show_table(table)
        if self.rows.columnCount() != columns:
            for column in range(6, self.rows.columnCount()):
                self.table.setColumnWidth(column, _WIDE)
        self.bar.setValue(round(table.done / table.total * _RESOLUTION))
        text = self.tr("Mean ± standard deviation over the seeds of the means over the pictures.")
        if table.encoder:
            text += " " + self.tr("The small encoder stands in for DINOv3.")
        self.note.setText(text)

    def _finished(self, page: Path) -> None:
        self.page = page
        self.bar.setValue(_RESOLUTION)
        self._end()
        total = self.rows.table.total if self.rows.table is not None else 0
        template = plural("{0} run is done.", "All {0} runs are done.", total)
        self.status.setText(template.format(number(total)))

    def _failed(self, error: FusionError) -> None:
        self._error = error
        self._end()
        self.status.setText("")
        self.card.show_error(*translate_error(error), "", "")

    def _stopped(self) -> None:
        self._end()
        self.status.setText(self.tr("Stopped. Starting again goes on from here."))

    def _end(self) -> None:
        self._job = None
        self._set_phase("idle")
        self.busy_changed.emit()

    # --- what is shown ---------------------------------------------------------------------

    def _set_phase(self, phase: Phase) -> None:
        self.phase = phase
        self._show()

    def _show(self) -> None:
        idle = self.phase == "idle"
        self.form.setEnabled(idle)
        self.start.setEnabled(idle and self.form.data is not None)
        self.pause.setVisible(not idle)
        self.stop.setVisible(not idle)
        self.pause.setText({
            "pausing": self.tr("Pausing…"), "paused": self.tr("Continue"),
        }.get(self.phase, self.tr("Pause")))  # fmt: skip
        self.report.setVisible(self.page is not None)
        self.bar.setVisible(not idle or self.page is not None)
        if idle and self.form.data is None and self._error is None:
            self.status.setText(self.tr("Choose a folder of pictures first."))
        elif idle and self.status.text() == self.tr("Choose a folder of pictures first."):
            self.status.setText("")
