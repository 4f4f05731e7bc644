"""Regions in the window: drawn by mouse and keys, listed, measured, undone, kept."""

from __future__ import annotations

import csv
from dataclasses import replace

import nibabel
import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.preferences.session_file import from_json, to_json
from app.regions import tasks
from app.regions.commands import Measuring
from app.regions.store import RegionStore
from core.regions import (
    AngleMark,
    DistanceLine,
    EllipseRegion,
    Figure,
    SphereRegion,
    Threshold,
    ThresholdRegion,
)
from tests.app.acts import WAIT, idle, yield_to_window
from tests.app.conftest import gradient
from tests.app.fuse.volumes import blob, settled, write_nifti
from tests.app.regions.conftest import drag, measured, on_widget, press

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def choose(window, tool: str) -> None:
    window.actions_.region_tools[tool].trigger()


def canvas_of(window, pane: str = "b"):
    return window.view.panes[pane].canvas


def names(measuring: Measuring) -> list[str]:
    return [one.name for one in measuring.state.regions]


def close_to(value, expected, within=1.0):
    """Within what a widget's pixel is in the image."""
    return np.testing.assert_allclose(value, expected, atol=within)


# --- drawing ----------------------------------------------------------------------------------


def test_an_ellipse_is_drawn_on_a_pane_and_seen_on_all_that_show_the_slice(qtbot, study, measuring):
    canvas = canvas_of(study)
    choose(study, "ellipse")
    drag(canvas, (20, 10), (40, 30), [(30, 20)])
    (made,) = measuring.state.regions
    assert isinstance(made, EllipseRegion)
    # Pixels of 1×1.5 mm.
    close_to(made.half_axes, (10, 15))
    view = study.session.sources.slice
    close_to(made.plane.origin, view.point_at(30, 20))
    assert measuring.state.tool == "select"
    assert measuring.state.selected == made.name
    assert study.view.link.drawings[0].key == made.name
    assert study.view.panes["a"].canvas.link is study.view.link
    measured(qtbot, study)
    assert [one.side for one in measuring.measurements.of(made).figures] == ["a", "b"]


def test_figures_are_those_of_the_native_voxels(qtbot, study, measuring):
    pet, mr = study.session.sources.slice.volumes.native
    whole = SphereRegion("all", (0.0, 0.0, 0.0), 1000.0)
    measuring.state.add(whole)
    measured(qtbot, study)
    a, b = measuring.measurements.of(whole).figures
    assert (a.voxels, b.voxels) == (pet.data.size, mr.data.size)
    assert a.mean.value == pytest.approx(float(pet.data.mean(dtype=np.float64)))
    assert a.maximum.value == pytest.approx(float(pet.data.max()))
    assert a.volume.value == pytest.approx(pet.data.size * 75 / 1000)  # voxels of 3×5×5 mm
    assert b.sd.value == pytest.approx(float(mr.data.std(ddof=1, dtype=np.float64)))
    assert (a.unit, b.unit) == ("SUVbw", "")


def test_a_click_and_the_enter_key_put_regions_of_the_usual_size(study, measuring):
    canvas = canvas_of(study)
    choose(study, "sphere")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=on_widget(canvas, (25, 15)))
    choose(study, "distance")
    press(canvas, Qt.Key.Key_Return)
    sphere, line = measuring.state.regions
    assert isinstance(sphere, SphereRegion)
    assert isinstance(line, DistanceLine)
    # A tenth of the shorter side: 40 rows of 1.5 mm.
    assert sphere.radius == pytest.approx(6.0)
    assert line.length == pytest.approx(12.0)
    close_to(sphere.centre, study.session.sources.slice.point_at(25, 15))


