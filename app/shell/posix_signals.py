"""Ctrl-C, a kill or the end of the desktop session close the window as a click would."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

from PySide6.QtCore import QSocketNotifier

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def closing(close: Callable[[], object], end: Callable[[], object] | None = None) -> Iterator[None]:
    """Call ``close`` from the event loop on Ctrl-C, ``end`` when the system asks the program to go.

    ``close`` may ask a person first. Whoever sends SIGTERM or SIGHUP (a scheduler, a log-out, a
    terminal that is closed) waits some seconds for the program to end and then kills it.

    Python runs its handlers between two instructions of its own, and while Qt waits for events
    there are none: a pipe that the signal is written to wakes the event loop. Elsewhere than on
    POSIX systems the pipe cannot be watched, and signals stay as they are.
    """
    if os.name != "posix":
        yield
        return
    read, write = os.pipe()
    for pipe in (read, write):
        os.set_blocking(pipe, False)
    notifier = QSocketNotifier(read, QSocketNotifier.Type.Read)

    def heard() -> None:
        numbers = set(os.read(read, 64))
        (close if end is None or numbers <= {signal.SIGINT} else end)()

    notifier.activated.connect(heard)
    numbers = [getattr(signal, name) for name in _NAMES]
    # Under nohup SIGHUP is ignored, and stays so.
    before = {
        one: signal.signal(one, _heard)
        for one in numbers
        if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN
    }
    old = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield
    finally:
        notifier.setEnabled(False)
        signal.set_wakeup_fd(old)
        for one, handler in before.items():
            signal.signal(one, handler)
        os.close(read)
        os.close(write)


def _heard(number: int, _frame: object) -> None:
    """The pipe has it already."""
