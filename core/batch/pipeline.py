"""Reading, fusing and writing at the same time, with few pictures in memory.

Threads hand rows on: some read, one fuses (an engine serves one caller), some write. A row takes
room in the :class:`~core.batch.budget.Budget` from before it is read until it is written, which
bounds both queues.
"""

from __future__ import annotations

import errno
import queue
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from core.batch.budget import Budget
from core.batch.manifest import DiskFull, Manifest, Record, Stamp
from core.batch.order import Order
from core.batch.plan import BatchPlan, BatchRow
from core.batch.stages import (
    ReadRow,
    WrittenRow,
    expected_bytes,
    read_row,
    request_for,
    write_row,
)
from core.errors import Cancelled, DeviceMemoryError, FusionError, InputError, PackError
from core.progress import Progress
from core.types import FusionRequest, FusionResult, SourcePair

_T = TypeVar("_T")
_AHEAD = 16
_LARGE, _LARGE_AT_ONCE = 24 * 2**20, 3
"""Pairs of so many bytes keep the processor busier than the disk: one in each step is enough, and
more would only wear out caches and page tables."""
_PATIENCE = 0.6
"""Seconds a cancelled run waits for reading and fusing; what they make is thrown away."""


class Engine(Protocol):
    """What a batch needs of :class:`core.engine.FusionEngine`."""

    def fuse(self, request: FusionRequest, progress: Progress | None = None) -> FusionResult:
        """Fuse one pair."""

    def methods(self, task: str) -> tuple[Any, ...]:
        """Packs, the default first, then classical methods; each has a ``name`` and a ``kind``."""


@dataclass
class Work:
    """One row on its way."""

    place: int
    row: BatchRow
    overwrite: bool
    size: int = 0
    seconds: float = 0.0
    stamps: tuple[Stamp, Stamp] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """What a thread says of a row; ``state`` is a RowState or ``deferred``."""

    work: Work
    state: str
    text: str = ""
    written: WrittenRow | None = None


@dataclass
class _Queues:
    fuse: queue.SimpleQueue[tuple[Work, ReadRow] | None] = field(default_factory=queue.SimpleQueue)
    write: queue.SimpleQueue[tuple[Work, SourcePair, FusionResult] | None] = field(
        default_factory=queue.SimpleQueue
    )


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


_engine_locks: weakref.WeakKeyDictionary[Engine, threading.Lock] = weakref.WeakKeyDictionary()


