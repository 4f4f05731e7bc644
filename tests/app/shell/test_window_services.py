"""The habits of the real window: undo, recent files, session, cards, look, and the way back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.commands.palette import CommandPalette
from app.commands.shortcut_editor import ShortcutEditor
from app.commands.shortcut_sheet import ShortcutSheet
from app.preferences.session_file import KeyImage, ListedPair, Snapshot, from_json, to_json
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from app.shell.window_services import WindowServices
from app.viewer.display_state import DisplayState
from app.widgets import theme
from app.workers import running_threads
from tests.app.conftest import gradient, write_png

WAIT = 30_000
Start = Callable[..., MainWindow]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start(qtbot, engine, samples, home) -> Start:
    """Start the window as the program does, with or without a memory."""

    def started(*files: Path, remembers: bool = True) -> MainWindow:
        settings = Settings(home if remembers else None)
        made = MainWindow(lambda: engine, samples, "mif", settings=settings)
        qtbot.addWidget(made, before_close_func=lambda _window: engine.gate.set())
        made.services.place_window()
        made.show()
        with qtbot.waitSignal(made.controller.idle, timeout=WAIT):
            made.services.begin(*files)
        return made

    return started


@pytest.fixture(autouse=True)
def _look_as_before():
    yield
    theme.set_appearance("system")


def cards(window: MainWindow) -> list[str]:
    return sorted(window.services.cards.cards)


# --- undo --------------------------------------------------------------------------------------


def test_display_changes_are_undone_and_redone_by_their_keys(qtbot, start, files):
    window = start(*files)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    session, before = window.session, window.session.display
    assert not window.actions_.undo.isEnabled()
    changed = replace(before, crosshair=True)
    session.set_display(changed)
    session.set_display(changed.with_pane("a", palette="viridis"))
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.display == changed
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.display == before
    assert not window.actions_.undo.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert session.display == changed
    assert window.actions_.redo.isEnabled()


def test_a_drag_is_one_step(start, files):
    session = (window := start(*files)).session
    before = session.display
    for high in (200.0, 180.0, 160.0):
        session.set_display(before.with_pane("a", window=(0.0, high)), settled=False)
    session.set_display(before.with_pane("a", window=(0.0, 150.0)))
    window.actions_.undo.trigger()
    assert session.display == before


def test_another_pair_begins_another_history(qtbot, start, files, tmp_path):
    window = start(*files)
    window.session.set_display(replace(window.session.display, crosshair=True))
    other = write_png(tmp_path / "other" / "pet_2.png", gradient(32, 24))
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.controller.open_pair(other, other)
    assert not window.actions_.undo.isEnabled()
    assert window.session.display.crosshair


# --- recent files ------------------------------------------------------------------------------


def test_opened_pairs_are_listed_and_open_again(qtbot, start, files):
    window = start(*files)
    assert [(pair.a, pair.b) for pair in window.services.recent.all()] == [files]
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.controller.open_sample()
    assert len(window.services.recent.all()) == 1
    window.services.recent_menu.fill()
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.services.recent_menu.actions()[0].trigger()
    assert window.session.sources.a.image.origin == files[0]
    assert window.services.recent_menu.menuAction() in window.actions_.menus["file"].actions()


def test_a_recent_file_that_is_gone_is_said_and_dropped(start, files):
    window = start(*files)
    files[0].unlink()
    window.services.recent_menu.fill()
    window.services.recent_menu.actions()[0].trigger()
    assert str(files[0]) in window.session.message
    assert window.services.recent.all() == []


# --- session -----------------------------------------------------------------------------------


def test_the_session_comes_back_when_asked_for(qtbot, start, files):
    window = start(*files)
    window.session.set_method("average")
    looked = replace(window.session.display, crosshair=True).with_pane("b", window=(10.0, 90.0))
    window.session.set_display(looked)
    window.close()
    again = start()
    assert again.session.sources.sample
    assert "restore" not in cards(again)
    assert again.actions_.restore.isEnabled()
    with qtbot.waitSignal(again.controller.idle, timeout=WAIT):
        again.actions_.restore.trigger()
    assert again.session.sources.a.image.origin == files[0]
    assert again.session.method == "average"
    assert again.session.display == looked
    assert not again.actions_.undo.isEnabled()


def test_the_session_comes_back_at_every_start_when_chosen(start, files):
    window = start(*files)
    window.actions_.reopens.trigger()
    window.close()
    again = start()
    assert again.session.sources.a.image.origin == files[0]
    assert again.actions_.reopens.isChecked()


@pytest.fixture(scope="session")
def dead_mark(tmp_path_factory) -> bytes:
    """The mark a program leaves that was killed."""
    path = tmp_path_factory.mktemp("killed") / "running.lock"
    code = (
        "import os, sys; from PySide6.QtCore import QLockFile\n"
        "lock = QLockFile(sys.argv[1]); lock.tryLock(0); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], timeout=60, check=False)
    return path.read_bytes()


@pytest.fixture
def crash(home, dead_mark) -> Callable[[Snapshot], None]:
    """Leave behind what a killed program does."""

    def crashed(snapshot: Snapshot) -> None:
        home.mkdir()
        (home / "session.json").write_bytes(to_json(snapshot))
        (home / "running.lock").write_bytes(dead_mark)

    return crashed


def test_key_images_of_earlier_sessions_stay_also_where_none_is_reopened(start, crash, files):
    mark = KeyImage("a" * 8, "b" * 8, "axial", 3)
    crash(Snapshot("mef", "guided", *files, key_images=(mark,)))
    window = start()
    assert window.session.sources.sample
    assert window.services.snapshot().key_images == (mark,)


def test_after_a_crash_the_session_is_offered_not_forced(qtbot, start, files, crash):
    crash(Snapshot("mef", "guided", *files, display=DisplayState(crosshair=True)))
    window = start()
    assert window.session.sources.sample
    card = window.services.cards.cards["restore"]
    assert card.isVisible()
    assert "pet_1.png + mri_1.png" in card.text.text()
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        card.buttons["restore"].click()
    assert window.session.task.name == "mef"
    assert window.session.method == "guided"
    assert window.session.sources.a.image.origin == files[0]
    assert window.session.display.crosshair
    assert "restore" not in cards(window)


def test_after_a_crash_no_is_an_answer(start, files, crash):
    crash(Snapshot("mif", "", *files))
    window = start()
    window.services.cards.cards["restore"].buttons["no"].click()
    assert "restore" not in cards(window)
    assert window.session.sources.sample
    assert window.actions_.restore.isEnabled()


def test_a_list_of_pairs_comes_back(qtbot, start, files, home, crash):
    listed = ListedPair(*files, "1", Path("patient"))
    crash(Snapshot("mif", "", *files, pairs=(listed,)))
    window = start()
    with qtbot.waitSignals(
        [window.controller.idle, window.pairs.plan_changed], timeout=WAIT, order="none"
    ):
        window.services.cards.cards["restore"].buttons["restore"].click()
    assert window.services.snapshot().pairs == (listed,)
    window.close()
    assert from_json((home / "session.json").read_bytes()).pairs == (listed,)


def test_a_damaged_session_is_said_and_does_not_stop_the_start(start, home):
    home.mkdir()
    (home / "session.json").write_bytes(b"{")
    (home / "settings.ini").write_bytes(b"[look]\nappearance=\x00\xff")
    window = start()
    assert "notice" in cards(window)
    window.services.cards.cards["notice"].buttons["ok"].click()
    assert "notice" not in cards(window)
    assert window.session.outcome is not None


def test_settings_that_cannot_be_kept_are_told(qtbot, start, home, monkeypatch):
    window = start(remembers=True)
    monkeypatch.setattr(QSettings, "status", lambda _self: QSettings.Status.AccessError)
    window.actions_.reopens.trigger()
    qtbot.waitUntil(lambda: "settings" in cards(window), timeout=WAIT)
    text = window.services.cards.cards["settings"].text.text()
    assert "The settings cannot be kept." in text
    assert str(home / "settings.ini") in text
    assert "Free some space" in text


def test_closing_leaves_no_thread_and_no_mark(start, files, home):
    window = start(*files)
    assert (home / "running.lock").exists()
    window.session.set_method("average")
    window.close()
    assert running_threads() == 0
    assert sorted(path.name for path in home.iterdir()) == ["session.json", "settings.ini"]


def test_without_a_memory_nothing_is_shown_or_written(start, home):
    window = start(remembers=False)
    assert cards(window) == []
    assert not home.exists()
    assert not window.actions_.restore.isEnabled()


# --- first run ---------------------------------------------------------------------------------


def test_research_use_is_acknowledged_once(start):
    window = start()
    card = window.services.cards.cards["research"]
    assert card.isVisible()
    assert not window.isModal()
    assert "not a medical device" in card.text.text()
    card.buttons["ok"].click()
    assert cards(window) == []
    window.close()
    again = start()
    assert cards(again) == []
    again.actions_.about_use.trigger()
    assert cards(again) == ["research"]


# --- keys --------------------------------------------------------------------------------------


def shown(kind: type) -> list:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]


def test_f1_palette_and_editor_open_by_key_and_changed_keys_last(qtbot, start):
    window = start()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_F1)
    (sheet,) = shown(ShortcutSheet)
    assert sheet.rows()["Fuse"].startswith("Return")
    assert sheet.rows()["Next slice"] == "Down"
    sheet.reject()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    (palette,) = shown(CommandPalette)
    assert "display.invert" in palette.shown()
    palette.reject()
    window.actions_.edit_keys.trigger()
    (editor,) = shown(ShortcutEditor)
    editor.draft.take("view.fit", "Ctrl+9")
    editor.draft.take("view.actual", "R")
    editor.accept()
    window.close()
    again = start()
    assert again.actions_.keys_of("view.fit") == ("Ctrl+0", "Ctrl+9")
    assert again.actions_.keys_of("view.actual") == ("Z", "R")


def test_no_command_on_show_does_nothing(start, files):
    """Whatever can be seen in a menu or has a key is connected to something."""
    actions = start(*files).actions_
    dead = [
        command.id
        for commands in actions.groups().values()
        for command in commands
        if actions._listeners(command.id) <= actions._wired[command.id]
    ]
    assert dead == []


# --- look and language -------------------------------------------------------------------------


def test_the_look_is_chosen_at_once_and_kept(start):
    window = start()
    for name, colours in (("light", theme.LIGHT), ("dark", theme.DARK)):
        window.actions_.appearances[name].trigger()
        assert theme.colours() is colours
        assert QApplication.palette().window().color().name() == colours.window
        assert colours.accent in QApplication.instance().styleSheet()
    window.close()
    again = start()
    assert again.services.settings.appearance == "dark"
    assert again.actions_.appearances["dark"].isChecked()
    assert not again.actions_.appearances["system"].isChecked()


def test_the_language_is_kept_and_said_to_need_a_start(start):
    window = start()
    window.actions_.languages["de"].trigger()
    assert "next start" in window.session.message
    window.close()
    assert start().services.settings.language == "de"


def test_window_and_docks_are_where_they_were(start):
    window = start()
    window.resize(930, 610)  # smaller than the screen of the tests is high
    window.docks["inspectorDock"].hide()
    window.close()
    again = start()
    assert again.height() == 610
    assert not again.docks["inspectorDock"].isVisible()
    assert again.docks["pairsDock"].isVisible()


def test_docks_come_back_from_another_workspace_exactly_as_they_were(start):
    window = start()
    window.docks["pairsDock"].hide()
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, window.docks["inspectorDock"])
    QApplication.processEvents()
    before = window.saveState()
    for name in ("batch", "train", "evaluate"):
        window.workspaces.show_page(name)
        assert not any(dock.isVisible() for dock in window.docks.values())
        assert not any(d.toggleViewAction().isEnabled() for d in window.docks.values())
    window.workspaces.show_page("fuse")
    assert window.saveState() == before
    assert window.docks["inspectorDock"].isVisible()
    assert not window.docks["pairsDock"].isVisible()
    window.docks["inspectorDock"].hide()
    window.workspaces.show_page("train")
    window.workspaces.show_page("fuse")
    assert not any(dock.isVisible() for dock in window.docks.values())
    assert all(dock.toggleViewAction().isEnabled() for dock in window.docks.values())


def test_closing_in_another_workspace_keeps_the_docks_of_fuse(start):
    window = start()
    window.docks["inspectorDock"].hide()
    window.workspaces.show_page("evaluate")
    window.close()
    again = start()
    assert again.docks["pairsDock"].isVisible()
    assert not again.docks["inspectorDock"].isVisible()


def test_commands_have_names_that_say_what_they_do(start):
    actions = start().actions_
    for commands in actions.groups().values():
        titles = [actions.title(command.id) for command in commands]
        assert all(titles)
        assert len(titles) == len(set(titles))


def test_habits_may_be_made_for_any_window_of_the_program(start):
    window = start(remembers=False)
    assert isinstance(window.services, WindowServices)
