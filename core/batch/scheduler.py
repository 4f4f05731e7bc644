"""Reading, fusing and writing at the same time, with few images in memory.

Each thread takes one row from its files to its result, so nothing is handed from thread to thread.
Small rows fuse side by side, each on one core; of large ones one fuses at a time, on all cores. How
many rows are worked on at once is up to :class:`~core.batch.concurrency.ConcurrencyController`; a
row takes room in the :class:`~core.batch.memory_budget.Budget` from before it is read until it is
written.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TypeVar

from core.available_memory import available_bytes
from core.batch.concurrency import ConcurrencyController
from core.batch.crash_trail import CrashTrail, run_marked
from core.batch.manifest import BatchManifest, FileStamp, RowRecord
from core.batch.memory_budget import Budget
from core.batch.output_folder import DiskFull, OutputFolder, Stopped
from core.batch.plan import BatchPlan
from core.batch.queue_order import QueueOrder
from core.batch.row_task import RowTask, RowUpdate, record_of_work
from core.batch.stages import (
    WrittenRow,
    expected_bytes,
    read_row,
    request_for,
    write_row,
)
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
from core.types import FusionRequest, FusionResult, SourcePair

_T = TypeVar("_T")
_AHEAD = 16
_TICK, _LOT = 0.1, 0.03
_LARGE, _LARGE_AT_ONCE = 24 * 2**20, 3
"""Pairs of so many bytes keep the processor busier than the disk: one in each step is enough, and
more would only wear out caches and page tables."""
_NETWORK = 14
"""A compact network takes so many times the bytes of a pair while it fuses."""
_PATIENCE = 0.6
"""Seconds a cancelled run waits for reading and fusing; what they make is thrown away."""


class OtherPack(InputError):
    """The pack is not the one the run was begun with: nothing more may be fused."""


class _Relay:
    """The caller's progress as the engine sees it: it can stop, its stages are not reported."""

    def __init__(self, progress: Progress, stop: threading.Event) -> None:
        self._progress, self._stop = progress, stop

    def report(self, done: float, total: float, stage: str) -> None:
        """Stages of single rows are of no interest to who waits for a thousand."""

    def check(self) -> None:
        """Raise Cancelled when the run is over or the caller says so."""
        if self._stop.is_set():
            raise Cancelled
        self._progress.check()


