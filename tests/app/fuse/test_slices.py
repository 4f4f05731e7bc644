"""Slices of volumes in the window: what belongs to each, planes, windows, files and sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from app.fuse.error_report import describe
from app.fuse.export import figure_of
from app.fuse.figure import in_shape
from app.fuse.file_dialogs import suggested_name
from app.fuse.info import rows_of
from app.preferences.session_file import from_json, to_json
from app.shell.main_window import MainWindow
from app.viewer.rendering import full_image
from core.errors import FusionError
from core.io import read_image
from core.pairing.plan import PairingPlan
from tests.app.acts import WAIT, fuse_and_hold
from tests.app.fuse.volumes import (
    HOT,
    blob,
    settled,
    shows,
    write_mr,
    write_pet,
)
from tests.core.io.dicom_files import ID, NAME, write_series

# --- slices --------------------------------------------------------------------------------

NAME_OF_FOLDER = "export"
"""Of the fixture's study."""


def wheel(window: MainWindow, steps: int, ctrl: bool = False) -> None:
    canvas = window.view.panes["a"].canvas
    keys = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    where = QPointF(canvas.rect().center())
    event = QWheelEvent(
        where, canvas.mapToGlobal(where), QPoint(), QPoint(0, -120 * steps),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def test_the_wheel_changes_the_slice_and_zooms_with_ctrl(study, qtbot):
    before = study.view.panes["a"].canvas.camera.scale()
    wheel(study, 2)
    qtbot.waitUntil(lambda: shows(study, 10), timeout=WAIT)
    assert study.view.panes["a"].canvas.camera.scale() == before
    assert study.view.slices.slider.value() == 10
    assert "11 / 16" in study.view.slices.label.text()
    assert "mm" in study.view.slices.label.text()
    wheel(study, -1, ctrl=True)
    assert study.view.panes["a"].canvas.camera.scale() > before
    assert shows(study, 10)


def test_keys_change_the_slice(study, qtbot):
    qtbot.keyClick(study.view.panes["b"].canvas, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: shows(study, 9), timeout=WAIT)
    qtbot.keyClick(study.view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: shows(study, 0), timeout=WAIT)


def test_a_slice_never_shows_the_result_of_another(study, qtbot, engine):
    first = study.session.outcome
    study.controller.volumes.step(3)
    qtbot.waitUntil(lambda: shows(study, 11), timeout=WAIT)
    assert study.session.outcome is not first
    assert study.session.results == () or study.session.outcome.pair is study.session.sources.pair
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert study.session.outcome.pair is study.session.sources.pair


def test_a_fusion_under_way_is_not_shown_for_a_later_slice(study, qtbot, engine):
    fuse_and_hold(qtbot, study, engine)
    study.controller.volumes.step(2)
    qtbot.waitUntil(lambda: shows(study, 10), timeout=WAIT)
    engine.gate.set()
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert study.session.outcome.pair is study.session.sources.pair
    assert not study.session.is_stale


def test_results_of_a_slice_are_kept(study, qtbot, engine):
    first = study.session.results
    study.controller.volumes.step(1)
    qtbot.waitUntil(lambda: shows(study, 9) and settled(study), timeout=WAIT)
    count = len(engine.requests)
    study.controller.volumes.step(-1)
    qtbot.waitUntil(lambda: shows(study, 8), timeout=WAIT)
    assert [one.key for one in study.session.results] == [one.key for one in first]
    assert not study.session.is_stale
    qtbot.wait(500)
    assert len(engine.requests) == count


def test_scrolling_fuses_only_where_it_rests(study, qtbot, engine):
    count = len(engine.requests)
    for _ in range(6):
        wheel(study, 1)
        qtbot.wait(20)
    qtbot.waitUntil(lambda: shows(study, 14) and settled(study), timeout=WAIT)
    models = [one for one in engine.requests[count:] if one.method == "mif-compact"]
    assert len(models) == 1


def test_window_and_palette_make_the_result_stale_and_are_part_of_the_next(study, qtbot, engine):
    study.view.set_window("a", (0.0, 2.0))
    assert study.session.is_stale
    study.session.set_display(study.session.display.with_pane("a", window=None))
    assert not study.session.is_stale
    study.session.set_display(study.session.display.with_pane("a", palette="inverted"))
    assert study.session.is_stale
    with qtbot.waitSignal(study.controller.idle, timeout=WAIT):
        study.controller.fuse()
    assert engine.requests[-1].pair.a.palette.name == "inverted"
    assert not study.session.is_stale


def test_a_window_stays_from_slice_to_slice(study, qtbot):
    study.view.set_window("a", (0.0, 2.0))
    study.controller.volumes.step(1)
    qtbot.waitUntil(lambda: shows(study, 9) and settled(study), timeout=WAIT)
    assert study.session.window_of("a") == (0.0, 2.0)
    assert study.session.outcome.fused_windows[0] == (0.0, 2.0)
    study.controller.volumes.step(-1)
    qtbot.waitUntil(lambda: shows(study, 8), timeout=WAIT)
    assert study.session.is_stale


def test_a_slice_that_only_one_source_covers_is_not_fused(window, qtbot, tmp_path, engine):
    # The MR begins 18 mm above the PET, of which the last slice lies at 21 mm.
    write_pet(tmp_path / "pet")
    write_mr(tmp_path / "mr", geometry={"spacing": (1.5, 1.5, 1.0), "origin": (-10, 20, 48)})
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    view = window.session.sources.slice
    assert view.lone is None
    assert view.index < 4
    count = len(engine.requests)
    window.controller.volumes.go_to(12)
    qtbot.waitUntil(lambda: shows(window, 12), timeout=WAIT)
    qtbot.wait(500)
    assert window.session.sources.slice.lone == "b"
    assert window.session.results == ()
    assert "Only B" in window.view.panes["fused"].canvas.placeholder_text
    window.controller.fuse()
    assert "Only B" in window.session.message
    assert len(engine.requests) == count


# --- planes --------------------------------------------------------------------------------


def test_planes_have_their_shape_and_letters(study, qtbot):
    study.actions_.planes["coronal"].trigger()
    qtbot.waitUntil(lambda: study.session.sources.slice.plane == "coronal", timeout=WAIT)
    assert study.session.sources.b.image.size == (60, 16)
    assert study.view.link.aspect == pytest.approx(1.5)
    assert study.view.panes["b"].canvas.scene.marks.letters == ("R", "L", "H", "F")
    study.view.slices.planes["sagittal"].click()
    qtbot.waitUntil(lambda: study.session.sources.slice.plane == "sagittal", timeout=WAIT)
    assert study.session.sources.b.image.size == (40, 16)
    assert study.view.panes["b"].canvas.scene.marks.letters == ("A", "P", "H", "F")


def test_a_click_links_the_planes_by_its_millimetres(study, qtbot):
    pixel = QPoint(20, 11)
    study.view.link.clicked.emit(pixel)
    point = study.session.sources.slice.point
    assert point == pytest.approx((-10 + 20.0, 20 + 11 * 1.5, 30 + 8 * 1.5))
    assert study.view.panes["a"].canvas.scene.marks.cross == pytest.approx((20, 11))
    study.controller.volumes.set_plane("sagittal")
    qtbot.waitUntil(lambda: study.session.sources.slice.plane == "sagittal", timeout=WAIT)
    assert study.session.sources.slice.index == 20
    study.controller.volumes.set_plane("coronal")
    qtbot.waitUntil(lambda: study.session.sources.slice.plane == "coronal", timeout=WAIT)
    assert study.session.sources.slice.index == 11


def test_a_click_on_a_canvas_is_one(study, qtbot):
    canvas = study.view.panes["b"].canvas
    with qtbot.waitSignal(study.view.link.clicked, timeout=WAIT) as signal:
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())
    assert study.session.sources.slice.pixel == pytest.approx(
        (signal.args[0].x(), signal.args[0].y())
    )
    assert not study.session.is_stale


