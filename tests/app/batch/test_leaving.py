"""Closing the window while it works, and coming back after it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from core.batch.manifest import BatchManifest
from tests.app.batch.conftest import WAIT, make_pairs, planned, states, when
from tests.app.batch.test_batch_page import click, dropped
from tests.app.conftest import gradient, write_png
from tests.app.standin import StandInEngine

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def at_work(qtbot, page, engine, study):
    """A batch that waits at the engine's gate."""
    dropped(qtbot, page, study)
    engine.gate.clear()
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    return page


@pytest.fixture(autouse=True)
def _stays(qapp):
    """The test's application must not end with its window."""
    before = qapp.quitOnLastWindowClosed()
    qapp.setQuitOnLastWindowClosed(False)
    yield
    qapp.setQuitOnLastWindowClosed(before)


def ask_to_close(qtbot, window: MainWindow) -> None:
    """Close as a person does: by an event while the program runs."""
    QTimer.singleShot(0, window.close)
    qtbot.waitUntil(lambda: window.close_guard.card is not None or not window.isVisible())


def test_an_idle_window_closes_without_a_question(qtbot, window, page):
    ask_to_close(qtbot, window)
    assert window.close_guard.card is None
    assert not window.isVisible()


def test_cancel_leaves_everything_as_it_was(qtbot, window, at_work, engine):
    ask_to_close(qtbot, window)
    card = window.close_guard.card
    assert "0 of 6 pairs" in card.text.text()
    assert window.isVisible()
    assert list(card.buttons) == ["keep", "stop", "cancel"]
    click(card.buttons["cancel"])
    assert window.close_guard.card is None
    assert at_work.batch.phase == "running"
    assert not window.services._ended, "everything is still kept while the window is open"
    with qtbot.waitSignal(at_work.batch.ended, timeout=WAIT):
        engine.gate.set()
    assert set(states(at_work.batch).values()) == {"done"}
    assert window.isVisible()


def test_stopping_cleanly_closes_and_leaves_a_run_to_go_on_with(qtbot, window, at_work, study):
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["stop"])
    assert not window.isVisible()
    manifest = BatchManifest(study.parent / "study-fused")
    assert {record.state for record in manifest.records().values()} <= {"begun", "done"}
    manifest.close()


def test_keeping_going_ends_the_program_when_the_work_has_ended(
    qtbot, window, at_work, engine, study
):
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["keep"])
    assert window.close_guard.quits_when_idle
    assert window.isMinimized() or not window.isVisible()
    with qtbot.waitSignal(window.services.ended, timeout=WAIT):
        engine.gate.set()
    assert len(list((study.parent / "study-fused").glob("*.png"))) == 6
    assert not window.isVisible()


class Tray(QSystemTrayIcon):
    """A system with a tray: what is shown there, and said."""

    shown: ClassVar[list[Tray]] = []
    said: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, *words: object) -> None:
        super().__init__(*words)
        self.shown.append(self)

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        return True

    @staticmethod
    def supportsMessages() -> bool:
        return True

    def showMessage(self, title: str, text: str) -> None:
        self.said.append((title, text))


class NoTray(QSystemTrayIcon):
    """A system without one: an icon must not even be made."""

    def __init__(self, *_words: object) -> None:
        raise AssertionError("there is no tray")

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        return False


@pytest.fixture
def tray(window, page, monkeypatch):
    """The window on a system with a tray; a hidden program ends soon after its work."""
    monkeypatch.setattr(Tray, "shown", [])
    monkeypatch.setattr(Tray, "said", [])
    monkeypatch.setattr("app.shell.close_guard._LINGER_MS", 50)
    window.close_guard.notice.tray = page.notice.tray = Tray
    return Tray


def test_with_a_tray_the_window_hides_there_and_the_end_is_told(
    qtbot, window, tray, at_work, engine, study
):
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["keep"])
    assert window.isHidden()
    assert not window.isMinimized()
    (icon,) = tray.shown
    assert icon.isVisible()
    assert "still at work" in icon.toolTip()
    assert tray.said == []
    with qtbot.waitSignal(window.services.ended, timeout=WAIT):
        engine.gate.set()
    ((title, text),) = tray.said
    assert title == "Batch finished"
    assert text.startswith("6 fused")
    assert len(list((study.parent / "study-fused").glob("*.png"))) == 6
    assert not any(one.isVisible() for one in tray.shown), "no icon is left behind"


def test_a_click_on_the_icon_brings_the_window_back_and_it_stays(
    qtbot, window, tray, at_work, engine
):
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["keep"])
    (icon,) = tray.shown
    icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert window.isVisible()
    assert not window.close_guard.quits_when_idle
    with qtbot.waitSignal(at_work.batch.ended, timeout=WAIT):
        engine.gate.set()
    qtbot.wait(100)
    assert window.isVisible()
    ((title, text),) = tray.said
    assert title == "Batch finished"
    assert text.startswith("6 fused")


