"""The bottom row of a dialog: how far the work is, and Cancel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.workers import Job


class WorkRow(QWidget):
    """Hidden while nothing runs."""

    ended = Signal()
    """The job is over, in whatever way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self.stage = QLabel()
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self.stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.stage, 1)
        row.addWidget(self.bar)
        row.addWidget(self.cancel)
        self.hide()

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self.job is not None

    def watch(self, job: Job, stage: str) -> None:
        """Show the progress of ``job`` until it ends."""
        self.job = job
        self.stage.setText(stage)
        self.bar.setRange(0, 0)
        self.show()
        job.progress.connect(self._progressed)
        for end in (job.finished, job.failed):
            end.connect(self._over)
        job.cancelled.connect(lambda: self._over(None))

    def stop(self) -> None:
        """Cancel the job."""
        if self.job is not None:
            self.job.cancel()

    def _progressed(self, done: float, total: float, stage: str) -> None:
        self.stage.setText(stage)
        self.bar.setRange(0, int(total))
        self.bar.setValue(int(done))

    def _over(self, _answer: object) -> None:
        self.job = None
        self.hide()
        self.ended.emit()
