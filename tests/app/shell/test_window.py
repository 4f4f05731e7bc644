"""What a person does with the window, and what the window shows then."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.fuse.file_dialogs import suggested_name
from app.fuse.state import Activity
from app.shell.main_window import MainWindow
from app.workers import running_threads
from core.baselines import BASELINES
from core.errors import InputError
from core.fusion.classical_engine import fuse_classically
from core.tasks import TASKS
from core.types import FusionRequest
from tests.app.acts import WAIT, fuse_and_hold, idle
from tests.app.conftest import gradient, write_png
from tests.app.standin import CHANNELS
from tests.app.viewer.test_canvas import Paints


def drop(widget: QWidget, *paths: Path) -> None:
    """Drop files on a widget, as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    button, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    entered = QDragEnterEvent(QPoint(5, 5), copy, data, button, no_key)
    QApplication.sendEvent(widget, entered)
    assert entered.isAccepted()
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), copy, data, button, no_key))


def level(window: MainWindow, pane: str) -> float:
    """Mean red of what a pane's canvas holds."""
    return float(window.view.panes[pane].canvas.image.levels[0][3, :, 0].mean())


# --- first launch ------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_every_sample_opens_first_classical_then_by_the_model(qtbot, window, engine, task):
    window.controller.set_task(task)
    engine.gate.clear()
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_sample()
    view = window.view
    assert view.panes["fused"].tag("preview") == "Classical preview"
    assert BASELINES[TASKS[task].default_baseline].title in view.panes["fused"].info.text()
    assert view.panes["fused"].canvas.badge == "Research use only"
    assert view.panes["recon_a"].canvas.image is None
    assert not view.panes["fused"].canvas.is_dimmed
    assert view.coach.isVisible()
    with idle(qtbot, window):
        engine.gate.set()
    assert view.panes["fused"].tag("preview") == ""
    assert view.panes["fused"].info.text().startswith("Compact model · CPU · ")
    assert view.panes["fused"].canvas.badge == "Research use only – AI-generated image"
    assert all(pane.canvas.image is not None for pane in view.panes.values())
    assert view.panes["a"].title.text() == TASKS[task].label_a
    assert view.panes["b"].title.text() == TASKS[task].label_b


@pytest.fixture
def slow_to_start(qtbot, engine, samples) -> Iterator[tuple[MainWindow, threading.Event]]:
    """The window while its engine is still being made, and what lets that end."""
    made = threading.Event()

    def make():
        made.wait(WAIT / 1000)
        return engine

    window = MainWindow(make, samples, "mif")
    qtbot.addWidget(window, before_close_func=lambda _window: made.set())
    window.show()
    window.controller.start()
    yield window, made
    made.set()


def test_the_classical_preview_does_not_wait_for_the_engine(qtbot, slow_to_start, engine):
    window, made = slow_to_start
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_sample()
    session, fused = window.session, window.view.panes["fused"]
    assert session.engine is None
    assert engine.requests == []
    assert fused.tag("preview") == "Classical preview"
    assert fused.canvas.badge == "Research use only"
    assert session.outcome.result.method == TASKS["mif"].default_baseline
    # What is shown is that method's answer, computed here by itself.
    request = FusionRequest(session.sources.pair, "mif", TASKS["mif"].default_baseline)
    np.testing.assert_array_equal(session.outcome.result.fused, fuse_classically(request).fused)
    assert session.running.fusing
    assert window.status.cancel.isVisible()
    with idle(qtbot, window):
        made.set()
    assert session.outcome.is_model
    assert fused.tag("preview") == ""
    assert [r.is_model for r in session.results] == [False, True]


def test_cancelling_while_the_engine_is_made_keeps_the_preview(qtbot, slow_to_start):
    window, made = slow_to_start
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_sample()
    with idle(qtbot, window):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not made.is_set()
    assert window.session.running is None
    assert window.view.panes["fused"].tag("preview") == "Classical preview"
    assert window.session.problem is None


