"""Does the window stay quick while it trains? Delays of its event loop, and charts of many points.

    QT_QPA_PLATFORM=offscreen python benchmarks/train_window.py --data FOLDER --seconds 30

Fine-tunes the embedded PET/MRI pack in the real window (1280×820) on FOLDER (made-up pairs without
one), on its training thread, with a curve point and a redraw wish for every step. A timer of 5 ms
notes how late it comes: while nothing is done, while training, and while training and fusing at
once. The goal is 50 ms for 99 of 100. The last lines give the processor time of one redraw and of
one zoom of a chart with six curves of 100,000 points.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

import resources
from app.engine import engine_factory
from app.shell.main_window import MainWindow
from app.train.curves import CurveStore
from app.train.page import TrainPage
from app.widgets import theme

_BEAT_MS = 5
_GOAL_MS = 50.0
_POINTS, _CURVES = 100_000, 6


class Beat:
    """A timer that notes how late it comes, every time."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_BEAT_MS)

    def restart(self) -> None:
        """Forget what was."""
        self.late.clear()
        self._last = time.perf_counter()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - _BEAT_MS))
        self._last = now

    def report(self, name: str) -> None:
        """One line: median, 99 of 100, worst."""
        p50, p99, worst = np.percentile(self.late, (50, 99, 100))
        mark = "ok" if p99 < _GOAL_MS else "over"
        print(
            f"{name:28} delay {p50:6.1f} ms  99 %: {p99:6.1f}  worst {worst:7.1f}  "
            f"of {len(self.late)}  goal {_GOAL_MS:.0f}: {mark}",
            flush=True,
        )


def until(condition: Callable[[], bool], limit: float = 300.0) -> None:
    """Let the event loop run until something holds."""
    loop, timer = QEventLoop(), QTimer()
    end = time.monotonic() + limit

    def look() -> None:
        if condition() or time.monotonic() > end:
            loop.quit()

    timer.timeout.connect(look)
    timer.start(20)
    loop.exec()
    if not condition():
        raise SystemExit("the window did not get there in time")


def wait(seconds: float) -> None:
    """Let the event loop run for a time."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, seconds + 60)


def made_up(folder: Path, count: int = 24, size: int = 256) -> Path:
    """Pairs of soft structure."""
    rng = np.random.default_rng(0)
    for index in range(count):
        for side in "ab":
            small = rng.random((16, 16), np.float32)
            pixels = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
            path = folder / side / f"patient{index // 2}_{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            codes = (np.clip(pixels, 0, 1) * 255).astype(np.uint8)
            path.write_bytes(cv2.imencode(".png", codes)[1].tobytes())
    return folder


def train(window: MainWindow, data: Path, seconds: float) -> None:
    """Measure before, while training, and while fusing beside it."""
    beat = Beat()
    window.controller.start()
    window.controller.open_sample()
    until(lambda: window.session.outcome is not None and window.session.running is None)
    window.workspaces.show_page("train")
    page = cast(TrainPage, window.workspaces.pages["train"])
    state, preparing = page.state, page.training.preparing
    until(lambda: state.capabilities is not None)
    for name, value in {"steps": 100_000, "log_every": 1, "validate_every": 25}.items():
        preparing.set_value(name, value)
    preparing.set_data([data])
    until(lambda: state.report is not None or state.problem is not None)
    if state.problem is not None:
        raise SystemExit(str(state.problem))
    until(lambda: state.cost is not None)
    beat.restart()
    wait(3)
    beat.report("nothing is done")
    page.training.start()
    until(lambda: state.run_progress.step >= 2)
    beat.restart()
    began = state.run_progress.step
    wait(seconds)
    beat.report(f"training ({(state.run_progress.step - began) / seconds:.1f} steps/s)")
    window.controller.fuse()
    beat.restart()
    until(lambda: window.session.running is None)
    beat.report("training and fusing")
    page.training.running.set_aside()
    until(lambda: not state.at_work)


def chart() -> None:
    """Time redraws of a chart with many points."""
    from app.train.chart import Chart

    curves, rng = CurveStore(), np.random.default_rng(0)
    for number in range(_CURVES):
        values = 1 + number + rng.random(_POINTS)
        curves.fill(f"curve {number}", np.arange(1.0, _POINTS + 1), values)
    shown = Chart("benchmark")
    shown.resize(700, 320)
    shown.show()
    shown.show_curves(curves)
    view = shown.plot.getPlotItem().getViewBox()

    def timed(change: Callable[[int], object]) -> float:
        spent = []
        for index in range(20):
            QApplication.processEvents()
            began = time.thread_time()
            change(index)
            QApplication.processEvents()
            spent.append(time.thread_time() - began)
        return 1000 * float(np.median(spent))

    names = list(curves)

    def grow(index: int) -> None:
        curves.add(_POINTS + 1 + index, dict.fromkeys(names, 1.5))
        shown.refresh()

    for span in (1, 200):
        shown.set_smoothing(span)
        shown.show_all()
        redraw = timed(grow)
        zoom = timed(lambda i: view.setXRange(100 * i, _POINTS / 2 + 100 * i, padding=0))
        print(
            f"{_CURVES} curves of {_POINTS:,} points, smoothing {span}: "
            f"redraw {redraw:.1f} ms, pan or zoom {zoom:.1f} ms of processor time"
        )
    shown.close()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of pairs; made up without one")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    theme.apply(application, resources.ROOT)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNIFUSION_HOME"] = folder
        data = options.data or made_up(Path(folder) / "pairs")
        window = MainWindow(engine_factory("cpu"), resources.SAMPLES, "mif")
        window.resize(1280, 820)
        window.show()
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        train(window, data, options.seconds)
        window.close()
        chart()


if __name__ == "__main__":
    main()
