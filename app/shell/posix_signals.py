"""Closes the window on Ctrl-C, SIGTERM and SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

from PySide6.QtCore import QSocketNotifier

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def close_on_signals(
    close: Callable[[], object], end: Callable[[], object] | None = None
) -> Iterator[None]:
    """Call ``close`` from the event loop on Ctrl-C, ``end`` on SIGTERM and SIGHUP.

    ``close`` may ask the user first. The sender of SIGTERM or SIGHUP (a scheduler, a log-out, a
    terminal that is closed) kills the program if it does not end within some seconds.

    Python runs its signal handlers between bytecode instructions, of which there are none while
    Qt waits for events; so the signal is also written to a pipe that wakes the event loop. On
    systems other than POSIX the pipe cannot be watched, and signals are left as they are.
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
    # Under nohup SIGHUP stays ignored.
    before = {
        one: signal.signal(one, _ignore)
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


def _ignore(number: int, _frame: object) -> None:
    """Do nothing: the signal is read from the pipe."""