def test_a_classical_method_that_was_chosen_has_no_preview(qtbot, slow_to_start):
    window, made = slow_to_start
    seen = []
    window.session.outcome_changed.connect(lambda: seen.append(window.session.outcome))
    window.session.set_method("average")
    with idle(qtbot, window):
        window.controller.open_sample()
        made.set()
    assert [(o.result.method, o.is_preview) for o in seen] == [("average", False)]


@pytest.fixture
def held_preview(monkeypatch) -> Iterator[threading.Event]:
    """Every preview waits for this."""
    go = threading.Event()

    def late(request, progress):
        go.wait(WAIT / 1000)
        return fuse_classically(request, progress)

    monkeypatch.setattr("core.fusion.classical_engine.fuse_classically", late)
    yield go
    go.set()


def test_a_preview_that_comes_after_the_model_shows_nothing_new(qtbot, window, files, held_preview):
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_pair(*files)
    shown = window.session.outcome
    assert shown.is_model
    qtbot.waitUntil(lambda: window.session.running is None, timeout=WAIT)
    with idle(qtbot, window):
        held_preview.set()
    assert window.session.outcome is shown
    assert [r.is_model for r in window.session.results] == [False, True]
    assert not any(r.is_preview for r in window.session.results)


def test_a_preview_that_was_overtaken_is_dropped(qtbot, window, files, held_preview):
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_pair(*files)
    with idle(qtbot, window):
        window.controller.fuse()
        held_preview.set()
    assert [r.is_model for r in window.session.results] == [True]


def test_the_next_pair_does_not_wait_for_a_preview(qtbot, window, files, samples, held_preview):
    with qtbot.waitSignal(window.session.outcome_changed, timeout=WAIT):
        window.controller.open_pair(*files)
    with qtbot.waitSignal(window.session.sources_changed, timeout=WAIT):
        window.controller.open_sample()
    assert not held_preview.is_set()
    assert window.session.sources.sample
    with idle(qtbot, window):
        held_preview.set()


@pytest.mark.parametrize("error", [MemoryError(), cv2.error("Insufficient memory")])
def test_a_preview_without_memory_is_no_loss(qtbot, window, files, monkeypatch, error):
    def fail(*_):
        raise error

    name = TASKS["mif"].default_baseline
    monkeypatch.setitem(BASELINES, name, replace(BASELINES[name], method=fail))
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    assert window.session.outcome.is_model
    assert window.session.problem is None
    assert len(window.session.results) == 1


def test_choosing_another_task_changes_the_sample(qtbot, window):
    with idle(qtbot, window):
        window.controller.open_sample()
    with idle(qtbot, window):
        window.top_bar.tasks.setCurrentIndex(2)
        window.top_bar.tasks.activated.emit(2)
    assert window.session.sources.a.image.name == "mef_a.png"
    assert window.session.outcome.result.task == "mef"
    assert not window.session.is_stale


def test_missing_samples_are_said_and_files_still_open(qtbot, window, files, samples):
    (samples / "mif_a.png").unlink()
    window.controller.open_sample()
    assert window.view.card.isVisible()
    assert "no sample" in window.view.card.title.text()
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    assert not window.view.card.isVisible()
    assert window.session.outcome is not None


def test_device_and_methods_are_shown(window):
    assert window.top_bar.chip.text() == "CPU"
    assert window.top_bar.chip.toolTip() == "CPU: there is no other device here"
    names = [window.top_bar.methods.itemText(i) for i in range(window.top_bar.methods.count())]
    assert names == ["Compact model", "", "Average", "Laplacian", "Mertens", "Guided"]


def test_without_any_pack_a_classical_method_is_used_and_said(qtbot, window, engine, files):
    engine.with_packs = False
    with qtbot.waitSignal(window.session.engine_changed, timeout=WAIT):
        window.controller.start()
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    assert not window.session.outcome.is_model
    assert window.session.outcome.result.method == TASKS["mif"].default_baseline
    assert not window.session.is_stale
    assert "No model for this task is installed" in window.view.notice.text.text()
    assert window.view.panes["fused"].canvas.badge == "Research use only"


# --- files in ----------------------------------------------------------------------------------


