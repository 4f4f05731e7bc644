"""Controls how many rows are in progress at once: one per processor core, or the maximum."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2

_WINDOW, _ROWS = 0.2, 8
"""Seconds and rows that a rate is measured over, at least."""
_ABORT_RATIO = 2.0
"""A trial that takes this many times as long as the best limit is ended early."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
"""Seconds until the next trial: after one that was faster, and at most."""
_CHECK_EVERY = 0.25
"""Seconds between two checks of a waiting thread for the end of the run."""

_SWITCH = 0.0005
"""Switch interval of the interpreter in seconds while rows run side by side."""


@contextmanager
def side_by_side() -> Iterator[None]:
    """Settings of the process for rows that run side by side, restored afterwards.

    OpenCV runs on the calling thread, since helper threads would take cores from other rows. A
    shorter switch interval lets a thread that returns from a codec continue sooner.
    """
    helpers, switch = cv2.getNumThreads(), sys.getswitchinterval()
    cv2.setNumThreads(1)
    sys.setswitchinterval(min(_SWITCH, switch))
    try:
        yield
    finally:
        cv2.setNumThreads(helpers)
        sys.setswitchinterval(switch)


class ConcurrencyController:
    """Measures the rate with both limits, uses the faster one, and repeats the trial now and then.

    Where rows wait for files, more of them overlap with a gain. Where they do not, more rows than
    cores only compete for caches and the interpreter lock. Which case applies depends on images,
    method, disk and other load, so it is measured.
    """

    def __init__(self, few: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            few: the lower limit, used first. most: the upper limit.
            clock: in seconds; it should stop while a run is paused.
        """
        few = min(few, most)
        self._few, self._most, self._clock = few, most, clock
        self._changed = threading.Condition()
        self._inside = 0
        self.limit = few
        """The limit in use."""
        self._best, self._best_rate = few, 0.0
        self._wait, self._next_trial = _FIRST_WAIT, clock()
        self._ignored = self._ended = 0
        self._since = clock()

    @contextmanager
    def slot(self, check: Callable[[], None]) -> Iterator[WorkerSlot]:
        """Wait for a slot and hold it; ``check`` may raise to end the wait."""
        slot = WorkerSlot(self, check)
        self._enter(check)
        try:
            yield slot
        finally:
            slot.leave()

    def _enter(self, check: Callable[[], None]) -> None:
        with self._changed:
            while self._inside >= self.limit:
                self._changed.wait(_CHECK_EVERY)
                check()
            self._inside += 1

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify()

    def _row_ended(self) -> bool:
        """Count a row; returns whether more threads are at work than the limit allows."""
        with self._changed:
            if self._few < self._most:
                self._count()
            return self._inside > self.limit

    def _count(self) -> None:
        now = self._clock()
        if self._ignored:  # started under the previous limit
            self._ignored -= 1
            self._ended, self._since = 0, now
            return
        self._ended += 1
        seconds = now - self._since
        if seconds < _WINDOW or (self._ended < _ROWS and not self._is_clearly_slower(seconds)):
            return
        self._compare(self._ended / seconds, now)
        self._ended, self._since = 0, now

    def _is_clearly_slower(self, seconds: float) -> bool:
        is_trial = self.limit != self._best
        return is_trial and seconds * self._best_rate > _ABORT_RATIO * max(self._ended, _ROWS / 2)

    def _compare(self, rate: float, now: float) -> None:
        if self.limit == self._best:
            self._best_rate = rate
            if now >= self._next_trial:
                self._set(self._few if self.limit == self._most else self._most)
            return
        if rate > self._best_rate:
            self._best, self._best_rate, self._wait = self.limit, rate, _FIRST_WAIT
        else:
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
        self._next_trial = now + self._wait
        self._set(self._best)

    def _set(self, limit: int) -> None:
        if limit != self.limit:
            self.limit, self._ignored = limit, self._inside
            self._changed.notify_all()


class WorkerSlot:
    """Permission for one thread to work."""

    def __init__(self, controller: ConcurrencyController, check: Callable[[], None]) -> None:
        self._controller, self._check = controller, check
        self._held = True

    def next(self, release: Callable[[], None]) -> None:
        """Report a finished row; above the limit, call ``release`` and wait for a new slot."""
        if self._controller._row_ended():
            release()
            self.leave()
            self._controller._enter(self._check)
            self._held = True

    def leave(self) -> None:
        """Give the slot back; further calls do nothing."""
        if self._held:
            self._held = False
            self._controller._leave()
