"""Which workers there are, and which of them would get work: looked up before a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from core.cluster.checking import WorkerAnswer, WorkerQuestion, refusal, unanswered
from core.cluster.choice import ClusterChoice
from core.cluster.client import ClusterClient
from core.cluster.identity import TaskMethod
from core.cluster.tasks import answer
from core.messages import Message
from core.progress import Progress

_LOOK_EVERY = 0.1
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class FoundWorker:
    """A worker that the scheduler knows.

    Attributes:
        name: of its computer, with numbers.
        slots: rows that it takes at once.
        problem: why it gets no work, without a full stop; "" where it does.
        is_busy: it has not answered, since it works on something else.
    """

    name: str
    slots: int
    problem: str = ""
    is_busy: bool = False


def survey(
    choice: ClusterChoice, methods: Sequence[TaskMethod], progress: Progress
) -> tuple[FoundWorker, ...]:
    """The workers of ``choice``, in order of name; asks each what it is.

    Args:
        methods: that will be used.

    Raises:
        ClusterMissing: Dask is not installed. ClusterError: the scheduler cannot be used.
        Cancelled: by ``progress``, also while nobody answers.
    """
    with ExitStack() as stack:
        client = _opened(choice, progress, stack)
        question = WorkerQuestion.of(methods)
        seen = sorted(client.workers.values(), key=lambda worker: worker.name)
        asked = {
            worker.address: client.submit(worker.address, answer, question)
            for worker in seen
            if worker.slots
        }
        until = time.monotonic() + _ANSWER_SECONDS
        while not all(one.done() for one in asked.values()) and time.monotonic() < until:
            progress.check()
            time.sleep(_LOOK_EVERY)
        found = []
        for worker in seen:
            problem: str = Message("it was not started by “unifusion worker”")
            is_busy = False
            if worker.address in asked:
                problem, is_busy = _judged(question, asked[worker.address])
            found.append(FoundWorker(worker.name, worker.slots, problem, is_busy))
        return tuple(found)


def _judged(question: WorkerQuestion, asked: Future[WorkerAnswer]) -> tuple[str, bool]:
    if not asked.done():
        asked.cancel()
        return "", True
    error = asked.exception()
    if error is not None:
        return unanswered(error), False
    return refusal(question, asked.result()), False


def _opened(choice: ClusterChoice, progress: Progress, stack: ExitStack) -> ClusterClient:
    """A connection that is closed with ``stack``; made on a thread, so that it can be cancelled."""
    made: Future[tuple[ExitStack, ClusterClient]] = Future()

    def connect() -> None:
        with ExitStack() as own:
            try:
                client = own.enter_context(choice.opened())
                made.set_result((own.pop_all(), client))
            except BaseException as error:
                made.set_exception(error)

    threading.Thread(target=connect, name="unifusion-connecting", daemon=True).start()
    try:
        while not made.done():
            progress.check()
            time.sleep(_LOOK_EVERY)
    except BaseException:
        made.add_done_callback(_close)
        raise
    own, client = made.result()
    stack.callback(own.close)
    return client


def _close(made: Future[tuple[ExitStack, ClusterClient]]) -> None:
    with suppress(Exception):
        made.result()[0].close()
