"""What is remembered: settings, recent files, display history."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from app.commands.undo import UndoHistory, changed_fields
from app.preferences import settings as settings_module
from app.preferences.paths import home
from app.preferences.recent_files import RecentMenu, RecentPair, RecentPairs
from app.preferences.settings import Settings
from core.errors import OutputError

# --- folder ------------------------------------------------------------------------------------


def test_the_folder_is_the_users_unless_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "my ü"))
    assert home() == tmp_path / "my ü"
    monkeypatch.delenv("UNIFUSION_HOME")
    assert home().name == "unifusion"
    assert home().is_absolute()


# --- settings ----------------------------------------------------------------------------------


def test_settings_come_back_in_another_run(qapp, tmp_path):
    first = Settings(tmp_path / "new")
    assert (first.appearance, first.language, first.acknowledged) == ("system", "system", False)
    first.set_appearance("dark")
    first.set_language("de")
    first.acknowledge()
    first.set_reopens(True)
    first.set_keys({"file.open": ("Ctrl+P", "F3"), "file.save": ()})
    first.set_blob("window/geometry", QByteArray(b"\x00\xff\x01"))
    first.set_text("name", "schön; [1] = 2\n%x")
    first.sync()
    again = Settings(tmp_path / "new")
    assert (again.appearance, again.language, again.acknowledged) == ("dark", "de", True)
    assert again.reopens
    assert again.keys() == {"file.open": ("Ctrl+P", "F3"), "file.save": ()}
    assert again.blob("window/geometry") == QByteArray(b"\x00\xff\x01")
    assert again.text("name") == "schön; [1] = 2\n%x"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["settings.ini"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00garbage",
        b"[look]\nappearance=purple\nlanguage=\x00\n[keys]\nchanged=[1, 2\n[first]\nacknowledged=7",
        b'[keys]\nchanged="[1,2]"\n[recent]\npairs="{}"\nkept=perhaps',
        b"",
    ],
)
def test_damaged_settings_read_as_delivered(qapp, tmp_path, content):
    (tmp_path / "settings.ini").write_bytes(content)
    settings = Settings(tmp_path)
    assert (settings.appearance, settings.language) == ("system", "system")
    assert settings.keys() == {}
    assert not settings.acknowledged
    assert settings.keeps_recent
    assert settings.blob("window/geometry").isEmpty()
    assert RecentPairs(settings).all() == []


def test_what_cannot_be_kept_is_said_once_and_is_kept_later(qtbot, tmp_path):
    """A folder that is a file can be written by nobody, root included."""
    (tmp_path / "home").write_text("")
    settings = Settings(tmp_path / "home")
    said: list[OutputError] = []
    settings.failed.connect(said.append)
    settings.set_language("de")
    qtbot.waitUntil(lambda: bool(said))
    assert "settings.ini" in said[0].what
    assert said[0].why
    assert said[0].remedy
    settings.set_appearance("dark")
    qtbot.waitUntil(lambda: settings._runner is not None and not settings._soon.isActive())
    settings.sync()
    assert len(said) == 1
    assert (settings.appearance, settings.language) == ("dark", "de")
    (tmp_path / "home").unlink()
    settings.set_reopens(True)
    settings.sync()
    again = Settings(tmp_path / "home")
    assert (again.appearance, again.language, again.reopens) == ("dark", "de", True)


def test_settings_that_were_damaged_can_be_kept(qtbot, tmp_path):
    (tmp_path / "settings.ini").write_bytes(b"\xff\xfe\x00garbage")
    settings = Settings(tmp_path)
    assert settings.is_damaged
    said: list[OutputError] = []
    settings.failed.connect(said.append)
    settings.set_language("de")
    qtbot.waitUntil(lambda: not settings._unwritten)
    settings.sync()
    assert said == []
    assert Settings(tmp_path).language == "de"


def test_without_a_folder_nothing_is_written(qapp, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))
    settings = Settings(None)
    settings.set_language("de")
    settings.acknowledge()
    settings.sync()
    assert settings.language == "de"
    assert settings.acknowledged
    assert list(tmp_path.iterdir()) == []


def test_changes_are_written_by_another_thread_and_none_is_lost(qtbot, tmp_path, monkeypatch):
    """The disk may take its time: the window must not wait for it."""
    write, held, go_on = settings_module._write, threading.Event(), threading.Event()
    writers = []

    def slow(*args, **more):
        writers.append(threading.current_thread())
        held.set()
        assert go_on.wait(20)
        write(*args, **more)

    monkeypatch.setattr(settings_module, "_write", slow)
    settings = Settings(tmp_path)
    settings.set_appearance("dark")
    settings.set_language("de")
    qtbot.waitUntil(held.is_set)
    settings.set_appearance("light")
    settings.set_reopens(True)
    assert not (tmp_path / "settings.ini").exists()
    go_on.set()

    def written():
        again = Settings(tmp_path)
        return (again.appearance, again.language, again.reopens) == ("light", "de", True)

    qtbot.waitUntil(written)
    assert threading.main_thread() not in writers
    settings.sync()


def test_what_another_program_keeps_meanwhile_stays(qapp, tmp_path):
    one, other = Settings(tmp_path), Settings(tmp_path)
    one.set_appearance("dark")
    other.set_language("de")
    other.set_text("name", "x")
    for settings in (other, one):
        settings.sync()
    other.set_text("name", "")
    other.sync()
    again = Settings(tmp_path)
    assert (again.appearance, again.language, again.text("name")) == ("dark", "de", "")


def test_only_real_changes_are_announced(qtbot):
    settings = Settings(None)
    with qtbot.waitSignal(settings.changed, timeout=1000) as heard:
        settings.set_appearance("light")
    assert heard.args == ["look/appearance"]
    with qtbot.assertNotEmitted(settings.changed):
        settings.set_appearance("light")


# --- recent files ------------------------------------------------------------------------------


@pytest.fixture
def settings(qapp) -> Settings:
    return Settings(None)


def pair(number: int) -> RecentPair:
    return RecentPair(Path(f"/data/p{number}/pet ü.png"), Path(f"/data/p{number}/mri.png"), "mif")


def test_the_newest_pair_is_first_once_and_ten_are_kept(settings):
    recent = RecentPairs(settings)
    for number in (*range(12), 5):
        recent.add(pair(number).a, pair(number).b, "mif")
    assert recent.all() == [pair(n) for n in (5, 11, 10, 9, 8, 7, 6, 4, 3, 2)]
    assert pair(5).label == "p5/pet ü.png + mri.png"
    alike = RecentPair(Path("/data/a/x.png"), Path("/data/b/x.png"), "mif")
    assert alike.label == f"{Path('a/x.png')} + {Path('b/x.png')}"
    recent.forget(pair(11))
    assert pair(11) not in recent.all()
    recent.clear()
    assert recent.all() == []


@pytest.mark.parametrize(
    "kept",
    [
        "[" * 100_000,
        '[["/x/a.png", "/x/b.png", ["mif"]]]',
        '[["/x/a.png", "/x/b.png"]]',
        '[[1, 2, "mif"]]',
        '[["a.png", "b.png", "mif"]]',
        "{}",
        "7",
    ],
)
def test_a_damaged_or_relative_list_is_no_list(settings, kept):
    settings.set_text("recent/pairs", kept)
    recent = RecentPairs(settings)
    assert recent.all() == []
    recent.add(pair(1).a, pair(1).b, "mif")
    assert recent.all() == [pair(1)]


def test_only_paths_and_task_are_kept(qapp, tmp_path):
    settings = Settings(tmp_path)
    RecentPairs(settings).add(pair(1).a, pair(1).b, "mif")
    settings.sync()
    assert RecentPairs(Settings(tmp_path)).all() == [pair(1)]
    text = (tmp_path / "settings.ini").read_text(encoding="utf-8")
    assert text.count("/data/p1/") == 2
    assert [line.partition("=")[0] for line in text.splitlines()] == ["[recent]", "pairs"]


def test_switched_off_nothing_is_kept_and_the_past_is_forgotten(settings):
    recent = RecentPairs(settings)
    recent.add(pair(1).a, pair(1).b, "mif")
    recent.set_kept(False)
    recent.add(pair(2).a, pair(2).b, "mif")
    assert recent.all() == []
    recent.set_kept(True)
    assert recent.all() == []


def test_the_menu_offers_the_pairs_clearing_and_the_switch(qtbot, settings):
    recent = RecentPairs(settings)
    recent.add(Path("/x/a&b.png"), Path("/x/c.png"), "mef")
    menu = RecentMenu(recent, settings)
    qtbot.addWidget(menu)
    texts = [action.text() for action in menu.actions()]
    assert texts == ["x/a&&b.png + c.png", "", "Clear this list", "Keep a list of opened files"]
    with qtbot.waitSignal(menu.chosen, timeout=1000) as heard:
        menu.actions()[0].trigger()
    assert heard.args == [recent.all()[0]]
    menu.actions()[2].trigger()
    menu.fill()
    assert [a.text() for a in menu.actions() if not a.isEnabled() and a.text()] == [
        "No files yet",
        "Clear this list",
    ]
    menu.actions()[-1].trigger()
    assert not settings.keeps_recent


# --- undo and redo -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Inner:
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class State:
    a: Inner = field(default_factory=Inner)
    palette: str = "grey"


class Desk:
    """A state, its history and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.state = State()
        self.now = 0.0
        self.history: UndoHistory[State] = UndoHistory(self.state, self.apply, lambda: self.now)

    def apply(self, state: State) -> None:
        self.state = state
        self.history.note(state)

    def change(self, after: float = 10.0, **changes: object) -> None:
        self.now += after
        self.apply(replace(self.state, **changes))