def test_the_arrow_keys_move_and_with_ctrl_resize(study, measuring):
    canvas = canvas_of(study)
    index = study.session.sources.slice.index
    choose(study, "ellipse")
    press(canvas, Qt.Key.Key_Return)
    (before,) = measuring.state.regions
    press(canvas, Qt.Key.Key_Right)
    press(canvas, Qt.Key.Key_Down, SHIFT)
    (moved,) = measuring.state.regions
    way = np.subtract(moved.plane.origin, before.plane.origin)
    np.testing.assert_allclose(way, (1, 15, 0), atol=1e-9)
    press(canvas, Qt.Key.Key_Right, CTRL)
    (wider,) = measuring.state.regions
    assert wider.half_axes == pytest.approx((moved.half_axes[0] + 0.5, moved.half_axes[1]))
    assert study.session.sources.slice.index == index
    study.actions_.cancel.trigger()
    assert measuring.state.selected == ""
    # Now they change the slice again.
    press(canvas, Qt.Key.Key_Down)
    assert measuring.state.regions == (wider,)


def test_keys_of_a_sphere_and_of_the_points_of_a_distance(study, measuring):
    canvas = canvas_of(study)
    choose(study, "sphere")
    press(canvas, Qt.Key.Key_Return)
    press(canvas, Qt.Key.Key_Down, CTRL)
    assert measuring.state.regions[0].radius == pytest.approx(7.0)
    choose(study, "distance")
    press(canvas, Qt.Key.Key_Return)
    before = measuring.state.regions[1]
    press(canvas, Qt.Key.Key_Period)
    press(canvas, Qt.Key.Key_Right, CTRL)
    after = measuring.state.regions[1]
    assert after.start == before.start
    assert after.length == pytest.approx(before.length + 1)


def test_a_line_is_dragged_and_a_handle_resizes(study, measuring):
    canvas = canvas_of(study)
    choose(study, "rectangle")
    drag(canvas, (20, 10), (40, 30))
    made = measuring.state.regions[0]
    drag(canvas, (30, 10), (35, 14), [(32, 12)])  # by its upper side
    moved = measuring.state.regions[0]
    close_to(np.subtract(moved.plane.origin, made.plane.origin), (5, 6, 0))
    assert moved.half_sides == made.half_sides
    drag(canvas, (45, 34), (50, 34), [(48, 34)])  # by its lower right corner
    wider = measuring.state.regions[0]
    close_to(wider.half_sides, (12.5, 15))


def test_an_angle_is_drawn_and_its_end_dragged(study, measuring):
    canvas = canvas_of(study)
    choose(study, "angle")
    drag(canvas, (40, 20), (20, 20), [(30, 20)])
    made = measuring.state.regions[0]
    assert isinstance(made, AngleMark)
    assert made.degrees == pytest.approx(90)
    label = study.view.link.drawings[0].label
    assert label == "90.0°"


def test_dragging_elsewhere_still_changes_the_window(study, measuring):
    canvas = canvas_of(study)
    before = study.session.display.b.window
    drag(canvas, (30, 20), (40, 25))
    assert study.session.display.b.window != before
    assert measuring.state.regions == ()


def test_the_projection_refuses_to_be_drawn_on_and_says_where_to(qtbot, study, measuring):
    study.session.set_display(replace(study.session.display, layout="planes"))
    canvas = study.view.planes.panes["projection"].canvas
    qtbot.waitUntil(lambda: canvas.scene is not None, timeout=WAIT)
    tool, middle = canvas.link.tool, (6, 4)
    assert tool.cursor(canvas.camera, QPointF()) is None
    choose(study, "sphere")
    assert tool.cursor(canvas.camera, QPointF()) == Qt.CursorShape.ForbiddenCursor
    drag(canvas, middle, (9, 4))
    assert measuring.state.regions == ()
    assert measuring.state.tool == "sphere", "it can be drawn elsewhere"
    assert "Draw in one of the three planes" in study.status.stage.text()


def test_regions_are_drawn_on_the_board_of_planes(qtbot, study, measuring):
    study.session.set_display(replace(study.session.display, layout="planes"))
    panes = study.view.planes.panes
    qtbot.waitUntil(lambda: all(p.canvas.scene is not None for p in panes.values()), timeout=WAIT)
    choose(study, "sphere")
    canvas = panes["coronal"].canvas
    drag(canvas, (30, 8), (38, 8), [(34, 8)])
    (made,) = measuring.state.regions
    view = study.session.sources.slice.in_plane("coronal")
    close_to(made.centre, view.point_at(30, 8))
    close_to(made.radius, 8)
    for plane in ("axial", "coronal", "sagittal"):
        assert [one.key for one in panes[plane].canvas.link.drawings] == [made.name]


