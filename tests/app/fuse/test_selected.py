"""What is shown is what is selected: nothing in the window speaks of a pair that is not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.fuse.export import ExportPlan
from app.pairs.edits import key_of
from app.shell.main_window import MainWindow
from app.widgets.file_manager import file_of
from core.errors import FusionError
from core.io import read_image
from tests.app.acts import WAIT, fuse_and_hold, idle
from tests.app.conftest import gradient, write_png

OLD = ("pet_1", "mri_1")


def cut_short(folder: Path) -> tuple[Path, Path]:
    a = write_png(folder / "pet_2.png", gradient(64, 48))
    a.write_bytes(a.read_bytes()[:90])
    return a, write_png(folder / "mri_2.png", gradient(64, 48)[:, ::-1])


def other_size(folder: Path) -> tuple[Path, Path]:
    return (
        write_png(folder / "pet_2.png", gradient(64, 48)),
        write_png(folder / "mri_2.png", gradient(32, 24)),
    )


def vanished(folder: Path) -> tuple[Path, Path]:
    return write_png(folder / "pet_2.png", gradient(64, 48)), folder / "mri_2.png"


def foreign(folder: Path) -> tuple[Path, Path]:
    a = write_png(folder / "pet_2.png", gradient(64, 48))
    (folder / "mri_2.png").write_bytes(b"no picture at all")
    return a, folder / "mri_2.png"


def empty(folder: Path) -> tuple[Path, Path]:
    (folder / "pet_2.png").write_bytes(b"")
    return folder / "pet_2.png", write_png(folder / "mri_2.png", gradient(64, 48))


BAD: list[Callable[[Path], tuple[Path, Path]]] = [cut_short, other_size, vanished, foreign, empty]


def words(window: MainWindow) -> str:
    """All that the window says: labels, panes, tabs, title."""
    from PySide6.QtWidgets import QAbstractButton, QLabel, QTableWidget

    said = [window.windowTitle()]
    for kind in (QLabel, QAbstractButton):
        said += [one.text() for one in window.findChildren(kind) if one.isVisibleTo(window)]
    for table in window.findChildren(QTableWidget):
        for row in range(table.rowCount()):
            for column in range(table.columnCount()):
                item = table.item(row, column)
                said.append(item.text() if item is not None else "")
    for pane in window.view.panes.values():
        said += [pane.canvas.placeholder_text] if pane.canvas.scene is None else []
    return "\n".join(said)


def assert_nothing_is_shown(window: MainWindow, engine, *, names=("pet_2.png", "mri_2.png")):
    """No picture, no result, nothing to do with them, and the selected names in the panes."""
    QApplication.processEvents()
    session, view, actions = window.session, window.view, window.actions_
    assert session.outcome is None
    assert session.results == ()
    assert session.sources.pair is None
    for pane in view.panes.values():
        assert pane.canvas.scene is None, pane.name
    for name, expected in zip("ab", names, strict=True):
        assert view.panes[name].info.text() == expected
        assert expected in view.panes[name].canvas.placeholder_text
    for action in (actions.fuse, actions.save, actions.export, actions.copy):
        assert not action.isEnabled(), action.text()
    assert view.bar.first.count() == view.bar.second.count() == 0
    assert not view.panes["fused"].tag("stale")
    assert window.inspector.display_tab.histogram._histogram is None
    assert not window.inspector.display_tab.low.isEnabled()
    view.link.set_pointer(QPoint(3, 3))
    assert "A " not in window.status.readout.text()
    said = words(window)
    assert not [old for old in OLD if f"{old}.png" in said], said
    asked = len(engine.requests)
    QTest.keyClick(window, Qt.Key.Key_Return)
    window.controller.fuse()
    window.controller.save(Path("/nowhere/x.png"))
    window.controller.export(ExportPlan(("fused",), Path("/nowhere"), "x"))
    window.controller.copy_picture()
    window.files.ask_save()
    window.files.ask_export()
    QApplication.processEvents()
    assert len(engine.requests) == asked
    assert window.files.export_dialog is None
    assert window.files.dialog is None or not window.files.dialog.isVisible()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_of_two_files_of_one_name_the_one_that_fails_is_named(qtbot, opened, tmp_path, side, harm):
    both = [write_png(tmp_path / one / "scan.png", gradient(64, 48)) for one in ("a", "b")]
    whole, bad = both[1 - side], both[side]
    if harm == "cut":
        bad.write_bytes(bad.read_bytes()[:90])
    else:
        bad.unlink()
    opened.controller.open_pair(*both)
    qtbot.waitUntil(lambda: opened.session.problem is not None, timeout=WAIT)
    named = f"{'ab'[side]}{os.sep}scan.png"
    said = {
        path: opened.view.panes[name].canvas.placeholder_text
        for name, path in zip("ab", both, strict=True)
    }
    assert named in said[whole], "the reason is the other file"
    first, reason = said[bad].split("\n", 1)
    assert first == "scan.png"
    assert "scan.png" not in reason
    card = opened.view.card.title
    assert named in card.text()
    assert str(tmp_path) not in card.text()
    assert str(bad) in card.toolTip()


def test_the_file_to_be_shown_is_the_one_an_error_names(tmp_path):
    (tmp_path / "out").mkdir()
    known = tmp_path / "out" / "fused.png"
    known.write_bytes(b"x")
    elsewhere = tmp_path / "nowhere" / "fused.png"
    for what, found in (
        (str(known), known),
        (f"Cannot write {known}", known),
        ("fused.png", known),
        ("Cannot read fused.png", known),
        (f"Cannot write {elsewhere}", None),
        ("not-fused.png", None),
        ("other.png", None),
    ):
        assert file_of(FusionError(what, "no"), [known]) == found, what


@pytest.mark.parametrize(("kind", "end"), [("jpg", b"\xff\xd9"), ("png", b"")])
def test_what_can_be_decoded_of_a_damaged_file_is_shown_on_wish_only(
    qtbot, opened, engine, tmp_path, kind, end
):
    a, b = tmp_path / f"pet_2.{kind}", tmp_path / f"mri_2.{kind}"
    noise = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    for path, pixels in ((a, noise), (b, gradient(64, 48)[:, ::-1])):
        Pil.fromarray(np.asarray(pixels, np.uint8)).save(path, quality=95)
    content = a.read_bytes()
    a.write_bytes(content[: len(content) // 2] + end)
    opened.controller.open_pair(a, b)
    qtbot.waitUntil(lambda: opened.session.problem is not None, timeout=WAIT)
    assert_nothing_is_shown(opened, engine, names=(a.name, b.name))
    assert opened.view.card.action.text() == "Show what is there"
    with idle(qtbot, opened):
        opened.view.card.action.click()
    assert any("damaged" in note for note in opened.session.sources.pair.a.notes)
    assert "damaged" in words(opened)
    # Read again as it was read; opened anew, nobody has asked for that: it is refused, also
    # while the damaged reading and its result are still in memory.
    with idle(qtbot, opened):
        opened.controller.reload()
    assert opened.session.problem is None
    assert "damaged" in words(opened)
    assert opened.session.results
    with idle(qtbot, opened):
        opened.controller.open_pair(a, b)
    assert opened.session.problem is not None
    assert opened.session.sources.pair is None


@pytest.fixture(params=range(4), ids=["Display", "Info", "Features", "Metrics"])
def tab(request, opened) -> MainWindow:
    """The window with each tab on show."""
    opened.inspector.setCurrentIndex(request.param)
    opened.view.link.set_pointer(QPoint(5, 5))
    assert "A " in opened.status.readout.text()
    return opened


@pytest.mark.parametrize("make", BAD)
def test_a_pair_that_cannot_be_shown_takes_the_former_one_away(
    qtbot, opened, engine, tmp_path, make
):
    bad = make(tmp_path)
    with idle(qtbot, opened):
        opened.controller.open_pair(*bad)
    assert opened.view.card.isVisible()
    assert opened.view.board.isVisible()
    assert_nothing_is_shown(opened, engine)
    reason = opened.view.panes["a"].canvas.placeholder_text.split("\n")[1:]
    assert reason, "the pane says why"
    # The reason stays when the card goes.
    opened.controller.dismiss_problem()
    assert_nothing_is_shown(opened, engine)
    assert opened.view.panes["a"].canvas.placeholder_text.split("\n")[1:] == reason


def test_no_tab_speaks_of_the_former_pair(qtbot, tab, engine, tmp_path):
    with idle(qtbot, tab):
        tab.controller.open_pair(*foreign(tmp_path))
    assert_nothing_is_shown(tab, engine)


class Held:
    """Holds the thread that reads until it is let go."""

    def __init__(self, window: MainWindow) -> None:
        self.gate = threading.Event()
        window.controller._files.submit(lambda _progress: self.gate.wait(20))


def test_while_the_next_pair_is_read_nothing_of_the_former_is_there(qtbot, tab, engine, tmp_path):
    held = Held(tab)
    next_pair = (
        write_png(tmp_path / "pet_2.png", gradient(64, 48)),
        write_png(tmp_path / "mri_2.png", gradient(64, 48)[:, ::-1]),
    )
    tab.controller.open_pair(*next_pair)
    assert_nothing_is_shown(tab, engine)
    assert tab.view.panes["a"].canvas.is_skeleton
    with idle(qtbot, tab):
        held.gate.set()
    assert tab.session.sources.a.image.name == "pet_2.png"
    assert tab.session.outcome.pair is tab.session.sources.pair


def test_a_result_that_comes_late_is_not_shown_for_another_pair(qtbot, opened, engine, tmp_path):
    engine.stubborn = True
    fuse_and_hold(qtbot, opened, engine)
    with idle(qtbot, opened):
        opened.controller.open_pair(*foreign(tmp_path))
    engine.gate.set()
    qtbot.wait(50)
    assert_nothing_is_shown(opened, engine)


def test_switching_there_and_back_fast_ends_at_the_last_one_chosen(
    qtbot, opened, engine, files, tmp_path
):
    second = other_size(tmp_path)[0], write_png(tmp_path / "mri_2.png", gradient(64, 48))
    first = opened.session.outcome
    held = Held(opened)
    opened.controller.open_pair(*second)
    opened.controller.open_pair(*files)
    assert opened.session.outcome is None
    with idle(qtbot, opened):
        held.gate.set()
    assert opened.session.sources.a.image.name == "pet_1.png"
    assert opened.session.outcome.result is first.result
    assert opened.session.sources.requested == (None, None)


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_bad_file_on_one_side_leaves_that_side_empty_and_nothing_to_fuse(
    qtbot, opened, engine, tmp_path, side
):
    bad = tmp_path / "new.png"
    bad.write_bytes(b"")
    stays = "b" if side == "a" else "a"
    image = opened.view.panes[stays].canvas.image
    with idle(qtbot, opened):
        opened.controller.replace_side(side, bad)
    assert opened.session.outcome is None
    assert opened.session.sources.pair is None
    assert opened.view.panes[side].canvas.scene is None
    assert opened.view.panes[side].canvas.placeholder_text.startswith("new.png\n")
    assert opened.view.panes[stays].canvas.image is image
    assert not opened.actions_.fuse.isEnabled()
    asked = len(engine.requests)
    opened.controller.fuse()
    assert len(engine.requests) == asked
    # A good file in its place and all is well.
    good = write_png(tmp_path / "good.png", gradient(64, 48))
    with idle(qtbot, opened):
        opened.controller.replace_side(side, good)
    assert opened.session.outcome.pair is opened.session.sources.pair


def test_a_source_that_was_damaged_or_deleted_is_not_shown_once_it_is_read_again(
    qtbot, opened, files
):
    files[0].write_bytes(b"")
    with idle(qtbot, opened):
        opened.controller.reload()
    assert opened.session.outcome is None
    assert opened.view.panes["a"].canvas.scene is None
    files[0].unlink()
    with idle(qtbot, opened):
        opened.controller.reload()
    assert opened.session.sources.paths == files
    assert "pet_1.png" in opened.view.card.title.text()


def test_swapping_while_a_pair_is_read_changes_nothing(qtbot, opened, tmp_path):
    held = Held(opened)
    a = write_png(tmp_path / "pet_2.png", gradient(64, 48))
    b = write_png(tmp_path / "mri_2.png", gradient(64, 48))
    opened.controller.open_pair(a, b)
    opened.controller.swap()
    with idle(qtbot, opened):
        held.gate.set()
    assert opened.session.sources.paths == (a, b)
    assert opened.session.sources.a.image.origin == a


def test_swapping_a_pair_that_cannot_be_shown_swaps_what_is_selected(qtbot, opened, tmp_path):
    a, b = other_size(tmp_path)
    with idle(qtbot, opened):
        opened.controller.open_pair(a, b)
    opened.controller.swap()
    assert opened.session.sources.paths == (b, a)
    with idle(qtbot, opened):
        opened.controller.resample_pending()
    assert opened.session.sources.a.image.size == (32, 24)
    assert opened.session.sources.paths == (b, a)


def test_one_side_replaced_stays_with_the_pair_selected_last(qtbot, opened, tmp_path):
    (tmp_path / "refused").mkdir()
    with idle(qtbot, opened):
        opened.controller.open_pair(*other_size(tmp_path / "refused"))
    _a, b = second = foreign(tmp_path)
    with idle(qtbot, opened):
        opened.controller.open_pair(*second)
    good = write_png(tmp_path / "pet_3.png", gradient(64, 48))
    with idle(qtbot, opened):
        opened.controller.replace_side("a", good)
    assert opened.session.sources.paths == (good, b)


def test_reading_that_was_cancelled_shows_nothing_and_can_be_repeated(
    qtbot, opened, engine, tmp_path
):
    held = Held(opened)
    a = write_png(tmp_path / "pet_2.png", gradient(64, 48))
    b = write_png(tmp_path / "mri_2.png", gradient(64, 48))
    opened.controller.open_pair(a, b)
    with idle(qtbot, opened):
        opened.controller.cancel()
    held.gate.set()
    assert_nothing_is_shown(opened, engine)
    assert opened.session.problem is None
    with idle(qtbot, opened):
        opened.view.notice.buttons["reload"].click()
    assert opened.session.outcome.pair is opened.session.sources.pair
    assert opened.session.sources.paths == (a, b)
    assert not opened.view.notice.buttons


def test_a_sample_that_is_missing_takes_the_former_sample_away(qtbot, window, samples, engine):
    with idle(qtbot, window):
        window.controller.open_sample()
    (samples / "mef_a.png").unlink()
    window.controller.set_task("mef")
    assert window.session.outcome is None
    assert window.session.sources.is_empty
    assert window.view.card.isVisible()


def test_closing_while_a_pair_is_read_leaves_nothing(qtbot, opened, engine, tmp_path):
    held = Held(opened)
    opened.controller.open_pair(*foreign(tmp_path))
    with idle(qtbot, opened):
        opened.controller.close_pictures()
    held.gate.set()
    qtbot.wait(50)
    assert opened.session.is_empty
    assert opened.view.welcome.isVisible()
    assert opened.session.problem is None
    assert opened.status.stage.text() == ""


# --- the list of pairs -------------------------------------------------------------------------


@pytest.fixture
def listed(qtbot, window, tmp_path) -> MainWindow:
    """A list of three pairs: good, damaged, good."""
    folder = tmp_path / "study"
    for name in ("1", "2", "3"):
        write_png(folder / f"pet_{name}.png", gradient(64, 48))
        write_png(folder / f"mri_{name}.png", gradient(64, 48)[:, ::-1])
    (folder / "mri_2.png").write_bytes(b"damaged")
    with idle(qtbot, window):
        window.pairs.add([folder])
    assert window.session.outcome is not None
    return window


def test_the_list_and_the_panes_agree_at_every_step(qtbot, listed, engine):
    model, tree = listed.pairs_dock.model, listed.pairs_dock.list.tree
    seen = []
    for step in (1, 1, -1, -1):
        with idle(qtbot, listed):
            listed.pairs.step(step)
        assert listed.pairs.current == listed.session.sources.paths
        assert model.key_at(tree.currentIndex()) == listed.pairs.current
        shown = listed.session.outcome
        seen.append(shown is not None)
        if shown is not None:
            assert shown.pair.a.origin == listed.pairs.current[0]
        else:
            assert_nothing_is_shown(listed, engine)
    assert seen == [False, True, False, True]


def test_a_pair_taken_off_the_list_is_closed_and_a_turned_one_is_opened_turned(qtbot, listed):
    plan = listed.pairs.plan
    first = listed.pairs.current
    with idle(qtbot, listed):
        listed.pairs.set_plan(plan.swap([0]))
    assert listed.pairs.current == (first[1], first[0])
    assert listed.session.sources.a.image.origin == first[1]
    listed.pairs.set_plan(listed.pairs.plan.exclude([0]))
    qtbot.waitUntil(lambda: listed.session.is_empty, timeout=WAIT)
    assert listed.pairs.current is None
    assert listed.session.outcome is None


def test_a_filter_that_hides_the_current_pair_changes_nothing_on_show(qtbot, listed):
    sources, current = listed.session.sources, listed.pairs.current
    listed.pairs_dock.list.filter.setText("pet_3")
    qtbot.waitUntil(lambda: listed.pairs_dock.model.is_complete, timeout=WAIT)
    assert listed.session.sources is sources
    assert listed.pairs.current == current
    tree = listed.pairs_dock.list.tree
    assert listed.pairs_dock.model.key_at(tree.currentIndex()) is None
    listed.pairs_dock.list.filter.setText("")
    qtbot.waitUntil(lambda: listed.pairs_dock.model.is_complete, timeout=WAIT)
    assert listed.pairs_dock.model.key_at(tree.currentIndex()) == current


def test_a_damaged_pair_is_marked_and_no_other(qtbot, listed):
    with idle(qtbot, listed):
        listed.pairs.step(1)
    badges = [listed.pairs.state(key_of(match)).badge for match in listed.pairs.matches]
    assert badges == ["fused", "failed", "ready"]


def test_scores_and_small_pictures_of_the_former_pair_do_not_come_later(qtbot, listed):
    thumbs = []
    listed.work.thumbs_ready.connect(thumbs.append)
    gate = threading.Event()
    listed.work._drawing.submit(lambda _progress: gate.wait(20))
    listed.work.draw_channels("a", 32)
    with idle(qtbot, listed):
        listed.pairs.step(1)
    gate.set()
    qtbot.wait(50)
    assert thumbs == []


# --- files out ---------------------------------------------------------------------------------


def test_an_export_writes_what_was_shown_when_it_was_asked_for(qtbot, opened, tmp_path):
    opened.files.ask_export()
    dialog = opened.files.export_dialog
    dialog.folder.setText(str(tmp_path))
    assert dialog.name.text() == "pet_1_mri_1_fused_mif-compact"
    shown = opened.session.outcome.result.fused
    a = write_png(tmp_path / "pet_2.png", gradient(64, 48)[::-1] // 2)
    b = write_png(tmp_path / "mri_2.png", gradient(64, 48)[:, ::-1] // 2)
    with idle(qtbot, opened):
        opened.controller.open_pair(a, b)
    with qtbot.waitSignal(opened.controller.exported, timeout=WAIT) as done:
        dialog.go.click()
    (path,) = done.args[0]
    written = read_image(path).normalised()[:48, :64]
    np.testing.assert_allclose(written, shown, atol=0.5 / 255 + 1e-6)


def test_a_failed_save_of_a_former_result_does_not_offer_to_save_this_one(qtbot, opened, tmp_path):
    before = opened.session.outcome
    a = write_png(tmp_path / "pet_2.png", gradient(64, 48))
    b = write_png(tmp_path / "mri_2.png", gradient(64, 48))
    with idle(qtbot, opened):
        opened.controller.open_pair(a, b)
    for outcome, offered in ((before, ""), (None, "save")):
        with qtbot.waitSignal(opened.session.problem_changed, timeout=WAIT):
            opened.controller.save(tmp_path / "none" / "x.png", outcome)
        qtbot.waitUntil(lambda: opened.session.problem is not None, timeout=WAIT)
        assert opened.session.problem.remedy == offered
        opened.controller.dismiss_problem()


def test_two_saves_in_a_row_are_both_written(qtbot, opened, tmp_path):
    held = Held(opened)
    written = []
    opened.controller.saved.connect(written.append)
    for name in ("one.png", "two.png"):
        opened.controller.save(tmp_path / name)
    held.gate.set()
    qtbot.waitUntil(lambda: len(written) == 2, timeout=WAIT)
    assert [path.name for path in written] == ["one.png", "two.png"]
