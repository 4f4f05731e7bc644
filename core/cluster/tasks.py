"""Functions that run on workers."""

from __future__ import annotations

import time

from core.cluster.checking import WorkerAnswer, WorkerQuestion, answered
from core.errors import Cancelled

_LOOK_EVERY = 0.2
"""Seconds between two looks at whether a call is still wanted."""


def answer(question: WorkerQuestion) -> WorkerAnswer:
    """What this worker is."""
    return answered(question)


def is_wanted() -> bool:
    """Whether the call that asks this is still wanted; always outside of workers.

    It is not when the submitter has taken it back, and when the worker ends.
    """
    from distributed.core import Status
    from distributed.worker import thread_state  # type: ignore[attr-defined]

    worker = getattr(thread_state, "execution_state", {}).get("worker")
    if worker is None:
        return True
    task = worker.state.tasks.get(getattr(thread_state, "key", ""))
    if task is None or task.state not in ("executing", "long-running"):
        return False
    return worker.status in (Status.running, Status.paused)


class WantedProgress:
    """Progress of work on a worker: cancelled when nobody waits for it any more."""

    def __init__(self) -> None:
        self._looked = 0.0

    def report(self, done: float, total: float, stage: str) -> None:
        """Tell nobody."""

    def check(self) -> None:
        """Look now and then; raise ``Cancelled`` if the work should stop."""
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        if not is_wanted():
            raise Cancelled
