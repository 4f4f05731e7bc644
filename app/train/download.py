"""The download of the DINOv3 weights, started only by the user."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.compute.remote import compute
from app.train import capabilities
from app.train.state import TrainState
from app.train.view_models import Fetch
from app.workers import Job, Runner
from core.errors import FusionError


class DownloadController(QObject):
    """Owns the thread of the download."""

    finished = Signal()
    """The weights are downloaded."""

    def __init__(self, state: TrainState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._thread = Runner("fetching", self)
        self._job: Job | None = None

    def offer(self) -> None:
        """Show source, size and licence; sends no request."""
        if self._job is None:
            self.state.set_fetch(Fetch())

    def dismiss(self) -> None:
        """Hide the offer."""
        if self._job is None:
            self.state.set_fetch(None)

    def start(self) -> None:
        """Download. Call only after the user has accepted the licence."""
        if self._job is not None or self.state.fetch is None:
            return
        self.state.set_fetch(Fetch("loading"))
        self._job = job = self._thread.submit(compute(capabilities.fetch_backbone))
        job.progress.connect(self._progressed)
        job.finished.connect(self._fetched)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)

    def cancel(self) -> None:
        """Cancel the download and discard what was received."""
        if self._job is not None:
            self._job.cancel()

    def shutdown(self) -> None:
        """Stop, and wait for the thread."""
        self._thread.shutdown()

    def _progressed(self, done: float, total: float, stage: str) -> None:
        self.state.set_fetch(Fetch("loading", done, total, stage))

    def _fetched(self, sha256: str) -> None:
        self._job = None
        self.state.set_fetch(None)
        text = self.tr("DINOv3 is there, and checked (sha256 {0}…).")
        self.state.set_message(text.format(sha256[:12]))
        self.finished.emit()

    def _failed(self, error: FusionError) -> None:
        self._job = None
        self.state.set_fetch(Fetch("failed", error=error))

    def _cancelled(self) -> None:
        self._job = None
        self.state.set_fetch(Fetch())
