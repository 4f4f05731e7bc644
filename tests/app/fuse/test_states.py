"""The states of the window, each asserted by what can be seen on a picture of it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget

from app.fuse.results import PairResults, ResultStore
from app.fuse.source_tasks import load_sources
from app.fuse.state import Activity
from app.shell.main_window import MainWindow
from app.widgets import theme
from core.errors import DeviceMemoryError
from core.progress import NullProgress
from core.tasks import TASKS
from core.types import DeviceChoice
from tests.app.acts import WAIT, fuse_and_hold, idle
from tests.app.conftest import gradient, write_png
from tests.app.shell.test_window import drop
from tests.app.standin import StandInEngine


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


@pytest.mark.parametrize("size", [(1024, 768), (1600, 1000)])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_empty_is_a_place_to_drop_with_tasks_and_recent_files(window, look, size, files):
    window.resize(*size)
    theme.set_appearance(look)
    window.services.recent.add(*files, "mef")
    image = shot(window)
    theme.set_appearance("system")
    welcome = window.view.welcome
    assert welcome.isVisible()
    assert not window.view.board.isVisible()
    assert [card.text() for card in welcome.cards.values()] == [
        task.title for task in TASKS.values()
    ]
    assert "pet_1.png" in welcome.recent[0].name.text()
    zone = region(image, window, welcome.zone)
    ground = np.median(zone.reshape(-1, 3), axis=0)
    assert (ground > 230).all() if look == "light" else (ground < 60).all()
    # The button to begin with stands out in the accent: more blue than red.
    button = region(image, window, welcome.open).reshape(-1, 3)
    assert np.median(button[:, 2] - button[:, 0]) > 60
    for part in (welcome.zone, welcome.coach, *welcome.cards.values(), *welcome.recent):
        corner = part.mapTo(welcome.viewport(), part.rect().bottomRight())
        assert welcome.viewport().rect().contains(corner), part.objectName()
    assert window.pairs_dock.list.hint.isVisible()
    assert not window.actions_.fuse.isEnabled()
    assert not window.actions_.export.isEnabled()
    assert not window.view.bar.results.isVisible()


def test_empty_leads_to_everything_it_shows(qtbot, window, files, tmp_path):
    welcome = window.view.welcome
    welcome.cards["mef"].click()
    assert window.session.task.name == "mef"
    with idle(qtbot, window):
        welcome.sample.click()
    assert window.session.sources.a.image.name == "mef_a.png"
    assert not welcome.isVisible()
    window.controller.close_pictures()
    assert welcome.isVisible()
    assert window.session.outcome is None
    assert window.status.stage.text() == ""
    with idle(qtbot, window):
        drop(welcome.zone, *files)
    assert window.session.sources.a.image.name == "pet_1.png"
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert welcome.isVisible()
    with idle(qtbot, window):
        welcome.recent[0].click()
    assert window.session.sources.a.image.name == "pet_1.png"
    window.controller.close_pictures()
    welcome.open.click()
    assert window.files.dialog.isVisible()
    window.files.dialog.reject()
    welcome.folder.click()
    assert window.pairs_dock.folder_dialog.isVisible()
    window.pairs_dock.folder_dialog.reject()


def test_a_file_that_cannot_be_read_leaves_the_empty_window_with_its_error(
    qtbot, window, tmp_path, monkeypatch
):
    bad = tmp_path / "pet.png"
    bad.write_bytes(b"no picture at all")
    with idle(qtbot, window):
        window.controller.open_pair(bad, bad)
    assert window.view.welcome.isVisible()
    card = window.view.card
    assert card.isVisible()
    assert card.show_file.isVisible()
    shown = Opened()
    QDesktopServices.setUrlHandler("file", shown, "open")
    try:
        card.show_file.click()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [Path(url.toLocalFile()) for url in shown.urls] == [tmp_path]


def test_without_a_file_manager_the_place_is_said(qtbot, window, tmp_path, monkeypatch):
    bad = tmp_path / "pet.png"
    bad.write_bytes(b"no picture at all")
    with idle(qtbot, window):
        window.controller.open_pair(bad, bad)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    window.view.card.show_file.click()
    assert str(bad) in window.view.notice.text.text()


class Opened(QObject):
    """Stands in for the system's file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url)


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


