"""One is told from many; folders are patients only where patients are; files may have any name."""

from __future__ import annotations

import re

import pytest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from app.commands.shortcut_editor import ShortcutEditor
from app.fuse.file_dialogs import open_dialog
from app.fuse.pairs_list_model import PairModel
from app.fuse.pairs_list_view import PairList
from core import device
from tests.app.catalogue import german_texts


@pytest.mark.parametrize(("threads", "said"), [(1, "1 thread of"), (2, "2 threads of")])
def test_threads_are_counted(monkeypatch, threads, said):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert said in device.cpu_label()


@pytest.mark.parametrize(
    ("pairs", "unpaired", "said"), [(1, 0, "1 pair"), (2, 1, "2 pairs · 1 unpaired")]
)
def test_pairs_of_the_list_are_counted(qtbot, pairs, unpaired, said):
    shown = PairList(PairModel(lambda _key: ("ready", "", "")))
    qtbot.addWidget(shown)
    shown.show_counts(pairs, unpaired)
    assert shown.summary.text() == said


def test_no_text_of_either_language_leaves_the_number_open():
    """“device(s)” is a program that does not want to count."""
    lazy = re.compile(r"\w\((s|es|e|n|en|r|er)\)")
    found = [text for text, done in german_texts() if lazy.search(text) or lazy.search(done)]
    assert found == []


def test_german_says_strg():
    german = [done for _, done in german_texts()]
    assert [done for done in german if "Ctrl" in done or "Control+" in done] == []
    assert sum("Strg" in done for done in german) >= 1  # the key itself; texts ask for it


def test_roads_have_no_patients(window):
    actions = window.actions_
    assert actions.next_patient.text() == "Next patient"
    for task in ("ivif", "mef", "mff"):
        window.session.set_task(task)
        assert actions.next_patient.text() == "Next folder"
        assert actions.previous_patient.toolTip().startswith("Previous folder (Ctrl+Up")
    window.session.set_task("mif")
    assert actions.previous_patient.text() == "Previous patient"


@pytest.mark.parametrize("suffixes", [(), (".png", ".TIF", ".tif")])
def test_any_file_can_be_chosen_by_one_entry(window, qtbot, suffixes):
    dialog = open_dialog(window, "Open", "", suffixes)
    qtbot.addWidget(dialog)
    everything = [text for text in dialog.nameFilters() if text.endswith("(*)")]
    assert everything == ["All files: told by their content (*)"]
    if suffixes:
        assert dialog.nameFilters()[0] == "Pictures (*.png *.tif)"
    assert dialog.fileMode() == QFileDialog.FileMode.ExistingFiles


def test_the_dialog_offers_what_the_readers_know(window, qtbot):
    qtbot.waitUntil(lambda: bool(window.controller.suffixes), timeout=10_000)
    assert {".png", ".tif", ".jpg", ".bmp", ".webp"} <= set(window.controller.suffixes)


def test_the_key_editor_asks_in_german(german, window, qtbot):
    editor = ShortcutEditor(window.actions_, window)
    qtbot.addWidget(editor)
    assert editor.edit.findChild(QLineEdit).placeholderText() == "Taste drücken"
