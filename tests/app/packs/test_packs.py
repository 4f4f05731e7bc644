"""Tools > Model packs: the list, what is in a pack, and everything that can be done with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextTable
from PySide6.QtWidgets import QPushButton

from app.packs.dialog import PacksDialog
from app.shell.main_window import MainWindow
from core.fusion.engine import FusionEngine
from core.packs import registry
from core.packs.registry import Catalogue
from tests.app.acts import WAIT, idle
from tests.app.shell.test_access import controls, described, name_of
from tests.tiny import tiny_pack


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder with one pack; another one is built in."""
    embedded, home = tmp_path / "embedded", tmp_path / "home"
    (home / "packs").mkdir(parents=True)
    embedded.mkdir()
    tiny_pack(embedded / "mif-built-in.safetensors")
    tiny_pack(home / "packs" / "mine.safetensors", seed=1, licence="CC-BY-4.0")
    (home / "packs" / "mine.md").write_text("# My card\nTrained at home.", encoding="utf-8")
    monkeypatch.setattr(registry, "PACKS", embedded)
    monkeypatch.setenv("UNIFUSION_HOME", str(home))
    return home / "packs"


@pytest.fixture
def room(qtbot, packs, samples) -> MainWindow:
    """The window with the real engine, which knows these packs."""
    window = MainWindow(lambda: FusionEngine("cpu"), samples, "mif")
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.session.engine_changed, timeout=3 * WAIT):
        window.controller.start()
    return window


@pytest.fixture
def dialog(qtbot, room) -> PacksDialog:
    with qtbot.waitSignal(room.packs.listed, timeout=WAIT):
        room.actions_.packs.trigger()
    return room.packs_dialog


def choose(dialog: PacksDialog, name: str) -> None:
    dialog.tree.setCurrentItem(dialog.item_of(name))


def names(dialog: PacksDialog) -> list[str]:
    return [row.name for row in dialog.rows]


def after(qtbot, dialog: PacksDialog):
    """Until the library has answered and the list is drawn anew."""
    return qtbot.waitSignal(dialog._work.listed, timeout=WAIT)


def test_packs_are_listed_by_task_with_what_is_known_of_them(dialog):
    heads = [dialog.tree.topLevelItem(k).text(0) for k in range(dialog.tree.topLevelItemCount())]
    assert heads == ["Medical", "Infrared / visible", "Exposure", "Focus"]
    assert dialog.tree.topLevelItem(1).child(0).text(0) == "None yet"
    item = dialog.item_of("mine")
    assert [item.text(k) for k in range(4)] == ["Tiny mine", "", "Yours", "0.5"]
    assert dialog.item_of("mif-built-in").text(1) == "✓ default"
    assert dialog.chosen.name == "mif-built-in"
    choose(dialog, "mine")
    assert dialog.facts["licence"].text() == "CC-BY-4.0"
    assert dialog.facts["file"].text() == "mine.safetensors"
    assert "Trained at home." in dialog.card.toPlainText()
    choose(dialog, "mif-built-in")
    assert "Tiny mif-built-in" in dialog.card.toPlainText()


def test_built_in_packs_can_be_exported_and_nothing_else(dialog):
    choose(dialog, "mif-built-in")
    assert [b.isEnabled() for b in dialog.buttons] == [True, True, False, False, False]
    assert not dialog.item_of("mif-built-in").flags() & Qt.ItemFlag.ItemIsEditable
    choose(dialog, "mine")
    assert all(b.isEnabled() for b in dialog.buttons)


def test_an_imported_pack_is_chosen_and_fuses_from_the_list(qtbot, dialog, room, files, tmp_path):
    tiny_pack(tmp_path / "theirs.safetensors", seed=3)
    with qtbot.waitSignal(room.session.engine_changed, timeout=WAIT):
        dialog.import_files([tmp_path / "theirs.safetensors"])
    qtbot.waitUntil(lambda: "theirs" in names(dialog), timeout=WAIT)
    assert dialog.chosen.name == "theirs"
    listed = [room.top_bar.methods.itemData(k) for k in range(room.top_bar.methods.count())]
    assert listed[:3] == ["mif-built-in", "mine", "theirs"]
    dialog.reject()
    room.session.set_method("theirs")
    with idle(qtbot, room):
        room.controller.open_pair(*files)
    assert room.session.outcome.result.method == "theirs"


