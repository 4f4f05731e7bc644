"""Garbage collection of the window's process, on the GUI thread only and at quiet moments.

The interpreter collects cyclic garbage on whichever thread creates the object that fills a
generation. In a worker thread that destroys widgets and timers of Qt where they must not be
destroyed; and a full collection holds the GIL for some 50 ms in the middle of anything.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

from app.workers.background_import import readers_are_imported

_INTERVAL_MS = 50
_QUIET_CPU, _QUIET_TICKS = 0.003, 20
"""The GUI thread is quiet after twenty intervals in each of which it used less than 3 ms."""
_OVERDUE = 10
"""A full collection that is so many times overdue does not wait for a quiet moment."""


class GarbageCollector(QObject):
    """Collects by the interpreter's thresholds, but full collections wait until it is quiet.

    The interpreter's own collections are off until :meth:`stop`.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._cpu, self._quiet = time.thread_time(), 0
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_INTERVAL_MS)

    def stop(self) -> None:
        """Leave collections to the interpreter again."""
        self._timer.stop()
        if self._was_on:
            gc.enable()

    def _tick(self) -> None:
        used, self._cpu = time.thread_time() - self._cpu, time.thread_time()
        self._quiet = self._quiet + 1 if used < _QUIET_CPU else 0
        # Until the readers are imported, which freezes what they made, collections would go through
        # that over and over: 20 ms of a turn.
        if readers_are_imported():
            self.collect(quiet=self._quiet >= _QUIET_TICKS)

    def collect(self, *, quiet: bool) -> int | None:
        """Collect what is due; returns the generation, or None where none is.

        Args:
            quiet: whether a full collection may hold the window up now.
        """
        young, middle, full = (
            count / max(1, threshold)
            for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if full > (1 if quiet else _OVERDUE):
            generation = 2
        elif young <= 1:
            return None
        else:
            generation = 1 if middle > 1 else 0
        gc.collect(generation)
        return generation
