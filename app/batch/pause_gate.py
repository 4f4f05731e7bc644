"""A progress that can be paused: workers block in ``check`` until it is opened again."""

from __future__ import annotations

import threading
import time

from core.progress import NullProgress, Progress

_CHECK_EVERY = 0.05
"""Seconds between two checks of a blocked worker for cancellation."""


class PauseGate:
    """Wraps the progress of a job; also a clock that stops during pauses."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._inner: Progress = NullProgress()
        self._event_thread = 0
        self._paused_at = 0.0
        self._paused_seconds = 0.0

    @property
    def is_open(self) -> bool:
        """False during a pause."""
        return self._open.is_set()

    def begin(self, inner: Progress) -> None:
        """Open the gate for the job of ``inner``; call it on the thread that yields the events."""
        self._inner, self._event_thread = inner, threading.get_ident()
        self.open()

    def shut(self) -> None:
        """Pause: workers block at their next check."""
        if self._open.is_set():
            self._paused_at = time.monotonic()
            self._open.clear()

    def open(self) -> None:
        """End the pause."""
        if not self._open.is_set():
            self._paused_seconds += time.monotonic() - self._paused_at
            self._open.set()

    def seconds(self) -> float:
        """Monotonic time in seconds, without pauses."""
        now = time.monotonic() if self._open.is_set() else self._paused_at
        return now - self._paused_seconds

    def report(self, done: float, total: float, stage: str) -> None:
        """Forward to the job."""
        self._inner.report(done, total, stage)

    def check(self) -> None:
        """Block during a pause; raises Cancelled once the job is cancelled, paused or not."""
        self._inner.check()
        # The thread that yields events must not block: rows being written end during the pause.
        while not self._open.wait(_CHECK_EVERY) and threading.get_ident() != self._event_thread:
            self._inner.check()
        self._inner.check()