def test_values_are_those_that_were_measured(study):
    view = study.session.sources.slice
    study.view.link.set_pointer(QPoint(27, 18))
    text = study.status.readout.text()
    a, b = view.values_at(view.point_at(27, 18))
    pet = view.volumes.native_a
    assert a in pet.data
    assert a <= HOT
    assert f"A {a:.2f} SUVbw" in text
    assert f"B {b:.0f}" in text
    assert "mm" in text
    assert "Fused" not in text


def test_a_pet_without_suv_keeps_its_unit(window, qtbot, tmp_path):
    write_pet(tmp_path / "pet", Units="BQML")
    write_mr(tmp_path / "mr")
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.a.image.unit == "Bq/mL"
    assert any("No SUV" in note for note in window.session.notices)


def test_no_bar_comes_and_goes_while_slices_are_scrolled_through(window, qtbot, tmp_path):
    write_pet(tmp_path / "pet", Units="BQML")
    write_mr(tmp_path / "mr", geometry={"spacing": (1.5, 1.5, 1.0), "origin": (-10, 20, 48)})
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    before = window.session.notices
    assert before
    window.controller.volumes.go_to(12)
    qtbot.waitUntil(lambda: shows(window, 12), timeout=WAIT)
    assert window.session.notices == before


# --- windows and derivation ----------------------------------------------------------------