def test_two_dropped_files_are_ordered_by_their_names_and_fused(qtbot, window, files):
    a, b = files
    with idle(qtbot, window):
        drop(window, b, a)
    assert window.session.sources.a.image.origin == a
    assert window.session.sources.b.image.origin == b
    assert not window.session.sources.sample
    assert not window.view.coach.isVisible()
    assert window.session.outcome.is_model


def test_one_file_on_a_pane_replaces_that_source(qtbot, opened, tmp_path, files):
    other = write_png(tmp_path / "mri_2.png", gradient(64, 48)[:, ::-1])
    with idle(qtbot, opened):
        drop(opened.view.panes["b"], other)
    assert opened.session.sources.a.image.origin == files[0]
    assert opened.session.sources.b.image.origin == other


def test_one_file_after_another_from_empty(qtbot, window, files):
    with idle(qtbot, window):
        drop(window, files[0])
    assert window.session.sources.pair is None
    assert window.view.panes["b"].canvas.image is None
    assert not window.actions_.fuse.isEnabled()
    with idle(qtbot, window):
        drop(window, files[1])
    assert window.session.outcome is not None


def test_a_single_file_does_not_mix_with_the_sample(qtbot, window, files):
    with idle(qtbot, window):
        window.controller.open_sample()
    with idle(qtbot, window):
        drop(window.view.panes["b"], files[1])
    assert window.session.sources.a is None
    assert window.session.problem is None


def test_corrupt_file_is_named_and_the_old_pair_goes(qtbot, opened, tmp_path):
    broken = tmp_path / "broken_pet.png"
    broken.write_bytes(opened.session.sources.a.image.origin.read_bytes()[:45])
    with idle(qtbot, opened):
        drop(opened.view.panes["a"], broken)
    card = opened.view.card
    assert card.isVisible()
    assert "broken_pet.png" in card.title.text()
    assert card.action.text() == "Open other files"
    assert opened.session.sources.a is None
    assert opened.session.sources.b is not None
    assert opened.session.outcome is None
    assert not opened.session.is_stale


@pytest.mark.parametrize("content", [b"", b"not a picture at all"])
def test_empty_and_foreign_files_give_a_card(qtbot, opened, tmp_path, content):
    bad = tmp_path / "mri_bad.png"
    bad.write_bytes(content)
    with idle(qtbot, opened):
        opened.controller.replace_side("b", bad)
    assert "mri_bad.png" in opened.view.card.title.text()


def test_different_sizes_offer_to_resample_and_do_it(qtbot, opened, tmp_path):
    small = write_png(tmp_path / "mri_small.png", gradient(32, 24))
    with idle(qtbot, opened):
        drop(opened.view.panes["b"], small)
    card = opened.view.card
    assert "64×48" in card.text.text()
    assert "32×24" in card.text.text()
    assert opened.session.sources.pair is None
    assert opened.session.outcome is None
    assert card.action.text() == "Resample B onto A"
    with idle(qtbot, opened):
        qtbot.mouseClick(card.action, Qt.MouseButton.LeftButton)
    assert not card.isVisible()
    assert opened.session.sources.b.image.size == (64, 48)
    assert opened.session.outcome.pair is opened.session.sources.pair
    assert "32×24" in opened.view.notice.text.text()


def test_after_a_mismatch_the_other_side_may_be_brought_instead(qtbot, opened, tmp_path):
    small = [write_png(tmp_path / f"{n}_small.png", gradient(32, 24)) for n in ("pet", "mri")]
    with idle(qtbot, opened):
        drop(opened.view.panes["a"], small[0])
    assert opened.view.card.action.text() == "Resample B onto A"
    with idle(qtbot, opened):
        drop(opened.view.panes["b"], small[1])
    assert opened.session.problem is None
    assert opened.session.sources.pair.a.size == (32, 24)


def test_open_dialog_takes_two_files_or_one_after_another(qtbot, window, files, tmp_path):
    window.actions_.open.trigger()
    dialog = window.files.dialog
    assert TASKS["mif"].label_a in dialog.windowTitle()
    with idle(qtbot, window):
        dialog.filesSelected.emit([str(files[0])])
        assert window.files.dialog is not dialog
        window.files.dialog.filesSelected.emit([str(files[1])])
    assert window.session.sources.pair is not None


