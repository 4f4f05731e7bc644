"""A progress that can be shut: work stands still at its next look, and goes on when it opens."""

from __future__ import annotations

import threading
import time

from core.progress import NullProgress, Progress

_LOOK = 0.05
"""Seconds between two looks of waiting work at whether it was cancelled."""


class PauseGate:
    """Between a run and the progress of its job; also the clock of the run."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._inner: Progress = NullProgress()
        self._teller = 0
        self._shut_at = 0.0
        self._lost = 0.0

    @property
    def is_open(self) -> bool:
        """False while work is to stand still."""
        return self._open.is_set()

    def begin(self, inner: Progress) -> None:
        """Open, and serve the job of ``inner`` from now on; called by the thread that tells."""
        self._inner, self._teller = inner, threading.get_ident()
        self.open()

    def shut(self) -> None:
        """Let work stand still at its next check."""
        if self._open.is_set():
            self._shut_at = time.monotonic()
            self._open.clear()

    def open(self) -> None:
        """Let it go on."""
        if not self._open.is_set():
            self._lost += time.monotonic() - self._shut_at
            self._open.set()

    def seconds(self) -> float:
        """Time that passes only while open."""
        now = time.monotonic() if self._open.is_set() else self._shut_at
        return now - self._lost

    def report(self, done: float, total: float, stage: str) -> None:
        """Pass it on."""
        self._inner.report(done, total, stage)

    def check(self) -> None:
        """Wait while shut; raise Cancelled once the job is cancelled, open or not."""
        self._inner.check()
        # The thread that tells what became of rows must not wait: some end while others stand.
        while not self._open.wait(_LOOK) and threading.get_ident() != self._teller:
            self._inner.check()
        self._inner.check()