def test_without_a_tray_the_window_is_minimised_and_asks_for_attention(
    qtbot, window, page, engine, study, monkeypatch
):
    asked = []
    monkeypatch.setattr(QApplication, "alert", lambda widget: asked.append(widget))
    window.close_guard.notice.tray = page.notice.tray = NoTray
    dropped(qtbot, page, study)
    engine.gate.clear()
    with when(qtbot, page.batch, lambda: "fusing" in states(page.batch).values()):
        click(page.foot.start_button)
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["keep"])
    assert window.isMinimized()
    with qtbot.waitSignal(window.services.ended, timeout=WAIT):
        engine.gate.set()
    assert asked == [page]


def test_whoever_comes_back_meanwhile_keeps_the_window(qtbot, window, at_work, engine):
    ask_to_close(qtbot, window)
    click(window.close_guard.card.buttons["keep"])
    window.close_guard.restore_window()
    assert not window.close_guard.quits_when_idle
    with qtbot.waitSignal(at_work.batch.ended, timeout=WAIT):
        engine.gate.set()
    QApplication.processEvents()
    assert window.isVisible()


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_system_that_ends_the_program_is_not_answered_with_a_question(
    qtbot, window, at_work, asked_before
):
    if asked_before:
        ask_to_close(qtbot, window)
        assert window.close_guard.card is not None
    window.close_guard.quit_now()
    assert not window.isVisible()
    assert window.close_guard.card is None


def test_a_desktop_session_that_ends_is_not_held_up(qtbot, window, at_work):
    window.close_guard.handle_session_end()
    window.close()
    assert not window.isVisible()
    assert window.close_guard.card is None


def test_a_second_wish_to_close_stops_cleanly(qtbot, window, at_work):
    ask_to_close(qtbot, window)
    QTimer.singleShot(0, window.close)
    qtbot.waitUntil(lambda: not window.isVisible())


KILLED = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from tests.app.standin import StandInEngine

class Slow(StandInEngine):
    def fuse(self, request, progress=None, *, beside_others=False):
        self.gate.wait(0.05)
        if len(self.requests) == 7:
            self.gate.clear()
        return super().fuse(request, progress)

application = QApplication([])
source, samples, home = map(Path, sys.argv[1:])
window = MainWindow(Slow, samples, "mif", settings=Settings(home))
window.show()
window.workspaces.show_page("batch")
page = window.workspaces.page("batch")
batch = page.batch
def ready():
    if batch.planned.can_run and not batch.is_planning and batch.phase == "idle":
        batch.start()
batch.planned_changed.connect(ready)
def tell(keys):
    done = sum(row.state == "done" for row in batch.rows.values())
    print(done, flush=True)
batch.rows_changed.connect(tell)
page.take([source])
application.exec()
"""


def test_a_killed_batch_is_offered_at_the_next_start_and_nothing_is_done_twice(
    qtbot, tmp_path, samples
):
    source, home = make_pairs(tmp_path / "in", 12), tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, source, samples, home],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert process.stdout is not None
    with process.stdout as told:
        assert any(int(line) >= 4 for line in told)
        process.send_signal(signal.SIGKILL)
        process.wait()
    out = tmp_path / "in-fused"
    finished = {path: path.stat().st_mtime_ns for path in out.glob("p*.png")}
    assert 4 <= len(finished) < 12
    assert json.loads((home / "batch.json").read_bytes())["open"] is True
    changed = sorted(finished)[0]
    write_png(source / "a" / changed.name, gradient(16, 12))

    engine = StandInEngine()
    window = MainWindow(lambda: engine, samples, "mif", settings=Settings(home))
    qtbot.addWidget(window)
    window.show()
    window.workspaces.show_page("batch")
    page = window.workspaces.page("batch")
    with qtbot.waitSignal(page.batch.unfinished_found, timeout=WAIT):
        pass
    text = page.cards["unfinished"].text.text()
    assert "of 12 pairs are done" in text
    assert "Sources of 1 of them changed" in text
    with qtbot.waitSignal(page.batch.ended, timeout=WAIT):
        click(page.cards["unfinished"].buttons["go"])
    assert set(states(page.batch).values()) == {"done", "skipped"}
    assert len(list(out.glob("p*.png"))) == 12
    assert not list(out.glob(".*.part*"))
    kept = {path for path, time in finished.items() if path.stat().st_mtime_ns == time}
    assert kept == set(finished) - {changed}
    assert len(engine.requests) == 12 - len(kept)
    with planned(qtbot, page.batch):
        pass
    window.close()
    assert json.loads((home / "batch.json").read_bytes())["open"] is False