def test_swap_exchanges_sides_and_shows_nothing_of_the_result_until_swapped_back(qtbot, opened):
    session, panes = opened.session, opened.view.panes
    qtbot.waitUntil(lambda: session.retention is not None, timeout=10_000)
    outcome = session.outcome
    a, b = session.sources.a, session.sources.b
    opened.actions_.swap.trigger()
    assert opened.session.sources.a is b
    assert opened.session.sources.b is a
    assert (session.outcome, session.results, session.retention) == (None, (), None)
    assert all(panes[name].canvas.scene is None for name in ("fused", "recon_a", "recon_b"))
    opened.actions_.swap.trigger()
    assert opened.session.sources.a is a
    assert session.outcome is outcome
    assert not session.is_stale


def test_swapping_ends_a_fusion_of_the_other_arrangement(qtbot, opened):
    opened.controller.fuse()
    opened.actions_.swap.trigger()
    assert opened.session.running is None
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert opened.session.outcome.pair is opened.session.sources.pair
    assert len(opened.session.results) == 1


# --- fusing ------------------------------------------------------------------------------------


def test_enter_fuses_by_the_chosen_method(qtbot, opened):
    opened.session.set_method("average")
    with idle(qtbot, opened):
        qtbot.keyClick(opened, Qt.Key.Key_Return)
    assert opened.session.outcome.result.method == "average"
    assert opened.view.panes["fused"].tag("stale") == ""
    # (ramp + 0.5·ramp)/2 etc. differ by channel; red of A and B is the same ramp: mean 0.5.
    assert level(opened, "fused") == pytest.approx(127.5, abs=1)
    assert "Only models" in opened.view.panes["recon_a"].canvas.placeholder_text


def test_changing_task_or_method_tags_the_result_stale_and_runs_nothing(opened, engine):
    asked = len(engine.requests)
    fused = opened.view.panes["fused"]
    opened.session.set_method("guided")
    assert fused.tag("stale") == "Stale"
    opened.session.set_method("mif-compact")
    assert fused.tag("stale") == ""
    opened.controller.set_task("mef")
    assert fused.tag("stale") == "Stale"
    assert opened.view.panes["a"].title.text() == TASKS["mef"].label_a
    assert len(engine.requests) == asked


def test_running_greys_the_old_picture_and_escape_cancels(qtbot, opened, engine):
    old = opened.session.outcome
    fuse_and_hold(qtbot, opened, engine)
    assert opened.view.panes["fused"].canvas.is_dimmed
    assert opened.view.panes["fused"].canvas.image is old.images["fused"]
    assert opened.status.cancel.isVisible()
    assert opened.status.stage.text().startswith("Encoding")
    with idle(qtbot, opened):
        qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert opened.session.outcome is old
    assert not opened.view.panes["fused"].canvas.is_dimmed
    assert not opened.status.cancel.isVisible()
    assert opened.session.problem is None


def test_a_deaf_engine_does_not_hold_the_window(qtbot, opened, engine):
    old = opened.session.outcome
    engine.stubborn = True
    fuse_and_hold(qtbot, opened, engine)
    with idle(qtbot, opened):
        qtbot.mouseClick(opened.status.cancel, Qt.MouseButton.LeftButton)
    assert not engine.gate.is_set()
    with idle(qtbot, opened):
        opened.controller.fuse()
        engine.gate.set()
    assert opened.session.outcome is not old


def test_the_newest_wish_wins(qtbot, opened, engine):
    engine.gate.clear()
    opened.controller.fuse()
    opened.session.set_method("average")
    opened.controller.fuse()
    opened.session.set_method("guided")
    with idle(qtbot, opened):
        opened.controller.fuse()
        engine.gate.set()
    assert opened.session.outcome.result.method == "guided"
    assert not opened.session.is_stale


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (InputError("Pack x", "its hash is wrong", "Install it again"), "Pack x"),
        (RuntimeError("a size does not fit"), "unexpected"),
        (RuntimeError("CUDA out of memory"), "memory"),
        (MemoryError(), "memory"),
    ],
)
def test_a_failed_fusion_keeps_the_old_one_and_can_be_retried(
    qtbot, opened, engine, trouble, words
):
    old = opened.session.outcome
    engine.trouble = lambda: trouble
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert words in opened.view.card.title.text()
    again = "Retry in tiles" if words == "memory" else "Retry"
    assert opened.view.card.action.text() == again
    assert opened.session.outcome is old
    engine.trouble = None
    with idle(qtbot, opened):
        qtbot.mouseClick(opened.view.card.action, Qt.MouseButton.LeftButton)
    assert not opened.view.card.isVisible()
    assert opened.session.outcome is not old


