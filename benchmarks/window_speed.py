"""Response time of the window with a large pair, and the longest stalls of its event loop.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.window_speed --runs 60

Opens a 4096×3072 RGB pair in the real window (1600×1000) and fuses it by a classical method. Then
each gesture is made step by step, and each step is timed from the change until every pane has been
painted: panning and zooming at several scales, window and level of a source, the curtain's edge.
Figures are medians and the slowest of twenty, in milliseconds, and the median and most processor
time of the window's thread: on a busy machine the latter is the fairer one.

The last lines give the longest delay of a timer of 5 ms in the event loop while the pair is read,
while the engine starts, while it fuses, and while idle; then while a folder of 2,000 pairs (hard
links to the sample images) is opened, its rows are scrolled, and pairs are stepped through and
fused with the embedded pack, and all of that again during a training; and the seconds until the
first thumbnail, and all visible ones, are shown. Each delay is followed by the processor time of
the GUI thread, and on Linux by the time in which it was ready but had no core, and in which the
host of a virtual machine withheld its cores; the rest is waiting for another thread. The last value
is the largest processor time of one iteration of the event loop, on which other work has no
influence. ``--pairs 0`` skips the folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

import resources
from app.compute import remote
from app.engine import engine_factory
from app.shell.main_window import MainWindow
from app.shell.window_process import window_process
from app.train.tasks import TrainingRequest, train_steps
from app.viewer.display_state import Compare
from app.widgets import theme
from app.workers import Runner
from benchmarks.window_tools import Delay, DelayMonitor, until, wait
from trainer.config.run_plan import RunPlan

_SETTINGS = {"task": "ivif", "steps": 100_000, "batch": 4, "crop": 64, "validate_every": 0}
WIDTH, HEIGHT = 4096, 3072
GOAL_MS = 33.0


@dataclass(frozen=True)
class Step:
    """Wall time and processor time of this thread in milliseconds, for one step."""

    wall: float
    cpu: float


def stall(name: str, monitor: DelayMonitor) -> str:
    """A line about the longest delay since the last restart, and its causes."""
    worst = max(monitor.delays, key=lambda delay: delay.late, default=Delay(0, 0, 0, 0))
    late = sum(delay.late > 50 for delay in monitor.delays)
    most_cpu = max((delay.cpu for delay in monitor.delays), default=0.0)
    share = f"CPU {worst.cpu:5.1f}, no core {worst.core:5.1f}, host {worst.host:3.0f}"
    text = f"longest stall {name:34} {worst.late:7.1f} ms"
    return f"{text} ({share}), {late} over 50 ms, CPU of a turn ≤ {most_cpu:5.1f} ms"


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Two RGB images with structure at every scale, which a renderer cannot skip."""
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


