"""Commands, their keys, the sheet, the editor and the palette."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QMainWindow, QMenu, QToolButton

from app.commands.actions import Actions
from app.commands.fuzzy import ranked, score
from app.commands.palette import CommandPalette
from app.commands.registry import Command, CommandRegistry, clashes, native, normal
from app.commands.shortcut_editor import ShortcutDraft, ShortcutEditor
from app.commands.shortcut_sheet import ShortcutSheet

UX_KEYS = {
    "fuse.run": "Return",
    "fuse.cancel": "Esc",
    "pairs.previous": "PgUp",
    "pairs.next": "PgDown",
    "pairs.previous_patient": "Ctrl+Up",
    "pairs.next_patient": "Ctrl+Down",
    "pairs.previous_slice": "Up",
    "pairs.next_slice": "Down",
    "pairs.back_ten_slices": "Shift+Up",
    "pairs.on_ten_slices": "Shift+Down",
    **{f"display.preset_{n}": str(n) for n in range(1, 10)},
    "display.invert": "I",
    "compare.less_opaque": "Q",
    "compare.more_opaque": "E",
    "compare.overlay": "W",
    "compare.curtain": "C",
    "compare.blink": "B",
    "compare.checkerboard": "K",
    "compare.difference": "D",
    "view.fit": "R",
    "view.maximise": "F",
    "view.crosshair": "X",
    "file.open": "Ctrl+O",
    "file.export": "Ctrl+E",
    "display.undo": "Ctrl+Z",
    "display.redo": "Ctrl+Y",
    "help.palette": "Ctrl+K",
    "help.keys": "F1",
    "workspace.fuse": "Ctrl+1",
    "workspace.batch": "Ctrl+2",
    "workspace.train": "Ctrl+3",
    "workspace.evaluate": "Ctrl+4",
}


@pytest.fixture
def main(qtbot) -> QMainWindow:
    made = QMainWindow()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def actions(main) -> Actions:
    return Actions(main)


@pytest.fixture
def registry(main) -> CommandRegistry:
    made = CommandRegistry(main)
    made.add(Command("file.open", "Open…", "File", ("Ctrl+O",)))
    made.add(Command("file.save", "Save", "File", ("Ctrl+S", "Ctrl+E")))
    made.add(Command("view.fit", "Fit", "View", (), needs=frozenset({"sources"})))
    for action in made.actions():
        main.addAction(action)
        action.triggered.connect(lambda: None)
    return made


# --- registry ----------------------------------------------------------------------------------


def test_every_key_of_the_design_is_there(actions):
    missing = {name: key for name, key in UX_KEYS.items() if key not in actions.keys_of(name)}
    assert missing == {}


def test_no_key_is_given_twice_and_every_command_is_in_one_menu(main, actions):
    keys = [key for command in actions for key in actions.keys_of(command.id)]
    assert len(keys) == len(set(keys))
    actions.fill_menus(main.menuBar())
    listed = [
        action
        for menu in actions.menus.values()
        for action in menu.actions()
        if not action.isSeparator() and action.menu() is None
    ]
    assert sorted(a.data() for a in listed) == sorted(command.id for command in actions)


@pytest.mark.parametrize(
    "command",
    [
        Command("file.open", "Again", "File"),
        Command("file.new", "New", "File", ("Ctrl+E",)),
        Command("file.new", "New", "File", ("ctrl+o",)),
        Command("file.new", "New", "File", ("Ctrl+Nonsense",)),
        Command("file.new", "New", "File", ("Ctrl+O, X",)),
    ],
)
def test_a_second_owner_of_a_name_or_key_is_refused(registry, command):
    with pytest.raises(ValueError, match="file"):
        registry.add(command)


def test_set_keys_refuses_what_is_taken_and_announces_what_changed(qtbot, registry):
    with pytest.raises(ValueError, match=r"file\.save"):
        registry.set_keys("view.fit", ["Ctrl+E"])
    assert registry.keys_of("view.fit") == ()
    with qtbot.waitSignal(registry.keys_changed, timeout=1000):
        registry.set_keys("view.fit", ["r", "R", "Ctrl+0"])
    assert registry.keys_of("view.fit") == ("R", "Ctrl+0")
    assert registry.changed_keys() == {"view.fit": ("R", "Ctrl+0")}
    assert registry.action("view.fit").toolTip() == f"Fit ({native(('R', 'Ctrl+0'))})"


def test_a_chosen_key_wins_over_the_default_of_another_command(registry):
    refused = registry.apply_keys({"view.fit": ["Ctrl+O"], "unknown": ["X"], "file.save": ["foo+"]})
    assert registry.keys_of("view.fit") == ("Ctrl+O",)
    assert registry.keys_of("file.open") == ()
    assert registry.keys_of("file.save") == ()
    assert refused == []
    registry.apply_keys({})
    assert registry.changed_keys() == {}
    assert registry.keys_of("file.save") == ("Ctrl+S", "Ctrl+E")


def test_of_two_wishes_for_one_key_the_first_is_granted(registry):
    assert registry.apply_keys({"view.fit": ["X"], "file.save": ["X", "Y"]}) == ["file.save"]
    assert registry.keys_of("view.fit") == ("X",)
    assert registry.keys_of("file.save") == ("Y",)


_KEYS = st.sampled_from(["A", "B", "Ctrl+A", "Ctrl+O", "Ctrl+S", "F5", "nonsense", ""])


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["file.open", "file.save", "view.fit"]), st.lists(_KEYS, max_size=3)
    )
)
def test_whatever_settings_say_no_two_commands_share_a_key(changed):
    made = CommandRegistry()
    made.add(Command("file.open", "Open…", "File", ("Ctrl+O",)))
    made.add(Command("file.save", "Save", "File", ("Ctrl+S", "A")))
    made.add(Command("view.fit", "Fit", "View"))
    made.apply_keys(changed)
    keys = [key for command in made for key in made.keys_of(command.id)]
    assert len(keys) == len(set(keys))
    assert all(keys)
    kept = made.changed_keys()
    made.apply_keys({})
    made.apply_keys(kept)
    assert made.changed_keys() == kept


def test_needs_are_the_sum_of_what_all_providers_have(registry):
    fit = registry.action("view.fit")
    assert not fit.isEnabled()
    registry.provide({"sources"}, by="window")
    assert fit.isEnabled()
    registry.provide({"undo"}, by="services")
    assert fit.isEnabled()
    registry.provide((), by="window")
    assert not fit.isEnabled()
    assert registry.action("file.open").isEnabled()


def test_what_nobody_listens_to_is_hidden_and_has_no_key(qtbot, main):
    registry = CommandRegistry(main)
    dead = registry.add(Command("a.dead", "Dead", "A", ("D",)))
    live = registry.add(Command("a.live", "Live", "A", ("L",)))
    menu, button, heard = QMenu(), QToolButton(main), []
    qtbot.addWidget(menu)
    for action in (dead, live):
        menu.addAction(action)
        main.addAction(action)
    button.setDefaultAction(dead)
    registry.mark_wired()
    live.triggered.connect(lambda: heard.append("live"))
    registry.retire_unwired()
    assert not dead.isVisible()
    assert not dead.isEnabled()
    assert [c.id for commands in registry.groups().values() for c in commands] == ["a.live"]
    main.show()
    qtbot.waitExposed(main)
    main.activateWindow()
    qtbot.waitUntil(main.isActiveWindow)
    QTest.keyClick(main, Qt.Key.Key_D)
    QTest.keyClick(main, Qt.Key.Key_L)
    assert heard == ["live"]
    dead.triggered.connect(lambda: heard.append("dead"))
    registry.retire_unwired()
    assert dead.isVisible()
    assert dead.isEnabled()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Ctrl+O", "Ctrl+O", True),
        ("Ctrl+K", "Ctrl+K, O", True),
        ("Ctrl+K, O", "Ctrl+K, P", False),
        ("O", "Ctrl+O", False),
    ],
)
def test_keys_clash_when_one_begins_the_other(one, other, expected):
    assert clashes(one, other) is expected
    assert clashes(other, one) is expected


def test_keys_have_one_spelling():
    assert [normal(key) for key in ("ctrl+o", "pgup", "f1")] == ["Ctrl+O", "PgUp", "F1"]
    assert [normal(key) for key in ("", "Ctrl+", "Rumpelstiltskin")] == ["", "", ""]


# --- sheet -------------------------------------------------------------------------------------


def test_the_sheet_lists_the_keys_as_they_are_now(qtbot, main, registry):
    registry.set_keys("file.open", ["Ctrl+P", "F3"])
    sheet = ShortcutSheet(registry, main)
    qtbot.addWidget(sheet)
    rows = sheet.rows()
    assert rows["Open"] == native(("Ctrl+P", "F3"))
    assert rows["Save"] == native(("Ctrl+S", "Ctrl+E"))
    assert "Fit" in rows  # the canvas's double click; the command has no key
    assert rows["Closer, farther"] == "+, −"


# --- editor ------------------------------------------------------------------------------------


def test_a_draft_takes_a_key_from_its_owner_and_gives_it_back(registry):
    draft = ShortcutDraft(registry)
    assert draft.owner("Ctrl+E", "view.fit") == "file.save"
    draft.take("view.fit", "Ctrl+E")
    draft.take("view.fit", "Ctrl+E")
    assert draft.changed() == {"view.fit": ("Ctrl+E",), "file.save": ("Ctrl+S",)}
    draft.reset("file.save")
    assert draft.changed() == {}
    draft.clear("file.open")
    assert draft.changed() == {"file.open": ()}
    draft.reset_all()
    assert draft.changed() == {}
    assert registry.changed_keys() == {}


def test_the_editor_says_whose_key_it_is_and_takes_it_on_ok(qtbot, main, registry):
    editor = ShortcutEditor(registry, main)
    qtbot.addWidget(editor)
    editor.select("view.fit")
    editor.edit.setKeySequence(QKeySequence("Ctrl+E"))
    assert "Save" in editor.conflict.text()
    assert editor.take.text() == "Take key"
    editor.take.click()
    assert editor.conflict.text() == ""
    assert not editor.take.isEnabled()
    assert registry.keys_of("view.fit") == ()
    editor.accept()
    assert registry.keys_of("view.fit") == ("Ctrl+E",)
    assert registry.keys_of("file.save") == ("Ctrl+S",)


def test_the_editor_resets_and_cancel_changes_nothing(qtbot, main, registry):
    registry.set_keys("file.open", ["F3"])
    editor = ShortcutEditor(registry, main)
    qtbot.addWidget(editor)
    editor.select("file.save")
    editor.clear.click()
    assert editor.draft.keys["file.save"] == ()
    editor.reset.click()
    assert editor.draft.keys["file.save"] == ("Ctrl+S", "Ctrl+E")
    restore = editor.buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults)
    restore.click()
    assert editor.draft.keys["file.open"] == ("Ctrl+O",)
    editor.reject()
    assert registry.keys_of("file.open") == ("F3",)


def test_the_editor_hears_a_pressed_key(qtbot, main, registry):
    editor = ShortcutEditor(registry, main)
    qtbot.addWidget(editor)
    editor.select("view.fit")
    QTest.keyClick(editor.edit, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    editor.take.click()
    editor.accept()
    assert registry.keys_of("view.fit") == ("Ctrl+G",)


# --- palette -----------------------------------------------------------------------------------


def test_letters_find_commands_best_first():
    texts = ["Fit pictures", "Fuse", "Maximise pane", "Open sample pair", "Save fused"]
    assert [texts[i] for i in ranked("fu", texts)] == ["Fuse", "Save fused", "Fit pictures"]
    assert [texts[i] for i in ranked("osp", texts)] == ["Open sample pair"]
    assert ranked("MAXI", texts) == [2]
    assert ranked("zz", texts) == []
    assert ranked("  ", texts) == [0, 1, 2, 3, 4]


@settings(deadline=None)
@given(st.text(max_size=6), st.text(max_size=20))
def test_a_text_fits_exactly_when_it_holds_the_letters_in_order(wanted, text):
    letters = iter(text.casefold())
    folded = [c for c in wanted.casefold() if not c.isspace()]
    assert (score(wanted, text) is not None) == all(letter in letters for letter in folded)


def test_the_palette_runs_the_best_fit_by_keyboard_alone(qtbot, main, registry):
    heard = []
    registry.action("file.save").triggered.connect(lambda: heard.append("save"))
    registry.action("file.open").triggered.connect(lambda: heard.append("open"))
    palette = CommandPalette(registry, main)
    qtbot.addWidget(palette)
    palette.show()
    assert palette.shown() == ["file.open", "file.save", "view.fit"]
    QTest.keyClick(palette.filter, Qt.Key.Key_Down)
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert heard == ["save"]
    again = CommandPalette(registry, main)
    qtbot.addWidget(again)
    QTest.keyClicks(again.filter, "opn")
    assert again.shown() == ["file.open"]
    QTest.keyClick(again.filter, Qt.Key.Key_Return)
    assert heard == ["save", "open"]


def test_the_palette_shows_but_does_not_run_what_cannot_be_done(qtbot, main, registry):
    heard = []
    registry.action("view.fit").triggered.connect(lambda: heard.append("fit"))
    palette = CommandPalette(registry, main)
    qtbot.addWidget(palette)
    palette.show()
    QTest.keyClicks(palette.filter, "fit")
    assert palette.shown() == ["view.fit"]
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert heard == []
    assert palette.isVisible()


# --- keys that are spoken of -------------------------------------------------------------------


def spoken_of(window) -> list[str]:
    """Every place in the window that names a key outside menus."""
    window.session.sources_changed.emit()
    return [
        window.view.panes["a"].canvas.placeholder_text,
        window.view.coach.text.text(),
        window.view.panes["fused"].maximise_button.toolTip(),
        window.view.panes["fused"]._tags["stale"].toolTip(),
        window.status.cancel.toolTip(),
        window.top_bar.fuse_button.toolTip(),
    ]


def test_what_is_said_of_keys_follows_when_they_are_changed(qtbot, window):
    actions = window.actions_
    window.session.set_sources(replace(window.session.sources, sample=True))
    said = spoken_of(window)
    for text, key in zip(
        said, ("Ctrl+O", "Ctrl+O", "(F)", "Return", "(Esc)", "(Return"), strict=True
    ):
        assert key in text, said
    actions.apply_keys(
        {
            "file.open": ["Alt+P"],
            "view.maximise": ["F8"],
            "fuse.run": ["F9"],
            "fuse.cancel": ["F10"],
        }
    )
    said = spoken_of(window)
    for text, key in zip(said, ("Alt+P", "Alt+P", "(F8)", "F9", "(F10)", "(F9)"), strict=True):
        assert key in text, said
    nothing: dict[str, list[str]] = {
        name: [] for name in ("file.open", "view.maximise", "fuse.run", "fuse.cancel")
    }
    actions.apply_keys(nothing)
    for text in spoken_of(window):
        assert not any(sign in text for sign in ("(", "{", "Alt", "F9", "press")), text
