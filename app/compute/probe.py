"""Functions that say whether the compute process works, for `unifusion doctor` and the tests."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator
from typing import Any

from core.progress import Progress


def echo(value: Any, progress: Progress) -> Any:
    """Return ``value``."""
    return value


def modules(progress: Progress) -> frozenset[str]:
    """Names of the packages that are imported."""
    return frozenset(name.partition(".")[0] for name in sys.modules)


def count(most: int, seconds: float, progress: Progress) -> Generator[int, None, int]:
    """Yield the numbers below ``most``, ``seconds`` apart; returns ``most``."""
    for number in range(most):
        progress.report(number, most, "")
        yield number
        time.sleep(seconds)
    return most


def sleep(seconds: float, progress: Progress) -> None:
    """Report once, then hear nothing for a while."""
    progress.report(0, 0, "")
    time.sleep(seconds)


def allocate(count: int, progress: Progress) -> int:
    """Fill ``count`` bytes of memory."""
    return len(b"1" * count)


def held_count(progress: Progress) -> int:
    """How many values of the window are held here."""
    from app.compute.held import held_values

    return len(held_values)


def abort(progress: Progress) -> None:
    """End the process as a failed assertion of native code does."""
    os.abort()


def fail_as_torch(kind: str, text: str, progress: Progress) -> None:
    """Raise an error of the same class and words as torch does."""
    made = type(kind, (RuntimeError,), {})
    raise made(text)


class ProbeControl:
    """A control: something that is counted up from the other side."""

    def __init__(self) -> None:
        self.value = 0
        self._changed = threading.Condition()

    def add(self, number: int) -> None:
        """Count up."""
        with self._changed:
            self.value += number
            self._changed.notify_all()

    def wait_for(self, value: int, seconds: float) -> bool:
        """Wait until it is at least ``value``; False after ``seconds``."""
        with self._changed:
            return self._changed.wait_for(lambda: self.value >= value, seconds)


def wait_for_count(value: int, control: ProbeControl, progress: Progress) -> int:
    """Wait until the control was counted up to ``value``."""
    while not control.wait_for(value, 0.05):
        progress.check()
    return control.value
