"""Processes rows on the workers of a cluster, in place of the threads of this computer."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from core.batch.events import ClusterNews
from core.batch.manifest import BatchManifest
from core.batch.output_folder import DiskFull, OutputFolder, Stopped, is_disk_full
from core.batch.pack_check import PackCheck
from core.batch.plan import BatchPlan, BatchRow
from core.batch.portable import portable_options, portable_row
from core.batch.queue_order import QueueOrder
from core.batch.row_files import SharedFolder, put_files
from core.batch.row_record import RowRecord, as_begun
from core.batch.row_work import OtherPack
from core.batch.tasks import RowAnswer, RowJob, process_group
from core.cluster.checking import WorkerQuestion
from core.cluster.choice import ClusterChoice
from core.cluster.client import ClusterClient
from core.cluster.dispatch import Dispatcher, GroupOutcome
from core.cluster.errors import ClusterLost
from core.errors import FusionError, InputError, Message, OutputError
from core.progress import Progress

_Item = tuple[BatchRow, RowRecord]
_SAMPLE = 8
"""Pairs whose sources every worker must see before it gets rows."""
_STRIKES = 3
"""Workers that died of a row, the last one with nothing beside it, after which the row fails."""


class ClusterStopped(Stopped):
    """The scheduler or all workers are gone."""


class BatchCluster:
    """What the rows of a run share on a cluster: the connection and the folder of results."""

    def __init__(self, plan: BatchPlan, choice: ClusterChoice, client: ClusterClient) -> None:
        """
        Raises:
            FusionError: the pack cannot be used.
        """
        options = plan.options
        self.choice, self.client = choice, client
        self.options = portable_options(options)
        some = plan.rows[:_SAMPLE]
        samples = [path for row in some for side in row.match.files for path in side[:_SAMPLE]]
        self.question = WorkerQuestion.of([(options.task, self.options.method)], samples)
        self._folder: SharedFolder | None = None
        self.losses: dict[str, int] = {}
        """How many workers died while they had a row, by its key."""

    @property
    def folder(self) -> SharedFolder:
        """Where workers leave results, if they see it.

        Raises:
            OutputError: it cannot be made.
        """
        if self._folder is None:
            self._folder = SharedFolder.make(self.options.out)
        return self._folder

    def close(self) -> None:
        """Remove the folder of results; what workers still write goes nowhere."""
        if self._folder is not None:
            self._folder.remove()


@dataclass
class _Queue:
    """Rows that wait for a worker; those of which a worker died go alone."""

    pool: ClusterPool
    todo: deque[RowRecord] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.todo)

    def take(self, count: int) -> Sequence[_Item]:
        """The next rows, recorded as begun."""
        taken = [self.todo.popleft()]
        while self.todo and len(taken) < count and not self._is_suspect(taken[0], self.todo[0]):
            taken.append(self.todo.popleft())
        return self.pool.begin(taken)

    def _is_suspect(self, *records: RowRecord) -> bool:
        return any(self.pool.cluster.losses.get(record.key) for record in records)


class ClusterPool:
    """Processes rows on workers. Use once."""

    def __init__(
        self,
        plan: BatchPlan,
        progress: Progress,
        manifest: BatchManifest,
        *,
        place: OutputFolder,
        cluster: BatchCluster,
        alone: bool = False,
        order: QueueOrder | None = None,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        Args:
            place, alone, order: as of :class:`core.batch.pool.RowPool`.
            paused: whether workers are to get no more rows for now.
        """
        self.cluster = cluster
        self._plan, self._progress, self._manifest = plan, progress, manifest
        self._place, self._alone, self._order, self._arranged = place, alone, order, 0
        self._paused = paused
        self._rows = {row.key: row for row in plan.rows}
        self._check_pack = PackCheck(manifest, plan.options.out)
        self._queue = _Queue(self)
        self._news: deque[RowRecord | ClusterNews] = deque()
        self._workers = (0, 0)
        self._dispatcher: Dispatcher[_Item, RowAnswer] = Dispatcher(
            cluster.client,
            cluster.question,
            self._queue,
            process_group,
            RowJob.of(cluster.options, cluster.folder, alone=alone),
            group=cluster.choice.rows_per_worker,
            alone=alone,
            patience=cluster.choice.waiting_seconds,
            tell=self._say,
        )

    def run(self, records: Sequence[RowRecord]) -> Generator[RowRecord | ClusterNews, None, None]:
        """As :meth:`core.batch.pool.RowPool.run`; also yields what is to be said of workers.

        Raises:
            Cancelled: by the progress. FusionError: the run cannot go on; :class:`ClusterStopped`
                where the scheduler or all workers are gone.
        """
        self._queue.todo.extend(records)
        try:
            while self._queue or self._dispatcher.in_flight:
                self._progress.check()
                self._arrange()
                self._dispatcher.held = self._paused()
                for outcome in self._step():
                    self._take(outcome)
                self._count_workers()
                yield from self._tell()
        finally:
            self._dispatcher.cancel()
            with contextlib.suppress(FusionError):  # it must not hide why the run ended
                deque(self._tell(), maxlen=0)

    def _step(self) -> list[GroupOutcome[_Item, RowAnswer]]:
        try:
            return self._dispatcher.step()
        except ClusterLost as error:
            raise ClusterStopped(error.what, error.why, error.remedy) from error

    def _arrange(self) -> None:
        if self._order is not None and self._order.version != self._arranged:
            self._arranged = self._order.version
            ordered = self._order.arranged(list(self._queue.todo), lambda record: record.key)
            self._queue.todo = deque(ordered)

    def begin(self, records: Sequence[RowRecord]) -> Sequence[_Item]:
        """Record rows as begun; returns them as workers need them."""
        rows = [self._rows[record.key] for record in records]
        begun = [as_begun(record, row.match) for record, row in zip(records, rows, strict=True)]
        self._manifest.begin([record for record in begun if record is not None])
        self._news.extend(replace(record, state="fusing", text="") for record in records)
        return [(portable_row(row), record) for row, record in zip(rows, records, strict=True)]

    def _take(self, outcome: GroupOutcome[_Item, RowAnswer]) -> None:
        for answer in outcome.made:
            self._news.append(self._finished(answer))
        left = [record for _, record in outcome.left]
        error = outcome.error
        # The disk of results is everybody's; a folder may be out of reach for one worker only.
        if isinstance(error, (OtherPack, DiskFull)):
            raise error
        if isinstance(error, OutputError):
            self._place.check_writable()
        if outcome.lost:
            if outcome.begun:
                left = [record for record in left if not self._has_lost(record, outcome)]
            name = outcome.worker.address
            if outcome.out_of_memory:
                self._say(Message("Worker {0} ran out of memory; its rows go to others.", name))
            else:
                self._say(Message("Worker {0} is gone; its rows go to others.", name))
        self._queue.todo.extendleft(reversed(left))

    def _has_lost(self, record: RowRecord, outcome: GroupOutcome[_Item, RowAnswer]) -> bool:
        """Count that a worker died with a row; whether that ends the row in this pool."""
        losses = self.cluster.losses.get(record.key, 0) + 1
        self.cluster.losses[record.key] = losses
        if self._alone and losses >= _STRIKES:
            self._news.append(_ended_workers(record, outcome, losses))
            return True
        if not self._alone and losses >= _STRIKES - 1:
            # By itself on a worker, so that no other row is blamed for it.
            text = Message("workers died with it: tried again at the end, by itself and in tiles")
            self._news.append(replace(record, state="queued", text=text, strikes=losses))
            return True
        return False

    def _finished(self, answer: RowAnswer) -> RowRecord:
        record, row = answer.record, self._rows[answer.record.key]
        if record.state != "done":
            return record
        if answer.made_by is not None:
            self._check_pack(answer.made_by)
        try:
            put_files(answer.files, row, self._plan)
        except OutputError as error:
            if is_disk_full(error):
                raise DiskFull.of(error) from error
            self._place.check_writable()
            return replace(record, state="failed", text=error.message, strikes=0)
        self._place.check()
        return record

    def _count_workers(self) -> None:
        workers = (len(self._dispatcher.fit), self._dispatcher.seen)
        if workers != self._workers:
            self._workers = workers
            self._news.append(ClusterNews(*workers))

    def _say(self, text: str) -> None:
        workers = len(self._dispatcher.fit), self._dispatcher.seen
        self._news.append(ClusterNews(*workers, text=text))

    def _tell(self) -> Iterator[RowRecord | ClusterNews]:
        while self._news:
            news = self._news.popleft()
            if isinstance(news, RowRecord) and news.state in ("done", "failed"):
                self._manifest.end(news)
            yield news
        self._manifest.tick(now=self._plan.options.metrics)


def _ended_workers(
    record: RowRecord, outcome: GroupOutcome[_Item, RowAnswer], losses: int
) -> RowRecord:
    what = f"{record.a.name} + {record.b.name}"
    if outcome.out_of_memory:
        why = Message("{0} workers ran out of memory with this pair", losses)
        remedy = Message("Start a worker with more memory (--memory), then go on with the batch.")
    else:
        why = Message("{0} workers died while they worked on this pair", losses)
        remedy = Message(
            "The two files may be too large for their memory, or damaged: fuse them on one "
            "computer, or start a worker with more memory."
        )
    text = InputError(what, why, remedy).message
    return replace(record, state="failed", text=text, strikes=0)
