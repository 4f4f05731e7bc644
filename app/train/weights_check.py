"""Whether a file of DINOv3 weights fits the network that is set."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.compute.remote import compute
from app.i18n.translate import translate_error
from app.train.capabilities import check_backbone
from app.train.state import TrainState
from app.train.view_models import TrainSettings, get
from app.workers import Job
from core.errors import FusionError
from core.progress import Progress


class WeightsCheck(QObject):
    """Checks the file of the setting ``backbone`` on a worker thread, and keeps the last result."""

    checked = Signal()
    """There is a result for the file asked about last."""

    def __init__(
        self,
        state: TrainState,
        run: Callable[[str, Callable[[Progress], Any]], Job],
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            run: submits a job of a kind to the thread that reads files.
        """
        super().__init__(parent)
        self._state, self._run = state, run
        self._errors: dict[str, str] = {}
        """Error of the file checked last, by file and network; "" if it can be used."""
        self._pending = ""
        self._job: Job | None = None

    def forget(self) -> None:
        """Check the file again when it is asked about next."""
        self._errors, self._pending = {}, ""

    def error_of(self, settings: TrainSettings, faulty: bool) -> str:
        """Why the weights cannot be used, or that they are being checked; "" if they can.

        Args:
            faulty: other settings have errors, so that no check is begun.
        """
        if get(settings, "network.backbone.kind") != "dinov3":
            return ""
        file = str(settings.get("backbone") or "")
        offer = self._state.offer
        if not file:
            stored = offer is not None and offer.sha256
            return "" if stored else self.tr("download the DINOv3 weights, or choose their file")
        key = f"{file} {get(settings, 'network.backbone')}"
        if faulty or key in self._errors:
            return self._errors.get(key, "")
        if self._job is None or self._job.is_over or self._pending != key:
            self._pending = key
            self._job = self._run(
                "weights", compute(check_backbone, Path(file), dict(settings["network"]))
            )
            self._job.finished.connect(partial(self._finished, key))
        return self.tr("the file is being looked at")

    def _finished(self, key: str, error: FusionError | None) -> None:
        _, why, remedy = translate_error(error) if error is not None else ("", "", "")
        self._errors = {key: ". ".join(part.rstrip(".") for part in (why, remedy) if part)}
        self.checked.emit()