def test_presets_are_those_of_the_modality(study, qtbot):
    study.view.active.choose("a")
    assert study.actions_.presets[0].text() == "Window: SUV 0 to 5"
    study.actions_.presets[0].trigger()
    assert study.session.window_of("a") == (0.0, 5.0)
    assert study.session.is_stale
    study.view.active.choose("b")
    assert study.actions_.presets[1].text() == "Window: middle 98 % of pixels"


def test_presets_of_ct_are_in_hu(window, qtbot, tmp_path):
    write_mr(tmp_path / "mr")
    write_series(
        tmp_path / "ct",
        blob((8, 12, 12), 1000),
        "CT",
        geometry={"spacing": (3.0, 5.0, 5.0)},
        SeriesInstanceUID="1.2.3.1.4",
        SeriesDescription="head",
        RescaleSlope=1,
        RescaleIntercept=-200,
    )
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    window.view.active.choose("a")
    window.actions_.presets[0].trigger()
    assert window.session.window_of("a") == (0.0, 80.0)
    window.actions_.presets[3].trigger()
    assert window.session.window_of("a") == (-1350.0, 150.0)


def test_level_moves_without_changing_the_width(study):
    study.view.set_window("a", (1.0, 3.0))
    study.view.panes["a"].canvas.window_dragged.emit(QPointF(0, 60), True)
    low, high = study.session.window_of("a")
    assert low > 1.0
    assert high - low == pytest.approx(2.0)


def test_info_shows_how_suv_was_derived(study, qtbot):
    study.inspector.setCurrentWidget(study.inspector.info)
    info = study.inspector.info
    assert info.value_of("SUV of A", "Factor") == "1"
    assert ("Tag", "Units (0054,1001): GML") in dict(rows_of(study.session))["SUV of A"]
    assert info.value_of("Slice", "Slice").startswith("9 / 16")
    assert "as acquired" in info.value_of("Slice", "A and B")
    shown = " ".join(" ".join(line) for _, lines in rows_of(study.session) for line in lines)
    assert NAME.split("^")[0] not in shown
    assert ID not in shown


