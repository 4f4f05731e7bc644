"""The work of a batch as plain functions of a progress. They run on worker threads.

The engine's rooms are imported here and only when needed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.batching.choices import Choices, options_of
from app.batching.pairing import Key, carry_over
from app.batching.valve import Valve
from app.jobs import LazyEngine, tr
from core.errors import FusionError
from core.progress import Progress

if TYPE_CHECKING:
    from core.batch import BatchFinished, BatchPlan, FoundRun, Look, Order
    from core.io.plan import PairingPlan

_TELL = 0.1
"""Seconds of looking at files between two reports."""


@dataclass(frozen=True)
class Planned:
    """What a run would do.

    Attributes:
        plan: rows and names; None while choices are wrong.
        order: in which waiting rows are taken, to be changed at any time.
        error: why there is no plan, or why it must not be run.
        found: the run recorded in the output folder.
    """

    plan: BatchPlan | None = None
    order: Order | None = None
    error: FusionError | None = None
    found: FoundRun | None = None

    @property
    def can_run(self) -> bool:
        """Whether there is something to run and nothing against it."""
        return self.plan is not None and bool(self.plan.rows) and self.error is None

    @property
    def goes_on(self) -> bool:
        """Whether running it goes on with a recorded run."""
        return self.can_run and self.plan is not None and self.plan.options.resume


def find(
    paths: Sequence[Path], choices: Choices, old: PairingPlan | None, progress: Progress
) -> PairingPlan:
    """Pair files and folders; results in a source folder are never taken for sources.

    Args:
        old: what was changed by hand in it stays changed.

    Raises:
        InputError: a path does not exist.
    """
    from core.io.pairing import pair_paths

    progress.report(0, 0, tr("Looking for pairs"))
    folder = choices.folder
    found = pair_paths(list(paths), choices.task, skip=[folder] if folder is not None else [])
    progress.check()
    return carry_over(old, found)


def plan(pairing: PairingPlan, choices: Choices, progress: Progress) -> Planned:
    """What would be done; wrong choices are an answer, not a failure."""
    from core.batch import Order, find_run, plan_batch
    from core.batch.plan import plan_rows

    try:
        options = options_of(choices, resume=True)
        options.check()
        found = find_run(options)
        if found is not None and found.differences and not choices.anew:
            error = FusionError(
                tr("This folder holds another batch"),
                "; ".join(found.differences),
                tr("Use its settings, begin anew, or choose another folder."),
            )
            return Planned(plan_rows(pairing, options), Order(), error, found)
        if found is None:
            options = replace(options, resume=False)
        return Planned(plan_batch(pairing, options), Order(), None, found)
    except FusionError as error:
        return Planned(error=error)


def run(
    lazy: LazyEngine, planned: Planned, valve: Valve, inbox: deque[Any], progress: Progress
) -> BatchFinished:
    """Do it. Events are left in ``inbox``: thousands of signals would drown the window.

    Raises:
        FusionError, Cancelled: see :func:`core.batch.run_batch`.
    """
    from core.batch import BatchFinished, run_batch

    assert planned.plan is not None
    engine = lazy.get(progress)
    valve.begin(progress)
    event: Any = None
    events = run_batch(
        planned.plan, engine, valve, order=planned.order, clock=valve.seconds
    )  # fmt: skip
    for event in events:
        inbox.append(event)
    assert isinstance(event, BatchFinished)
    return event


def look(keys: Sequence[Key], progress: Progress) -> Iterator[Any]:
    """Yield lists of (key, :class:`core.batch.Look`), a few times a second."""
    from core.batch import look_at
    from core.io.plan import Match

    seen: list[tuple[Key, Look]] = []
    told = time.monotonic()
    for key in keys:
        progress.check()
        seen.append((key, look_at(Match("", *key, ""))))
        if time.monotonic() - told > _TELL:
            yield seen
            seen, told = [], time.monotonic()
    yield seen