def timed(change: Callable[[int], object], runs: int) -> list[Step]:
    """Perform a change ``runs`` times; each ends when all panes have been painted."""
    steps = []
    for index in range(runs):
        QApplication.processEvents()
        wall, cpu = time.perf_counter(), time.thread_time()
        change(index)
        QApplication.processEvents()
        steps.append(Step((time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000))
    return steps


def gestures(window: MainWindow) -> dict[str, Callable[[int], object]]:
    """The interactions by name; each takes the index of the step."""
    link, session = window.view.link, window.session
    middle = QPointF(WIDTH / 2, HEIGHT / 2)
    start = session.display

    def pan(scale: float) -> Callable[[int], object]:
        return lambda i: link.look_at(middle + QPointF(7.0, 5.0) * (i % 40), scale)

    def level(i: int) -> None:
        low, high = float(i % 30), 255.0 - i % 50
        session.set_display(start.with_pane("a", window=(low, high)), settled=False)

    def both_levels(i: int) -> None:
        low, high = float(i % 30), 255.0 - i % 50
        shown = start.with_pane("a", window=(low, high)).with_pane("b", window=(low, high))
        session.set_display(shown, settled=False)

    def curtain(i: int) -> None:
        shown = start.with_compare(mode="curtain", position=0.1 + 0.01 * (i % 80))
        session.set_display(shown, settled=False)

    return {
        "pan at fit": pan(window.view.panes["a"].canvas.camera.fit_scale()),
        "pan at 1:4": pan(0.25),
        "pan at 1:1": pan(1.0),
        "pan at 4:1": pan(4.0),
        "zoom": lambda i: link.look_at(middle, 0.1 * 1.07 ** (i % 60)),
        "window/level of A, fit": level,
        "window/level of A and B, fit": both_levels,
        "curtain drag, fit": curtain,
    }


def report(name: str, steps: list[Step]) -> None:
    """Print a row of the table."""
    walls, cpus = sorted(s.wall for s in steps), sorted(s.cpu for s in steps)
    slow = walls[min(len(walls) - 1, round(0.95 * len(walls)))]
    mark = "ok" if statistics.median(walls) < GOAL_MS else "over"
    print(
        f"{name:30} {statistics.median(walls):7.1f} ms  95 %: {slow:7.1f}  "
        f"CPU {statistics.median(cpus):6.1f}, at most {cpus[-1]:6.1f}  goal {GOAL_MS:.0f}: {mark}",
        flush=True,
    )


def measure(window: MainWindow, files: tuple[Path, Path], runs: int) -> None:
    """Open the pair, perform the interactions, print the results."""
    monitor = DelayMonitor()
    stalls: list[str] = []

    def stage(name: str, done: Callable[[], bool]) -> None:
        monitor.restart()
        until(done)
        stalls.append(stall(name, monitor))

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
    print("\n".join(stalls), flush=True)


def make_folder(folder: Path, count: int) -> Path:
    """A study of ``count`` pairs: hard links to the samples."""
    for side, other in (("a", "ir"), ("b", "vis")):
        place = folder / side
        place.mkdir(parents=True)
        kept = folder.parent / f"{other}.png"
        shutil.copyfile(resources.SAMPLES / f"ivif_{side}.png", kept)
        for number in range(count):
            os.link(kept, place / f"scene_{number:05}.png")
    return folder


def open_folder(window: MainWindow, folder: Path, name: str) -> None:
    """Open a large folder, scroll, step and fuse; print the results."""
    monitor, dock = DelayMonitor(), window.pairs_dock
    drawn: list[float] = []
    dock.thumbs.ready.connect(lambda *_: drawn.append(time.perf_counter()))
    begun = time.perf_counter()
    window.files.take([folder])
    rows = dock.list.tree.viewport().height() // (dock.list.tree.sizeHintForRow(0) or 34)
    until(lambda: len(drawn) > 0)
    first = drawn[0] - begun
    print(f"first small picture {name:28} {first:7.2f} s  goal 1: {'ok' if first < 1 else 'over'}")
    until(lambda: len(drawn) >= max(rows, 8))
    print(f"all in sight        {name:28} {drawn[-1] - begun:7.2f} s", flush=True)
    print(stall(f"opening it{name}", monitor), flush=True)
    monitor.restart()
    bar = dock.list.tree.verticalScrollBar()
    for step in range(40):
        bar.setValue(bar.maximum() * step // 40)
        wait(0.05)
    print(stall(f"scrolling{name}", monitor), flush=True)
    monitor.restart()
    for _ in range(3):
        window.pairs.step(1)
        until(lambda: window.session.running is None and window.session.outcome is not None)
    print(stall(f"stepping and fusing{name}", monitor), flush=True)
    dock.thumbs.ready.disconnect()


@contextmanager
def training(folder: Path) -> Iterator[None]:
    """Run a training loop in a thread, on pairs of ``folder``, within the block."""
    runner = Runner("train", background=True)
    plan = RunPlan(folder, folder.parent / "bench.safetensors", device="cpu")
    order = TrainingRequest(_SETTINGS, plan)
    control = remote.Control("trainer.run.control:RunControl")
    job = runner.submit(remote.compute(train_steps, order, control=control))
    seen: list[object] = []
    job.yielded.connect(seen.append)
    until(lambda: len(seen) > 1 or job.is_over)
    if job.is_over:
        raise SystemExit("the training loop ended at once")
    try:
        yield
    finally:
        runner.shutdown()
        print(f"events of the training loop meanwhile: {len(seen)}")


def folder_runs(window: MainWindow, folder: Path, count: int) -> None:
    """The large folder alone and during a training."""
    print(f"a folder of {count} pairs")
    window.session.set_method("")
    open_folder(window, make_folder(folder / "first" / "study", count), "")
    few = make_folder(folder / "few" / "study", 12)
    with training(few):
        open_folder(window, make_folder(folder / "second" / "study", count), ", training")


def start_compare(window: MainWindow) -> Compare:
    """No comparison."""
    return replace(window.session.display.compare, mode="off")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=2000, help="pairs in the folder; 0: none")
    parser.add_argument("--method", default="average", help="what fuses the pair")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    theme.apply(application, resources.ROOT)
    factory = engine_factory("cpu")
    with window_process("en"), tempfile.TemporaryDirectory() as folder:
        os.environ["UNIFUSION_HOME"] = str(Path(folder) / "home")
        window = MainWindow(factory, resources.SAMPLES, "ivif", options.method)
        window.resize(1600, 1000)
        window.show()
        files = make_pair(Path(folder))
        until(lambda: window.isVisible())
        wait(1)
        print(f"{WIDTH}×{HEIGHT} RGB, {options.runs} steps each, {application.platformName()}")
        measure(window, files, options.runs)
        if options.pairs:
            folder_runs(window, Path(folder), options.pairs)
        window.close()


if __name__ == "__main__":
    main()