# --- list, undo -------------------------------------------------------------------------------


def test_each_gesture_is_one_step_of_undo(study, measuring):
    canvas, actions = canvas_of(study), study.actions_
    choose(study, "rectangle")
    drag(canvas, (20, 10), (40, 30), [(25, 15), (30, 20)])
    made = measuring.state.regions
    drag(canvas, (30, 10), (35, 14), [(32, 12), (33, 13)])
    moved = measuring.state.regions
    actions.undo.trigger()
    assert measuring.state.regions == made
    actions.undo.trigger()
    assert measuring.state.regions == ()
    assert not actions.undo.isEnabled()
    actions.redo.trigger()
    actions.redo.trigger()
    assert measuring.state.regions == moved
    study.measuring.panel.close_button.click()
    assert not actions.undo.isEnabled()  # those of the display again


def test_names_are_edited_in_the_list_and_stay_apart(qtbot, study, measuring):
    canvas = canvas_of(study)
    for _ in range(2):
        choose(study, "sphere")
        press(canvas, Qt.Key.Key_Return)
    assert names(measuring) == ["Sphere 1", "Sphere 2"]
    shown = measuring.panel.list
    with qtbot.waitSignal(measuring.state.edited):
        shown.item(0, 0).setText("Liver")
    with qtbot.waitSignal(measuring.state.edited):
        shown.item(1, 0).setText("  Liver ")
    assert names(measuring) == ["Liver", "Liver 2"]
    assert measuring.state.selected == "Liver 2"
    with qtbot.waitSignal(measuring.state.refused):
        shown.item(0, 0).setText("")
    assert names(measuring) == ["Liver", "Liver 2"]
    assert shown.item(0, 0).text() == "Liver"


def test_the_delete_key_removes_in_the_picture_and_in_the_list(study, measuring):
    canvas = canvas_of(study)
    for _ in range(3):
        choose(study, "sphere")
        press(canvas, Qt.Key.Key_Return)
    press(canvas, Qt.Key.Key_Delete)
    assert names(measuring) == ["Sphere 1", "Sphere 2"]
    assert measuring.state.selected == "Sphere 2"
    QTest.keyClick(measuring.panel.list, Qt.Key.Key_Delete)
    assert names(measuring) == ["Sphere 1"]
    study.actions_.delete_region.trigger()
    assert names(measuring) == []
    assert not study.actions_.delete_region.isEnabled()


def test_a_region_chosen_in_the_list_is_shown(qtbot, study, measuring):
    choose(study, "ellipse")
    press(canvas_of(study), Qt.Key.Key_Return)
    measuring.state.select("")
    there = study.session.sources.slice.index
    study.controller.volumes.go_to(there + 4)
    qtbot.waitUntil(lambda: study.session.sources.slice.index == there + 4, timeout=WAIT)
    assert study.view.link.drawings == ()
    measuring.panel.list.setCurrentCell(0, 0)
    qtbot.waitUntil(lambda: study.session.sources.slice.index == there, timeout=WAIT)
    assert [one.key for one in study.view.link.drawings] == ["Ellipse 1"]


# --- figures ----------------------------------------------------------------------------------


def test_the_table_shows_both_sources_with_units(qtbot, study, measuring):
    measuring.state.add(SphereRegion("all", (0.0, 0.0, 0.0), 1000.0))
    measured(qtbot, study)
    table = measuring.panel.figures
    heads = [table.horizontalHeaderItem(n).text() for n in range(2)]
    assert heads == ["A\nSUVbw", "B\n–"]
    titles = [table.verticalHeaderItem(n).text() for n in range(table.rowCount())]
    assert titles == [
        "Volume (ml)", "Mean", "SD", "Minimum", "Maximum", "Peak (1 cm³)",
    ]  # fmt: skip
    pet = study.session.sources.slice.volumes.native_a
    assert table.item(4, 0).text() == f"{pet.data.max():.2f}"
    assert table.item(5, 1).text() == "–"
    assert "PET" in table.item(5, 1).toolTip()