def test_copied_details_name_no_file(qtbot, opened, tmp_path):
    bad = tmp_path / "Doe_John_1970.png"
    bad.write_bytes(b"")
    with idle(qtbot, opened):
        opened.controller.replace_side("a", bad)
    qtbot.mouseClick(opened.view.card.copy, Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    assert "empty" in text
    assert "Device: CPU" in text
    assert "Doe" not in text
    assert str(tmp_path) not in text


def test_fuse_without_a_pair_says_what_to_do(window):
    window.controller.fuse()
    assert "Open two pictures" in window.view.notice.text.text()


# --- features ----------------------------------------------------------------------------------


def test_feature_views_are_drawn_for_either_adapter(qtbot, opened):
    pane, session = opened.view.features, opened.session
    assert pane.channel.maximum() == CHANNELS - 1
    assert not pane.channel.isVisible()
    shown = [pane.canvas.image]
    steps = (
        lambda: pane.adapter_b.click(),
        lambda: pane.mode.setCurrentIndex(pane.mode.findData("mean")),
        lambda: pane.mode.setCurrentIndex(pane.mode.findData("channel")),
        lambda: pane.channel.setValue(3),
    )
    for step in steps:
        with qtbot.waitSignal(session.features_changed, timeout=WAIT):
            step()
        assert pane.canvas.image is not shown[-1]
        assert pane.canvas.image.size == (64, 48)
        shown.append(pane.canvas.image)
    assert pane.channel.isVisible()
    assert (session.feature_view.adapter, session.feature_view.channel) == ("b", 3)


def test_the_chosen_view_outlives_a_new_fusion(qtbot, opened):
    pane = opened.view.features
    with qtbot.waitSignal(opened.session.features_changed, timeout=WAIT):
        pane.mode.setCurrentIndex(pane.mode.findData("mean"))
    mean = pane.canvas.image.levels[0]
    with idle(qtbot, opened):
        opened.controller.fuse()
    np.testing.assert_array_equal(pane.canvas.image.levels[0], mean)


# --- looking -----------------------------------------------------------------------------------


def test_all_panes_share_zoom_and_the_readout_has_all_values(opened):
    canvas = opened.view.panes["recon_b"].canvas
    canvas.camera.zoom_about(QPointF(40, 30), 4)
    assert len({pane.canvas.camera.scale() for pane in opened.view.panes.values()}) == 1
    opened.view.link.set_pointer(QPoint(63, 10))
    # A is white there (255); B red 255, green 0, blue 127.
    assert opened.status.readout.text().split("     ") == [
        "x 63  y 10",
        "A 255",
        "B 255 0 127",
        "Fused 1.000 0.550 0.799 (0–1, no unit)",
    ]
    opened.view.link.set_pointer(None)
    assert opened.status.readout.text() == ""


def test_maximise_shows_one_pane_and_escape_shows_all(qtbot, opened):
    opened.view.panes["recon_a"].maximise_button.click()
    QApplication.processEvents()
    visible = [name for name, pane in opened.view.panes.items() if pane.isVisible()]
    assert visible == ["recon_a"]
    assert opened.view.panes["recon_a"].width() > 0.9 * opened.view.width()
    qtbot.keyClick(opened, Qt.Key.Key_Escape)
    assert all(pane.isVisible() for pane in opened.view.panes.values())


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1600, 1000)])
def test_panes_are_equal_and_inside_the_window(qtbot, opened, width, height):
    opened.resize(width, height)
    QApplication.processEvents()
    boxes = [pane.geometry() for pane in opened.view.panes.values()]
    assert max(b.width() for b in boxes) - min(b.width() for b in boxes) <= 1
    assert max(b.height() for b in boxes) - min(b.height() for b in boxes) <= 1
    assert opened.view.rect().contains(opened.view.panes["features"].geometry())
    assert opened.top_bar.chip.geometry().right() < opened.width()