def test_a_dangerous_file_is_refused_with_the_reason_and_changes_nothing(qtbot, dialog, tmp_path):
    torch.save({"x": torch.zeros(1)}, tmp_path / "weights.pth")
    with after(qtbot, dialog):
        dialog.import_files([tmp_path / "weights.pth"])
    assert dialog.error.isVisible()
    assert "can run any program" in dialog.error.text.text()
    assert names(dialog) == ["mif-built-in", "mine"]
    dialog.grab()


def test_renaming_in_place(qtbot, dialog, packs):
    choose(dialog, "mine")
    with after(qtbot, dialog):
        dialog.item_of("mine").setText(0, "Our SPECT")
    assert names(dialog) == ["mif-built-in", "our-spect"]
    assert dialog.chosen.title == "Our SPECT"
    assert (packs / "our-spect.md").exists()
    with after(qtbot, dialog):
        dialog.item_of("our-spect").setText(0, "mif built in")
    assert "another pack has it" in dialog.error.text.text().lower()
    assert dialog.item_of("our-spect").text(0) == "Our SPECT"


def test_deleting_can_be_undone_until_the_dialog_closes(qtbot, dialog, room, packs):
    choose(dialog, "mine")
    with after(qtbot, dialog):
        dialog.delete.click()
    assert names(dialog) == ["mif-built-in"]
    assert "Tiny mine" in dialog.undo.text.text()
    undo: QPushButton = dialog.undo.buttons["undo"]
    with after(qtbot, dialog):
        undo.click()
    assert names(dialog) == ["mif-built-in", "mine"]
    assert "Trained at home." in dialog.card.toPlainText()
    choose(dialog, "mine")
    with after(qtbot, dialog):
        dialog.delete.click()
    dialog.reject()
    qtbot.waitUntil(lambda: not (packs / ".deleted").exists(), timeout=WAIT)


def test_the_default_is_what_fuses_where_nothing_is_chosen(qtbot, dialog, room, files):
    choose(dialog, "mine")
    with qtbot.waitSignal(room.session.engine_changed, timeout=WAIT):
        dialog.default.click()
    qtbot.waitUntil(lambda: dialog.item_of("mine").text(1) != "", timeout=WAIT)
    assert Catalogue().find("", "mif").manifest.name == "mine"
    assert room.session.resolved_method() == "mine"
    assert not dialog.default.isEnabled()
    with idle(qtbot, room):
        room.controller.open_pair(*files)
    assert room.session.outcome.result.method == "mine"


def test_export_writes_the_file_and_says_where(qtbot, dialog, packs, tmp_path):
    choose(dialog, "mine")
    with qtbot.waitSignal(dialog._work.exported, timeout=WAIT):
        dialog._work.export(dialog.chosen, tmp_path / "out")
    assert (tmp_path / "out.safetensors").read_bytes() == (packs / "mine.safetensors").read_bytes()
    assert (tmp_path / "out.md").exists()
    assert "out.safetensors" in dialog.message.text.text()


def test_files_that_cannot_be_used_are_named(qtbot, room, packs):
    (packs / "broken.safetensors").write_bytes(b"nothing")
    with qtbot.waitSignal(room.packs.listed, timeout=WAIT):
        room.actions_.packs.trigger()
    dialog = room.packs_dialog
    last = dialog.tree.topLevelItem(dialog.tree.topLevelItemCount() - 1)
    assert last.text(0) == "Cannot be used"
    assert last.child(0).text(0) == "broken.safetensors"
    assert "not a safetensors file" in last.child(0).toolTip(0)


def test_a_table_without_headings_is_shown_without_a_row_for_them(qtbot, dialog):
    def rows() -> list[int]:
        frames = dialog.card.document().rootFrame().childFrames()
        return [frame.rows() for frame in frames if isinstance(frame, QTextTable)]

    dialog.card.show_card("# M\n\n| | |\n|---|---|\n| size | 5 MB |\n| parent | none |\n")
    assert rows() == [2]
    dialog.card.show_card("| what | is |\n|---|---|\n| size | 5 MB |\n| parent | none |\n")
    assert rows() == [3]


def test_a_card_fetches_nothing(qtbot, dialog):
    dialog.card.show_card("![x](file:///etc/hostname) [y](http://example.org/)")
    assert not dialog.card.openLinks()
    assert dialog.card.loadResource(2, "file:///etc/hostname") is None


def test_every_control_of_the_dialog_is_named_and_reached(dialog):
    found = list(controls(dialog))
    assert len(found) > 6
    assert [described(w) for w in found if not name_of(w).strip()] == []
    for widget in found:
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, described(widget)