def test_no_figure_is_cut_in_the_table(qtbot, study, measuring):
    sphere = SphereRegion("hot", study.session.sources.slice.point, 12.0)
    measuring.state.add(ThresholdRegion(sphere, Threshold("share", 0.41)))
    measured(qtbot, study)
    a, b = measuring.measurements.of(measuring.state.chosen).figures
    long = [replace(one, tlg=Figure(123_456.78, "SUVbw·ml")) for one in (a, b)]
    table = measuring.panel.figures
    table.show_figures(long)
    for width in (214, 240, 400):
        table.resize(width, table.height())
        qtbot.waitUntil(
            lambda: all(table.columnWidth(n) >= table.sizeHintForColumn(n) for n in range(2))
        )
        seen = table.verticalHeader().width() + sum(table.columnWidth(n) for n in range(2))
        assert seen <= width


def test_a_threshold_is_measured_outlined_and_changed(qtbot, study, measuring):
    sphere = SphereRegion("hot", study.session.sources.slice.point, 12.0)
    region = ThresholdRegion(sphere, Threshold("share", 0.41))
    measuring.state.add(region)
    measured(qtbot, study)
    found = measuring.measurements.of(region).figures[0]
    assert found.threshold.value == pytest.approx(0.41 * found.maximum.value)
    assert found.mtv.value == found.volume.value
    assert found.tlg.value == pytest.approx(found.mtv.value * found.mean.value)
    outlined = [one for one in study.view.link.drawings if one.fine]
    assert len(outlined) == 1
    form = measuring.panel.threshold
    assert form.isVisible()
    form.value.setValue(80)
    changed = measuring.state.chosen
    assert changed.threshold == Threshold("share", 0.8)
    measured(qtbot, study)
    assert measuring.measurements.of(changed).figures[0].voxels < found.voxels
    assert measuring.measurements.of(region) is None  # overtaken
    form.kind.setCurrentIndex(form.kind.findData("suv"))
    form.kind.activated.emit(form.kind.currentIndex())
    assert measuring.state.chosen.threshold == Threshold("suv", 2.5)


def test_a_region_outside_of_the_pet_says_so(qtbot, study, measuring):
    measuring.state.add(SphereRegion("far", (900.0, 0.0, 0.0), 5.0))
    measured(qtbot, study)
    assert "outside of the field of view" in measuring.panel.notes.text()
    assert measuring.panel.figures.item(0, 0).text() == "–"


def test_work_on_a_region_that_has_changed_is_ended(qtbot, study, measuring, monkeypatch):
    begun: list[tuple] = []

    def endless(regions, sources, progress):
        begun.append(regions)
        while regions[0].radius > 50:
            yield_to_window()
            progress.check()
        return measure(regions, sources, progress)

    measure = tasks.measure_regions
    monkeypatch.setattr(tasks, "measure_regions", endless)
    large = SphereRegion("ball", study.session.sources.slice.point, 60.0)
    measuring.state.add(large)
    qtbot.waitUntil(lambda: len(begun) == 1, timeout=WAIT)
    small = replace(large, radius=9.0)
    measuring.state.change("ball", small)
    measured(qtbot, study)
    assert measuring.measurements.of(large) is None
    assert measuring.measurements.of(small).figures[0].voxels > 0


# --- other pairs ------------------------------------------------------------------------------


def test_another_pair_has_its_own_regions_and_the_first_keeps_its(qtbot, study, measuring, files):
    choose(study, "sphere")
    press(canvas_of(study), Qt.Key.Key_Return)
    measured(qtbot, study)
    kept = measuring.state.regions
    series = study.session.sources.paths
    with idle(qtbot, study):
        study.controller.open_pair(*files)
    assert measuring.state.regions == ()
    assert study.view.link.drawings == ()
    assert measuring.panel.figures.rowCount() == 0
    assert "in pixels" in measuring.panel.hint.text()
    study.controller.volumes.open(series)
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert measuring.state.regions == kept


