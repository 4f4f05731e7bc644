"""A run of a batch in the window: its job, the records of its rows, its progress."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.batch import tasks
from app.batch.state import UNDER_WAY, BatchPhase, Ending, RowStates
from app.compute.remote import Control, compute
from app.engine import EngineFactory, LazyEngine
from app.pairs.edits import PairKey, key_of
from app.workers import Job, Runner
from core.messages import Message

if TYPE_CHECKING:
    from core.batch import Tally

_DRAIN_MS = 50
"""Milliseconds between two updates of the window."""
_AT_ONCE = 400
"""Events taken in one turn of the event loop, which takes some milliseconds."""


class BatchRun(QObject):
    """Starts, pauses and stops a run, and collects its events. Emits on the GUI thread."""

    rows_changed = Signal(object)
    """Keys of rows whose texts may have changed."""
    tally_changed = Signal()
    phase_changed = Signal()
    workers_changed = Signal(object)
    """A :class:`core.batch.ClusterNews`."""
    ended = Signal(object)
    """An :class:`Ending`."""

    def __init__(self, factory: EngineFactory, runner: Runner, parent: QObject) -> None:
        """
        Args:
            factory: makes the engine, on the thread that fuses.
            runner: of the thread that the run is on.
        """
        super().__init__(parent)
        self._lazy, self._runner = LazyEngine(factory), runner
        self._control: Control | None = None
        self._job: Job | None = None
        self._closed = False
        self.inbox: deque[Any] = deque()
        """Events that have not been processed yet."""
        self.rows = RowStates()
        self._folder: Path | None = None
        """Output folder of the run that the rows belong to."""
        self.phase: BatchPhase = "idle"
        self.tally: Tally | None = None
        self.stage = ""
        self._timer = QTimer(self)
        self._timer.setInterval(_DRAIN_MS)
        self._timer.timeout.connect(self.drain)

    @property
    def is_on(self) -> bool:
        """Whether a run is in progress, including a paused one."""
        return self.phase in ("running", "paused", "stopping")

    def _set_phase(self, phase: BatchPhase) -> None:
        if phase != self.phase:
            self.phase = phase
            self.phase_changed.emit()

    def start(self, planned: tasks.Planned) -> None:
        """Start the planned run."""
        self.prepare(planned)
        control = self._control = Control("app.batch.control:BatchControl")
        # A signal for each event would block the window.
        take = self.inbox.append
        kept = Message("Pairs that are done are kept; “Go on” does the rest.")
        work = compute(
            tasks.run, self._lazy, planned.plan, planned.cluster,
            control=control, take=take, kept=kept,
        )  # fmt: skip
        job = self._job = self._runner.submit(work)
        job.progress.connect(self._report)
        job.finished.connect(lambda report: self.end(Ending(report)))
        job.failed.connect(lambda error: self.end(Ending(error=error)))
        job.cancelled.connect(lambda: self.end(Ending()))
        self._timer.start()
        self._set_phase("running")
        self.rows_changed.emit(list(self.rows))

    def prepare(self, planned: tasks.Planned) -> None:
        """Mark all planned rows as queued."""
        assert planned.plan is not None
        self.tally = None
        self.inbox.clear()
        if self._folder != planned.plan.options.out:
            self.rows.clear()
            self._folder = planned.plan.options.out
        self.rows.update(planned.queued)

    def output(self, key: PairKey) -> Path | None:
        """File of the fused image of a row that is done."""
        record = self.rows.get(key)
        if record is None or record.state not in ("done", "skipped") or self._folder is None:
            return None
        return self._folder / record.target

    def pause(self) -> None:
        """Pause once the files being written are complete."""
        if self.phase == "running":
            self._request("pause")
            self._set_phase("paused")

    def resume(self) -> None:
        """Continue after a pause."""
        if self.phase == "paused":
            self._request("resume")
            self._set_phase("running")

    def set_order(self, keys: Sequence[str]) -> None:
        """Take the queued rows of the run in the order of their keys."""
        self._request("set_order", list(keys))

    def _request(self, method: str, *arguments: object) -> None:
        if self._control is not None:
            self._control.request(method, *arguments)

    def cancel(self) -> None:
        """Stop the run; finished rows are kept."""
        if self._job is not None and self.is_on:
            self._set_phase("stopping")
            self._job.cancel()

    def forget(self) -> None:
        """Forget all rows."""
        self.rows.clear()
        self.tally = None

    def keep_only(self, keys: Container[PairKey]) -> None:
        """Forget rows that are not among ``keys``."""
        if self.rows.keep_only(keys):
            self.tally = None

    def close(self) -> None:
        """Stop updating the window, which is closing."""
        self._closed = True
        self._timer.stop()

    def _report(self, _done: float, _total: float, stage: str) -> None:
        if self.tally is None and stage != self.stage:
            self.stage = stage
            self.tally_changed.emit()

    def drain(self, most: int = _AT_ONCE) -> None:
        """Process up to ``most`` events."""
        changed: dict[PairKey, None] = {}
        for _ in range(min(most, len(self.inbox))):
            event = self.inbox.popleft()
            if hasattr(event, "seen"):  # news of the workers of a cluster
                self.workers_changed.emit(event)
                continue
            self.tally = event.tally
            if hasattr(event, "row"):
                key = key_of(event.row.match)
                self.rows.put(key, event.record)
                changed[key] = None
        if changed:
            self.rows_changed.emit(list(changed))
            self.tally_changed.emit()

    def end(self, ending: Ending) -> None:
        """Process the remaining events, then report the end of the run."""
        self._job = None
        self._timer.stop()
        self.drain(len(self.inbox))
        self.inbox.clear()
        self._set_phase("idle")
        if not self._closed:
            stopped = [key for key, row in self.rows.items() if row.state in UNDER_WAY]
            self.rows_changed.emit(stopped)
            self.tally_changed.emit()
        self.ended.emit(ending)
