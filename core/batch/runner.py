"""Runs a batch plan, as a generator of events."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.batch.crash_trail import CrashTrail
from core.batch.events import BatchEvent, BatchFinished, ClusterNews, Counter, RowEvent
from core.batch.manifest import BatchManifest
from core.batch.output_folder import FolderLost, OutputFolder, make_folder
from core.batch.plan import BatchPlan, BatchRow
from core.batch.plan_file import recorded_pairs
from core.batch.pool import RowPool
from core.batch.queue_order import QueueOrder
from core.batch.recovery import record_crashes
from core.batch.report import write_metrics, write_registrations, write_sheet
from core.batch.resume import check_run, clean_up, next_step
from core.batch.row_record import RowRecord, RowState
from core.errors import FusionError, InputError, Message, OutputError
from core.fusion.protocol import Engine
from core.progress import NullProgress, Progress

if TYPE_CHECKING:
    from core.batch.cluster_pool import BatchCluster, ClusterPool
    from core.cluster.choice import ClusterChoice


def run_batch(
    plan: BatchPlan,
    engine: Engine,
    progress: Progress | None = None,
    *,
    order: QueueOrder | None = None,
    clock: Callable[[], float] = time.monotonic,
    cluster: ClusterChoice | None = None,
    paused: Callable[[], bool] = lambda: False,
) -> Iterator[BatchEvent]:
    """Run ``plan``, and yield an event for every change; threads work on between two events.

    An unreadable file fails its row only; if it crashes the program, the next run skips it. A row
    that runs out of memory beside others is retried alone at the end. Files are written atomically,
    and the manifest in the output folder allows the run to be resumed after any interruption.

    Images are not batched: on a CPU the network took a quarter more CPU seconds per image in
    batches of four at 256×256, and less only for very small ones (``benchmarks/batch.py --stack``).

    Args:
        plan: from :func:`core.batch.plan_batch`.
        engine: called from several threads at once.
        progress: receives (rows ended, rows, name of the last). ``check`` is called from several
            threads, and may block (pause) or raise Cancelled; the run then ends within a second,
            apart from files that are being written.
        order: of the queued rows, which can be changed at any time; None for that of the plan.
        clock: in seconds, for rate and time left; it should stop while the run is paused.
        cluster: whose workers process the rows; None for the threads of this computer.
        paused: whether workers get no more rows for now; threads of this computer block in
            ``check`` of the progress instead.

    Raises:
        InputError: unknown method, or the folder holds another run. PackError: the pack cannot be
            used. OutputError: the folder cannot be written, or the disk is full. In all these cases
            finished rows are kept.
        Cancelled: ``progress`` asked to stop.
    """
    progress = progress or NullProgress()
    _check_method(plan, engine)
    make_folder(plan.options.out)
    manifest = BatchManifest(plan.options.out)
    trail: CrashTrail | None = None
    place: OutputFolder | None = None
    try:
        record_crashes(manifest, plan.options)
        check_run(manifest, plan.options)
        place = OutputFolder(plan.options.out)
        trail = CrashTrail(plan.options.out, plan.options.most_in_flight + 1)
        files = _RunFiles(manifest, place, trail)
        with _on_cluster(plan, cluster) as opened_cluster:
            yield from _Run(
                plan, engine, progress=progress, files=files, order=order, clock=clock,
                cluster=opened_cluster, paused=paused,
            ).events()  # fmt: skip
    except BaseException:
        # An error while closing the manifest must not hide the original one.
        with contextlib.suppress(FusionError, OSError):
            manifest.give_up()
        raise
    finally:
        for opened in (trail, place):
            if opened is not None:
                opened.close()
    manifest.close()


def _check_method(plan: BatchPlan, engine: Engine) -> None:
    options = plan.options
    infos = engine.methods(options.task)
    methods = [info.name for info in infos]
    known = options.method in methods or options.method.endswith(".safetensors")
    if not options.method:
        known = any(info.kind == "pack" for info in infos)
    if not known:
        raise InputError(
            Message("No method “{0}” for task {1}", options.method, options.task)
            if options.method
            else Message("No pack for task {0}", options.task),
            remedy=Message("Choose one of: {0}.", ", ".join(methods)),
        )


@contextlib.contextmanager
def _on_cluster(plan: BatchPlan, choice: ClusterChoice | None) -> Iterator[BatchCluster | None]:
    if choice is None:
        yield None
        return
    from core.batch.cluster_pool import BatchCluster

    with choice.opened() as client, contextlib.closing(BatchCluster(plan, choice, client)) as one:
        yield one


@dataclass(frozen=True)
class _RunFiles:
    """Files that are open in the output folder during a run."""

    manifest: BatchManifest
    place: OutputFolder
    trail: CrashTrail


class _Run:
    def __init__(
        self,
        plan: BatchPlan,
        engine: Engine,
        *,
        progress: Progress,
        files: _RunFiles,
        order: QueueOrder | None,
        clock: Callable[[], float],
        cluster: BatchCluster | None,
        paused: Callable[[], bool],
    ) -> None:
        self._cluster, self._paused = cluster, paused
        self._plan, self._engine = plan, engine
        self._progress, self._files, self._manifest = progress, files, files.manifest
        self._order, self._clock = order, clock
        self._places = {row.key: place for place, row in enumerate(plan.rows)}
        self._counter = Counter(len(plan.rows), clock)
        self._failures: dict[int, str] = {}
        self._deferred: list[RowRecord] = []
        self._complete: dict[str, RowState] = {}
        """State of rows whose results should exist, by key: ``done`` or ``skipped``."""

    def events(self) -> Iterator[BatchEvent]:
        options = self._plan.options
        if options.overwrite and not options.resume:
            self._manifest.begin_anew()
        records = self._manifest.records()
        clean_up(self._plan, records)
        # A plan of fewer rows does not reduce the total of the recorded run.
        total = len(records.keys() | {row.key for row in self._plan.rows})
        before = int(self._manifest.meta().get("total", 0))
        self._manifest.set_meta(
            settings=json.dumps(options.settings()),
            total=str(max(total, before)),
            pairs=recorded_pairs(self._plan.pairing),
        )
        queued: list[RowRecord] = []
        for event in self._next_steps(records):
            self._progress.check()
            yield event
            if event.record.state == "queued":
                (self._deferred if event.record.strikes else queued).append(event.record)
        try:
            if queued:
                yield from self._drive(queued, alone=False)
            while self._deferred:
                queued, self._deferred = self._deferred, []
                yield from self._drive(queued, alone=True)
            self._files.place.check()
        except FolderLost:
            yield from self._check_results()
            raise
        yield from self._check_results()
        self._manifest.flush()
        files = self._reports()
        failures = tuple((self._plan.rows[i], self._failures[i]) for i in sorted(self._failures))
        yield BatchFinished(self._counter.tally(), failures, files)

    def _next_steps(self, records: Mapping[str, RowRecord]) -> Iterator[RowEvent]:
        """An event for the first state of each row; sets ``is_own`` of the rows of the plan."""
        rows: list[BatchRow] = []
        for planned in self._plan.rows:
            row, record = next_step(planned, records.get(planned.key), self._plan)
            rows.append(row)
            if record.state == "done":
                self._manifest.end(record)
                skipped = row.record("skipped", Message("done before"))
                record = replace(skipped, alignment=record.alignment, metrics=record.metrics)
            yield self._event(record)
        self._plan = replace(self._plan, rows=tuple(rows))

    def _check_results(self) -> Iterator[RowEvent]:
        """Fail rows whose results were removed before the run ended."""
        for row in self._plan.rows:
            if row.key not in self._complete or _exists(self._plan.options.out / row.target):
                continue
            text = OutputError(
                str(self._plan.options.out / row.target),
                Message("it was written and is not there any more"),
                Message("Go on with the batch to make it again."),
            ).message
            record = row.record("failed", text)
            self._manifest.end(record)
            yield self._event(record)

    def _drive(self, records: Sequence[RowRecord], *, alone: bool) -> Iterator[BatchEvent]:
        # Closed here, so that the threads rest before anything else happens.
        with contextlib.closing(self._pool(alone).run(records)) as changes:
            for record in changes:
                if isinstance(record, ClusterNews):
                    yield record
                    continue
                if record.state == "queued":
                    self._deferred.append(record)
                yield self._event(record)

    def _pool(self, alone: bool) -> RowPool | ClusterPool:
        order, place = self._order, self._files.place
        if self._cluster is not None:
            from core.batch.cluster_pool import ClusterPool

            return ClusterPool(
                self._plan, self._progress, self._manifest, place=place, cluster=self._cluster,
                alone=alone, order=order, paused=self._paused,
            )  # fmt: skip
        return RowPool(
            self._plan, self._engine, self._progress, self._manifest, place=place,
            trail=self._files.trail, alone=alone, order=order, clock=self._clock,
        )  # fmt: skip

    def _event(self, record: RowRecord) -> RowEvent:
        place, state = self._places[record.key], record.state
        row = self._plan.rows[place]
        if state == "failed":
            self._failures[place] = record.text
        self._counter.count(state, before=self._complete.pop(record.key, ""))
        tally = self._counter.tally()
        self._progress.report(tally.ended, tally.total, row.match.name)
        complete = state in ("done", "skipped")
        if complete:
            self._complete[record.key] = state
        output = self._plan.options.out / row.target if complete else None
        return RowEvent(place, row, record, tally, output)

    def _reports(self) -> tuple[Path, ...]:
        files: list[Path] = []
        records = self._manifest.records()
        if self._plan.options.metrics:
            files.append(write_metrics(self._plan, records))
        if self._plan.options.contact_sheet:
            files.append(write_sheet(self._plan, records, self._progress))
        if self._plan.aligns:
            files.append(write_registrations(self._plan, records))
        return tuple(files)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
