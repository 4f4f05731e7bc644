"""Choices of other computers that work along: scheduler, certificates, what they get at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.compute.remote import compute
from app.i18n.numbers import number
from app.i18n.translate import plural, translate
from app.pairs.cluster_tasks import chosen_cluster, find_workers
from app.widgets import theme
from app.widgets.forms import centre_labels
from app.workers import Job, Runner
from core.cluster.choice import MOST_ROWS
from core.errors import FusionError

if TYPE_CHECKING:
    from core.cluster.survey import FoundWorker

_NAMED = 8
"""Workers that are named, at most."""


class ClusterRows(QWidget):
    """A section that is closed until it is asked for; nothing is connected to before “Connect”."""

    edited = Signal()

    def __init__(
        self, methods: Callable[[], Sequence[tuple[str, str]]], *, counts_rows: bool = True
    ) -> None:
        """
        Args:
            methods: task and name of each method that is chosen now.
            counts_rows: whether it can be chosen how many rows a worker is given at once.
        """
        super().__init__()
        self._methods, self._counts_rows = methods, counts_rows
        self._runner: Runner | None = None
        self._job: Job | None = None
        self._asked = ("", "")
        """Scheduler and certificates of the job."""
        self._said = ""
        self.dialog: QFileDialog | None = None
        self._make()
        self._lay_out()
        self._show_job()

    def _make(self) -> None:
        self.more = QWidget()
        self.more.hide()
        self.toggle = QToolButton()
        self.toggle.setText(self.tr("Advanced: other computers"))
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.set_icon(self.toggle, "lan")
        self.toggle.toggled.connect(self.more.setVisible)
        self.scheduler, self.certificates = QLineEdit(), QLineEdit()
        self.scheduler.setPlaceholderText(self.tr("This computer alone"))
        self.scheduler.setToolTip(
            self.tr(
                "Address of a scheduler that was started with “unifusion scheduler”, such as "
                "tls://server:8786"
            )
        )
        self.certificates.setPlaceholderText(self.tr("None (this computer only)"))
        self.certificates.setToolTip(
            self.tr("Folder made by “unifusion cluster certificates”, with the files of a client")
        )
        for line, name in (
            (self.scheduler, self.tr("Address of the scheduler")),
            (self.certificates, self.tr("Folder of the certificates")),
        ):
            line.setAccessibleName(name)
            line.textEdited.connect(self._edit)
        self.browse = QToolButton()
        theme.set_icon(self.browse, "folder-open-outline")
        self.browse.setToolTip(self.tr("Choose the folder of the certificates…"))
        self.browse.setAccessibleName(self.browse.toolTip())
        self.browse.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.browse.clicked.connect(self._ask_folder)
        self.rows = QSpinBox()
        self.rows.setRange(0, MOST_ROWS)
        self.rows.setSpecialValueText(self.tr("as many as take 2 s"))
        self.rows.setAccessibleName(self.tr("Pairs that a worker is given at once"))
        self.rows.valueChanged.connect(self._edit)
        self.connect_button = QPushButton(self.tr("Connect"))
        self.connect_button.setToolTip(self.tr("Look which workers there are, without any work"))
        self.connect_button.clicked.connect(self.look)
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self.cancel)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _lay_out(self) -> None:
        folder, buttons = QHBoxLayout(), QHBoxLayout()
        folder.setSpacing(4)
        folder.addWidget(self.certificates, 1)
        folder.addWidget(self.browse)
        buttons.setSpacing(6)
        buttons.addWidget(self.connect_button)
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        form = QFormLayout(self.more)
        form.setContentsMargins(0, 2, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(6)
        form.addRow(self.tr("Scheduler"), self.scheduler)
        form.addRow(self.tr("Certificates"), folder)
        if self._counts_rows:
            form.addRow(self.tr("At once"), self.rows)
        form.addRow(buttons)
        form.addRow(self.state)
        centre_labels(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.toggle, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.more)

    # --- choices ---------------------------------------------------------------------------

    def show_choice(self, scheduler: str, certificates: str, rows: int = 0) -> None:
        """Show a choice; one of other computers opens the section."""
        for line, text in ((self.scheduler, scheduler), (self.certificates, certificates)):
            if line.text() != text:
                line.setText(text)
        with QSignalBlocker(self.rows):
            self.rows.setValue(rows)
        self._drop_overtaken()
        if scheduler.strip():
            self.toggle.setChecked(True)
        self._show_job()

    @property
    def settings(self) -> dict[str, Any]:
        """The choice by the names that settings have for it."""
        found: dict[str, Any] = {
            "scheduler": self.scheduler.text(),
            "certificates": self.certificates.text(),
        }
        return {**found, "rows_per_worker": self.rows.value()} if self._counts_rows else found

    def _edit(self) -> None:
        self.show_state("")
        self._drop_overtaken()
        self._show_job()
        self.edited.emit()

    def _ask_folder(self) -> None:
        dialog = self.dialog = QFileDialog(self.window(), self.browse.toolTip())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.choose_folder)
        dialog.open()

    def choose_folder(self, folder: str) -> None:
        """Take the certificates in ``folder``."""
        self.certificates.setText(folder)
        self._edit()

    # --- workers ---------------------------------------------------------------------------

    def look(self) -> None:
        """Connect, and show which workers there are."""
        try:
            choice = chosen_cluster(self.scheduler.text(), self.certificates.text())
        except FusionError as error:
            self._failed(error)
            return
        if choice is None or self._job is not None:
            return
        if self._runner is None:
            self._runner = Runner("cluster", self)
        job = self._job = self._runner.submit(compute(find_workers, choice, tuple(self._methods())))
        self._asked = self._address
        job.progress.connect(lambda _done, _total, stage: self.show_state(f"{stage}…"))
        job.finished.connect(self._found)
        job.failed.connect(self._failed)
        job.cancelled.connect(partial(self._cancelled, job))
        self.show_state(self.tr("Connecting…"))
        self._show_job()

    def _drop_overtaken(self) -> None:
        """Take no answer from another address than the one that is named now."""
        if self._job is not None and self._asked != self._address:
            job, self._job = self._job, None
            job.cancel()
            self.show_state("")

    @property
    def _address(self) -> tuple[str, str]:
        return self.scheduler.text(), self.certificates.text()

    def cancel(self) -> None:
        """Connect no longer."""
        if self._job is not None:
            self._job.cancel()

    def _found(self, workers: tuple[FoundWorker, ...]) -> None:
        good = [worker for worker in workers if not worker.problem]
        slots = sum(worker.slots for worker in good)
        if not workers:
            hint = self.tr("There is no worker yet. Start one with: unifusion worker {0}")
            self._ended(hint.format(self.scheduler.text().strip()), warns=True)
            return
        lines = [
            plural("{0} worker, pairs at once: {1}", "{0} workers, pairs at once: {1}", len(good))
            .format(number(len(good), ","), number(slots, ","))
        ]  # fmt: skip
        lines += [f"{one.name}: {self._state_of(one)}" for one in workers[:_NAMED]]
        if len(workers) > _NAMED:
            lines.append("…")
        self._ended("\n".join(lines), warns=len(good) < len(workers))

    def _state_of(self, worker: FoundWorker) -> str:
        if worker.problem:
            return self.tr("gets no work: {0}").format(translate(worker.problem))
        if worker.is_busy:
            return self.tr("busy, has not answered")
        return self.tr("ready")

    def _failed(self, error: FusionError) -> None:
        self._ended(translate(error.message), warns=True)

    def _cancelled(self, job: Job) -> None:
        if job is self._job:
            self._ended(self.tr("Cancelled."))

    def _ended(self, text: str, *, warns: bool = False) -> None:
        self._job = None
        self.show_state(text, warns=warns)
        self._show_job()

    def show_news(self, workers: int, seen: int, text: str) -> None:
        """Show how many workers have work during a run, and what was said of one last."""
        self._said = translate(text) or self._said
        words = plural("{0} worker gets pairs", "{0} workers get pairs", workers)
        words = words.format(number(workers, ","))
        if seen > workers:
            words = self.tr("{0}; not used: {1}").format(words, number(seen - workers, ","))
        lines = (words, self._said) if self._said else (words,)
        self.show_state("\n".join(lines), warns=seen > workers or bool(self._said))

    def begin_run(self) -> None:
        """Forget what was said of workers of an earlier run."""
        self._said = ""
        self.show_state("")

    def show_state(self, text: str, *, warns: bool = False) -> None:
        """Show ``text`` below the choices; "" hides it."""
        self.state.setText(text)
        self.state.setVisible(bool(text))
        self.state.setProperty("warns", warns)
        self.state.setObjectName("" if warns else "hint")
        self.state.style().unpolish(self.state)
        self.state.style().polish(self.state)

    def _show_job(self) -> None:
        is_on = self._job is not None
        self.connect_button.setEnabled(not is_on and bool(self.scheduler.text().strip()))
        self.cancel_button.setVisible(is_on)
        if not self.state.text():
            self.state.hide()

    def shutdown(self) -> None:
        """Connect no longer, and wait for the thread."""
        if self._runner is not None:
            self._runner.shutdown()
