"""Common parts of the benchmarks that operate the real window: event loop, delays, training."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QEventLoop, Qt, QTimer

from app.shell.main_window import MainWindow
from app.train.page import TrainPage

_INTERVAL_MS = 5
_SCHEDULE = Path("/proc/thread-self/schedstat")
_CORES = Path("/proc/stat")


def until(condition: Callable[[], bool], limit: float = 300.0) -> None:
    """Run the event loop until ``condition`` holds; SystemExit after ``limit`` seconds."""
    loop, timer = QEventLoop(), QTimer()
    end = time.monotonic() + limit

    def check() -> None:
        if condition() or time.monotonic() > end:
            loop.quit()

    timer.timeout.connect(check)
    timer.start(20)
    loop.exec()
    if not condition():
        raise SystemExit("the window did not get there in time")


def wait(seconds: float) -> None:
    """Run the event loop for ``seconds``."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, seconds + 60)


@dataclass(frozen=True)
class Delay:
    """One interval between two timer events, in milliseconds.

    Attributes:
        late: delay of the second event.
        cpu: processor time of the thread.
        core: time during which the thread was ready but had no core; 0 if the system does not
            count it.
        host: time during which the host of a virtual machine withheld its cores, over all cores.
    """

    late: float
    cpu: float
    core: float
    host: float


class DelayMonitor:
    """Measures delays of the event loop with a timer of 5 ms."""

    def __init__(self) -> None:
        self.delays: list[Delay] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_INTERVAL_MS)
        self.restart()

    def restart(self) -> None:
        """Discard all measurements."""
        self.delays.clear()
        self._last = self._now()

    def _tick(self) -> None:
        now = self._now()
        passed, cpu, core, host = (b - a for a, b in zip(self._last, now, strict=True))
        self.delays.append(Delay(max(0.0, passed - _INTERVAL_MS), cpu, core, host))
        self._last = now

    @staticmethod
    def _now() -> tuple[float, float, float, float]:
        wall, cpu = time.perf_counter() * 1000, time.thread_time() * 1000
        return wall, cpu, _core_wait(), _host_wait()


def _core_wait() -> float:
    with suppress(OSError, IndexError):
        return int(_SCHEDULE.read_text().split()[1]) / 1e6
    return 0.0


def _host_wait() -> float:
    with suppress(OSError, IndexError):
        return int(_CORES.read_text().split(maxsplit=9)[8]) * 1000 / os.sysconf("SC_CLK_TCK")
    return 0.0


def train_page(window: MainWindow, data: Path, settings: dict[str, Any]) -> TrainPage:
    """Show the Train workspace with ``data`` and ``settings``, ready to start."""
    window.workspaces.show_page("train")
    page = cast(TrainPage, window.workspaces.pages["train"])
    state, preparing = page.state, page.training.preparing
    until(lambda: state.capabilities is not None)
    for name, value in settings.items():
        preparing.set_value(name, value)
    preparing.set_data([data])
    preparing.choose_task(state.data.task)
    until(lambda: state.report is not None or state.problem is not None)
    if state.problem is not None:
        raise SystemExit(str(state.problem))
    until(lambda: state.cost is not None)
    if state.obstacle:
        raise SystemExit(f"training cannot start: {state.obstacle}")
    return page


@contextmanager
def training(page: TrainPage) -> Iterator[None]:
    """Run the prepared training within the block; it has completed two steps at the start."""
    page.training.start()
    until(lambda: page.state.run_progress.step >= 2)
    try:
        yield
    finally:
        page.training.running.set_aside()
        until(lambda: not page.state.at_work)
