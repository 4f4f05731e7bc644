"""Memory at the foot of the window: what the system says, and how it is shown."""

from __future__ import annotations

import mmap
import sys

import pytest

from app.engine import EngineInfo
from app.fuse.state import FuseState
from app.shell.memory_label import MemoryLabel
from core.available_memory import Usage, device_memory, process_memory
from core.types import DeviceChoice


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_is_held_is_seen():
    before = process_memory()
    # Of the system itself: the allocator may give memory that other tests had freed.
    with mmap.mmap(-1, 64 << 20) as block:
        block.write(b"1" * len(block))
        after = process_memory()
    assert after.used - before.used > 0.9 * (64 << 20)
    assert after.total == before.total > after.used


def test_where_it_cannot_be_told_nothing_is_claimed(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    assert process_memory(tmp_path) is None
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "statm").write_text("x")
    assert process_memory(tmp_path) is None


def test_only_a_graphics_card_has_memory_of_its_own():
    assert device_memory("cpu") is None


@pytest.fixture
def label(qtbot):
    session = FuseState("mif")
    held = {"own": Usage(1_240_000_000, 24_000_000_000), "card": None}
    made = MemoryLabel(session, process=lambda: held["own"], device=lambda _name: held["card"])
    made.held = held
    made.session = session
    qtbot.addWidget(made)
    return made


def test_the_label_shows_program_and_device_and_warns(label):
    label.show()
    assert label.text() == "1.2 / 24 GB"
    label.held["card"] = Usage(5_900_000_000, 6_000_000_000)
    label.session.set_engine(EngineInfo(DeviceChoice("cuda:0", "GPU", "there is one"), {}))
    label.refresh()
    assert label.text() == "1.2 / 24 GB · GPU 5.9 / 6 GB"
    assert label.property("warns")
    assert label.accessibleName() == "Memory: 1.2 / 24 GB · GPU 5.9 / 6 GB"
    label.held["card"] = None
    label.refresh()
    assert not label.property("warns")


def test_it_asks_only_while_it_is_seen(label):
    assert not label._timer.isActive()
    label.show()
    assert label._timer.isActive()
    label.hide()
    assert not label._timer.isActive()


def test_the_window_shows_it_at_its_foot(opened):
    assert opened.status.memory.isVisible()
    assert opened.status.memory.text().endswith("GB")