def test_loading_counts_the_pictures_in_skeleton_and_status(window, files):
    class Told(NullProgress):
        reports: ClassVar[list] = []

        def report(self, done, total, stage):
            self.reports.append((done, total, stage))

    load_sources(*files, Told())
    assert Told.reports == [(0, 2, "Reading pictures"), (1, 2, "Reading pictures")]
    for done, total, stage in Told.reports:
        window.session.set_running(Activity(stage, done, total))
        count = f"{done + 1} of {total}"
        assert window.status.stage.text() == f"Reading pictures – {count}"
        assert canvas_of(window, "a").placeholder_text == f"Reading picture {count}…"
        assert window.view.board.isVisible()
    window.session.set_running(None)
    assert window.view.welcome.isVisible()


def test_running_greys_the_old_picture_and_done_brings_it_back(qtbot, opened, engine):
    bright = seen(opened, "fused")
    fuse_and_hold(qtbot, opened, engine)
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
    from app.viewer import overlays, painter

    opened.session.set_display(opened.session.display.with_compare(mode=mode))
    written = []
    for module in (overlays, painter):
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
    assert texts == ["Laplacian pyramid (stale)", "Compact model (stale)"]
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
    assert card.action.text() == "Retry in tiles"
    red = region(shot(opened), opened, card).reshape(-1, 3).mean(axis=0)
    assert red[0] > red[1] + 8
    assert opened.view.panes["fused"].canvas.image is not None
    assert QApplication.activeModalWidget() is None
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    assert not card.isVisible()


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_too_little_device_memory_offers_the_processor(qtbot, samples, files, device, monkeypatch):
    big, small = StandInEngine(), StandInEngine()
    choice = DeviceChoice(device, "A device", "for tests")
    monkeypatch.setattr(type(big), "device_choice", property(lambda one: choice_of[one]))
    choice_of = {big: choice, small: DeviceChoice("cpu", "CPU", "the CPU was asked for")}
    window = MainWindow(lambda: big, samples, "mif", cpu=lambda: small)
    qtbot.addWidget(window)
    window.show()
    big.trouble = lambda: DeviceMemoryError("The picture does not fit", "the memory ran out")
    with qtbot.waitSignal(window.session.engine_changed, timeout=WAIT):
        window.controller.start()
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    card = window.view.card
    assert card.isVisible()
    assert not card.show_file.isVisible()
    assert card.action.text() == "Retry in tiles"
    assert not big.requests[-1].tiles
    with idle(qtbot, window):
        card.action.click()
    assert big.requests[-1].tiles  # and that is too much, too
    if device == "cpu":
        assert card.action.text() == "Retry"
        return
    assert card.action.text() == "Use CPU"
    with idle(qtbot, window):
        card.action.click()
    assert not card.isVisible()
    assert window.session.outcome.is_model
    assert window.session.outcome.result.device.name == "cpu"
    assert window.top_bar.chip.text() == "CPU"
    assert len(small.requests) > 0


def test_what_fits_in_tiles_only_is_fused_in_tiles(qtbot, opened, engine):
    def trouble():
        tiled = engine.requests[-1].tiles
        return None if tiled else DeviceMemoryError("The picture does not fit", "memory ran out")

    engine.trouble = trouble
    with idle(qtbot, opened):
        opened.controller.fuse()
    before = opened.session.outcome
    with idle(qtbot, opened):
        opened.view.card.action.click()
    assert opened.session.outcome is not before
    assert not opened.view.card.isVisible()


def test_a_classical_method_without_memory_has_no_tiles_to_offer(qtbot, opened, engine):
    engine.trouble = lambda: DeviceMemoryError("The picture does not fit", "memory ran out")
    engine.troubles_all = True
    opened.session.set_method("average")
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert opened.view.card.action.text() == "Retry"


# --- several results ---------------------------------------------------------------------------


