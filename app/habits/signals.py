"""Ctrl-C, a kill or the end of the desktop session close the window as a click would."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

from PySide6.QtCore import QSocketNotifier

_CLOSING = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def closing(close: Callable[[], object]) -> Iterator[None]:
    """Call ``close`` from the event loop when the system asks the program to end.

    Python runs its handlers between two instructions of its own, and while Qt waits for events
    there are none: a pipe that the signal is written to wakes the event loop. Elsewhere than on
    POSIX systems the pipe cannot be watched, and signals stay as they are.
    """
    if os.name != "posix":
        yield
        return
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    notifier = QSocketNotifier(read, QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: (os.read(read, 64), close()))
    before = {one: signal.signal(one, _heard) for one in _CLOSING}
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
