"""Work for a process of its own; light, since each such process imports it."""

from __future__ import annotations

import os
import signal
import time

from core.errors import DeviceMemoryError, Message
from core.progress import Progress


def doubled(order: int, progress: Progress) -> int:
    """Twice ``order``, after a report."""
    progress.report(1, 2, Message("half of {0}", order))
    return 2 * order


def refused(order: int, progress: Progress) -> int:
    """An error with all its parts."""
    raise DeviceMemoryError(Message("A picture of {0}", order), "too large", "Cut it.")


def stumbled(order: int, progress: Progress) -> int:
    """An error that nobody expects."""
    raise ZeroDivisionError("by chance")


def killed(order: int, progress: Progress) -> int:
    """As when memory runs out in a container."""
    os.kill(os.getpid(), signal.SIGKILL)
    return order


def endless(order: int, progress: Progress) -> int:
    """Never ends by itself; writes its number into the file ``order`` names."""
    while True:
        time.sleep(0.05)
        progress.report(os.getpid(), 0, "going on")
