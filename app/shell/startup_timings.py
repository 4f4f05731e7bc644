"""Start-up times as one line of JSON per event, for the benchmark of the first launch.

Written only if $UNIFUSION_TIMINGS names a file.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.fuse.state import FuseState
from app.workers.first_paint import FirstPaint

_VARIABLE = "UNIFUSION_TIMINGS"
_BEAT_MS = 5


class StartupTimings(QObject):
    """Appends the events “paint”, “sources”, “preview” and “result”, each once.

    Each has the time of day and the CPU seconds used by this process so far. “stalls” is appended
    at the end: durations in ms for which the event loop was blocked before the window closed,
    longest first, each with the CPU time of all threads in ms and the time of day of its end.
    On a busy machine the CPU time is an estimate of the duration on an idle one.
    """

    def __init__(self, path: Path, window: QWidget, session: FuseState) -> None:
        super().__init__(window)
        self._path = path
        self._session = session
        self._seen: set[str] = set()
        self._late: list[tuple[float, float, float]] = []
        self._last = self._last_cpu = 0.0
        FirstPaint(window, self._painted)
        window.installEventFilter(self)
        session.sources_changed.connect(self._sources)
        session.outcome_changed.connect(self._outcome)
        self._beat = QTimer(self)
        self._beat.setInterval(_BEAT_MS)
        self._beat.timeout.connect(self._tick)

    def _painted(self) -> None:
        self._note("paint")
        self._last, self._last_cpu = time.perf_counter(), time.process_time()
        self._beat.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stop measuring when the window is closed: its threads are then waited for."""
        if event.type() == QEvent.Type.Close:
            self._beat.stop()
        return False

    def finish(self) -> None:
        """Append the stalls."""
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
            # Painting is only scheduled so far: record the event after it.
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


def timings_file() -> Path | None:
    """The file named by $UNIFUSION_TIMINGS, or None."""
    name = os.environ.get(_VARIABLE, "")
    return Path(name) if name else None
