"""The Pairs dock: what is dropped, how it is listed, and what happens when the disk changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest

from app.fuse.drop_sorting import DroppedPaths
from app.fuse.pair_search import gone_files
from app.pairs.edits import key_of
from app.pairs.thumbnails import _small
from app.shell.main_window import MainWindow
from core.progress import NullProgress
from tests.app.acts import idle
from tests.app.conftest import gradient, write_png
from tests.app.shell.test_window import drop

WAIT = 30_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three patients with one or two pairs each, one file without partner, and junk."""
    root = tmp_path / "study"
    for patient, numbers in (("anna", (1, 2)), ("bert", (1, 2)), ("cara", (7,))):
        for number in numbers:
            for side in ("pet", "mri"):
                write_png(root / patient / f"{side}_{number}.png", gradient(32, 24))
    write_png(root / "bert" / "pet_9.png", gradient(32, 24))
    (root / "notes.txt").write_text("junk")
    (root / "anna" / "broken.doc").write_bytes(b"\0\1")
    return root


def listed(window: MainWindow) -> dict[str, list[str]]:
    """Folder titles and pair texts as the tree shows them."""
    model = window.pairs_dock.model
    found = {}
    for row in range(model.rowCount()):
        top = model.index(row, 0)
        found[str(model.data(top))] = [
            str(model.data(model.index(k, 0, top))) for k in range(model.rowCount(top))
        ]
    return found


def add(qtbot, window: MainWindow, *paths: Path) -> None:
    """Drop on the dock, until the first pair is fused."""
    with idle(qtbot, window):
        drop(window.pairs_dock.list, *paths)


def test_a_dropped_folder_is_listed_by_patient_and_its_first_pair_is_fused(qtbot, window, folder):
    assert not window.pairs_dock.list.tree.isVisible()
    assert window.pairs_dock.list.hint.isVisible()
    add(qtbot, window, folder)
    assert [title for title in listed(window)] == ["anna (2)", "bert (2)", "cara (1)"]
    assert listed(window)["anna (2)"][0].startswith("✓")
    assert listed(window)["bert (2)"][0].startswith("○")
    assert window.session.sources.a.image.origin == folder / "anna" / "pet_1.png"
    assert window.session.sources.b.image.origin == folder / "anna" / "mri_1.png"
    assert "1 unpaired" in window.pairs_dock.list.summary.text()
    assert "5 pairs were found" in window.pairs_dock.list.note.text()
    assert window.session.problem is None


def test_the_same_folder_twice_lists_nothing_twice(qtbot, window, folder):
    add(qtbot, window, folder)
    add(qtbot, window, folder, folder)
    assert [len(rows) for rows in listed(window).values()] == [2, 2, 1]
    assert "listed already" in window.pairs_dock.list.note.text()


def test_folders_dropped_in_quick_succession_are_all_listed(qtbot, window, folder):
    for patient in ("anna", "bert", "cara"):
        window.pairs.add([folder / patient])
    qtbot.waitUntil(lambda: len(window.pairs.matches) == 5, timeout=WAIT)
    assert {match.a.parent.name for match in window.pairs.matches} == {"anna", "bert", "cara"}
    assert window.pairs.folders == tuple(str(folder / name) for name in ("anna", "bert", "cara"))
    assert window.pairs.plan is not None
    assert [item.path.name for item in window.pairs.plan.leftovers].count("pet_9.png") == 1


def test_files_and_folders_together(qtbot, window, folder, files):
    add(qtbot, window, folder, *files)
    names = [name for rows in listed(window).values() for name in rows]
    assert len(names) == 6


def test_a_folder_of_junk_is_answered_in_words(qtbot, window, tmp_path):
    junk = tmp_path / "junk"
    junk.mkdir()
    (junk / "a.txt").write_text("x")
    (junk / "b.exe").write_bytes(b"MZ")
    with qtbot.waitSignal(window.pairs.plan_changed, timeout=WAIT):
        window.files.take([junk])
    assert "No pairs were found" in window.view.notice.text.text()
    assert window.session.problem is None


def test_a_folder_that_is_gone_is_named(qtbot, window, tmp_path):
    with qtbot.waitSignal(window.session.problem_changed, timeout=WAIT):
        window.pairs.add([tmp_path / "never"])
    assert "never" in window.view.card.title.text()


