"""When what was seen first: one line of JSON per event, for the benchmark of the first launch.

Off unless $UNIFUSION_TIMINGS names a file.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.fuse.state import FuseState
from app.workers.first_paint import FirstPaint

_VARIABLE = "UNIFUSION_TIMINGS"
_BEAT_MS = 5


class StartupTimings(QObject):
    """Appends “paint”, “sources”, “preview” and “result”, each once.

    Each with the time of day and the processor seconds this process has used so far. Also “stalls”,
    at the end: for how many milliseconds the event loop did not turn, the longest first, each with
    the processor milliseconds all threads used meanwhile and the time of day it was over. On a busy
    machine the processor time tells how long it would have been on an idle one.
    """

    def __init__(self, path: Path, window: QWidget, session: FuseState) -> None:
        super().__init__(window)
        self._path = path
        self._session = session
        self._seen: set[str] = set()
        self._late: list[tuple[float, float, float]] = []
        self._last = self._last_cpu = 0.0
        FirstPaint(window, self._painted)
        session.sources_changed.connect(self._sources)
        session.outcome_changed.connect(self._outcome)
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._tick)

    def _painted(self) -> None:
        self._note("paint")
        self._last, self._last_cpu = time.perf_counter(), time.process_time()
        self._beat.start()

    def finish(self) -> None:
        """Write the stalls."""
        self._beat.stop()
        longest = sorted(self._late, reverse=True)[:10]
        rows = [[round(ms, 1), round(cpu, 1), at] for ms, cpu, at in longest]
        self._append({"event": "stalls", "stalls": rows})

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.process_time()
        late = max(0.0, (now - self._last) * 1000 - _BEAT_MS)
        self._late.append((late, (cpu - self._last_cpu) * 1000, time.time()))
        self._last, self._last_cpu = now, cpu

    def _sources(self) -> None:
        if self._session.sources.pair is not None:
            # Seen when painted, which the signal's other listeners have only asked for so far.
            QTimer.singleShot(0, self, lambda: self._note("sources"))

    def _outcome(self) -> None:
        outcome = self._session.outcome
        if outcome is not None:
            name = "preview" if outcome.is_preview else "result"
            QTimer.singleShot(0, self, lambda: self._note(name))

    def _note(self, name: str) -> None:
        if name not in self._seen:
            self._seen.add(name)
            self._append({"event": name, "at": time.time(), "cpu": time.process_time()})

    def _append(self, row: dict[str, object]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def wanted() -> Path | None:
    """The file timings are asked for in, or None."""
    name = os.environ.get(_VARIABLE, "")
    return Path(name) if name else None
