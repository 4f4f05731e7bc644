"""Ends a connection that waits: when the user cancels, or when the other side has gone silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.errors import Cancelled
from core.progress import Progress

_EVERY = 0.1
"""Seconds between looks."""


class Watch:
    """Looks at progress and time on a thread of its own, while another one waits for the network.

    Attributes:
        is_cancelled: by the user.
        is_silent: nothing came for too long.
    """

    def __init__(self, progress: Progress, end: Callable[[], None], limit: float) -> None:
        """
        Args:
            progress: asked whether to stop.
            end: ends the connection, so that the waiting thread wakes up; may be called repeatedly.
            limit: seconds of silence that are too long.
        """
        self._progress, self._end, self._limit = progress, end, limit
        self._over = threading.Event()
        self._heard = time.monotonic()
        self.is_cancelled = self.is_silent = False
        self._thread = threading.Thread(target=self._run, name="archive-watch", daemon=True)

    def beat(self) -> None:
        """Something came from the other side.

        Raises:
            Cancelled: by the user.
        """
        self.heard()
        if self.is_cancelled:
            raise Cancelled
        self._progress.check()

    def heard(self) -> None:
        """Something came; may be called by any thread."""
        self._heard = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_EVERY):
            try:
                self._progress.check()
            except Cancelled:
                self.is_cancelled = True
            self.is_silent = self.is_silent or time.monotonic() - self._heard > self._limit
            if self.is_cancelled or self.is_silent:
                self._end()
