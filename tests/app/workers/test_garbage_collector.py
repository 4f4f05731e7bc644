"""Garbage of the window is collected on its own thread, fully only while nothing happens."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QTimer

from app.workers.garbage_collector import GarbageCollector


@pytest.fixture
def collector(qapp):
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


def test_the_interpreter_collects_again_afterwards(qapp):
    assert gc.isenabled()
    made = GarbageCollector()
    assert not gc.isenabled()
    made.stop()
    assert gc.isenabled()
