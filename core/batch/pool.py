"""Processes rows on a pool of threads of fixed size, within a limit of memory.

One thread takes a row from its files to its result (:func:`core.batch.row_work.process_row`). Small
rows are fused side by side, each on one core; large ones one at a time, on all cores. A row is
counted in the :class:`~core.batch.memory_budget.RowBudget` from before it is read until it is
written.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial

import cv2

from core.available_memory import available_bytes
from core.batch.crash_trail import CrashTrail, run_marked
from core.batch.manifest import BatchManifest
from core.batch.memory_budget import RowBudget
from core.batch.output_folder import OutputFolder
from core.batch.pack_check import PackCheck
from core.batch.plan import BatchPlan, BatchRow
from core.batch.queue_order import QueueOrder
from core.batch.row_progress import RowProgress
from core.batch.row_record import RowRecord, as_begun
from core.batch.row_work import RowContext, process_row
from core.batch.stages import expected_bytes
from core.device import usable_cores
from core.errors import Cancelled, FusionError
from core.fusion.protocol import Engine
from core.progress import Progress

_AHEAD = 16
"""Rows that are recorded as begun, and handed to the threads, at once."""
_EVENTS_EVERY = 0.03
"""Seconds between two lots of changes: telling each by itself would take the interpreter's lock
from the threads at work."""
_CANCEL_WAIT = 0.6
"""Seconds that a cancelled run waits for reading and fusing, whose results are discarded."""


class RowPool:
    """Processes rows side by side. Use once."""

    def __init__(
        self,
        plan: BatchPlan,
        engine: Engine,
        progress: Progress,
        manifest: BatchManifest,
        *,
        place: OutputFolder,
        trail: CrashTrail | None = None,
        alone: bool = False,
        order: QueueOrder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            place: the output folder.
            trail: records which row each thread works on, in case the program crashes.
            alone: process one row at a time, fused in tiles, for rows that ran out of memory.
            order: of the queued rows; None for that of the plan.
            clock: in seconds, for the time spent on a row.
        """
        self._plan, self._manifest, self._alone = plan, manifest, alone
        self._rows = {row.key: row for row in plan.rows}
        self._progress, self._trail = progress, trail
        self._order, self._arranged = order, 0
        self._size = 1 if alone else plan.options.most_in_flight
        self._memory = RowBudget(self._size, _memory(plan), cores=usable_cores(), alone=alone)
        self._todo: deque[RowRecord] = deque()
        self._begun: dict[Future[None], RowRecord] = {}
        self._changes: deque[RowRecord] = deque()
        self._stop = threading.Event()
        self._writing, self._written = 0, threading.Condition()
        self._context = RowContext(
            plan=plan,
            engine=engine,
            place=place,
            progress=RowProgress(progress, self._stop),
            alone=alone,
            clock=clock,
            tell=self._changes.append,
            writing=self._as_writer,
            check=PackCheck(manifest, plan.options.out),
        )

    def run(self, records: Sequence[RowRecord]) -> Generator[RowRecord, None, None]:
        """Process the rows of ``records``, in that order; yields a record for every change.

        One that is ``queued`` again ran out of memory beside other rows, and is not continued here.
        When this ends early, files being written are completed, reading and fusing are abandoned.

        Raises:
            Cancelled: by the progress. FusionError: the run cannot go on.
        """
        self._todo.extend(records)
        # Its threads are no daemons, which could be ended inside a library when the program exits.
        threads = ThreadPoolExecutor(self._size, "batch-row")
        try:
            with nullcontext() if self._alone else _one_core_each():
                while self._todo or self._begun:
                    self._progress.check()
                    self._submit(threads)
                    wait(self._begun, _EVENTS_EVERY, FIRST_EXCEPTION)
                    fatal = self._forget_ended()
                    if fatal is not None:
                        self._end()
                    yield from self._news()
                    if fatal is not None:
                        raise fatal
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            self._end()
            with suppress(FusionError):  # it must not hide why the run ended
                deque(self._news(), maxlen=0)

    def _submit(self, threads: ThreadPoolExecutor) -> None:
        """Hand rows to the threads; recorded as begun before their files are written."""
        if self._order is not None and self._order.version != self._arranged:
            self._arranged = self._order.version
            back = [record for future, record in self._begun.items() if future.cancel()]
            self._begun = {f: record for f, record in self._begun.items() if not f.cancelled()}
            waiting = [*back, *self._todo]
            self._todo = deque(self._order.arranged(waiting, lambda record: record.key))
        if not self._todo or len(self._begun) >= self._size + _AHEAD:
            return
        chunk = [self._todo.popleft() for _ in range(min(_AHEAD, len(self._todo)))]
        begun = (as_begun(record, self._rows[record.key].match) for record in chunk)
        self._manifest.begin([record for record in begun if record is not None])
        for record in chunk:
            self._begun[threads.submit(run_marked, partial(self._work, record))] = record

    def _work(self, record: RowRecord) -> None:
        """Process one row; on a thread of the pool."""
        check = self._context.progress.check
        check()
        row = self._rows[record.key]
        size = expected_bytes(row)
        context = replace(self._context, fusing=partial(self._memory.fusing, size, check))
        with self._traced(row), self._memory.row(size, check):
            self._changes.append(process_row(row, record, context))

    def _traced(self, row: BatchRow) -> AbstractContextManager[None]:
        return self._trail.at(row.key) if self._trail is not None else nullcontext()

    def _forget_ended(self) -> BaseException | None:
        """Drop the rows that have ended; returns what ends the run, if anything does."""
        ended = [future for future in self._begun if future.done()]
        for future in ended:
            del self._begun[future]
        errors = [error for future in ended if (error := future.exception()) is not None]
        # The first error that is no consequence of another.
        return min(errors, key=lambda error: isinstance(error, Cancelled), default=None)

    def _news(self) -> Iterator[RowRecord]:
        """Changes since the last call; those of rows that have ended are recorded."""
        while self._changes:
            record = self._changes.popleft()
            if record.state in ("done", "failed"):
                self._manifest.end(record)
            yield record
        # Metrics are only in the record: a row without them would be made again.
        self._manifest.tick(now=self._plan.options.metrics)

    def _end(self) -> None:
        """Stop: wait for files being written, and a moment for everything else."""
        self._stop.set()
        with self._written:
            self._written.wait_for(lambda: not self._writing)
        wait([future for future in self._begun if not future.cancel()], _CANCEL_WAIT)

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Count the thread as writing, so that :meth:`_end` waits for it."""
        with self._written:
            if self._stop.is_set():
                raise Cancelled
            self._writing += 1
        try:
            yield
        finally:
            with self._written:
                self._writing -= 1
                self._written.notify_all()


@contextmanager
def _one_core_each() -> Iterator[None]:
    """Let OpenCV run on the calling thread: its helpers would take cores from other rows."""
    helpers = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(helpers)


def _memory(plan: BatchPlan) -> int:
    """Bytes for decoded images, and as many for networks that run side by side."""
    most = plan.options.memory
    free = available_bytes(wanted=3 * most)
    # A third of the free memory, since fusing a large image needs a multiple of it.
    return most if free is None else max(1, min(most, free // 3))
