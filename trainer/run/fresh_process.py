"""Runs a function in a process of its own, which has nothing behind it and can be killed."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from core.available_memory import retain_freed_memory
from core.errors import Cancelled, FusionError, InputError, Message
from core.progress import Progress

_Order = TypeVar("_Order")
_Made = TypeVar("_Made")
_CHECK_EVERY = 0.1
"""Seconds between two checks for cancellation, and between two reports of the child."""


class ProcessDied(Exception):
    """The process ended without a result; ``code`` as in :class:`multiprocessing.Process`."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Report:
    done: float
    total: float
    stage: str


@dataclass(frozen=True)
class _Answer:
    made: Any = None
    error: Exception | None = None


class _SentProgress:
    """The progress in the child; it is not told of cancellation, but killed."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._sent = connection, 0.0

    def report(self, done: float, total: float, stage: str) -> None:
        """Send it on, unless the last one was a moment ago."""
        if time.monotonic() - self._sent > _CHECK_EVERY:
            self._sent = time.monotonic()
            self._connection.send(_Report(done, total, stage))

    def check(self) -> None:
        """Nothing."""


def run_in_fresh_process(
    function: Callable[[_Order, Progress], _Made],
    order: _Order,
    progress: Progress,
    *,
    seconds: float,
) -> _Made:
    """What ``function`` makes of ``order`` and a progress, in a process started for it.

    Args:
        function: of a module; it, its argument and its result are pickled.
        progress: receives the reports; ``check`` may cancel, which kills the process.
        seconds: after which the process is killed.

    Raises:
        FusionError, RuntimeError: as the function raises them. Cancelled: by ``progress``.
        InputError: it took too long. ProcessDied: it was killed, for instance for its memory.
    """
    # Not forked: the child of a process with threads may hold locks that nobody gives back.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, function, order), daemon=True)
    process.start()
    there.close()
    try:
        made: _Made = _answer(here, process, progress, seconds)
        return made
    finally:
        process.kill()
        process.join()
        process.close()
        here.close()


def _answer(here: Connection, process: Any, progress: Progress, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        progress.check()
        if time.monotonic() > deadline:
            raise InputError(
                Message("The estimate"),
                Message("it took longer than {0:.0f} minutes", seconds / 60),
                Message("Use fewer crops per step, or smaller ones."),
            )
        if not here.poll(_CHECK_EVERY):
            continue
        try:
            found = here.recv()
        except EOFError:
            process.join()
            raise ProcessDied(process.exitcode) from None
        if isinstance(found, _Report):
            progress.report(found.done, found.total, found.stage)
        elif found.error is not None:
            raise found.error
        else:
            return found.made


def _child(connection: Connection, function: Callable[..., Any], order: Any) -> None:
    retain_freed_memory()  # as in the program, since it is measured
    try:
        answer = _Answer(function(order, _SentProgress(connection)))
    except (FusionError, Cancelled) as error:
        answer = _Answer(error=error)
    except Exception as error:
        answer = _Answer(error=RuntimeError(f"{type(error).__name__}: {error}"))
    connection.send(answer)
    connection.close()