def test_page_keys_go_through_the_list_and_hold_at_its_ends(qtbot, window, folder):
    add(qtbot, window, folder)
    window.view.panes["a"].canvas.setFocus()
    with idle(qtbot, window):
        QTest.keyClick(window, Qt.Key.Key_PageDown)
    assert window.session.sources.a.image.origin.name == "pet_2.png"
    with idle(qtbot, window):
        QTest.keyClick(window, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert window.session.sources.a.image.origin == folder / "bert" / "pet_1.png"
    tree = window.pairs_dock.list.tree
    assert window.pairs_dock.model.key_at(tree.currentIndex()) == window.pairs.current
    assert tree.selectionModel().isSelected(tree.currentIndex())
    window.pairs.current_changed.emit()  # Ctrl is still held: the row stays selected
    assert tree.selectionModel().isSelected(tree.currentIndex())
    window.pairs.step(-5)
    assert window.pairs.current == (folder / "anna" / "pet_1.png", folder / "anna" / "mri_1.png")
    assert window.pairs.current[0].parent.name == "anna"
    before = window.pairs.current
    window.pairs.step(-1)
    assert window.pairs.current == before


def test_a_pair_seen_before_comes_back_with_its_results_and_without_fusing(
    qtbot, window, folder, engine
):
    add(qtbot, window, folder)
    first = window.session.outcome
    with idle(qtbot, window):
        window.pairs.step(1)
    asked = len(engine.requests)
    with idle(qtbot, window):
        window.pairs.step(-1)
    assert window.session.outcome.result is first.result
    assert len(engine.requests) == asked
    assert not window.session.is_stale


def test_filter_and_thumbnails(qtbot, window, folder):
    dock = window.pairs_dock
    with qtbot.waitSignal(dock.thumbs.ready, timeout=WAIT) as ready:
        add(qtbot, window, folder)
    key, a, b = ready.args
    assert max(a.width(), a.height()) == 30
    assert b is not None
    assert dock.model.has_thumb(key)
    dock.list.filter.setText("BERT")
    assert list(listed(window)) == ["bert (2)"]
    dock.list.filter.setText("nothing like it")
    assert listed(window) == {}
    dock.list.filter.setText("")
    assert len(listed(window)) == 3


def test_a_click_opens_a_pair(qtbot, window, folder):
    add(qtbot, window, folder)
    model = window.pairs_dock.model
    index = model.index(1, 0, model.index(1, 0))
    with idle(qtbot, window):
        window.pairs_dock.list.tree.clicked.emit(index)
    assert window.session.sources.a.image.origin == folder / "bert" / "pet_2.png"


def test_the_model_is_a_proper_tree(qtbot, window, folder, qtmodeltester):
    add(qtbot, window, folder)
    qtmodeltester.check(window.pairs_dock.model)
    assert window.pairs_dock.model.index_of(None) == QModelIndex()


def test_the_table_says_why_and_changes_the_list(qtbot, window, folder):
    add(qtbot, window, folder)
    window.pairs_dock.review()
    dialog = window.pairs_dock.dialog
    table = dialog.table
    reasons = [table.data(table.index(row, 2)) for row in range(5)]
    assert all(reasons)
    loose = table.index(5, 0)
    assert table.data(loose) == "pet_9.png"
    assert table.data(loose, Qt.ItemDataRole.ForegroundRole).red() > 200
    first = window.pairs.matches[0]
    dialog.view.selectRow(0)
    dialog.swap.click()
    unticked = Qt.CheckState.Unchecked.value
    assert table.setData(table.index(1, 0), unticked, Qt.ItemDataRole.CheckStateRole)
    dialog.accept()
    assert (window.pairs.matches[0].a, window.pairs.matches[0].b) == (first.b, first.a)
    assert len(window.pairs.matches) == 4


def test_rows_that_stay_show_whether_the_sides_are_sure_now(qtbot, window, folder):
    add(qtbot, window, folder)
    plan = window.pairs.plan
    unsure = replace(plan, matches=tuple(replace(m, sure=False) for m in plan.matches))
    for shown, sign in ((unsure, "?"), (plan, "○")):
        window.pairs.set_plan(shown)
        assert [text[0] for text in listed(window)["bert (2)"]] == [sign] * 2
    assert listed(window)["anna (2)"][0].startswith("✓")


def test_two_files_without_partner_are_paired_by_hand(qtbot, window, folder):
    write_png(folder / "bert" / "scan_x.png", gradient(32, 24))
    add(qtbot, window, folder)
    window.pairs_dock.review()
    dialog = window.pairs_dock.dialog
    assert not dialog.join.isEnabled()
    dialog.view.setSelectionMode(dialog.view.SelectionMode.MultiSelection)
    dialog.view.selectRow(5)
    dialog.view.selectRow(6)
    assert dialog.join.isEnabled()
    dialog.join.click()
    assert "by hand" in [dialog.table.data(dialog.table.index(r, 2)) for r in range(6)][-1]
    dialog.reject()
    assert len(window.pairs.matches) == 5


def test_a_deleted_file_gets_a_badge_and_a_card_when_it_is_opened(qtbot, window, folder):
    add(qtbot, window, folder)
    gone = window.pairs.matches[2]
    with qtbot.waitSignal(window.pairs.state_changed, timeout=WAIT):
        gone.b.unlink()
    assert window.pairs.state(key_of(gone)).badge == "missing"
    assert gone.b.name in window.pairs.state(key_of(gone)).why
    with idle(qtbot, window):
        window.pairs.open(key_of(gone))
    assert gone.b.name in window.view.card.title.text()
    assert window.session.sources.paths == key_of(gone)
    assert window.session.sources.a is None
    assert window.pairs.state(key_of(gone)).badge == "missing"


def test_an_unreadable_file_fails_and_another_size_is_to_be_checked(qtbot, window, folder):
    (folder / "anna" / "mri_2.png").write_bytes(b"broken")
    write_png(folder / "bert" / "mri_1.png", gradient(8, 8))
    add(qtbot, window, folder)
    badges = []
    for match in window.pairs.matches[1:3]:
        with idle(qtbot, window):
            window.pairs.open(key_of(match))
        badges.append(window.pairs.state(key_of(match)).badge)
    assert badges == ["failed", "check"]


def test_a_file_replaced_on_disk_is_said_and_read_again_on_request(qtbot, opened, files):
    shown = opened.session.sources
    with qtbot.waitSignal(opened.watch.changed, timeout=WAIT):
        write_png(files[0], gradient(64, 48)[:, ::-1])
    assert opened.view.card.isVisible()
    assert files[0].name in opened.view.card.title.text()
    assert opened.session.sources is shown
    with idle(qtbot, opened):
        opened.view.card.action.click()
    assert opened.session.sources.a.image.data[0, 0, 0] == 255
    assert not opened.view.card.isVisible()


def test_a_file_deleted_after_reading_leaves_the_picture_on_show(qtbot, opened, files):
    with qtbot.waitSignal(opened.watch.deleted, timeout=WAIT):
        files[1].unlink()
    assert "not on disk any more" in opened.view.notice.text.text()
    assert opened.view.panes["b"].canvas.image is not None


def test_intake_counts_a_path_once(tmp_path):
    dropped = DroppedPaths.of([tmp_path, tmp_path, tmp_path / "x.png"])
    assert (dropped.folders, dropped.files) == ((tmp_path,), (tmp_path / "x.png",))


def test_looking_for_pairs_is_said_until_they_are_there(qtbot, window, folder):
    note = window.pairs_dock.list.note
    with qtbot.waitSignal(window.controller.idle, timeout=WAIT):
        window.pairs.add([folder])
        assert note.text() == "Looking for pairs…"
        assert note.isVisible()
    assert "pairs were found" in note.text()
    with qtbot.waitSignal(window.session.problem_changed, timeout=WAIT):
        window.pairs.add([folder / "none"])
    assert not note.isVisible()


def test_the_small_picture_of_a_large_one_is_that_picture(tmp_path):
    ramp = gradient(1600, 480)
    path = write_png(tmp_path / "large.png", ramp)
    small = _small(path, 30)
    assert (small.width(), small.height()) == (30, 9)
    row = [small.pixelColor(x, 4).red() for x in range(30)]
    np.testing.assert_allclose(row, (np.arange(30) + 0.5) * 255 / 30, atol=6)


def test_files_that_are_gone_are_found_whatever_became_of_them(tmp_path):
    keys = []
    for name in ("kept", "deleted", "folder gone", "link to nothing", "link"):
        folder = tmp_path / name
        folder.mkdir()
        keys.append((folder / "a.png", folder / "b.png"))
        for path in keys[-1]:
            path.write_bytes(b"x")
    keys[1][1].unlink()
    shutil.rmtree(keys[2][0].parent)
    for key, target in ((keys[3], tmp_path / "nothing"), (keys[4], keys[0][0])):
        key[0].unlink()
        key[0].symlink_to(target)
    assert gone_files(keys, NullProgress()) == {
        keys[1]: "b.png",
        keys[2]: "a.png",
        keys[3]: "a.png",
    }


def test_keys_go_only_to_pairs_that_the_filter_lets_be_seen(qtbot, window, folder):
    add(qtbot, window, folder)
    pairs, names = window.pairs, window.pairs_dock.list.filter

    def open_now() -> str:
        return f"{pairs.current[0].parent.name}/{pairs.current[0].stem}"

    assert open_now() == "anna/pet_1"
    names.setText("bert")
    # The pair on show is hidden: the next one is the first that is seen behind it.
    for step, expected in ((1, "bert/pet_1"), (1, "bert/pet_2"), (1, "bert/pet_2")):
        pairs.step(step)
        assert open_now() == expected
    pairs.step(-5)
    assert open_now() == "bert/pet_1"
    pairs.step_folder(1)
    pairs.step_folder(-1)
    assert open_now() == "bert/pet_1"
    names.setText("_2")
    pairs.step(1)
    assert open_now() == "bert/pet_2"
    pairs.step_folder(-1)
    assert open_now() == "anna/pet_2"
    names.setText("nothing of the kind")
    pairs.step(1)
    pairs.step_folder(1)
    assert open_now() == "anna/pet_2"
    names.setText("")
    pairs.step_folder(5)
    with idle(qtbot, window):
        pairs.step(-1)
    assert open_now() == "bert/pet_2"


def test_keys_begin_at_an_end_of_the_list_where_no_pair_of_it_is_open(
    qtbot, window, folder, samples
):
    add(qtbot, window, folder)
    with idle(qtbot, window):
        window.controller.open_sample()
    assert window.pairs.current is None
    window.pairs.step_folder(1)
    assert window.pairs.current[0].parent.name == "anna"
    with idle(qtbot, window):
        window.controller.open_sample()
    with idle(qtbot, window):
        window.pairs.step_folder(-1)
    assert window.pairs.current[0].parent.name == "cara"
