"""Work of the Batch workspace on worker threads, as functions that take a progress.

The engine is imported inside them, so that the window starts without it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.batch.control import BatchControl
from app.batch.settings import BatchChoices, options_of
from app.engine import LazyEngine
from app.i18n.translate import tr
from app.pairs.cluster_tasks import chosen_cluster
from app.pairs.datasets import ALL, FoundDataset, inspect_paths
from app.pairs.edits import PairKey, carry_over, key_of
from core.batch.row_choice import NO_CHOICE, RowChoice
from core.errors import FusionError, Message
from core.progress import Progress

if TYPE_CHECKING:
    from core.batch import BatchFinished, BatchPlan, FoundRun, PairHeader, RowRecord
    from core.cluster.choice import ClusterChoice
    from core.pairing.plan import PairingPlan

_REPORT_EVERY = 0.1
"""Seconds between two reports of headers that have been read."""


@dataclass(frozen=True)
class Planned:
    """A plan of a run, with lookups by pair for the table.

    Attributes:
        plan: rows and names; None while the choices are invalid.
        error: why there is no plan, or why it cannot be run.
        found: the run recorded in the output folder.
    """

    plan: BatchPlan | None = None
    _: KW_ONLY
    error: FusionError | None = None
    found: FoundRun | None = None
    targets: Mapping[PairKey, Path] = field(default_factory=dict)
    """Paths of results below the output folder."""
    problems: Mapping[PairKey, str] = field(default_factory=dict)
    """Why rows cannot be fused."""
    choices: Mapping[PairKey, RowChoice] = field(default_factory=dict)
    """What holds for rows instead of the options, now or by the record of the run."""
    queued: Mapping[PairKey, RowRecord] = field(default_factory=dict)
    """A record of each row before it begins."""
    cluster: ClusterChoice | None = None
    """Whose workers process the rows; None for this computer."""

    @property
    def can_run(self) -> bool:
        """Whether there is a valid plan with at least one row."""
        return self.plan is not None and bool(self.plan.rows) and self.error is None

    def for_retry(self) -> Planned:
        """The same plan, which also retries rows at which the program crashed."""
        assert self.plan is not None
        options = replace(self.plan.options, retry_crashed=True)
        return replace(self, plan=replace(self.plan, options=options))

    @property
    def goes_on(self) -> bool:
        """Whether running it resumes a recorded run."""
        return self.can_run and self.plan is not None and self.plan.options.resume


@dataclass(frozen=True)
class BatchPairs:
    """The pairs of a batch, and the data set that they are laid out as."""

    pairing: PairingPlan
    dataset: FoundDataset


def find(
    paths: Sequence[Path], choices: BatchChoices, old: PairingPlan | None, progress: Progress
) -> BatchPairs:
    """Find pairs in files and folders; the output folder is skipped.

    Args:
        old: the pairs so far, whose manual changes are kept.

    Returns:
        The pairs; none, with the reason, where the folder does not fit the chosen data set.

    Raises:
        InputError: a path does not exist.
    """
    from core.pairing.datasets import dataset_pairs
    from core.pairing.folders import pair_paths
    from core.pairing.plan import PairingPlan

    progress.report(0, 0, tr("Looking for pairs"))
    folder = choices.folder
    skip = [folder] if folder is not None else []
    dataset = inspect_paths(paths, choices.dataset_choice, ALL)
    progress.check()
    if dataset.error is not None:
        return BatchPairs(PairingPlan(()), dataset)
    if dataset.descriptor is None:
        found = pair_paths(list(paths), choices.task, skip=skip, volumes=True, progress=progress)
    else:
        found = dataset_pairs(dataset.descriptor, paths[0], dataset.split, skip)
    progress.check()
    return BatchPairs(carry_over(old, found), dataset)


def plan(
    pairing: PairingPlan,
    choices: BatchChoices,
    own: Mapping[PairKey, RowChoice],
    progress: Progress,
) -> Planned:
    """Plan a run; invalid choices give a :class:`Planned` with an error.

    Args:
        own: of pairs with a choice of their own.
    """
    from core.batch import find_run, plan_batch
    from core.batch.plan import plan_rows

    try:
        options = options_of(choices, resume=True)
        options.check()
        cluster = chosen_cluster(choices.scheduler, choices.certificates, choices.rows_per_worker)
        found = find_run(options)
        if found is not None and found.differences and not choices.anew:
            error = FusionError(
                tr("This folder holds another batch"),
                Message.joined("; ", found.differences),
                tr("Use its settings, begin anew, or choose another folder."),
            )
            return _planned(plan_rows(pairing, options, own=own), found, error)
        if found is None:
            options = replace(options, resume=False)
        return replace(_planned(plan_batch(pairing, options, own), found), cluster=cluster)
    except FusionError as error:
        return Planned(error=error)


def _planned(plan: BatchPlan, found: FoundRun | None, error: FusionError | None = None) -> Planned:
    targets = {key_of(row.match): row.target for row in plan.rows}
    problems = {key_of(row.match): row.problem for row in plan.rows if row.problem}
    chosen = {key_of(row.match): row.choice for row in plan.rows if row.choice != NO_CHOICE}
    return Planned(
        plan,
        error=error,
        found=found,
        targets=targets,
        problems=problems,
        choices=chosen,
        queued={key_of(row.match): row.record("queued") for row in plan.rows},
    )


def run(
    lazy: LazyEngine,
    plan: BatchPlan,
    cluster: ClusterChoice | None,
    control: BatchControl,
    progress: Progress,
) -> Generator[Any, None, BatchFinished]:
    """Run the plan, here or on the workers of ``cluster``, and yield its events.

    Raises:
        FusionError, Cancelled: see :func:`core.batch.run_batch`.
    """
    from core.batch import BatchFinished, run_batch

    engine, gate = lazy.get(progress), control.gate
    gate.begin(progress)
    event: Any = None
    if cluster is not None:
        progress.report(0, 0, tr("Connecting to {0}").format(cluster.scheduler))
    for event in run_batch(
        plan, engine, gate, order=control.order, clock=gate.seconds, cluster=cluster,
        paused=lambda: not gate.is_open,
    ):  # fmt: skip
        yield event
    assert isinstance(event, BatchFinished)
    return event


def inspect_pairs(
    keys: Sequence[PairKey], known: Mapping[PairKey, PairHeader], progress: Progress
) -> Iterator[Any]:
    """Yield lists of (key, :class:`core.batch.PairHeader`), a few times a second.

    Args:
        keys: pairs to inspect.
        known: headers read before; files of a pair that was swapped are not opened again.
    """
    from core.batch import PairHeader, inspect_pair
    from core.pairing.plan import Match

    seen: list[tuple[PairKey, PairHeader]] = []
    reported = time.monotonic()
    for key in keys:
        progress.check()
        turned = known.get(key[::-1])
        if turned is not None:
            seen.append((key, PairHeader(turned.size_b, turned.size_a, turned.problem)))
        else:
            seen.append((key, inspect_pair(Match("", *key, ""))))
        if time.monotonic() - reported > _REPORT_EVERY:
            yield seen
            seen, reported = [], time.monotonic()
    yield seen
