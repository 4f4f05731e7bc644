"""Jobs of the window that run in the compute process where there is one, and else in this one."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

from app.compute.calls import Call, Request, found_control, named
from app.compute.held import Held
from app.compute.process import ComputeProcess, ProcessEnded
from core.messages import Message
from core.progress import Progress

_process: ComputeProcess | None = None


def use(process: ComputeProcess | None) -> None:
    """Run jobs in ``process`` from now on; None: in this process, as tests and commands do."""
    global _process
    _process = process


@contextlib.contextmanager
def computing(language: str) -> Iterator[None]:
    """Run jobs in a compute process, which is started now, within the block.

    Args:
        language: of texts that are made in it.
    """
    process = ComputeProcess()
    process.start(language)
    use(process)
    try:
        yield
    finally:
        use(None)
        process.shutdown()


def import_ahead() -> None:
    """Have the compute process import torch, which the first fusion would wait for."""
    if _process is not None:
        _process.import_ahead("torch")


def cancel_all() -> None:
    """Cancel every job at once, before their workers are waited for one by one."""
    if _process is not None:
        _process.cancel_all()


def current() -> ComputeProcess | None:
    """The process that jobs run in; None for this one."""
    return _process


class Control:
    """Calls methods of the object that controls a job, wherever the job runs.

    What is asked for before the job begins is passed on when it does.
    """

    def __init__(self, kind: str) -> None:
        """
        Args:
            kind: a class of :data:`app.compute.calls.CONTROLS`.
        """
        self.kind = kind
        self._lock = threading.Lock()
        self._obey: Callable[[Request], None] | None = None
        self._waiting: list[Request] = []

    def request(self, method: str, *arguments: Any) -> None:
        """Call a method."""
        asked = Request(method, arguments)
        with self._lock:
            if self._obey is None:
                self._waiting.append(asked)
                return
            obey = self._obey
        obey(asked)

    def attach(self, obey: Callable[[Request], None]) -> None:
        """Pass requests on to ``obey`` from now on."""
        with self._lock:
            self._obey = obey
            waiting, self._waiting = self._waiting, []
        for asked in waiting:
            obey(asked)


@dataclass(frozen=True)
class RemoteJob:
    """Work for a :class:`app.workers.Runner`: a function of a ``tasks`` module and arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    _: KW_ONLY
    control: Control | None = None
    take: Callable[[Any], None] | None = None
    kept: Message | None = None
    hears: bool = True

    def __call__(self, progress: Progress) -> Any:
        """Run it: the result, or an iterator of the events where nobody takes them."""
        process = _process
        yields = inspect.isgeneratorfunction(self.function)
        if process is None:
            answer = self._here(progress)
            return answer if self.take is None else self._taken(answer)
        events = self._there(process, progress)
        return events if yields and self.take is None else self._taken(events)

    def _taken(self, events: Generator[Any, None, Any]) -> Any:
        with contextlib.closing(events):
            while True:
                try:
                    event = next(events)
                except StopIteration as end:
                    return end.value
                if self.take is not None:
                    self.take(event)

    def _here(self, progress: Progress) -> Any:
        arguments = [one.value if isinstance(one, Held) else one for one in self.arguments]
        if self.control is None:
            return self.function(*arguments, progress)
        target = found_control(self.control.kind)()
        self.control.attach(lambda asked: getattr(target, asked.method)(*asked.arguments))
        return self.function(*arguments, target, progress)

    def _there(self, process: ComputeProcess, progress: Progress) -> Generator[Any, None, Any]:
        kind = self.control.kind if self.control is not None else ""
        job = process.begin(Call(named(self.function), self.arguments, control=kind))
        if self.control is not None:
            self.control.attach(lambda asked: process.request(job, asked))
        try:
            return (yield from process.follow(job, progress, hears=self.hears))
        except ProcessEnded as error:
            if self.kept is None:
                raise
            raise ProcessEnded(Message("The work was interrupted"), error.why, self.kept) from error


def compute(
    function: Callable[..., Any],
    *arguments: Any,
    control: Control | None = None,
    take: Callable[[Any], None] | None = None,
    kept: Message | None = None,
    hears: bool = True,
) -> RemoteJob:
    """Work that is done in the compute process.

    Args:
        function: module-level, of :data:`app.compute.calls.ALLOWED`; it takes the arguments, the
            control if there is one, and the progress.
        arguments: values that can be pickled; a :class:`app.compute.held.Held` is sent once.
        take: called with each event of a generator function, on the worker; None: they are yielded.
        kept: what is not lost if the process ends, and how to go on; None: all is lost.
        hears: False where seconds may pass between two checks: cancelling waits, and does not end
            the process.
    """
    named(function)
    return RemoteJob(function, arguments, control=control, take=take, kept=kept, hears=hears)