def test_swapping_takes_the_regions_along_and_their_sources(qtbot, study, measuring):
    middle = study.session.sources.slice.point
    measuring.state.add(SphereRegion("ball", middle, 9.0))
    hot = ThresholdRegion(SphereRegion("hot", middle, 9.0), Threshold("share", 0.5), "a")
    measuring.state.add(hot)
    measured(qtbot, study)
    before = {
        (one.region.name, one.side): one.mean.value
        for found in measuring.measurements.all
        for one in found.figures
    }
    series = study.session.sources.paths
    study.actions_.swap.trigger()
    qtbot.waitUntil(lambda: study.session.sources.paths == series[::-1], timeout=WAIT)
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert names(measuring) == ["ball", "hot"]
    assert measuring.state.regions[1].side == "b"
    measured(qtbot, study)
    for found in measuring.measurements.all:
        for one in found.figures:
            other = "b" if one.side == "a" else "a"
            assert one.mean.value == pytest.approx(before[one.region.name, other])


def test_an_answer_for_the_former_pair_is_dropped(qtbot, study, measuring, files):
    region = SphereRegion("all", (0.0, 0.0, 0.0), 1000.0)
    measuring.state.add(region)
    assert measuring.measurements.is_busy
    with idle(qtbot, study):
        study.controller.open_pair(*files)
    assert measuring.measurements.of(region) is None
    assert not measuring.measurements.is_busy


def test_another_frame_has_figures_of_its_own(qtbot, window, tmp_path):
    """The values of the second frame are twice as high."""
    once = np.asarray(blob((16, 40, 60), 900).transpose(2, 1, 0), np.int16)
    (tmp_path / "export").mkdir()
    image = nibabel.Nifti1Image(np.stack([once, 2 * once], axis=-1), np.diag([2.0, 2.0, 2.0, 1.0]))
    nibabel.save(image, tmp_path / "export" / "pet.nii")
    write_nifti(tmp_path / "export" / "t1.nii")
    window.files.take([tmp_path / "export"])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    measuring = window.measuring
    region = SphereRegion("ball", window.session.sources.slice.point, 9.0)
    measuring.state.add(region)
    measured(qtbot, window)
    first = measuring.measurements.of(region).figures
    window.controller.volumes.show_frame(0, 1)
    qtbot.waitUntil(lambda: window.session.sources.slice.volumes.frames == (1, 0), timeout=WAIT)
    assert measuring.state.regions == (region,)
    measured(qtbot, window)
    second = measuring.measurements.of(region).figures
    assert second[0].mean.value == pytest.approx(2 * first[0].mean.value)
    assert second[1].mean.value == first[1].mean.value
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)