def test_undo_and_redo_walk_through_the_values():
    desk = Desk()
    assert not desk.history.can_undo
    desk.change(palette="hot")
    desk.change(palette="rainbow")
    desk.history.undo()
    assert desk.state.palette == "hot"
    desk.history.undo()
    assert desk.state == State()
    desk.history.undo()
    assert not desk.history.can_undo
    desk.history.redo()
    desk.history.redo()
    assert desk.state.palette == "rainbow"
    assert not desk.history.can_redo


def test_a_new_change_forgets_what_was_undone():
    desk = Desk()
    desk.change(palette="hot")
    desk.history.undo()
    desk.change(palette="blue")
    assert not desk.history.can_redo
    desk.history.undo()
    assert desk.state == State()


def test_a_drag_is_one_step_and_a_pause_or_another_thing_ends_it():
    desk = Desk()
    for high in (0.9, 0.8, 0.7):
        desk.change(0.05, a=Inner(0, high))
    desk.change(0.05, palette="hot")
    desk.change(0.05, a=Inner(0, 0.5))
    desk.change(5, a=Inner(0, 0.4))
    seen = []
    while desk.history.can_undo:
        desk.history.undo()
        seen.append((desk.state.a.high, desk.state.palette))
    assert seen == [(0.5, "hot"), (0.7, "hot"), (0.7, "grey"), (1.0, "grey")]


def test_a_drag_back_to_where_it_began_is_no_step():
    desk = Desk()
    desk.change(0.1, a=Inner(0, 0.9))
    desk.change(0.1, a=Inner(0, 1.0))
    assert not desk.history.can_undo


def test_a_released_button_ends_a_gesture():
    desk = Desk()
    desk.change(0.1, a=Inner(0, 0.9))
    desk.history.end_gesture()
    desk.change(0.1, a=Inner(0, 0.8))
    desk.history.undo()
    assert desk.state.a.high == 0.9


def test_the_history_has_an_end_and_can_start_anew():
    desk = Desk()
    for number in range(1000):
        desk.change(palette=str(number))
    steps = 0
    while desk.history.can_undo:
        desk.history.undo()
        steps += 1
    assert steps == 200
    desk.history.clear(State(palette="other"))
    assert not desk.history.can_redo


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (State(), State(), set()),
        (State(), State(Inner(0, 2)), {"a.high"}),
        (State(), State(Inner(1, 2), "hot"), {"a.low", "a.high", "palette"}),
        (1, 2, {""}),
    ],
)
def test_changed_fields_are_named_to_the_bottom(before, after, expected):
    assert changed_fields(before, after) == expected
