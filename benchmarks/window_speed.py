"""How quickly the window answers the hand on a large pair, and whether its event loop ever stalls.

    QT_QPA_PLATFORM=offscreen python benchmarks/window_speed.py --runs 60

Opens a 4096×3072 RGB pair in the real window (1600×1000) and fuses it by a classical method. Then
each gesture is made step by step, and each step is timed from the change until every pane has been
painted: panning and zooming at several scales, window and level of a source, the curtain's edge.
Figures are medians and the slowest of twenty, in milliseconds, in wall and in processor time of the
window's thread: on a busy machine the latter is the fairer one.

The last lines give the longest time a timer of 5 ms had to wait in the event loop while the pair
was read, while the engine started, while it fused, and while nothing was done.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QEventLoop, QPointF, Qt, QTimer
from PySide6.QtWidgets import QApplication

import resources
from app import jobs, theme
from app.habits.quiet_import import gently
from app.main_window import MainWindow

WIDTH, HEIGHT = 4096, 3072
GOAL_MS = 33.0
_BEAT_MS = 5


@dataclass(frozen=True)
class Step:
    """Milliseconds of one step: by the clock, and of this thread's work."""

    wall: float
    cpu: float


class Beat:
    """A timer that notes how late it comes."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_BEAT_MS)
        self.restart()

    def restart(self) -> None:
        """Forget what was."""
        self._last = time.perf_counter()
        self.worst = 0.0
        self.late = 0

    def _tick(self) -> None:
        now = time.perf_counter()
        waited = (now - self._last) * 1000 - _BEAT_MS
        self.worst = max(self.worst, waited)
        self.late += waited > 50
        self._last = now


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Two RGB pictures with structure at every scale: nothing a renderer could skip."""
    rng = np.random.default_rng(0)
    paths = []
    for name in ("ir_1.png", "vis_1.png"):
        total = np.zeros((HEIGHT, WIDTH, 3), np.float32)
        for cells in (4, 16, 64, 256):
            small = rng.random((cells * 3, cells * 4, 3), np.float32)
            total += cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) / 4
        pixels = (np.clip(total, 0, 1) * 255).astype(np.uint8)
        path = folder / name
        path.write_bytes(
            cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
        )
        paths.append(path)
    return paths[0], paths[1]


def until(condition: Callable[[], bool], limit: float = 300.0) -> None:
    """Let the event loop run until something holds."""
    loop = QEventLoop()
    timer = QTimer()
    end = time.monotonic() + limit
    timer.timeout.connect(lambda: (condition() or time.monotonic() > end) and loop.quit())
    timer.start(20)
    loop.exec()
    if not condition():
        raise SystemExit("the window did not get there in time")


def timed(change: Callable[[int], object], runs: int) -> list[Step]:
    """Make a change ``runs`` times; each is over when all panes are painted."""
    steps = []
    for index in range(runs):
        QApplication.processEvents()
        wall, cpu = time.perf_counter(), time.thread_time()
        change(index)
        QApplication.processEvents()
        steps.append(Step((time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000))
    return steps


def gestures(window: MainWindow) -> dict[str, Callable[[int], object]]:
    """What a hand does, by name; each takes the number of the step."""
    link, session = window.view.link, window.session
    middle = QPointF(WIDTH / 2, HEIGHT / 2)
    start = session.display

    def pan(scale: float) -> Callable[[int], object]:
        return lambda i: link.look(scale, middle + QPointF(7.0 * (i % 40), 5.0 * (i % 40)))

    def level(i: int) -> None:
        low, high = float(i % 30), 255.0 - i % 50
        session.set_display(start.with_look("a", window=(low, high)), settled=False)

    def both_levels(i: int) -> None:
        low, high = float(i % 30), 255.0 - i % 50
        shown = start.with_look("a", window=(low, high)).with_look("b", window=(low, high))
        session.set_display(shown, settled=False)

    def curtain(i: int) -> None:
        shown = start.with_compare(mode="curtain", position=0.1 + 0.01 * (i % 80))
        session.set_display(shown, settled=False)

    return {
        "pan at fit": pan(window.view.panes["a"].canvas.fit_scale()),
        "pan at 1:4": pan(0.25),
        "pan at 1:1": pan(1.0),
        "pan at 4:1": pan(4.0),
        "zoom": lambda i: link.look(0.1 * 1.07 ** (i % 60), middle),
        "window/level of A, fit": level,
        "window/level of A and B, fit": both_levels,
        "curtain drag, fit": curtain,
    }


def report(name: str, steps: list[Step]) -> None:
    """One line of the table."""
    walls, cpus = sorted(s.wall for s in steps), sorted(s.cpu for s in steps)
    slow = walls[min(len(walls) - 1, round(0.95 * len(walls)))]
    mark = "ok" if statistics.median(walls) < GOAL_MS else "over"
    print(
        f"{name:30} {statistics.median(walls):7.1f} ms  95 %: {slow:7.1f}  "
        f"CPU {statistics.median(cpus):6.1f}  goal {GOAL_MS:.0f}: {mark}",
        flush=True,
    )


def measure(window: MainWindow, files: tuple[Path, Path], runs: int) -> None:
    """Open the pair, make the gestures, print."""
    beat = Beat()
    stalls: dict[str, tuple[float, int]] = {}

    def stage(name: str, done: Callable[[], bool]) -> None:
        beat.restart()
        until(done)
        stalls[name] = (beat.worst, beat.late)

    window.controller.start()
    window.controller.open_pair(*files)
    stage("while reading", lambda: window.session.sources.pair is not None)
    stage("while the engine starts", lambda: window.session.engine is not None)
    stage("while fusing", lambda: window.session.running is None)
    end = time.monotonic() + 3
    stage("while nothing is done", lambda: time.monotonic() > end)
    for name, change in gestures(window).items():
        window.session.set_display(replace(window.session.display, compare=start_compare(window)))
        window.view.link.fit()
        timed(change, 5)
        report(name, timed(change, runs))
    for name, (worst, late) in stalls.items():
        print(f"longest stall {name:24} {worst:7.1f} ms, {late} over 50 ms")


def start_compare(window: MainWindow) -> object:
    """No comparison."""
    return replace(window.session.display.compare, mode="off")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--method", default="average", help="what fuses the pair")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    theme.apply(application, resources.ROOT)
    ready = threading.Event()
    factory = gently(jobs.engine_factory("cpu"), "torch", after=ready)
    window = MainWindow(factory, resources.SAMPLES, "ivif", options.method)
    window.session.sources_changed.connect(ready.set)
    window.resize(1600, 1000)
    window.show()
    with tempfile.TemporaryDirectory() as folder:
        files = make_pair(Path(folder))
        until(lambda: window.isVisible())
        end = time.monotonic() + 1
        until(lambda: time.monotonic() > end)
        print(f"{WIDTH}×{HEIGHT} RGB, {options.runs} steps each, {application.platformName()}")
        measure(window, files, options.runs)
        window.close()


if __name__ == "__main__":
    main()
