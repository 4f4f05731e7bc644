"""Hands work to workers: in groups, a bounded number at once, each to one worker that was checked.

Dask carries the calls and tells which workers there are; which worker gets what is decided here, so
that no worker gets anything before it was checked, and so that it is known which rows were on a
worker that died.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from core.cluster.checking import WorkerAnswer, WorkerQuestion, refusal, unanswered
from core.cluster.client import ClusterClient, SeenWorker, TaskLost, seconds
from core.cluster.errors import ClusterLost
from core.cluster.tasks import answer
from core.errors import FusionError
from core.messages import Message

ItemOf = TypeVar("ItemOf")
MadeOf = TypeVar("MadeOf")
_Taken = TypeVar("_Taken", covariant=True)

_GROUP_SECONDS = 2.0
"""Seconds of work that a worker is given at once, where no number is chosen."""
_MOST_ITEMS = 64
_SMOOTHING = 0.3
_TICK = 0.1


class WorkQueue(Protocol[_Taken]):
    """What is to be done."""

    def __len__(self) -> int: ...

    def take(self, count: int) -> Sequence[_Taken]:
        """At most ``count`` of the next items, which are now being worked on."""


@dataclass(frozen=True)
class GroupOutcome(Generic[ItemOf, MadeOf]):
    """How a group of items ended.

    Attributes:
        items: all of the group. made: results of the first of them; the others are to be done.
        worker: that had them.
        lost: the worker died; ``out_of_memory``: since it took too much memory.
        begun: it was at work on them when it died, not on others before them.
        error: what the worker raised; it gets no more work.
    """

    items: tuple[ItemOf, ...]
    made: tuple[MadeOf, ...]
    worker: SeenWorker
    _: KW_ONLY
    lost: bool = False
    out_of_memory: bool = False
    begun: bool = False
    error: Exception | None = None

    @property
    def left(self) -> tuple[ItemOf, ...]:
        """Items without a result."""
        return self.items[len(self.made) :]


@dataclass
class _Group(Generic[ItemOf]):
    items: tuple[ItemOf, ...]
    worker: SeenWorker
    since: float = field(default_factory=time.monotonic)
    begun: bool = False


class Dispatcher(Generic[ItemOf, MadeOf]):
    """Hands the items of a queue to workers. Not thread-safe."""

    def __init__(
        self,
        client: ClusterClient,
        question: WorkerQuestion,
        queue: WorkQueue[ItemOf],
        function: Callable[[Any, tuple[ItemOf, ...]], Sequence[MadeOf]],
        shared: Any,
        *,
        group: int = 0,
        alone: bool = False,
        patience: float = 60.0,
        tell: Callable[[str], None],
    ) -> None:
        """
        Args:
            function: of a module that workers can import; called with ``shared`` and some items,
                gives the results of the first of them, at least of one.
            group: items that a worker is given at once; 0 for as many as take two seconds.
            alone: give each worker one item at a time, and nothing beside it.
            patience: seconds to wait for a worker that can be used.
            tell: receives a sentence about each worker that is refused.
        """
        self._client, self._question, self._queue = client, question, queue
        self._function, self._shared = function, shared
        self._group, self._alone, self._patience, self._tell = group, alone, patience, tell
        self._fit: dict[str, SeenWorker] = {}
        self._refused: dict[str, str] = {}
        self._dead: set[str] = set()
        self._checks: dict[Future[WorkerAnswer], SeenWorker] = {}
        self._groups: dict[Future[Sequence[MadeOf]], _Group[ItemOf]] = {}
        self._seconds = 0.0
        self._waiting_since = time.monotonic()
        self._begun = seconds()
        self.held = False
        """Hand out nothing for now."""

    @property
    def in_flight(self) -> int:
        """Items that workers have."""
        return sum(len(group.items) for group in self._groups.values())

    @property
    def fit(self) -> Mapping[str, SeenWorker]:
        """Workers that get work, by address."""
        return self._fit

    @property
    def seen(self) -> int:
        """Workers that the scheduler knows, those that are refused included."""
        return len(self._fit) + len(self._refused) + len(self._checks)

    def step(self, timeout: float = _TICK) -> list[GroupOutcome[ItemOf, MadeOf]]:
        """Look at the workers, hand out what is to be done, and wait for what ends.

        Raises:
            ClusterLost: the scheduler is gone, or no worker can be used for too long.
        """
        self._look(self._client.workers)
        if (self._queue or self._groups) and not self.held:
            self._check_patience()
        if not self.held:
            self._hand_out()
        if self._futures:
            wait(self._futures, timeout, FIRST_COMPLETED)
        else:
            time.sleep(timeout)
        for check in [check for check in self._checks if check.done()]:
            self._judge(self._checks.pop(check), check)
        ended = [future for future in self._groups if future.done()]
        for future in ended:
            if not future.cancelled() and isinstance(future.exception(), TaskLost):
                _ = self._client.workers  # raises where it is the scheduler that is gone
                self._bury(self._groups[future].worker)
        return [self._outcome(self._groups.pop(future), future) for future in ended]

    def _look(self, workers: Mapping[str, SeenWorker]) -> None:
        for worker in [one for address, one in self._fit.items() if address not in workers]:
            self._bury(worker)
        self._dead &= set(workers)
        self._refused = {a: why for a, why in self._refused.items() if a in workers}
        for future, group in self._groups.items():
            # Its task would wait for that very worker; a finished one has its answer here already.
            if group.worker.address not in workers and not future.done():
                future.cancel()
        for check, worker in list(self._checks.items()):
            if worker.address not in workers:
                check.cancel()
                del self._checks[check]
        checked = (one.address for one in self._checks.values())
        known = {*self._fit, *self._refused, *self._dead, *checked}
        for address, worker in workers.items():
            if address in known:
                continue
            if not worker.slots:
                self._refuse(worker, Message("it was not started by “unifusion worker”"))
                continue
            self._checks[self._client.submit(address, answer, self._question)] = worker

    def _bury(self, worker: SeenWorker) -> None:
        """Give a worker nothing more, and note on which groups it was at work when it died."""
        if self._fit.pop(worker.address, None) is None:
            return
        self._dead.add(worker.address)  # the scheduler may list it a moment longer
        its = [one for one in self._groups.values() if one.worker.address == worker.address]
        for group in its[: worker.slots]:
            group.begun = True

    def _judge(self, worker: SeenWorker, check: Future[WorkerAnswer]) -> None:
        try:
            why = refusal(self._question, check.result())
        except TaskLost:
            return
        except Exception as error:  # of any kind: it may be another program
            why = unanswered(error)
        if why:
            self._refuse(worker, why)
        else:
            self._fit[worker.address] = worker

    def _refuse(self, worker: SeenWorker, why: str) -> None:
        self._fit.pop(worker.address, None)
        self._refused[worker.address] = why
        self._tell(Message("Worker {0} gets no work: {1}.", worker.address, why))

    def _check_patience(self) -> None:
        now = time.monotonic()
        if self._fit or self._groups:
            self._waiting_since = now
            return
        waited = now - self._waiting_since
        hopeless = self._refused and not self._checks and waited > min(2.0, self._patience)
        if not hopeless and waited < self._patience:
            return
        what = Message("The workers at {0}", self._client.address)
        remedy = Message("Start one with “unifusion worker {0}”, then go on.", self._client.address)
        if self._refused:
            raise ClusterLost(
                what, Message("none can be used: {0}", next(iter(self._refused.values()))), remedy
            )
        raise ClusterLost(what, Message("none came within {0} seconds", round(waited)), remedy)

    def _hand_out(self) -> None:
        while self._queue:
            room = {address: self._room(one) for address, one in self._fit.items()}
            address = max(room, key=lambda one: room[one], default="")
            if not address or room[address] <= 0:
                return
            items = tuple(self._queue.take(self._size()))
            worker = self._fit[address]
            future = self._client.submit(
                address, self._function, self._shared, items,
                slots=worker.slots if self._alone else 1,
            )  # fmt: skip
            self._groups[future] = _Group(items, worker)

    def _room(self, worker: SeenWorker) -> int:
        """Groups that a worker may be given now: one waits beside those it works on."""
        most = 1 if self._alone else worker.slots + 1
        return most - sum(group.worker.address == worker.address for group in self._groups.values())

    def _size(self) -> int:
        if self._alone:
            return 1
        size = self._group or 1
        if not self._group and self._seconds:
            size = max(1, min(_MOST_ITEMS, int(_GROUP_SECONDS / self._seconds)))
        # Small groups at the end, so that all workers end at about the same time.
        slots = sum(one.slots for one in self._fit.values())
        return max(1, min(size, math.ceil(len(self._queue) / (2 * slots))))

    def _outcome(
        self, group: _Group[ItemOf], future: Future[Sequence[MadeOf]]
    ) -> GroupOutcome[ItemOf, MadeOf]:
        worker = group.worker
        if future.cancelled():
            return self._lost(group)
        error = future.exception()
        if isinstance(error, TaskLost):
            return self._lost(group)
        if error is not None:
            why = (
                str(error) if isinstance(error, FusionError) else f"{type(error).__name__}: {error}"
            )
            if worker.address in self._fit:
                self._refuse(worker, why.rstrip("."))
            return GroupOutcome(group.items, (), worker, error=_as_exception(error))
        made = tuple(future.result())
        spent = (time.monotonic() - group.since) / max(1, len(made))
        # Time in the queue of the worker counts, too: groups only become smaller by it.
        self._seconds += (spent - self._seconds) * (_SMOOTHING if self._seconds else 1.0)
        return GroupOutcome(group.items, made, worker)

    def _lost(self, group: _Group[ItemOf]) -> GroupOutcome[ItemOf, MadeOf]:
        dead = self._client.memory_deaths(self._begun)
        worker = group.worker
        return GroupOutcome(
            group.items, (), worker, lost=True, out_of_memory=worker.address in dead,
            begun=group.begun,
        )  # fmt: skip

    @property
    def _futures(self) -> list[Future[Any]]:
        return [*self._groups, *self._checks]

    def cancel(self) -> None:
        """Take everything back."""
        for future in self._futures:
            future.cancel()
        self._groups.clear()
        self._checks.clear()


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(str(error))
