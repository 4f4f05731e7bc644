"""What a running batch is controlled by, where it runs."""

from __future__ import annotations

from collections.abc import Sequence

from app.batch.pause_gate import PauseGate
from core.batch.queue_order import QueueOrder


class BatchControl:
    """Pause, resume, and the order of the queued rows."""

    def __init__(self) -> None:
        self.gate = PauseGate()
        self.order = QueueOrder()

    def pause(self) -> None:
        """Pause once the files being written are complete."""
        self.gate.shut()

    def resume(self) -> None:
        """Continue after a pause."""
        self.gate.open()

    def set_order(self, keys: Sequence[str]) -> None:
        """Take queued rows in the order of their keys."""
        self.order.set(keys)
