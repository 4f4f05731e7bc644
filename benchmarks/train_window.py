"""Delays of the window's event loop during training, and drawing time of charts with many points.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.train_window --data FOLDER --seconds 30

Fine-tunes the embedded PET/MRI pack in the real window (1280×820) on FOLDER (synthetic pairs
without one), on its training thread, with a curve point and a redraw request for every step. A
timer of 5 ms records its delays while idle, while training, and while training and fusing at once.
The goal is a 99th percentile of 50 ms. The last lines give the processor time of one redraw and of
one zoom of a chart with six curves of 100,000 points.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication

import resources
from app.engine import engine_factory
from app.shell.main_window import MainWindow
from app.shell.window_process import window_process
from app.train.curves import CurveStore
from app.widgets import theme
from benchmarks.window_tools import DelayMonitor, train_page, training, until, wait

_GOAL_MS = 50.0
_POINTS, _CURVES = 100_000, 6


def report(name: str, monitor: DelayMonitor) -> None:
    """Print median, 99th percentile and maximum of the delays, and the most CPU of a turn."""
    late = [delay.late for delay in monitor.delays]
    p50, p99, worst = np.percentile(late, (50, 99, 100))
    cpu = max(delay.cpu for delay in monitor.delays)
    mark = "ok" if p99 < _GOAL_MS else "over"
    print(
        f"{name:28} delay {p50:6.1f} ms  99 %: {p99:6.1f}  worst {worst:7.1f}  "
        f"of {len(late)}  goal {_GOAL_MS:.0f}: {mark}  CPU of a turn ≤ {cpu:.1f}",
        flush=True,
    )


def synthetic_pairs(folder: Path, count: int = 24, size: int = 256) -> Path:
    """Synthetic pairs of smooth noise."""
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
    """Measure while idle, while training, and while training and fusing at once."""
    monitor = DelayMonitor()
    window.controller.start()
    window.controller.open_sample()
    until(lambda: window.session.outcome is not None and window.session.running is None)
    settings = {"steps": 100_000, "log_every": 1, "validate_every": 25}
    page = train_page(window, data, settings)
    monitor.restart()
    wait(3)
    report("nothing is done", monitor)
    with training(page):
        monitor.restart()
        began = page.state.run_progress.step
        wait(seconds)
        speed = (page.state.run_progress.step - began) / seconds
        report(f"training ({speed:.1f} steps/s)", monitor)
        window.controller.fuse()
        monitor.restart()
        until(lambda: window.session.running is None)
        report("training and fusing", monitor)


def chart() -> None:
    """Measure redraws of a chart with many points."""
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
    with window_process("en"), tempfile.TemporaryDirectory() as folder:
        os.environ["UNIFUSION_HOME"] = folder
        data = options.data or synthetic_pairs(Path(folder) / "pairs")
        window = MainWindow(engine_factory("cpu"), resources.SAMPLES, "mif")
        window.resize(1280, 820)
        window.show()
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        train(window, data, options.seconds)
        window.close()
        chart()


if __name__ == "__main__":
    main()
