"""The states of the window, each asserted by what can be seen on a picture of it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.main_window import MainWindow
from app.results import Kept, ResultStore
from core.errors import DeviceMemoryError
from tests.app.conftest import gradient, write_png
from tests.app.test_window import idle

WAIT = 10_000


def shot(window: MainWindow) -> QImage:
    """What the window looks like now."""
    QApplication.processEvents()
    return window.grab().toImage()


def region(image: QImage, window: MainWindow, widget: QWidget) -> np.ndarray:
    """The RGB pixels a widget covers on a picture of the window."""
    corner = widget.mapTo(window, widget.rect().topLeft())
    part = image.copy(corner.x(), corner.y(), widget.width(), widget.height())
    part = part.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.bytesPerLine())
    return rows[:, : part.width() * 3].reshape(part.height(), part.width(), 3).astype(int)


def canvas_of(window: MainWindow, pane: str) -> QWidget:
    return window.view.panes[pane].canvas


def seen(window: MainWindow, pane: str) -> np.ndarray:
    return region(shot(window), window, canvas_of(window, pane))


def test_empty_invites_and_shows_no_picture(window):
    assert "Drop PET" in window.view.panes["a"].canvas._placeholder
    for pane in ("a", "b", "fused"):
        pixels = seen(window, pane)
        # Words on a dark ground: something is written, and most of it is dark.
        assert pixels.max() > 100
        assert np.median(pixels) < 30
    assert window.pairs_dock.list.hint.isVisible()
    assert not window.actions_.fuse.isEnabled()
    assert not window.actions_.export.isEnabled()
    assert not window.view.bar.results.isVisible()


def test_loading_shows_skeletons_a_stage_and_cancel(qtbot, window, files):
    with idle(qtbot, window):
        window.controller.open_pair(*files)
        window.session.set_sources(type(window.session.sources)())
        assert window.view.panes["a"].canvas.is_skeleton
        assert window.status.cancel.isVisible()
        assert window.status.stage.text().startswith("Reading")
        image = shot(window)
        frame = region(image, window, canvas_of(window, "a"))
        assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 3
    assert not window.view.panes["a"].canvas.is_skeleton
    assert not window.status.cancel.isVisible()


def test_running_greys_the_old_picture_and_done_brings_it_back(qtbot, opened, engine):
    bright = seen(opened, "fused")
    engine.gate.clear()
    with qtbot.waitSignal(
        opened.session.running_changed,
        timeout=WAIT,
        check_params_cb=lambda: opened.session.running.stage == "encoding",
    ):
        opened.controller.fuse()
    grey = seen(opened, "fused")
    assert grey.mean() < 0.6 * bright.mean()
    assert seen(opened, "a").mean() > 0.9 * bright.mean() * 0.5
    assert opened.status.bar.isVisible()
    with idle(qtbot, opened):
        engine.gate.set()
    np.testing.assert_array_equal(seen(opened, "fused"), bright)


def test_done_says_duration_model_and_device(opened):
    text = opened.status.stage.text()
    assert text.startswith("Done in ")
    assert "Compact model" in text
    assert "CPU" in text
    notice = opened.view.panes["fused"].canvas.badge
    assert notice == "Research use only – AI-generated image"
    # The notice stands on the fused pane: its foot holds light pixels, that of A none.
    foot_fused = seen(opened, "fused")[-70:, :120]
    foot_a = seen(opened, "a")[-26:, :60]
    assert foot_fused.max() > 180
    assert foot_a.max() < 120


@pytest.mark.parametrize("width", [120, 160, 200, 290, 600])
@pytest.mark.parametrize("mode", ["off", "difference"])
def test_the_notice_is_never_cut_short_or_written_over(opened, width, mode, monkeypatch):
    from app.widgets import legend, painting

    opened.session.set_display(opened.session.display.with_compare(mode=mode))
    written = []
    for module in (legend, painting):
        monkeypatch.setattr(
            module, "paint_box", lambda _painter, box, text: written.append((box, text))
        )
    shown = opened.view.panes["fused"].canvas
    shown.resize(width, 220)
    shown.grab()
    words = " ".join(text for _, text in reversed(written))
    assert "Research use only" in words
    assert "AI-generated image" in words
    boxes = [box for box, _ in written]
    assert not any(one.intersects(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])


def test_stale_is_a_tag_on_the_pane_and_on_the_result(opened):
    before = shot(opened)
    opened.controller.set_task("mef")
    assert opened.view.panes["fused"].tag("stale") == "Stale"
    texts = [opened.view.bar.results.tabText(k) for k in range(opened.view.bar.results.count())]
    assert texts == ["Laplacian (stale)", "Compact model (stale)"]
    label = opened.view.panes["fused"]._tags["stale"]
    assert label.isVisible()
    yellow = region(shot(opened), opened, label).reshape(-1, 3).mean(axis=0)
    assert yellow[0] > yellow[2] + 15
    assert shot(opened) != before
    opened.controller.set_task("mif")
    assert opened.view.panes["fused"].tag("stale") == ""


def test_error_is_an_inline_card_and_the_panes_stay(qtbot, opened, engine):
    engine.trouble = lambda: DeviceMemoryError("The picture does not fit", "8 GB are needed")
    with idle(qtbot, opened):
        opened.controller.fuse()
    card = opened.view.card
    assert card.isVisible()
    assert card.action.text() == "Retry"
    red = region(shot(opened), opened, card).reshape(-1, 3).mean(axis=0)
    assert red[0] > red[1] + 8
    assert opened.view.panes["fused"].canvas.picture is not None
    assert QApplication.activeModalWidget() is None
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    assert not card.isVisible()


# --- several results ---------------------------------------------------------------------------


def test_results_stand_side_by_side_and_are_switched_without_fusing(qtbot, opened, engine):
    bar = opened.view.bar.results
    assert [bar.tabText(k) for k in range(bar.count())] == ["Laplacian", "Compact model"]
    opened.session.set_method("average")
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert bar.tabText(bar.currentIndex()) == "Average"
    asked = len(engine.requests)
    bar.setCurrentIndex(1)
    assert opened.session.outcome.is_model
    assert opened.session.method == "mif-compact"
    assert opened.view.panes["recon_a"].canvas.picture is not None
    assert not opened.session.is_stale
    assert len(engine.requests) == asked
    bar.tabCloseRequested.emit(0)
    assert [r.method_title for r in opened.session.results] == ["Compact model", "Average"]


def test_fusing_again_replaces_the_result_of_that_method(qtbot, opened):
    old = opened.session.outcome
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert opened.session.outcome is not old
    assert len(opened.session.results) == 2


def test_memory_of_old_pairs_is_bounded_and_the_newest_stays(opened):
    sources, results = opened.session.sources, opened.session.results
    one = Kept(sources, results)
    store = ResultStore(limit=int(one.nbytes * 2.5))
    from dataclasses import replace

    for number in range(5):
        stamp = ((f"a{number}", 1, 1), ("b", 1, 1))
        store.put(Kept(replace(sources, stamp=stamp), results))
    assert len(store) == 2
    assert store.get((("a4", 1, 1), ("b", 1, 1))) is not None
    assert store.get((("a0", 1, 1), ("b", 1, 1))) is None
    tight = ResultStore(limit=1)
    tight.put(one)
    assert len(tight) == 1


# --- tabs --------------------------------------------------------------------------------------


def test_info_tells_of_sources_result_and_provenance(qtbot, opened):
    opened.inspector.setCurrentWidget(opened.inspector.info)
    info = opened.inspector.info
    group = "A – PET / SPECT / CT"
    assert info.value_of(group, "File") == "pet_1.png"
    assert info.value_of(group, "Size") == "64 × 48"
    assert info.value_of(group, "Depth") == "8 bit"
    assert info.value_of("Result", "Method") == "Compact model"
    assert info.value_of("Provenance", "method") == "mif-compact"
    assert info.value_of("Result", "State") == "up to date"
    opened.session.set_method("guided")
    assert "stale" in info.value_of("Result", "State")


def test_metrics_of_all_results_are_measured_when_somebody_looks(qtbot, opened):
    from core.metrics import evaluate, to_luma8

    tab = opened.inspector.metrics
    assert opened.work.values(opened.session.outcome) == {}
    opened.inspector.setCurrentWidget(tab)
    qtbot.waitUntil(lambda: tab.value("AG", 1) not in ("", "…"), timeout=WAIT)
    qtbot.waitUntil(lambda: tab.value("AG", 2) not in ("", "…"), timeout=WAIT)
    outcome = opened.session.outcome
    planes = (outcome.pair.a.normalised(), outcome.pair.b.normalised(), outcome.result.fused)
    expected = evaluate(*(to_luma8(x) for x in planes), ["Qabf", "SSIM"])
    assert tab.value("Qabf", 2) == f"{expected['Qabf']:.4g}"
    assert tab.value("SSIM", 2) == f"{expected['SSIM']:.4g}"
    tab.table.setCurrentCell(0, 0)
    assert "higher is better" in tab.explanation.text()
    assert len(tab.explanation.text()) > 40


def test_feature_channels_are_a_grid_and_a_click_enlarges(qtbot, opened):
    tab = opened.inspector.features
    with qtbot.waitSignal(opened.work.thumbs_ready, timeout=WAIT):
        opened.inspector.setCurrentWidget(tab)
    assert tab.grid.count() == 5
    with qtbot.waitSignal(opened.session.features_changed, timeout=WAIT):
        tab.grid.itemClicked.emit(tab.grid.item(3))
    assert opened.session.feature_view.channel == 3
    assert opened.session.feature_view.mode == "channel"
    assert opened.view.maximised == "features"
    with qtbot.waitSignal(opened.work.thumbs_ready, timeout=WAIT):
        tab.adapters["b"].click()
    assert opened.view.features.adapter_b.isChecked()


def test_classical_results_have_no_features_and_the_tab_says_so(qtbot, opened):
    opened.inspector.setCurrentWidget(opened.inspector.features)
    opened.session.select_result(opened.session.results[0].key)
    assert "Only models" in opened.inspector.features.note.text()
    assert not opened.inspector.features.grid.isVisible()


# --- frame -------------------------------------------------------------------------------------


def test_workspaces_by_key_say_what_is_to_come_and_come_back(opened):
    pages = opened.workspaces
    commands = {2: "unifusion batch", 3: "unifusion train", 4: "unifusion evaluate"}
    for number, command in commands.items():
        key = getattr(Qt.Key, f"Key_{number}")
        QTest.keyClick(opened, key, Qt.KeyboardModifier.ControlModifier)
        assert command in pages.currentWidget().command.text()
        assert not opened.docks["pairsDock"].isVisible()
        assert not opened.actions_.fuse.isEnabled()
    QTest.keyClick(opened, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert opened.view.isVisible()
    assert opened.docks["pairsDock"].isVisible()
    assert opened.docks["inspectorDock"].isVisible()
    assert opened.actions_.fuse.isEnabled()


@pytest.mark.parametrize("size", [(1024, 768), (1600, 1000)])
def test_everything_fits_the_window(opened, size):
    opened.resize(*size)
    QApplication.processEvents()
    assert opened.size().toTuple() == size
    for widget in (*opened.docks.values(), opened.view, opened.top_bar):
        corner = widget.mapTo(opened, widget.rect().bottomRight())
        assert corner.x() < size[0]
        assert corner.y() < size[1]
    assert opened.view.width() > 0.4 * size[0]


def test_a_one_pixel_pair_goes_all_the_way(qtbot, window, tmp_path):
    a = write_png(tmp_path / "pet.png", gradient(2, 1)[:, :1])
    b = write_png(tmp_path / "mri.png", gradient(2, 1)[:, 1:])
    window.session.set_method("average")
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    window.view.set_window("a", (0, 10))
    for mode in ("curtain", "checker", "difference", "overlay"):
        window.session.set_display(window.session.display.with_compare(mode=mode))
        shot(window)
    assert window.session.outcome is not None


def test_a_pack_removed_while_it_is_selected_is_named_and_another_method_works(
    qtbot, samples, files, tmp_path
):
    from core.engine import FusionEngine
    from core.models.catalogue import Catalogue
    from tests.tiny import tiny_pack

    packs = tmp_path / "packs"
    packs.mkdir()
    pack = packs / "mif-tiny.safetensors"
    tiny_pack(pack)
    window = MainWindow(lambda: FusionEngine("cpu", Catalogue([packs])), samples, "mif")
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.session.engine_changed, timeout=3 * WAIT):
        window.controller.start()
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    assert window.session.outcome.is_model
    shown = window.session.outcome
    window.session.set_method("mif-tiny")
    assert not window.session.is_stale
    pack.unlink()
    with qtbot.waitSignal(window.session.engine_changed, timeout=WAIT):
        window.controller.fuse()
    assert window.view.card.isVisible()
    assert "mif-tiny" in window.view.card.title.text()
    assert "mif-tiny" not in [method.name for method in window.session.methods]
    assert window.view.card.action.text() == "Retry"
    assert window.session.outcome is shown
    window.session.set_method("average")
    with idle(qtbot, window):
        window.controller.fuse()
    assert not window.view.card.isVisible()
    assert window.session.outcome.result.method == "average"
