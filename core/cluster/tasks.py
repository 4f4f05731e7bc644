"""Functions that run on workers."""

from __future__ import annotations

from core.cluster.checking import WorkerAnswer, WorkerQuestion, answered


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