def test_every_action_and_control_has_a_name(opened):
    for action in opened.actions_.all():
        assert action.text()
        assert action.toolTip()
    named = [
        opened.top_bar.tasks,
        opened.top_bar.methods,
        opened.top_bar.fuse_button,
        opened.top_bar.chip,
        opened.view.features.mode,
        opened.view.features.channel,
        *(pane.canvas for pane in opened.view.panes.values()),
        *(pane.maximise_button for pane in opened.view.panes.values()),
    ]
    assert all(widget.accessibleName() for widget in named)
    keys = [key.toString() for a in opened.actions_.all() for key in a.shortcuts()]
    assert len(keys) == len(set(keys))


def test_f1_lists_the_keys(qtbot, opened):
    opened.actions_.keys.trigger()
    sheet = QApplication.activeModalWidget()
    assert sheet.windowTitle() == "Keyboard shortcuts"
    sheet.reject()


# --- saving ------------------------------------------------------------------------------------


def test_sixteen_bit_sources_are_saved_with_sixteen_bits(qtbot, window, tmp_path):
    a = write_png(tmp_path / "pet16.png", gradient(300, 8, np.uint16))
    b = write_png(tmp_path / "mri16.png", gradient(300, 8, np.uint16))
    window.session.set_method("average")
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    target = tmp_path / "fused é.png"
    with qtbot.waitSignal(window.controller.saved, timeout=WAIT):
        window.controller.save(target)
    saved = cv2.imdecode(np.frombuffer(target.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    expected = gradient(300, 8, np.uint16).astype(int)
    assert np.abs(saved.reshape(8, 300, -1)[..., 0].astype(int) - expected).max() <= 1
    assert str(target) in window.status.stage.text()


def test_a_source_is_never_overwritten(qtbot, opened, files):
    before = files[0].read_bytes()
    with qtbot.waitSignal(opened.session.problem_changed, timeout=WAIT):
        opened.controller.save(files[0])
        with qtbot.waitSignal(
            opened.session.problem_changed,
            timeout=WAIT,
            check_params_cb=lambda: opened.session.problem is not None,
        ):
            pass
    assert opened.view.card.action.text() == "Save elsewhere"
    assert files[0].read_bytes() == before


def test_save_dialog_suggests_a_name(opened):
    opened.actions_.save.trigger()
    assert suggested_name(opened.session.outcome) == "pet_1_mri_1_fused_mif-compact.png"
    assert opened.files.dialog.selectedFiles()[0].endswith("pet_1_mri_1_fused_mif-compact.png")
    opened.files.dialog.reject()


# --- closing -----------------------------------------------------------------------------------


def test_closing_while_fusing_leaves_no_thread(qtbot, opened, engine):
    fuse_and_hold(qtbot, opened, engine)
    assert running_threads() > 0
    opened.close()
    assert not opened.isVisible()
    assert running_threads() == 0
    assert not engine.gate.is_set()


def test_no_text_is_outside_the_translation_system():
    """Every literal shown by a view goes through tr(); found by its call, not by running it."""
    shown = re.compile(r"\.(?:setText|setToolTip|setAccessibleName|addItem)\(\s*f?\"[A-Za-z]")
    root = Path(__file__).resolve().parents[3] / "app"
    offenders = [
        f"{path.name}: {match.group(0)}"
        for path in root.rglob("*.py")
        for match in shown.finditer(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_progress_is_not_painted_in_the_middle_of_other_work(opened):
    canvas = opened.view.panes["a"].canvas
    opened.session.set_running(Activity("fusing", 1, 10, fusing=True))
    QApplication.processEvents()
    paints = Paints(canvas)
    canvas.update()
    for done in range(2, 9):
        opened.session.set_running(Activity("fusing", done, 10, fusing=True))
    assert opened.status.bar.value() == 80
    assert paints.count == 0
    QApplication.processEvents()
    assert paints.count == 1
    opened.session.set_running(None)
