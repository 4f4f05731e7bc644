"""How many rows are worked on at once: one a processor core, or as many as may be."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2

_WINDOW, _ROWS = 0.2, 8
"""A way of working is judged by so many seconds and rows at least."""
_HOPELESS = 2.0
"""A way that takes so many times as long as the other one is given up sooner."""
_SOON, _LATE = 1.0, 30.0
"""Seconds until the other way is tried again: at first, and when it never was the quicker one."""
_LOOK = 0.25
"""Seconds between two looks of a waiting thread at whether the run is over."""

_SWITCH = 0.0005
"""Seconds after which a thread that runs Python lets the next one, at the latest."""


@contextmanager
def side_by_side() -> Iterator[None]:
    """Make the most of rows that are worked on at once, for as long as that lasts.

    OpenCV keeps to the thread that calls it: its helpers would only take the cores from other rows.
    And a thread that comes back from a codec need not wait ten rows' worth of Python for its turn.
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
    """Tries both ways, keeps to the quicker one, and looks again now and then.

    Where files keep one waiting, as many rows as may be overlap with gain. Where they do not, more
    rows than cores only wear out the caches and take the interpreter's lock from each other. Which
    of the two holds depends on images, method, disk and what else the machine does, so it is
    measured rather than foretold.
    """

    def __init__(self, few: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            few: rows at once where nothing waits, and at first.
            most: rows at once, at most.
            clock: seconds that count; one that stands still while a run is paused.
        """
        few = min(few, most)
        self._few, self._most, self._clock = few, most, clock
        self._changed = threading.Condition()
        self._inside = 0
        self.limit = few
        """Rows at once just now."""
        self._best, self._best_rate = few, 0.0
        self._patience, self._next_trial = _SOON, clock()
        self._passing = self._ended = 0
        self._since = clock()

    @contextmanager
    def place(self, check: Callable[[], None]) -> Iterator[WorkerSlot]:
        """Wait for a place and hold it; ``check`` may raise to end the waiting."""
        place = WorkerSlot(self, check)
        self._enter(check)
        try:
            yield place
        finally:
            place.leave()

    def _enter(self, check: Callable[[], None]) -> None:
        with self._changed:
            while self._inside >= self.limit:
                self._changed.wait(_LOOK)
                check()
            self._inside += 1

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify()

    def _row_ended(self) -> bool:
        """Count it; whether there are more at work than there should be."""
        with self._changed:
            if self._few < self._most:
                self._count()
            return self._inside > self.limit

    def _count(self) -> None:
        now = self._clock()
        if self._passing:  # begun while the limit was another
            self._passing -= 1
            self._ended, self._since = 0, now
            return
        self._ended += 1
        seconds = now - self._since
        if seconds < _WINDOW or (self._ended < _ROWS and not self._is_hopeless(seconds)):
            return
        self._judge(self._ended / seconds, now)
        self._ended, self._since = 0, now

    def _is_hopeless(self, seconds: float) -> bool:
        is_trial = self.limit != self._best
        return is_trial and seconds * self._best_rate > _HOPELESS * max(self._ended, _ROWS / 2)

    def _judge(self, rate: float, now: float) -> None:
        if self.limit == self._best:
            self._best_rate = rate
            if now >= self._next_trial:
                self._set(self._few if self.limit == self._most else self._most)
            return
        if rate > self._best_rate:
            self._best, self._best_rate, self._patience = self.limit, rate, _SOON
        else:
            self._patience = min(2 * self._patience, _LATE)
        self._next_trial = now + self._patience
        self._set(self._best)

    def _set(self, limit: int) -> None:
        if limit != self.limit:
            self.limit, self._passing = limit, self._inside
            self._changed.notify_all()


class WorkerSlot:
    """One thread's leave to work."""

    def __init__(self, pace: ConcurrencyController, check: Callable[[], None]) -> None:
        self._pace, self._check = pace, check
        self._held = True

    def next(self, put_down: Callable[[], None]) -> None:
        """A row has ended. Keeps the place, or calls ``put_down`` and waits for another one."""
        if self._pace._row_ended():
            put_down()
            self.leave()
            self._pace._enter(self._check)
            self._held = True

    def leave(self) -> None:
        """Give the place back, once."""
        if self._held:
            self._held = False
            self._pace._leave()