class Pipeline:
    """Runs some rows to their end. Use once: start, take ``changes`` until ``idle``, close."""

    def __init__(
        self,
        plan: BatchPlan,
        engine: Engine,
        progress: Progress,
        manifest: Manifest,
        *,
        alone: bool = False,
        order: Order | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            alone: one row at a time, for rows that did not fit beside others.
            order: which waiting row comes next; None for that of the plan.
            clock: seconds that count as a row's own.
        """
        self._plan, self._engine, self._manifest, self._alone = plan, engine, manifest, alone
        self._order, self._clock, self._arranged = order, clock, 0
        workers = 1 if alone else plan.options.workers
        most = 1 if alone else plan.options.most_in_flight
        self.budget = Budget(most, plan.options.memory)
        self._large = Budget(min(most, _LARGE_AT_ONCE), plan.options.memory)
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.fatal: BaseException | None = None
        self._stop = threading.Event()
        self._relay = _Relay(progress, self._stop)
        self._queues = _Queues()
        self._known_maker = False
        self._todo: list[Work] = []
        self._ready: list[Work] = []
        self._taking = threading.Lock()
        self._reading = self._writing = workers
        self._counting = threading.Lock()
        self._left = 0
        self._engine_lock = _engine_locks.setdefault(engine, threading.Lock())
        name = "batch-{}"
        self._readers = [self._thread(self._read_all, name.format("read")) for _ in range(workers)]
        self._fuser = self._thread(self._fuse_all, name.format("fuse"))
        self._writers = [
            self._thread(self._write_all, name.format("write")) for _ in range(workers)
        ]

    def _thread(self, body: Callable[[], None], name: str) -> threading.Thread:
        def run() -> None:
            try:
                body()
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
        self._queues.fuse.put(None)
        for _ in self._writers:
            self._queues.write.put(None)

    def start(self, works: list[Work]) -> None:
        """Begin."""
        self._todo = list(reversed(works))
        self._left = len(works)
        for thread in (*self._readers, self._fuser, *self._writers):
            thread.start()

    @property
    def idle(self) -> bool:
        """True when no thread can say anything any more."""
        threads = self._writers if self._stop.is_set() else [
            *self._readers, self._fuser, *self._writers
        ]  # fmt: skip
        if not self._left:
            # They are about to end: who asks must not wait for a change that never comes.
            for thread in threads:
                thread.join()
        return not any(thread.is_alive() for thread in threads) and self.changes.empty()

    def close(self) -> None:
        """Stop. Files being written are finished; reading and fusing are given up."""
        self._halt(Cancelled())
        for thread in self._writers:
            thread.join()
        deadline = time.monotonic() + _PATIENCE
        for thread in (*self._readers, self._fuser):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self) -> Work | None:
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

    def _begun(self, work: Work) -> Record | None:
        try:
            stamps = (Stamp.of(work.row.match.a), Stamp.of(work.row.match.b))
        except FusionError:
            return None  # reading will say so
        return _record(work, "begun", stamps=stamps)

    def _enter(self, work: Work) -> None:
        """Wait for room in memory."""
        work.size = expected_bytes(work.row)
        if work.size > _LARGE:
            self._large.acquire(work.size, self._relay.check)
        self.budget.acquire(work.size, self._relay.check)

    def _leave(self, work: Work) -> None:
        self.budget.release(work.size)
        if work.size > _LARGE:
            self._large.release(work.size)

    def _read_all(self) -> None:
        while (work := self._take()) is not None:
            self._enter(work)
            handed_on = False
            try:
                self._relay.check()
                self.changes.put(Change(work, "reading"))
                read = self._guarded(work, partial(read_row, work.row, self._plan))
                if read is not None:
                    work.stamps = read.stamps
                    self._queues.fuse.put((work, read))
                    handed_on = True
            finally:
                if not handed_on:
                    self._leave(work)
            del read
        with self._counting:
            self._reading -= 1
            last = self._reading == 0
        if last:
            self._queues.fuse.put(None)

    def _fuse_all(self) -> None:
        while (item := self._queues.fuse.get()) is not None:
            work, read = item
            handed_on = False
            try:
                self._relay.check()
                self.changes.put(Change(work, "fusing"))
                request = request_for(read, self._plan)
                result = self._guarded(work, partial(self._fuse, request))
                if result is not None:
                    self._queues.write.put((work, read.pair, result))
                    handed_on = True
            finally:
                if not handed_on:
                    self._leave(work)
            del item, read, request, result
        for _ in self._writers:
            self._queues.write.put(None)

    def _fuse(self, request: FusionRequest) -> FusionResult:
        with self._engine_lock:
            result = self._engine.fuse(request, self._relay)
        if not self._known_maker:
            self._check_maker(result)
        return result

    def _check_maker(self, result: FusionResult) -> None:
        """A pack that changed under its name must not go on with what another one began."""
        maker = f"{result.method} {result.provenance.get('weights_sha256', '')}".strip()
        before = self._manifest.meta().get("made by", maker)
        if before != maker:
            raise OtherPack(
                f"The batch in {self._plan.options.out}",
                f"it was begun with another pack ({before[:40]} then, {maker[:40]} now)",
                "Bring that pack back, choose another folder, or begin anew.",
            )
        self._manifest.set_meta(**{"made by": maker})
        self._known_maker = True

    def _write_all(self) -> None:
        while (item := self._queues.write.get()) is not None and not self._stop.is_set():
            work, pair, result = item
            try:
                self.changes.put(Change(work, "writing"))
                step = partial(write_row, work.row, self._plan, pair, result)
                written = self._guarded(work, partial(step, overwrite=work.overwrite))
                del step
                if written is not None:
                    record = _record(work, "done", stamps=work.stamps, written=written)
                    self._manifest.end(record, now=self._plan.options.metrics)
                    self._ended(Change(work, "done", written=written))
            finally:
                del item, pair, result
                self._leave(work)

    def _guarded(self, work: Work, step: Callable[[], _T]) -> _T | None:
        """Do one step of a row; what goes wrong costs this row, or the run if it must.

        Returns None when the row has ended.
        """
        begun = self._clock()
        try:
            return step()
        except (Cancelled, PackError, DiskFull, OtherPack):
            raise
        except Exception as error:
            if _disk_full(error):
                raise DiskFull(
                    str(getattr(error, "what", error)), "the disk is full",
                    "Free some space, then go on with the batch.",
                ) from error  # fmt: skip
            if _memory_ran_out(error) and not self._alone:
                text = "memory ran out: tried again at the end, by itself"
                self._ended(Change(work, "deferred", text))
            else:
                self._fail(work, error)
            return None
        finally:
            work.seconds += self._clock() - begun

    def _fail(self, work: Work, error: Exception) -> None:
        text = str(error)
        if not isinstance(error, FusionError):
            text = f"{work.row.match.name}: unexpected error ({type(error).__name__}: {error})"
        self._manifest.end(_record(work, "failed", stamps=work.stamps, text=text))
        self._ended(Change(work, "failed", text))

    def _ended(self, change: Change) -> None:
        with self._counting:
            self._left -= 1
        self.changes.put(change)


def _record(
    work: Work,
    state: str,
    *,
    stamps: tuple[Stamp, Stamp] | None,
    text: str = "",
    written: WrittenRow | None = None,
) -> Record:
    match = work.row.match
    return Record(
        work.row.key, match.a, match.b, work.row.target, state, text, stamps,
        size=written.size if written else 0,
        seconds=work.seconds,
        metrics=written.metrics if written else None,
        notes=written.notes if written else (),
    )  # fmt: skip


def _disk_full(error: BaseException) -> bool:
    cause = error.__cause__
    full = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return isinstance(cause, OSError) and cause.errno in full


def _memory_ran_out(error: BaseException) -> bool:
    if isinstance(error, (DeviceMemoryError, MemoryError)):
        return True
    return isinstance(error, InputError) and isinstance(error.__cause__, MemoryError)