class Scheduler:
    """Runs some rows to their end. Use once: start, take what is ``told`` until ``idle``, close."""

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
            trail: where threads leave what they work on, in case the program dies of it.
            alone: one row at a time, for rows that did not fit beside others.
            order: which waiting row comes next; None for that of the plan.
            clock: seconds that count as a row's own.
        """
        self._plan, self._engine, self._manifest, self._alone = plan, engine, manifest, alone
        self._order, self._clock, self._arranged = order, clock, 0
        self._trail, self._place = trail, place
        most = 1 if alone else plan.options.most_in_flight
        memory = _memory(plan)
        self.budget = Budget(most, memory)
        self._large = Budget(min(most, _LARGE_AT_ONCE), memory)
        self.pace = ConcurrencyController(usable_cores(), most, clock)
        self._changes: deque[RowUpdate] = deque()
        self._over = threading.Event()
        self.fatal: BaseException | None = None
        self._stop = threading.Event()
        self._relay = _Relay(progress, self._stop)
        self._known_maker, self._making = False, threading.Lock()
        self._todo: list[RowTask] = []
        self._ready: list[RowTask] = []
        self._taking, self._fusing = threading.Lock(), threading.Lock()
        self._fusing_small = Budget(usable_cores(), memory)
        self._counting = threading.Condition()
        self._left = self._writing = 0
        self._most, self._threads = most, list[threading.Thread]()

    def _thread(self, body: Callable[[], None], name: str) -> threading.Thread:
        def run() -> None:
            try:
                run_marked(body)
            except Cancelled:
                self._halt(Cancelled())
            # A run must end, with its reason, whatever happens in a thread.
            except BaseException as error:
                self._halt(error)

        # No daemons: a program that ends waits for them, so that none is torn out of a library.
        return threading.Thread(target=run, name=name)

    def _halt(self, reason: BaseException) -> None:
        if not self._stop.is_set() and self.fatal is None:
            self.fatal = reason
        self._stop.set()
        self._over.set()

    def start(self, works: list[RowTask]) -> None:
        """Begin."""
        self._todo = list(reversed(works))
        self._left = len(works)
        for number in range(min(self._most, len(works))):
            self._threads.append(self._thread(self._work, f"batch-{number}"))
        for thread in self._threads:
            thread.start()

    @property
    def idle(self) -> bool:
        """True when no thread can say anything any more."""
        if self._stop.is_set():
            with self._counting:
                return not self._writing and not self._changes
        if not self._left:
            # They are about to end: who asks must not wait for a change that never comes.
            for thread in self._threads:
                thread.join()
        return not any(thread.is_alive() for thread in self._threads) and not self._changes

    def events(self) -> Iterator[RowUpdate]:
        """What became of rows since the last time, after a short wait.

        In lots, since who is woken for each change takes the interpreter's lock from those who
        work; the end is told at once.
        """
        self._over.wait(_LOT)
        while self._changes:
            yield self._changes.popleft()

    def close(self) -> None:
        """Stop. Files being written are finished; reading and fusing are given up."""
        self._halt(Cancelled())
        with self._counting:
            self._counting.wait_for(lambda: not self._writing)
        deadline = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self) -> RowTask | None:
        """The next row; recorded as begun, some at a time, before anything of it is written."""
        with self._taking:
            self._arrange()
            if not self._ready and self._todo:
                chunk = [self._todo.pop() for _ in range(min(_AHEAD, len(self._todo)))]
                self._manifest.begin([record for work in chunk if (record := self._begun(work))])
                self._ready = chunk[::-1]
            return self._ready.pop() if self._ready else None

    def _arrange(self) -> None:
        """Bring waiting rows into another order, when there is a new one."""
        if self._order is None or self._order.version == self._arranged:
            return
        self._arranged = self._order.version
        waiting = [*self._ready[::-1], *self._todo[::-1]]
        self._todo = self._order.arranged(waiting, lambda work: work.row.key)[::-1]
        self._ready = []

    def _begun(self, work: RowTask) -> RowRecord | None:
        try:
            stamps = (FileStamp.of(work.row.match.a), FileStamp.of(work.row.match.b))
        except FusionError:
            return None  # reading will say so
        return record_of_work(work, "begun", stamps=stamps)

    def _enter(self, work: RowTask) -> None:
        """Wait for room in memory."""
        work.size = expected_bytes(work.row)
        if work.size > _LARGE:
            self._large.acquire(work.size, self._relay.check)
        self.budget.acquire(work.size, self._relay.check)

    def _leave(self, work: RowTask) -> None:
        self.budget.release(work.size)
        if work.size > _LARGE:
            self._large.release(work.size)

    def _work(self) -> None:
        """Take rows, one after the other, until none is left."""
        # Memory that is freed whole goes back to the system and comes again page by page, which
        # costs a small row a tenth of its time: the last one's images stay until the next ones
        # are there.
        kept: deque[object] = deque(maxlen=1)
        with self.pace.place(self._relay.check) as place:
            while (work := self._take()) is not None:
                with self._traced(work):
                    self._enter(work)
                    try:
                        images = self._do(work)
                    finally:
                        self._leave(work)
                kept.append(images if work.size <= _LARGE else None)
                del images
                place.next(kept.clear)

    def _traced(self, work: RowTask) -> AbstractContextManager[None]:
        return self._trail.at(work.row.key) if self._trail is not None else nullcontext()

    def _do(self, work: RowTask) -> object:
        """One row from its files to its result; gives back its images."""
        self._relay.check()
        self._changes.append(RowUpdate(work, "reading"))
        read = self._guarded(work, partial(read_row, work.row, self._plan))
        if read is None:
            return None
        work.stamps = read.stamps
        request = request_for(read, self._plan, tiles=self._alone)
        with self._room_to_fuse(work) as beside_others:
            self._relay.check()
            self._changes.append(RowUpdate(work, "fusing"))
            result = self._guarded(work, partial(self._fuse, request, beside_others))
        if result is None:
            return None
        with self._as_writer():
            self._changes.append(RowUpdate(work, "writing"))
            written = self._guarded(work, partial(self._write, work, read.pair, result))
            if written is not None:
                record = record_of_work(work, "done", stamps=work.stamps, written=written)
                self._manifest.end(record, now=self._plan.options.metrics)
                self._ended(RowUpdate(work, "done", written=written))
        return read, result

    def _write(self, work: RowTask, pair: SourcePair, result: FusionResult) -> WrittenRow:
        try:
            done = write_row(work.row, self._plan, pair, result, overwrite=work.overwrite)
        except OutputError as error:
            if not _disk_full(error):
                self._place.check_writable()
            raise
        self._place.check()  # a result in a folder that took its place is none
        return done

    @contextmanager
    def _room_to_fuse(self, work: RowTask) -> Iterator[bool]:
        """Wait until the row may fuse; whether others may do so beside it."""
        small = not self._alone and work.size <= _LARGE
        if small:
            self._fusing_small.acquire(_NETWORK * work.size, self._relay.check)
        else:
            while not self._fusing.acquire(timeout=_TICK):
                self._relay.check()
        try:
            yield small
        finally:
            if small:
                self._fusing_small.release(_NETWORK * work.size)
            else:
                self._fusing.release()

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Count as one who writes: such a row is waited for, even when the run is over."""
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

    def _fuse(self, request: FusionRequest, beside_others: bool) -> FusionResult:
        result = self._engine.fuse(request, self._relay, beside_others=beside_others)
        with self._making:
            if not self._known_maker:
                self._check_maker(result)
        return result

    def _check_maker(self, result: FusionResult) -> None:
        """A pack that changed under its name must not go on with what another one began."""
        maker = valid(f"{result.method} {result.provenance.get('weights_sha256', '')}".strip())
        before = self._manifest.meta().get("made by", maker)
        if before != maker:
            raise OtherPack(
                Message("The batch in {0}", self._plan.options.out),
                Message(
                    "it was begun with another pack ({0} then, {1} now)", before[:40], maker[:40]
                ),
                Message("Bring that pack back, choose another folder, or begin anew."),
            )
        self._manifest.set_meta(**{"made by": maker})
        self._known_maker = True

    def _guarded(self, work: RowTask, step: Callable[[], _T]) -> _T | None:
        """Do one step of a row; what goes wrong costs this row, or the run if it must.

        Returns None when the row has ended.
        """
        begun = self._clock()
        try:
            return step()
        except (Cancelled, PackError, Stopped, OtherPack):
            raise
        except Exception as error:
            if _disk_full(error):
                raise DiskFull(
                    getattr(error, "what", str(error)), Message("the disk is full"),
                    Message("Free some space, then go on with the batch."),
                ) from error  # fmt: skip
            if _memory_ran_out(error) and not self._alone:
                text = Message("memory ran out: tried again at the end, by itself and in tiles")
                self._ended(RowUpdate(work, "deferred", text))
            else:
                self._fail(work, error)
            return None
        finally:
            work.seconds += self._clock() - begun

    def _fail(self, work: RowTask, error: Exception) -> None:
        if isinstance(error, FusionError):
            text = error.message
        else:
            kind = type(error).__name__
            text = Message("{0}: unexpected error ({1}: {2})", work.row.match.name, kind, error)
        self._manifest.end(record_of_work(work, "failed", stamps=work.stamps, text=text))
        self._ended(RowUpdate(work, "failed", text, differs=isinstance(error, SizeMismatch)))

    def _ended(self, change: RowUpdate) -> None:
        self._changes.append(change)
        with self._counting:
            self._left -= 1
            if not self._left:
                self._over.set()


def _memory(plan: BatchPlan) -> int:
    """Bytes for decoded images, and as much for networks beside each other."""
    free = available_bytes()
    # A third, for what a large image takes while it is fused alone.
    return plan.options.memory if free is None else max(1, min(plan.options.memory, free // 3))


def _disk_full(error: BaseException) -> bool:
    cause = error.__cause__
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return isinstance(cause, OSError) and cause.errno in full


def _memory_ran_out(error: BaseException) -> bool:
    if isinstance(error, (DeviceMemoryError, MemoryError)):
        return True
    return isinstance(error, InputError) and isinstance(error.__cause__, MemoryError)
