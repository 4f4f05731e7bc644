"""Closing the window while a study is exported, and going on with it later."""

from __future__ import annotations

import pydicom
import pytest

from app.fuse.study_tasks import VolumeExportPlan
from app.preferences.session_file import from_json
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from core.fusion.slice_store import store_beside
from tests.app.acts import WAIT
from tests.app.batch.test_leaving import ask_to_close
from tests.app.fuse.volumes import settled, write_study


@pytest.fixture(autouse=True)
def _stays(qapp):
    """The test's application must not end with its window."""
    before = qapp.quitOnLastWindowClosed()
    qapp.setQuitOnLastWindowClosed(False)
    yield
    qapp.setQuitOnLastWindowClosed(before)


@pytest.fixture
def start(qtbot, engine, samples, tmp_path):
    def started() -> MainWindow:
        settings = Settings(tmp_path / "home")
        made = MainWindow(lambda: engine, samples, "mif", settings=settings)
        qtbot.addWidget(made, before_close_func=lambda _window: engine.gate.set())
        made.show()
        with qtbot.waitSignal(made.controller.idle, timeout=WAIT):
            made.services.begin()
        return made

    return started


@pytest.fixture
def exporting(qtbot, engine, start, tmp_path):
    """A window that waits at the engine's gate after a slice of sixteen or more."""
    window = start()
    window.files.take([write_study(tmp_path / "Zweistein" / "export")])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    out = tmp_path / "out"
    out.mkdir()
    exporter = window.controller.volume_export

    before = len(engine.requests)

    def hold() -> None:
        if len(engine.requests) - before > 4:
            engine.gate.clear()

    # Asked before each slice, so that it holds whenever progress is told.
    engine.trouble = hold
    exporter.export(VolumeExportPlan(out / "fused.dcm"))
    qtbot.waitUntil(lambda: not engine.gate.is_set(), timeout=WAIT)
    engine.trouble = None
    return window


def test_closing_asks_and_going_back_changes_nothing(qtbot, engine, exporting, tmp_path):
    ask_to_close(qtbot, exporting)
    card = exporting.close_guard.card
    assert "A study is being exported" in card.text.text()
    assert list(card.buttons) == ["keep", "stop", "cancel"]
    card.buttons["cancel"].click()
    assert exporting.isVisible()
    with qtbot.waitSignal(exporting.controller.exported, timeout=WAIT):
        engine.gate.set()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fused.dcm"]
    ask_to_close(qtbot, exporting)
    assert exporting.close_guard.card is None


def test_finishing_first_ends_the_program_with_the_whole_file(qtbot, engine, exporting, tmp_path):
    ask_to_close(qtbot, exporting)
    exporting.close_guard.card.buttons["keep"].click()
    assert exporting.close_guard.quits_when_idle
    engine.gate.set()
    path = tmp_path / "out" / "fused.dcm"
    qtbot.waitUntil(path.exists, timeout=WAIT)
    assert int(pydicom.dcmread(path).NumberOfFrames) == 16
    qtbot.waitUntil(lambda: exporting.controller.volume_export.unfinished is None, timeout=WAIT)


def stopped(qtbot, engine, window) -> None:
    ask_to_close(qtbot, window)
    window.close_guard.card.buttons["stop"].click()
    assert not window.isVisible()
    engine.gate.set()


def test_what_is_stopped_is_offered_at_the_next_start(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    path = tmp_path / "out" / "fused.dcm"
    kept = store_beside(path)
    assert not path.exists()
    slices = len((kept / "slices.jsonl").read_text().splitlines())
    assert 0 < slices < 16
    stored = (tmp_path / "home" / "session.json").read_bytes()
    assert b"Zweistein" not in stored
    left = from_json(stored).export
    assert left is not None
    assert (left.name, left.located().folder) == ("fused.dcm", tmp_path / "out")
    again = start()
    card = again.services.cards.cards["export"]
    assert "fused.dcm" in card.text.text()
    with qtbot.waitSignal(again.controller.exported, timeout=WAIT):
        card.buttons["resume"].click()
    assert int(pydicom.dcmread(path).NumberOfFrames) == 16
    assert f"{slices} slices of a run that had ended early were kept" in again.session.message
    assert [one.name for one in path.parent.iterdir()] == ["fused.dcm"]
    assert again.services.snapshot().export is None


def test_what_is_stopped_can_be_removed(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    assert list((tmp_path / "out").iterdir())
    again = start()
    again.services.cards.cards["export"].buttons["no"].click()
    qtbot.waitUntil(lambda: not list((tmp_path / "out").iterdir()), timeout=WAIT)
    assert again.services.snapshot().export is None
    again.close()
    assert "export" not in start().services.cards.cards


def test_exporting_the_same_again_goes_on(qtbot, engine, exporting, start, tmp_path):
    stopped(qtbot, engine, exporting)
    again = start()
    again.files.take([tmp_path / "Zweistein" / "export"])
    qtbot.waitUntil(lambda: settled(again), timeout=WAIT)
    with qtbot.waitSignal(again.controller.exported, timeout=WAIT):
        again.controller.volume_export.export(VolumeExportPlan(tmp_path / "out" / "fused.dcm"))
    assert "had ended early were kept" in again.session.message