def test_info_names_the_tag_that_stands_in_the_way(window, qtbot, tmp_path):
    write_pet(tmp_path / "pet", Units="BQML")
    write_mr(tmp_path / "mr")
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    rows = dict(rows_of(window.session))["SUV of A"]
    missing = [value for name, value in rows if name == "No SUV"]
    assert any("PatientWeight (0010,1030)" in value for value in missing)
    assert not any(name == "Factor" for name, _value in rows)


# --- files out -----------------------------------------------------------------------------


def test_a_slice_is_saved_and_exported_under_a_name_of_no_one(study, qtbot, tmp_path):
    name = suggested_name(study.session.outcome)
    assert name == "fused_mif-compact.tif"
    with qtbot.waitSignal(study.controller.saved, timeout=WAIT):
        study.controller.save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert read_image(tmp_path / name).size == (60, 40)
    for secret in (NAME.split("^")[0], ID, str(tmp_path / "export")):
        assert secret.encode() not in content


def test_figure_and_copy_show_a_slice_in_its_shape(study, qtbot):
    study.controller.volumes.set_plane("sagittal")
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.slice.plane == "sagittal", timeout=WAIT
    )
    outcome = study.session.outcome
    assert outcome.result.fused.shape[:2] == (16, 40)
    assert outcome.aspect == pytest.approx(1.0)
    study.controller.volumes.set_plane("coronal")
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.slice.plane == "coronal", timeout=WAIT
    )
    outcome = study.session.outcome
    assert outcome.aspect == pytest.approx(1.5)
    plain = full_image(outcome.images["fused"])
    assert (plain.width(), plain.height()) == (60, 16)
    assert in_shape(plain, outcome.aspect).height() == 24
    wide = figure_of(outcome, study.session.display)
    square = figure_of(replace(outcome, palettes=None), study.session.display)
    # Panels are 320 pixels wide.
    assert wide.height() - square.height() == round(320 * 24 / 60) - round(320 * 16 / 60)


# --- session -------------------------------------------------------------------------------


def test_a_session_reopens_the_slice_and_names_no_one(study, qtbot):
    assert any(NAME_OF_FOLDER in str(path) for path in study.session.known_paths)
    study.controller.volumes.set_plane("coronal")
    study.controller.volumes.go_to(12)
    study.view.set_window("a", (0.0, 3.0))
    qtbot.waitUntil(lambda: shows(study, 12) and settled(study), timeout=WAIT)
    stored = to_json(study.services.snapshot())
    for secret in (NAME.split("^")[0], ID, "1.2.3.1.2", "1.2.3.9"):
        assert secret.encode() not in stored
    assert study.services.recent.all() == []
    study.session.show_error(FusionError(NAME_OF_FOLDER, "it is gone"))
    report = describe(study.session)
    for secret in (NAME.split("^")[0], ID, NAME_OF_FOLDER):
        assert secret not in report
    study.controller.dismiss_problem()
    study.controller.close_pictures()
    study.pairs.set_plan(PairingPlan())
    study.services.restore(from_json(stored))
    qtbot.waitUntil(lambda: shows(study, 12) and settled(study), timeout=WAIT)
    assert study.session.sources.slice.plane == "coronal"
    assert study.session.window_of("a") == (0.0, 3.0)
    assert study.session.display.a.palette == "hot_iron"


# --- shared data ---------------------------------------------------------------------------


def test_a_real_thigh_is_opened_from_its_whole_folder(window, qtbot, shared_data):
    folder = shared_data / "clinical" / "sts_petmr_ct"
    if not folder.is_dir():
        pytest.skip("no clinical files beside the real pairs")
    window.files.take([folder])
    qtbot.waitUntil(lambda: settled(window), timeout=3 * WAIT)
    view = window.session.sources.slice
    pet, mr = view.volumes.native
    assert (pet.modality, mr.modality) == ("PT", "MR")
    assert pet.unit == "SUVbw"
    assert pet.data.max() == pytest.approx(21.67575, abs=1e-4)
    assert view.volumes.is_registered
    assert len(window.pairs.matches) >= 2
