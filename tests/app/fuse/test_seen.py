"""What is seen is what is fused: windows, the task that names speak of, results of a batch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.fuse.info import rows_of
from app.fuse.results import with_windows
from app.fuse.stored_results import StoredResult, read_stored
from app.pairs.edits import key_of
from app.shell.main_window import MainWindow
from core.fusion.instrumentation import provenance
from core.io import read_image
from core.progress import NullProgress
from core.types import Image, SourcePair
from tests.app.acts import idle
from tests.app.conftest import gradient, write_png
from tests.app.shell.test_window import drop


@pytest.fixture
def listed(qtbot, window, tmp_path) -> MainWindow:
    """A list of two pairs, the first one open."""
    for name in ("1", "2"):
        write_png(tmp_path / "study" / f"pet_{name}.png", gradient(64, 48))
        write_png(tmp_path / "study" / f"mri_{name}.png", gradient(64, 48)[:, ::-1])
    with idle(qtbot, window):
        window.pairs.add([tmp_path / "study"])
    return window


# --- what is seen is what is fused -------------------------------------------------------------


def test_a_window_that_is_changed_makes_the_result_stale_and_is_fused_with(
    qtbot, opened, engine, files
):
    session, view = opened.session, opened.view
    pair = session.sources.pair
    view.set_window("a", (50, 150))
    assert session.is_stale
    assert view.panes["fused"].tag("stale") == "Stale"
    assert all(session.is_outdated(result) for result in session.results)
    with idle(qtbot, opened):
        QTest.keyClick(opened, Qt.Key.Key_Return)
    asked = engine.requests[-1].pair
    assert (asked.a.window, asked.b.window) == ((50, 150), (0, 255))
    assert not session.is_stale
    assert session.sources.pair is pair
    assert session.outcome.pair is pair
    # A value of 100 is a half of the window; B there is what its file says.
    fused = session.outcome.result.fused
    expected = np.clip((read_image(files[0]).data - 50) / 100, 0, 1)
    expected = (expected + read_image(files[1]).data / 255) / 2 + 0.05
    np.testing.assert_allclose(fused, np.clip(expected, 0, 1), atol=1e-5)
    told = provenance(engine.requests[-1], "any")
    assert told["window_a"] == "50 150"
    assert "window_b" not in told
    assert view.panes["recon_a"].canvas.scene.first.window == pytest.approx((0, 1))


@pytest.mark.parametrize(
    "change",
    ["drag", "preset", "low", "level", "histogram"],
)
def test_every_way_to_set_a_window_counts(opened, change):
    tab = opened.inspector.display_tab
    tab.choose("a")
    canvas = opened.view.panes["a"].canvas
    if change == "drag":
        middle = canvas.rect().center()
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
        QTest.mouseMove(canvas, middle + QPoint(20, 10))
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(20, 10))
    elif change == "preset":
        canvas.setFocus()
        QTest.keyClick(opened, Qt.Key.Key_4)
    elif change == "low":
        tab.low.setValue(20)
    elif change == "level":
        tab.level.setValue(90)
    else:
        QTest.keyClick(tab.histogram, Qt.Key.Key_Up)
        QTest.keyClick(tab.histogram, Qt.Key.Key_Right)
    assert opened.session.is_stale
    tab._choices[2].click()
    assert opened.session.display.a.window is None
    assert not opened.session.is_stale


def test_undoing_a_window_makes_the_result_fresh_again_and_palettes_do_not_count(opened):
    opened.view.set_window("b", (10, 60))
    assert opened.session.is_stale
    opened.actions_.undo.trigger()
    assert not opened.session.is_stale
    opened.actions_.redo.trigger()
    assert opened.session.is_stale
    opened.actions_.undo.trigger()
    opened.session.set_display(opened.session.display.with_pane("a", palette="hot_iron"))
    opened.view.set_window("fused", (0.1, 0.5))
    assert not opened.session.is_stale


def test_a_pair_seen_before_comes_back_in_the_windows_it_was_seen_in(qtbot, listed, engine):
    listed.view.set_window("a", (40, 90))
    with idle(qtbot, listed):
        listed.controller.fuse()
    first = listed.session.outcome
    with idle(qtbot, listed):
        listed.pairs.open(key_of(listed.pairs.matches[1]))
    # A window stays for pictures of one kind: it is seen, and so it is fused with.
    assert engine.requests[-1].pair.a.window == (40, 90)
    listed.view.set_window("a", None)
    with idle(qtbot, listed):
        listed.pairs.open(key_of(listed.pairs.matches[0]))
    assert listed.session.display.a.window == (40, 90)
    assert listed.session.outcome.result is first.result
    assert not listed.session.is_stale


def test_metrics_and_psnr_compare_with_the_sources_as_they_were_seen(opened):
    pair = opened.session.sources.pair
    seen = with_windows(pair, ((0, 100), None))
    assert seen.a.window == (0, 100)
    assert seen.b is pair.b
    assert with_windows(pair, (None, None)) is pair
    assert with_windows(pair, ((0, 255), (0, 255))) is pair


def test_the_difference_counts_a_source_as_it_is_seen(qtbot, opened):
    opened.view.set_window("a", (0, 100))
    opened.actions_.difference.trigger()
    scene = opened.view.panes["fused"].canvas.scene
    assert scene.first.unit_range == (0, 100)
    assert scene.second.unit_range == (0, 1)


def test_a_sixteen_bit_source_is_fused_in_the_window_of_its_pane(qtbot, window, engine, tmp_path):
    counts = (gradient(64, 48).astype(np.uint16) * 8) + 29_000
    a = write_png(tmp_path / "thermal_ir.png", counts)
    b = write_png(tmp_path / "thermal_vis.png", gradient(64, 48)[:, ::-1])
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    window.view.set_window("a", (29_000, 31_000))
    with idle(qtbot, window):
        window.controller.fuse()
    assert engine.requests[-1].pair.a.window == (29_000, 31_000)
    shown = window.view.panes["a"].canvas.scene.first.window
    assert shown == engine.requests[-1].pair.a.window


# --- the task ----------------------------------------------------------------------------------


@pytest.fixture
def road(tmp_path) -> tuple[Path, Path]:
    """An infrared and a visible picture, by their names."""
    return (
        write_png(tmp_path / "001_ir.png", gradient(64, 48)),
        write_png(tmp_path / "001_vis.png", gradient(64, 48)[:, ::-1]),
    )


def test_a_task_nobody_chose_gives_way_to_the_one_the_names_speak_of(qtbot, window, engine, road):
    with idle(qtbot, window):
        drop(window, road[1], road[0])
    assert window.session.task.name == "ivif"
    assert {request.task for request in engine.requests} == {"ivif"}
    assert window.session.sources.paths == road
    assert "Infrared / visible" in window.view.notice.text.text()
    assert not window.session.is_stale


@pytest.mark.parametrize("answer", ["switch_task", "keep_task", "enter"])
def test_a_task_that_was_chosen_is_asked_about_before_anything_is_fused(
    qtbot, window, engine, road, answer
):
    window.controller.set_task("mif")
    with idle(qtbot, window):
        window.controller.open_pair(*road)
    assert engine.requests == []
    assert window.session.outcome is None
    assert window.session.sources.pair is not None
    notice = window.view.notice
    assert notice.isVisible()
    assert "“Infrared” and “Visible”" in notice.text.text()
    assert notice.buttons["switch_task"].text() == "Switch to Infrared / visible"
    with idle(qtbot, window):
        if answer == "enter":
            QTest.keyClick(window, Qt.Key.Key_Return)
        else:
            notice.buttons[answer].click()
    expected = "ivif" if answer == "switch_task" else "mif"
    assert window.session.outcome.result.task == expected
    assert {request.task for request in engine.requests} == {expected}
    assert not window.view.notice.buttons


def test_choosing_another_task_takes_the_question_away(qtbot, window, engine, road):
    window.controller.set_task("mif")
    with idle(qtbot, window):
        window.controller.open_pair(*road)
    window.controller.set_task("mef")
    assert not window.view.notice.buttons
    assert engine.requests == []


def test_pairs_of_another_task_are_to_be_checked_in_the_list(qtbot, window, engine, tmp_path):
    folder = tmp_path / "mixed"
    for name in ("9_pet", "9_mri", "1_ir", "1_vis"):
        write_png(folder / f"{name}.png", gradient(64, 48))
    window.controller.set_task("mif")
    with idle(qtbot, window):
        window.pairs.add([folder])
    badges = {m.name: window.pairs.state(key_of(m)).badge for m in window.pairs.matches}
    assert sorted(badges.values()) == ["check", "ready"] or "fused" in badges.values()
    road = next(m for m in window.pairs.matches if "ir" in m.a.name)
    state = window.pairs.state(key_of(road))
    assert state.badge == "check"
    assert "Infrared" in state.why
    changed = []
    window.pairs.state_changed.connect(changed.append)
    window.controller.set_task("ivif")
    assert key_of(road) in changed
    assert window.pairs.state(key_of(road)).badge == "ready"


def test_a_folder_of_another_task_is_paired_and_fused_by_that_task(qtbot, window, engine, tmp_path):
    folder = tmp_path / "road"
    for number in (1, 2):
        write_png(folder / f"{number}_vis.png", gradient(64, 48))
        write_png(folder / f"{number}_ir.png", gradient(64, 48))
    with idle(qtbot, window):
        window.pairs.add([folder])
    assert window.session.task.name == "ivif"
    assert window.session.sources.a.image.name == "1_ir.png"
    assert {request.task for request in engine.requests} == {"ivif"}


# --- paths -------------------------------------------------------------------------------------


def test_relative_paths_become_whole_ones(qtbot, window, files, monkeypatch):
    monkeypatch.chdir(files[0].parent)
    with idle(qtbot, window):
        window.controller.open_pair(Path(files[0].name), Path(os.curdir) / files[1].name)
    assert window.session.sources.paths == files
    (recent, *_) = window.services.recent.all()
    assert (recent.a, recent.b) == files
    snapshot = window.services.snapshot()
    assert (snapshot.a, snapshot.b) == files


# --- results of a batch ------------------------------------------------------------------------


def test_a_fused_pair_is_opened_with_the_picture_that_was_written(qtbot, window, engine, files):
    result = write_png(files[0].parent / "fused.png", gradient(64, 48) // 2)
    with idle(qtbot, window):
        window.controller.open_fused_pair(*files, result, "mif", "mif-compact")
    assert engine.requests == []
    shown = window.session.outcome
    np.testing.assert_allclose(
        shown.result.fused, (gradient(64, 48) // 2 / 255)[..., None], atol=1e-6
    )
    assert shown.method_title == "Compact model"
    assert shown.is_model
    assert not window.session.is_stale
    # Nobody knows on what it was made, and how long it took: nothing is made up.
    assert window.status.stage.text() == "Read from its file: Compact model"
    assert window.view.panes["fused"].info.text() == "Compact model · read from its file"
    for pane, what in (("recon_a", "reconstructions"), ("features", "features")):
        said = window.view.panes[pane].canvas.placeholder_text
        assert said == f"A result read from its file has no {what}: fuse it anew."
    window.files.ask_export()
    tip = window.files.export_dialog.items["features_a"].toolTip()
    assert tip == "A result read from its file has none of these: fuse it anew."
    window.files.export_dialog.reject()
    lines = dict(dict(rows_of(window.session))["Result"])
    assert lines["Device"] == "read from its file"
    assert "Duration" not in lines
    with idle(qtbot, window):
        window.controller.fuse()
    assert window.status.stage.text().startswith("Done in ")
    assert "Duration" in dict(dict(rows_of(window.session))["Result"])
    assert len(window.session.results) == 1
    assert len(engine.requests) == 1


def test_a_stored_result_is_called_as_people_call_its_method(german, files):
    result = write_png(files[0].parent / "fused.png", gradient(64, 48))
    pair = SourcePair(*(read_image(path) for path in files))
    stored = StoredResult(result, "ivif", "ivif-compact")
    for title, said in (
        ("Infrared with visible light (compact)", "Infrarot mit sichtbarem Licht (kompakt)"),
        ("Ward 7", "Ward 7"),
        ("", "ivif-compact"),
    ):
        assert read_stored(stored, pair, title, 1, NullProgress()).method_title == said


def test_a_picture_of_another_size_is_not_taken_for_a_result(qtbot, window, engine, files):
    result = write_png(files[0].parent / "fused.png", gradient(32, 24))
    with idle(qtbot, window):
        window.controller.open_fused_pair(*files, result, "mif", "mif-compact")
    assert window.session.outcome is None
    assert "32×24" in window.view.card.text.text()
    assert window.session.sources.pair is not None


def test_windows_of_a_stored_result_are_those_it_was_fused_in(qtbot, window, files):
    result = write_png(files[0].parent / "fused.png", gradient(64, 48))
    with idle(qtbot, window):
        window.controller.open_fused_pair(
            *files, result, "mif", "average", windows=((10, 90), None)
        )
    assert window.session.windows == ((10, 90), (0, 255))
    assert not window.session.is_stale
    assert isinstance(window.session.outcome.windowed_pair.a, Image)
    assert window.session.outcome.windowed_pair.a.window == (10, 90)


def test_a_pair_fused_before_comes_back_with_its_task(qtbot, window, engine, files, tmp_path):
    roads = (
        write_png(tmp_path / "road_ir.png", gradient(64, 48)),
        write_png(tmp_path / "road_vis.png", gradient(64, 48)[:, ::-1]),
    )
    for pair, task in ((files, "mif"), (roads, "ivif"), (files, "mif")):
        with idle(qtbot, window):
            window.controller.open_pair(*pair)
        assert window.session.task.name == task
        assert not window.session.is_stale
        assert window.session.outcome.result.task == task
    asked = [request.task for request in engine.requests]
    assert asked == ["mif", "ivif"], "nothing is fused twice"