def test_pictures_are_measured_in_grey_levels_and_pixels(qtbot, opened, tmp_path):
    window, measuring = opened, opened.measuring
    window.actions_.regions.trigger()
    choose(window, "rectangle")
    # Columns 10 to 19 and rows 5 to 14, their borders between pixels.
    drag(canvas_of(window), (9.5, 4.5), (19.5, 14.5), [(15, 10)])
    measured(qtbot, window)
    a, b = measuring.measurements.all[0].figures
    assert a.voxels == 100
    assert a.mean.value == pytest.approx(float(gradient(64, 48)[5:15, 10:20].mean()))
    luma = np.array([0.299, 0.587, 0.114])
    up, down = (gradient(64, 48)[5:15, 10:20], gradient(64, 48)[:, ::-1][5:15, 10:20])
    expected = (np.stack([up, down, up // 2], -1) @ luma).mean()
    assert b.mean.value == pytest.approx(expected, rel=1e-4)
    table = measuring.panel.figures
    assert table.horizontalHeaderItem(0).text() == "A\n–"
    assert table.verticalHeaderItem(0).text() == "Area (pixels)"
    assert table.item(0, 0).text() == "100"
    choose(window, "distance")
    drag(canvas_of(window), (10, 10), (40, 10), [(20, 10)])
    assert window.view.link.drawings[1].label.endswith(" px")


def test_aligning_closes_the_panel_and_the_other_way_round(qtbot, opened):
    window = opened
    window.actions_.regions.trigger()
    assert window.side.currentWidget() is window.measuring.dock
    with qtbot.waitSignal(window.aligning.state.active_changed, timeout=WAIT):
        window.actions_.align.trigger()
    assert not window.measuring.state.is_active
    assert window.side.currentWidget() is window.aligning.dock
    window.actions_.regions.trigger()
    assert not window.aligning.state.is_active
    assert window.side.currentWidget() is window.measuring.dock
    window.actions_.cancel.trigger()
    assert window.side.currentWidget() is window.inspector


def test_regions_are_hidden_and_shown(study, measuring):
    choose(study, "sphere")
    press(canvas_of(study), Qt.Key.Key_Return)
    study.actions_.show_regions.trigger()
    assert study.view.link.drawings == ()
    study.actions_.show_regions.trigger()
    assert len(study.view.link.drawings) == 1


# --- session ----------------------------------------------------------------------------------


def test_the_session_keeps_regions_without_names_or_paths(study, measuring, tmp_path):
    choose(study, "ellipse")
    press(canvas_of(study), Qt.Key.Key_Return)
    data = to_json(study.services.snapshot())
    text = data.decode()
    assert str(tmp_path) not in text
    assert study.session.sources.slice.volumes.pair.b.frame_of_reference not in text
    (kept,) = from_json(data).regions
    assert [one.name for one in kept.regions] == ["Ellipse 1"]
    assert measuring.state.regions[0].plane == kept.regions[0].plane


def test_they_are_there_again_when_the_study_is_opened_in_another_run(
    qtbot, study, measuring, tmp_path
):
    choose(study, "ellipse")
    press(canvas_of(study), Qt.Key.Key_Return)
    snapshot = from_json(to_json(study.services.snapshot()))
    series = study.session.sources.paths
    study.controller.close_pictures()
    measuring.store = RegionStore()
    measuring.store.take(snapshot.regions)
    assert measuring.store.kept == snapshot.regions  # also where it is not opened in this run
    study.controller.volumes.open(series)
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    (found,) = measuring.state.regions
    assert found.name == "Ellipse 1"
    assert found.frame_of_reference == study.session.sources.slice.volumes.pair.b.frame_of_reference
    measured(qtbot, study)


def test_a_damaged_list_of_regions_costs_nothing_else(study, measuring):
    data = to_json(study.services.snapshot()).decode()
    broken = data.replace('"display"', '"regions": [["x", {"format": 1}], 3], "display"', 1)
    found = from_json(broken.encode())
    assert found.regions == ()
    assert found.task == "mif"


# --- files ------------------------------------------------------------------------------------


def two_regions(study, measuring: Measuring) -> None:
    measuring.state.add(SphereRegion("Hot, or so", study.session.sources.slice.point, 12.0))
    measuring.state.add(DistanceLine("way", (0.0, 0.0, 0.0), (3.0, 4.0, 0.0)))


def test_the_table_is_copied_for_spreadsheets(qtbot, study, measuring):
    two_regions(study, measuring)
    with qtbot.waitSignal(measuring.announced, timeout=WAIT):
        study.actions_.copy_figures.trigger()
    rows = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    titles = rows[0]
    assert len({len(row) for row in rows}) == 1
    assert [row[0] for row in rows[1:]] == ["Hot, or so", "Hot, or so", "way"]
    assert [row[titles.index("source")] for row in rows[1:3]] == ["A", "B"]
    assert rows[3][titles.index("length_mm")] == "5"
    measured(qtbot, study)
    shown = measuring.measurements.of(measuring.state.regions[0]).figures[0]
    assert float(rows[1][titles.index("mean")]) == pytest.approx(shown.mean.value, rel=1e-5)


def test_figures_are_exported_as_csv(qtbot, study, measuring, tmp_path):
    two_regions(study, measuring)
    study.actions_.export_figures.trigger()
    with qtbot.waitSignal(measuring.announced, timeout=WAIT):
        measuring.export.dialog.fileSelected.emit(str(tmp_path / "out.csv"))
    measuring.export.dialog.close()
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["region"] for row in rows] == ["Hot, or so", "Hot, or so", "way"]
    assert "Ellipse" not in str(rows)


def test_regions_are_exported_as_dicom_that_holds_the_voxels_that_were_measured(
    qtbot, study, measuring, tmp_path
):
    two_regions(study, measuring)
    measured(qtbot, study)
    study.actions_.export_regions.trigger()
    dialog = measuring.export.dialog
    assert len(dialog.nameFilters()) == 2
    with qtbot.waitSignal(measuring.announced, timeout=WAIT):
        dialog.fileSelected.emit(str(tmp_path / "seg.dcm"))
    dialog.close()
    read = pydicom.dcmread(tmp_path / "seg.dcm")
    assert read.Modality == "SEG"
    assert [one.SegmentLabel for one in read.SegmentSequence] == ["Hot, or so"]
    voxels = int(np.count_nonzero(read.pixel_array))
    assert voxels == measuring.measurements.all[0].figures[0].voxels
    frame = study.session.sources.slice.volumes.native_a.frame_of_reference
    assert read.FrameOfReferenceUID == frame


def test_a_source_is_not_written_over(qtbot, study, measuring):
    two_regions(study, measuring)
    study.actions_.export_figures.trigger()
    source = study.session.sources.slice.volumes.series[0].files[0]
    before = source.read_bytes()
    with qtbot.waitSignal(study.session.problem_changed, timeout=WAIT):
        measuring.export.dialog.fileSelected.emit(str(source))
    measuring.export.dialog.close()
    assert source.read_bytes() == before
    assert study.session.problem is not None


def test_the_table_of_pictures_is_in_pixels(qtbot, opened, tmp_path):
    measuring = opened.measuring
    opened.actions_.regions.trigger()
    choose(opened, "rectangle")
    drag(canvas_of(opened), (9.5, 4.5), (19.5, 14.5), [(15, 10)])
    assert not opened.actions_.export_regions.isEnabled()
    opened.actions_.export_figures.trigger()
    with qtbot.waitSignal(measuring.announced, timeout=WAIT):
        measuring.export.dialog.fileSelected.emit(str(tmp_path / "out.csv"))
    measuring.export.dialog.close()
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["pixels"] for row in rows] == ["100", "100"]
    assert not any("_ml" in title or "_mm" in title for title in rows[0])


def test_figures_follow_another_frame(qtbot, window, tmp_path):
    """The region stays where it is, and is measured on the frame that is shown."""
    once = np.asarray(blob((16, 40, 60), 900).transpose(2, 1, 0), np.int16)
    frames = np.stack([once, 3 * once], axis=-1)
    nibabel.save(nibabel.Nifti1Image(frames, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "pet.nii")
    write_nifti(tmp_path / "t1.nii")
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    window.actions_.regions.trigger()
    choose(window, "sphere")
    drag(canvas_of(window), (30, 20), (36, 20))
    measured(qtbot, window)
    measuring = window.measuring
    (sphere,) = measuring.state.regions
    before = measuring.measurements.of(sphere).figures
    window.controller.volumes.show_frame(0, 1)
    qtbot.waitUntil(lambda: window.controller.volumes.on_show.frame_a == 1, timeout=WAIT)
    measured(qtbot, window)
    assert measuring.state.regions == (sphere,)
    after = measuring.measurements.of(sphere).figures
    assert after[0].mean.value == pytest.approx(3 * before[0].mean.value)
    assert after[1].mean.value == pytest.approx(before[1].mean.value)
    assert after[0].voxels == before[0].voxels
    # Once the first frame is shown again, so are its figures.
    window.controller.volumes.show_frame(0, 0)
    qtbot.waitUntil(lambda: window.controller.volumes.on_show.frame_a == 0, timeout=WAIT)
    measured(qtbot, window)
    assert measuring.measurements.of(sphere).figures[0].mean.value == before[0].mean.value
