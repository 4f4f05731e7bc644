"""Ctrl+K finds more than commands; F1 lists the mouse; switches say what they switched."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow

from app.commands.fuzzy import Texts
from app.commands.palette import MOST, CommandPalette, PaletteEntry
from app.commands.registry import CommandRegistry
from app.commands.shortcut_sheet import ShortcutSheet
from app.shell.main_window import MainWindow
from app.shell.palette_entries import palette_entries
from app.viewer import gestures
from tests.app.acts import idle
from tests.app.conftest import gradient, write_png


@pytest.fixture
def listed(opened: MainWindow, qtbot, tmp_path: Path) -> MainWindow:
    """With three pairs in the list."""
    for n in range(3):
        for word in ("pet", "mri"):
            write_png(tmp_path / "study" / f"head{n}_{word}.png", gradient(64, 48))
    with idle(qtbot, opened):
        opened.pairs.add([tmp_path / "study"])
    assert len(opened.pairs.matches) == 3
    return opened


def ask(window: MainWindow, qtbot, typed: str) -> CommandPalette:
    """The palette as Ctrl+K opens it, with something typed."""
    window.actions_.palette.trigger()
    palettes = (w for w in QApplication.topLevelWidgets() if isinstance(w, CommandPalette))
    palette = next(palette for palette in palettes if palette.isVisible())
    QTest.keyClicks(palette.filter, typed)
    return palette


def choose(window: MainWindow, qtbot, typed: str) -> str:
    """Type, press Enter; returns what was found first."""
    palette = ask(window, qtbot, typed)
    first = palette.shown()[0]
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    return first


def test_every_kind_of_thing_is_found(listed, qtbot):
    entries = palette_entries(
        session=listed.session,
        controller=listed.controller,
        pairs=listed.pairs,
        recent=listed.services.recent,
        open_recent=lambda _pair: None,
        show_fuse_page=lambda: None,
    )
    ids = {entry.id.partition(":")[0] for entry in entries}
    assert ids == {"task", "method", "pair", "recent"}
    shown = ask(listed, qtbot, "").shown()
    wanted = ("workspace.batch", "display.preset_3", "task:mff", "method:mif:guided", "pair:2")
    assert [name for name in wanted if name not in shown] == []
    assert any(name.startswith("recent:") for name in shown)


def test_a_method_is_chosen(listed, qtbot):
    assert choose(listed, qtbot, "laplac") == "method:mif:laplacian"
    assert listed.session.method == "laplacian"
    assert listed.session.task.name == "mif"


def test_a_pack_of_another_task_brings_its_task(listed, qtbot):
    assert choose(listed, qtbot, "mff-compact") == "method:mff:mff-compact"
    assert (listed.session.task.name, listed.session.method) == ("mff", "mff-compact")


def test_a_task_is_chosen(listed, qtbot):
    assert choose(listed, qtbot, "task ivif") == "task:ivif"
    assert listed.session.task.name == "ivif"


def test_a_pair_is_opened_wherever_one_is(listed, qtbot):
    listed.workspaces.show_page("evaluate")
    with idle(qtbot, listed):
        assert choose(listed, qtbot, "head2") == "pair:2"
    assert listed.workspaces.current == "fuse"
    assert listed.pairs.current[0].name == "head2_pet.png"
    assert listed.session.sources.a.image.origin.name == "head2_pet.png"


def test_files_opened_before_are_opened_again(listed, qtbot, files):
    listed.actions_.close_pictures.trigger()
    assert listed.session.is_empty
    with idle(qtbot, listed):
        assert choose(listed, qtbot, "pet_1.png + mri_1").startswith("recent:")
    assert listed.session.sources.a.image.origin == files[0]


def test_thousands_of_pairs_do_not_hold_up_typing(qtbot):
    main = QMainWindow()
    qtbot.addWidget(main)
    many = [
        PaletteEntry(
            f"pair:{n}", f"patient_{n:05d}_slice_{n % 90}", "Pair", lambda: None, f"s/PET_{n}.png"
        )
        for n in range(5000)
    ]
    palette = CommandPalette(CommandRegistry(main), main, many)
    qtbot.addWidget(palette)
    palette.show()
    assert len(palette.shown()) == MOST
    assert palette.rest.text() == f"{5000 - MOST:,} more: type to find them."
    worst = 0.0
    for typed in ("p", "pa", "patient_0", "patient_04321", "pt4321", "04321slice", "zz"):
        begun = time.process_time()
        palette.filter.setText(typed)
        worst = max(worst, time.process_time() - begun)
    assert worst < 1.0, "a search must not depend on all ways the letters may lie"
    palette.filter.setText("patient_04321")
    assert palette.shown()[0] == "pair:4321"


def test_what_is_cut_off_is_the_least_likely():
    texts = Texts([f"a-b-c long text number {n}" for n in range(500)] + ["xabcx", "abc", "new abc"])
    best, count = texts.best("abc", 3)
    assert sorted(best) == [500, 501, 502]
    assert best[0] == 501
    assert count == 503
    assert texts.best("", 2) == ([0, 1], 503)
    assert texts.best("qqq", 5) == ([], 0)


# --- F1 ---------------------------------------------------------------------------------------


def test_the_sheet_lists_the_mouse_from_the_table_the_canvas_acts_by(qtbot, main_registry):
    sheet = ShortcutSheet(*main_registry)
    qtbot.addWidget(sheet)
    rows = sheet.rows()
    assert rows["Zoom about the pointer"] == "Wheel, Right drag"
    assert rows["Window (sideways) and level (up and down)"] == "Left drag"
    assert rows["Move the pictures"] == "Shift + left drag, Middle drag, arrow keys"
    assert rows["Fit"] == "Double click"
    assert rows["Move the curtain"] == "Left drag on its line"
    assert rows["Replace A or B"] == "Drop one file on its pane"


@pytest.fixture
def main_registry(qtbot) -> tuple[CommandRegistry, QMainWindow]:
    main = QMainWindow()
    qtbot.addWidget(main)
    return CommandRegistry(main), main


@pytest.mark.parametrize(("key", "done"), gestures.DRAGS.items())
def test_the_canvas_does_what_the_sheet_says(opened, key, done):
    button, shift = key
    canvas, link = opened.view.panes["a"].canvas, opened.view.link
    moved = []
    canvas.window_dragged.connect(lambda by, _done: moved.append(by))
    held = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    link.look_at(QPointF(30, 20), 2.0)
    middle = canvas.rect().center()
    QTest.mousePress(canvas, button, held, middle)
    QTest.mouseMove(canvas, middle + QPoint(10, -12))
    QTest.mouseRelease(canvas, button, held, middle + QPoint(10, -12))
    if done == "window":
        assert moved[-1] == QPointF(10, -12)
        assert (link.scale, link.centre) == (2.0, QPointF(30, 20))
    elif done == "pan":
        assert moved == []
        assert (link.scale, link.centre) == (2.0, QPointF(25, 26))
    else:
        assert moved == []
        assert link.scale == pytest.approx(2.0 * 1.01**12)


# --- what a switch says -----------------------------------------------------------------------


def test_w_says_that_it_hides(opened, qtbot):
    overlay, said = opened.actions_.overlay, opened.status.stage
    assert overlay.text() == "Show overlay"
    overlay.trigger()
    assert overlay.text() == "Hide overlay"
    assert overlay.toolTip() == "Hide overlay (W)"
    assert said.text() == "Overlay shown. W hides it."
    overlay.trigger()
    assert overlay.text() == "Show overlay"
    assert said.text() == "Overlay hidden. W shows it again."
    assert opened.session.display.compare.mode == "overlay"
    assert "Show overlay" in [f.title for f in ask(opened, qtbot, "")._finds]


@pytest.mark.parametrize(
    ("name", "title", "key"),
    [
        ("curtain", "Curtain", "C"),
        ("checkerboard", "Checkerboard", "K"),
        ("difference", "Difference", "D"),
        ("magnifier", "Magnifier", "M"),
        ("crosshair", "Crosshair", "X"),
    ],
)
def test_every_switch_says_what_it_did_and_shows_its_state(opened, qtbot, name, title, key):
    action = getattr(opened.actions_, name)
    action.trigger()
    assert action.isChecked()
    assert opened.status.stage.text() == f"{title}: on. {key} switches it off."
    assert f"{title} ✓" in [f.title for f in ask(opened, qtbot, "")._finds]
    opened.actions_.set_keys(action.data(), ["F9"])
    action.trigger()
    assert not action.isChecked()
    assert opened.status.stage.text() == f"{title}: off. F9 switches it on again."


def test_invert_and_maximise_say_their_state(opened):
    opened.view.active.choose("fused")
    opened.actions_.invert.trigger()
    assert opened.status.stage.text() == "Fused: grey values inverted."
    opened.actions_.invert.trigger()
    assert opened.status.stage.text() == "Fused: as it is."
    opened.actions_.maximise.trigger()
    assert opened.actions_.maximise.text() == "Show all panes"
    opened.actions_.maximise.trigger()
    assert opened.actions_.maximise.text() == "Maximise pane"


# --- what a page uses -------------------------------------------------------------------------


def test_the_top_bar_is_there_only_where_it_is_used(opened, qtbot):
    assert opened.top_bar.isVisible()
    for page in ("batch", "train", "evaluate"):
        opened.workspaces.show_page(page)
        assert not opened.top_bar.isVisible()
        assert not opened.actions_.fuse.isEnabled()
        assert not opened.actions_.curtain.isEnabled()
        assert not opened.actions_.undo.isEnabled()
        opened.workspaces.show_page("fuse")
        assert opened.top_bar.isVisible()
        assert opened.actions_.fuse.isEnabled()
        assert opened.actions_.curtain.isEnabled()


def test_a_file_command_on_another_page_comes_to_the_page_that_shows_it(opened, qtbot):
    opened.workspaces.show_page("evaluate")
    with idle(qtbot, opened):
        opened.actions_.sample.trigger()
    assert opened.workspaces.current == "fuse"
    assert opened.session.sources.sample


def test_tabs_name_the_keys_they_have_now(opened):
    tabs = opened.workspaces.tabs
    assert tabs.tabToolTip(1) == "Batch workspace (Ctrl+2)"
    opened.actions_.set_keys("workspace.batch", ["F8"])
    assert tabs.tabToolTip(1) == "Batch workspace (F8)"


def test_keys_are_called_as_on_a_german_keyboard(german, qtbot, engine, samples):
    window = MainWindow(lambda: engine, samples, "mif")
    qtbot.addWidget(window)
    assert window.actions_.open.toolTip().endswith("(Strg+O)")
    assert window.workspaces.tabs.tabToolTip(0).endswith("(Strg+1)")
    sheet = ShortcutSheet(window.actions_, window)
    qtbot.addWidget(sheet)
    keys = " ".join(sheet.rows().values())
    assert "Strg+K" in keys
    assert "Eingabe" in keys
    assert "Bild auf" in keys
    for english in ("Ctrl", "Shift", "PgUp", "Return"):
        assert english not in keys
    # Settings keep the spelling that every language reads.
    assert window.actions_.keys_of("file.open") == ("Ctrl+O",)
