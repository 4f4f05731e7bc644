"""Busy time of the GUI thread for user actions on a large table of pairs.

    QT_QPA_PLATFORM=offscreen python benchmarks/batch_table.py --rows 5000

Pairs are links to the sample images. Every action is performed in the Batch workspace of the real
window, and everything it triggers on the GUI thread, including painting, is measured until the
event loop is idle: the longest iteration of the loop, in milliseconds of processor time of the
thread (more meaningful on a busy machine) and of wall time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.batch.page import BatchPage
from app.batch.state import Ending
from app.engine import EngineFactory
from app.shell.main_window import MainWindow
from app.widgets import theme
from app.workers.background_import import shorten_switch_interval
from app.workers.garbage_collector import GarbageCollector
from core.batch import RowEvent, RowState, Tally
from core.io import write_image

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "resources" / "samples"
GOAL_MS = 50.0


class NoEngine:
    """Lists no method and never fuses."""

    def methods(self, task: str) -> tuple[object, ...]:
        """None."""
        return ()


class Turns:
    """A fast timer; the interval between two of its calls is one iteration of the event loop."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self.turn)
        self._timer.start(4)
        self.restart()

    def restart(self) -> None:
        """Discard all measurements."""
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self.worst = self.worst_cpu = 0.0

    def turn(self) -> None:
        """Record one iteration."""
        now, cpu = time.perf_counter(), time.thread_time()
        self.worst = max(self.worst, 1000 * (now - self._last))
        self.worst_cpu = max(self.worst_cpu, 1000 * (cpu - self._last_cpu))
        self._last, self._last_cpu = now, cpu


def settle(seconds: float) -> None:
    """Run the event loop."""
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def gesture(turns: Turns, name: str, do: Callable[[], object]) -> None:
    """Perform an action, wait until it is complete, print the longest iteration."""
    worst, worst_cpu = 0.0, 0.0
    for _ in range(3):
        turns.restart()
        do()
        turns.turn()
        settle(0.4)
        worst, worst_cpu = max(worst, turns.worst), max(worst_cpu, turns.worst_cpu)
    line(name, worst_cpu, worst)


def line(name: str, cpu: float, wall: float) -> None:
    """Print the result of one action."""
    mark = "" if cpu <= GOAL_MS else "  over the goal"
    print(f"{name:44} {cpu:7.1f} CPU ms  {wall:7.1f} ms{mark}", flush=True)


def linked(folder: Path, rows: int) -> Path:
    """``rows`` pairs, all links to the same two small images."""
    for value, side in enumerate("ab"):
        (folder / side).mkdir(parents=True)
        sample = folder / f"{side}.png"
        write_image(sample, np.full((96, 128, 1), value / 2, np.float32), bit_depth=8)
        for index in range(rows):
            (folder / side / f"scene{index:05}.png").hardlink_to(sample)
        sample.unlink()
    return folder


def perform(page: BatchPage, turns: Turns) -> None:
    """Perform the actions."""
    batch, panel, view = page.batch, page.panel, page.panel.view
    bar = view.verticalScrollBar()
    gesture(turns, "select all", view.selectAll)
    gesture(turns, "swap A and B of all selected", panel._swap)
    gesture(turns, "leave out all selected", lambda: panel._use(False))
    gesture(turns, "take in all selected", lambda: panel._use(True))
    gesture(turns, "move the selected up", lambda: panel.step(1))
    panel.select(list(range(0, 5000, 2)))
    gesture(turns, "leave out every other one", lambda: panel._use(False))
    gesture(turns, "swap every other one", panel._swap)
    gesture(turns, "take every other one in", lambda: panel._use(True))
    view.clearSelection()
    gesture(turns, "swap all pairs", page.swap_all.click)
    gesture(turns, "filter by a word, and no more", lambda: panel.filter.setText(
        "" if panel.filter.text() else "123"))  # fmt: skip
    gesture(turns, "only problems, and all", page.panel.only_problems.toggle)
    panel.only_problems.setChecked(False)
    panel.filter.clear()

    def scroll() -> None:
        for _ in range(10):
            bar.setValue((bar.value() + bar.pageStep()) % max(1, bar.maximum()))

    gesture(turns, "scroll ten pages", scroll)
    gesture(turns, "other settings", lambda: batch.set_choices(
        replace(batch.choices, figures=not batch.choices.figures)))  # fmt: skip
    simulate_run(page, turns)


def simulate_run(page: BatchPage, turns: Turns) -> None:
    """Events of a run without fusing: measures the display of rows alone."""
    batch, run = page.batch, page.batch.run
    plan = batch.planned.plan
    assert plan is not None
    run.prepare(batch.planned)
    tally = Tally(len(plan.rows), rate=50.0, seconds_left=60.0)

    def emit(state: RowState, rows: range) -> None:
        for place in rows:
            row = plan.rows[place % len(plan.rows)]
            record = row.record(state, "a" if state == "failed" else "")
            run.inbox.append(RowEvent(place, row, record, tally))
        run.drain()

    gesture(turns, "400 rows change, as in 50 ms of a run", lambda: emit("done", range(400)))
    gesture(turns, "all rows fail at once", lambda: emit("failed", range(len(plan.rows))))
    gesture(turns, "the end of a run", lambda: run.end(Ending()))


def main() -> None:
    """Read the options, open the window, perform the actions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    application = QApplication(sys.argv[:1])
    theme.apply(application, ROOT / "resources")
    shorten_switch_interval()
    collector = GarbageCollector()
    window = MainWindow(cast(EngineFactory, NoEngine), SAMPLES, "mif")
    window.resize(1280, 820)
    window.show()
    window.workspaces.show_page("batch")
    page = window.workspaces.page("batch")
    assert isinstance(page, BatchPage)
    turns = Turns()
    with tempfile.TemporaryDirectory() as folder:
        source = linked(Path(folder) / "in", options.rows)
        turns.restart()
        page.take([source])
        while not page.batch.targets or len(page.batch.headers) < options.rows:
            settle(0.2)
        line("find and name all, read their headers", turns.worst_cpu, turns.worst)
        perform(page, turns)
        window.close()
        settle(0.2)
    collector.stop()


if __name__ == "__main__":
    main()
