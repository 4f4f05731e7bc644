"""The progress of a row in the threads of a batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.errors import Cancelled
from core.progress import Progress

_TELL_EVERY = 0.2
"""Seconds between two stages of a row that are told."""


class RowProgress:
    """The progress passed to the engine: forwards cancellation, and stages where asked to."""

    def __init__(
        self,
        progress: Progress,
        stop: threading.Event,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._progress, self._stop = progress, stop
        self._tell, self._told = tell, ("", 0.0)

    def telling(self, tell: Callable[[str], None]) -> RowProgress:
        """The same for one row, whose stages are told now and then."""
        return RowProgress(self._progress, self._stop, tell)

    def report(self, done: float, total: float, stage: str) -> None:
        """Tell the stage of a row, if anyone wants to know: the progress of a run counts rows."""
        last, when = self._told
        if self._tell is None or stage == last or time.monotonic() - when < _TELL_EVERY:
            return
        self._told = (stage, time.monotonic())
        self._tell(stage)

    def check(self) -> None:
        """Raise Cancelled when the run has ended or the caller cancels."""
        if self._stop.is_set():
            raise Cancelled
        self._progress.check()
