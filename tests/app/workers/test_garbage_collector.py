"""Garbage of the window is collected on its own thread, fully only while nothing happens."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref

import pytest
from PySide6.QtCore import QTimer

from app.workers.background_import import import_readers
from app.workers.garbage_collector import GarbageCollector


@pytest.fixture
def collector(qapp):
    import_readers()  # before, nothing is collected
    made = GarbageCollector()
    yield made
    made.stop()


class Cycle:
    """Is freed by a collection only."""

    def __init__(self) -> None:
        self.itself = self
        self.timer = QTimer()


def freed_on() -> tuple[weakref.ref[Cycle], list[int]]:
    """A cycle that nobody refers to, and the threads that freed it."""
    made, threads = Cycle(), []
    weakref.finalize(made, lambda: threads.append(threading.get_ident()))
    return weakref.ref(made), threads


def fill() -> list[list[None]]:
    """As many objects, created on another thread, as make several collections due."""
    kept: list[list[None]] = []
    worker = threading.Thread(target=lambda: kept.extend([] for _ in range(50_000)))
    worker.start()
    worker.join()
    return kept


def test_widgets_are_freed_on_the_gui_thread_whoever_creates_objects(qtbot, collector):
    cycle, threads = freed_on()
    kept = fill()
    assert cycle() is not None
    qtbot.waitUntil(lambda: cycle() is None)
    assert threads == [threading.get_ident()]
    assert len(kept) == 50_000


def test_full_collections_wait_until_it_is_quiet_or_they_are_long_overdue(collector):
    gc.collect()
    limit = gc.get_threshold()[2]
    old = Cycle()
    gone = weakref.ref(old)
    for _ in range(limit + 1):
        gc.collect(1)
    del old
    collector.collect(quiet=False)
    assert gone() is not None
    assert collector.collect(quiet=True) == 2
    assert gone() is None
    assert gc.get_count()[2] == 0
    for _ in range(10 * limit + 1):
        gc.collect(1)
    assert collector.collect(quiet=False) == 2


def test_nothing_is_collected_while_nothing_is_due(collector):
    gc.collect()
    assert collector.collect(quiet=True) is None


@pytest.mark.parametrize("enabled", [True, False])
def test_afterwards_the_interpreter_collects_as_before(qapp, enabled):
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        made = GarbageCollector()
        assert not gc.isenabled()
        made.stop()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()


_DROPPED_TIMER = """
import sys, threading
from PySide6.QtCore import QCoreApplication, Qt, QTimer
from app.workers.background_import import import_readers
from app.workers.garbage_collector import GarbageCollector
application = QCoreApplication([])
import_readers()  # before, nothing is collected
collector = GarbageCollector() if sys.argv[1] == "collector" else None
class Dropped(QTimer):
    pass
timer, threads = Dropped(), []
timer.itself = timer
here = threading.get_ident()
timer.destroyed.connect(lambda: threads.append(threading.get_ident()), Qt.DirectConnection)
if collector:
    timer.start(10)
del timer
kept = []
worker = threading.Thread(target=lambda: kept.extend([] for _ in range(50_000)))
worker.start()
worker.join()
if collector:
    QTimer.singleShot(5_000, application.quit)
    probe = QTimer(interval=10)
    probe.timeout.connect(lambda: threads and application.quit())
    probe.start()
    application.exec()
print([thread == here for thread in threads])
"""


@pytest.mark.parametrize(("collector", "said"), [("collector", "[True]"), ("none", "[False]")])
def test_qt_objects_are_destroyed_where_garbage_is_collected(collector, said):
    """PySide destroys an object of Qt on the thread that collects it.

    A timer that runs ends the process then, and a list on screen made it hang.
    """
    done = subprocess.run(
        [sys.executable, "-c", _DROPPED_TIMER, collector],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