def test_results_stand_side_by_side_and_are_switched_without_fusing(qtbot, opened, engine):
    bar = opened.view.bar.results
    assert [bar.tabText(k) for k in range(bar.count())] == ["Laplacian pyramid", "Compact model"]
    opened.session.set_method("average")
    with idle(qtbot, opened):
        opened.controller.fuse()
    assert bar.tabText(bar.currentIndex()) == "Average"
    asked = len(engine.requests)
    bar.setCurrentIndex(1)
    assert opened.session.outcome.is_model
    assert opened.session.method == "mif-compact"
    assert opened.view.panes["recon_a"].canvas.image is not None
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
    one = PairResults(sources, results)
    store = ResultStore(limit=int(one.nbytes * 2.5))
    from dataclasses import replace

    for number in range(5):
        stamp = ((f"a{number}", 1, 1), ("b", 1, 1))
        store.put(PairResults(replace(sources, stamp=stamp), results))
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
    assert info.value_of("Provenance", "Method") == "mif-compact"
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


def test_workspaces_by_key_show_their_pages_and_come_back(opened):
    pages = opened.workspaces
    for number, name in enumerate(("batch", "train", "evaluate"), 2):
        key = getattr(Qt.Key, f"Key_{number}")
        QTest.keyClick(opened, key, Qt.KeyboardModifier.ControlModifier)
        assert pages.current == name
        assert pages.currentWidget() is pages.page(name)
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


def check_feature_choices(window: MainWindow) -> None:
    pane = window.view.features
    for mode in ("pca", "mean", "channel"):
        pane.mode.setCurrentIndex(pane.mode.findData(mode))
        QApplication.processEvents()
        assert pane.mode.shown_text() == pane.mode.currentText()
        assert pane.title.width() >= pane.title.sizeHint().width()
        assert pane.channel.isVisible() == (mode == "channel")
        for widget in (pane.mode, pane.channel, pane.adapter_b, pane.maximise_button):
            corner = widget.mapTo(pane, widget.rect().bottomRight())
            assert widget.isHidden() or pane.rect().contains(corner)


def test_the_choice_of_features_can_be_read_in_the_smallest_window(opened):
    in_the_header = opened.view.features.header
    check_feature_choices(opened)
    assert in_the_header.indexOf(opened.view.features.choices) < 0
    opened.view.maximise("features")
    QApplication.processEvents()
    check_feature_choices(opened)
    assert in_the_header.indexOf(opened.view.features.choices) >= 0


@pytest.mark.usefixtures("german")
def test_the_choice_of_features_can_be_read_in_german(request):
    check_feature_choices(request.getfixturevalue("opened"))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_scroll_bars_are_as_quiet_as_their_ground(qtbot, look):
    bar = QScrollBar(Qt.Orientation.Vertical)
    qtbot.addWidget(bar)
    theme.set_appearance(look)
    bar.resize(bar.sizeHint().width(), 200)
    bar.setRange(0, 100)
    bar.setPageStep(100)
    image = bar.grab().toImage()
    shades = [image.pixelColor(bar.width() // 2, y).name() for y in (40, 196)]
    handle = theme.colours().border
    theme.set_appearance("system")
    assert bar.width() <= 12
    # The upper half is the handle; below there is neither groove nor arrow.
    assert shades[0] == handle
    assert shades[1] != handle


@pytest.mark.parametrize(
    ("pairs", "left", "words"),
    [(1, 0, "1 pair"), (2, 1, "2 pairs · 1 unpaired"), (2000, 0, "2,000 pairs")],
)
def test_counts_of_pairs_are_said_in_one_and_many(window, pairs, left, words):
    window.pairs_dock.list.show_counts(pairs, left)
    assert window.pairs_dock.list.summary.text() == words


def test_one_exported_file_is_one_file(window, tmp_path):
    window.status.show_exported((tmp_path / "a.png",))
    assert window.status.stage.text() == f"Exported 1 file to {tmp_path}"


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
    from core.fusion.engine import FusionEngine
    from core.packs.registry import Catalogue
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
