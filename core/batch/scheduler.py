"""Reads, fuses and writes rows on several threads, within a limit of memory.

Each thread processes one row from its files to its result. Small rows are fused side by side, each
on one core; large ones one at a time, on all cores. The
:class:`~core.batch.concurrency.ConcurrencyController` decides how many rows are in progress at
once. A row is counted in the :class:`~core.batch.memory_budget.RowBudget` from before it is read
until it is written.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from core.alignment.aligning import RegistrationFailed, registration_record
from core.available_memory import available_bytes
from core.batch.concurrency import ConcurrencyController
from core.batch.crash_trail import CrashTrail, run_marked
from core.batch.manifest import BatchManifest
from core.batch.memory_budget import RowBudget
from core.batch.output_folder import DiskFull, OutputFolder, Stopped
from core.batch.plan import BatchPlan, BatchRow
from core.batch.queue_order import QueueOrder
from core.batch.row_progress import RowProgress
from core.batch.row_record import FileStamp, RowRecord, RowState
from core.batch.row_steps import PictureSteps, RowSteps
from core.batch.stages import expected_bytes
from core.batch.study_row import StudySteps
from core.device import usable_cores
from core.errors import (
    Cancelled,
    DeviceMemoryError,
    FusionError,
    InputError,
    Message,
    OutputError,
    PackError,
    SizeMismatch,
)
from core.fusion.protocol import Engine
from core.printable import valid
from core.progress import Progress

_T = TypeVar("_T")
_AHEAD = 16
"""Rows that are recorded as begun at once."""
_EVENTS_EVERY = 0.03
"""Seconds between two batches of events."""
_CANCEL_WAIT = 0.6
"""Seconds that a cancelled run waits for reading and fusing, whose results are discarded."""


class OtherPack(InputError):
    """The pack differs from that of the earlier rows, so the run stops."""


class Scheduler:
    """Processes rows. Use once: ``start``, take ``events`` until ``idle``, ``close``."""

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
        self._plan, self._engine, self._manifest, self._alone = plan, engine, manifest, alone
        self._rows = {row.key: row for row in plan.rows}
        self._order, self._clock, self._arranged = order, clock, 0
        self._trail, self._place = trail, place
        most = 1 if alone else plan.options.most_in_flight
        self._memory = RowBudget(most, _memory(plan), cores=usable_cores(), alone=alone)
        self._concurrency = ConcurrencyController(usable_cores(), most, clock)
        self._changes: deque[RowRecord] = deque()
        self._over = threading.Event()
        self.fatal: BaseException | None = None
        self._stop = threading.Event()
        self._engine_progress = RowProgress(progress, self._stop)
        self._pack_checked, self._checking = False, threading.Lock()
        self._todo: list[RowRecord] = []
        self._ready: list[RowRecord] = []
        self._taking = threading.Lock()
        self._counting = threading.Condition()
        self._left = self._writing = 0
        self._most, self._threads = most, list[threading.Thread]()

    def _thread(self, body: Callable[[], None], name: str) -> threading.Thread:
        def run() -> None:
            try:
                run_marked(body)
            except Cancelled:
                self._halt(Cancelled())
            # Any error in a thread must end the run and be reported.
            except BaseException as error:
                self._halt(error)

        # No daemon threads: they could be ended inside a library when the program exits.
        return threading.Thread(target=run, name=name)

    def _halt(self, reason: BaseException) -> None:
        if not self._stop.is_set() and self.fatal is None:
            self.fatal = reason
        self._stop.set()
        self._over.set()

    def start(self, records: Sequence[RowRecord]) -> None:
        """Begin with the rows of ``records``, in that order."""
        self._todo = list(reversed(records))
        self._left = len(records)
        for number in range(min(self._most, len(records))):
            self._threads.append(self._thread(self._work, f"batch-{number}"))
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """Whether no more events can come."""
        if self._stop.is_set():
            with self._counting:
                return not self._writing and not self._changes
        if not self._left:
            # The threads are about to end: wait for them instead of another event.
            for thread in self._threads:
                thread.join()
        return not any(thread.is_alive() for thread in self._threads) and not self._changes

    def events(self) -> Iterator[RowRecord]:
        """Records of rows that changed since the last call, after a short wait.

        One that is ``queued`` again ran out of memory beside other rows, and is not continued here.
        Events come in batches: waking the caller for each would take the interpreter's lock from
        the threads at work. The end is reported at once.
        """
        self._over.wait(_EVENTS_EVERY)
        while self._changes:
            yield self._changes.popleft()

    def close(self) -> None:
        """Stop: files being written are completed, reading and fusing are abandoned."""
        self._halt(Cancelled())
        with self._counting:
            self._counting.wait_for(lambda: not self._writing)
        deadline = time.monotonic() + _CANCEL_WAIT
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self) -> RowRecord | None:
        """The next row; recorded as begun, several at a time, before its files are written."""
        with self._taking:
            self._arrange()
            if not self._ready and self._todo:
                chunk = [self._todo.pop() for _ in range(min(_AHEAD, len(self._todo)))]
                self._manifest.begin([begun for record in chunk if (begun := self._begun(record))])
                self._ready = chunk[::-1]
            return self._ready.pop() if self._ready else None

    def _arrange(self) -> None:
        """Sort the queued rows, if their order has changed."""
        if self._order is None or self._order.version == self._arranged:
            return
        self._arranged = self._order.version
        waiting = [*self._ready[::-1], *self._todo[::-1]]
        self._todo = self._order.arranged(waiting, lambda record: record.key)[::-1]
        self._ready = []

    def _begun(self, record: RowRecord) -> RowRecord | None:
        try:
            files_a, files_b = self._rows[record.key].match.files
            stamps = (FileStamp.of(*files_a), FileStamp.of(*files_b))
        except FusionError:
            return None  # reading will report it
        return replace(record, state="begun", text="", stamps=stamps)

    def _work(self) -> None:
        """Take rows, one after the other, until none is left."""
        # Large blocks that are freed return to the system, and must be mapped again page by page,
        # which costs a small row a tenth of its time. So the images of the last row are kept until
        # those of the next one are allocated.
        kept: deque[object] = deque(maxlen=1)
        with self._concurrency.slot(self._engine_progress.check) as slot:
            while (record := self._take()) is not None:
                row = self._rows[record.key]
                with self._traced(row):
                    size = expected_bytes(row)
                    with self._memory.row(size, self._engine_progress.check):
                        images = self._do(row, record, size)
                kept.append(None if self._memory.is_large(size) else images)
                del images
                slot.next(kept.clear)

    def _traced(self, row: BatchRow) -> AbstractContextManager[None]:
        return self._trail.at(row.key) if self._trail is not None else nullcontext()

    def _do(self, row: BatchRow, record: RowRecord, size: int) -> object:
        """Process one row; returns its images, so that the caller can keep their memory."""
        self._engine_progress.check()
        with closing(self._steps(row)) as steps:
            return self._take_steps(steps, record, size)

    def _take_steps(self, steps: RowSteps, record: RowRecord, size: int) -> object:
        record = self._reached(record, "reading")
        read, record = self._guarded(record, partial(steps.read, self._engine_progress))
        if read is None:
            return None
        pair, stamps = read
        record = replace(
            record, stamps=stamps, study=steps.facts(pair), alignment=steps.aligned.record
        )
        with self._memory.fusing(size, self._engine_progress.check) as beside_others:
            self._engine_progress.check()
            record = self._reached(record, "fusing")
            fuse = partial(self._fuse, steps, pair, self._told(record), beside_others)
            result, record = self._guarded(record, fuse)
        if result is None:
            return None
        with self._as_writer():
            record = self._reached(record, "writing")
            written, record = self._guarded(record, partial(self._write, steps, pair, result))
            if written is not None:
                file_size, metrics, notes = written
                record = replace(
                    record, state="done", size=file_size, metrics=metrics, notes=notes, strikes=0
                )
                self._manifest.end(record, now=self._plan.options.metrics)
                self._ended(record)
        return pair, result

    def _steps(self, row: BatchRow) -> RowSteps:
        if row.match.study is not None:
            return StudySteps(row, self._plan, tiles=self._alone)
        return PictureSteps(row, self._plan, tiles=self._alone)

    def _told(self, record: RowRecord) -> RowProgress:
        """The progress of fusing a row; that of volumes becomes the text of its record."""
        if record.study is None:
            return self._engine_progress
        return self._engine_progress.telling(
            lambda stage: self._changes.append(replace(record, text=stage))
        )

    def _reached(self, record: RowRecord, state: RowState) -> RowRecord:
        record = replace(record, state=state, text="")
        self._changes.append(record)
        return record

    def _write(
        self, steps: RowSteps, pair: Any, result: Any
    ) -> tuple[int, dict[str, float], tuple[str, ...]]:
        try:
            done = steps.write(pair, result)
        except OutputError as error:
            if not _disk_full(error):
                self._place.check_writable()
            raise
        self._place.check()  # a result in a folder that replaced it does not count
        return done

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Count the thread as writing, so that ``close`` waits for it."""
        with self._counting:
            if self._stop.is_set():
                raise Cancelled
            self._writing += 1
        try:
            yield
        finally:
            with self._counting:
                self._writing -= 1
                self._counting.notify_all()

    def _fuse(self, steps: RowSteps, pair: Any, progress: Progress, beside_others: bool) -> object:
        result = steps.fuse(self._engine, pair, progress, beside_others)
        made_by = steps.made_by(result)
        with self._checking:
            if not self._pack_checked and made_by is not None:
                self._check_pack(made_by)
        return result

    def _check_pack(self, made_by: Mapping[str, str]) -> None:
        """Check that the pack has the weights that the earlier rows were fused with."""
        pack = valid(f"{made_by['method']} {made_by.get('weights_sha256', '')}".strip())
        before = self._manifest.meta().get("made by", pack)
        if before != pack:
            raise OtherPack(
                Message("The batch in {0}", self._plan.options.out),
                Message(
                    "it was begun with another pack ({0} then, {1} now)", before[:40], pack[:40]
                ),
                Message("Bring that pack back, choose another folder, or begin anew."),
            )
        self._manifest.set_meta(**{"made by": pack})
        self._pack_checked = True

    def _guarded(self, record: RowRecord, step: Callable[[], _T]) -> tuple[_T | None, RowRecord]:
        """Do one step of a row; an error ends the row, or the run where it must.

        Returns:
            What the step made, or None when the row has ended; and the record with the time spent.
        """
        begun = self._clock()
        try:
            made = step()
        except (Cancelled, PackError, Stopped, OtherPack):
            raise
        except Exception as error:
            self._fail(self._timed(record, begun), error)
            return None, record
        return made, self._timed(record, begun)

    def _timed(self, record: RowRecord, begun: float) -> RowRecord:
        return replace(record, seconds=record.seconds + self._clock() - begun)

    def _fail(self, record: RowRecord, error: Exception) -> None:
        """End the row; raises DiskFull for an error that ends the run."""
        if _disk_full(error):
            raise DiskFull(
                getattr(error, "what", str(error)), Message("the disk is full"),
                Message("Free some space, then go on with the batch."),
            ) from error  # fmt: skip
        if _memory_ran_out(error) and not self._alone:
            text = Message("memory ran out: tried again at the end, by itself and in tiles")
            self._ended(replace(record, state="queued", text=text))
            return
        if isinstance(error, FusionError):
            text = error.message
        else:
            name, kind = self._rows[record.key].match.name, type(error).__name__
            text = Message("{0}: unexpected error ({1}: {2})", name, kind, error)
        # Where failed registrations are tolerated, the sizes may still differ.
        cause = error if isinstance(error, RegistrationFailed) else error.__cause__
        if isinstance(cause, RegistrationFailed):
            found = {"registration": registration_record(cause.registration)}
            record = replace(record, alignment=found)
        differ = isinstance(error, SizeMismatch)
        record = replace(record, state="failed", text=text, strikes=0, sizes_differ=differ)
        self._manifest.end(record)
        self._ended(record)

    def _ended(self, record: RowRecord) -> None:
        self._changes.append(record)
        with self._counting:
            self._left -= 1
            if not self._left:
                self._over.set()


def _memory(plan: BatchPlan) -> int:
    """Bytes for decoded images, and as many for networks that run side by side."""
    free = available_bytes()
    # A third of the free memory, since fusing a large image needs a multiple of it.
    return plan.options.memory if free is None else max(1, min(plan.options.memory, free // 3))


def _disk_full(error: BaseException) -> bool:
    cause = error.__cause__
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return isinstance(cause, OSError) and cause.errno in full


def _memory_ran_out(error: BaseException) -> bool:
    if isinstance(error, (DeviceMemoryError, MemoryError)):
        return True
    return isinstance(error, InputError) and isinstance(error.__cause__, MemoryError)
