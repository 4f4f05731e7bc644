"""Files that leave the window: depth, provenance, legend, notice."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
import tifffile
from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication, QImage

from app.fuse.export import ITEMS, ExportPlan, burns_by_default, figure_of, legend_of
from app.fuse.export_dialog import ExportDialog
from app.fuse.figure import as_array, notice_strip
from tests.app.acts import idle
from tests.app.conftest import gradient, write_png

WAIT = 30_000


def export(qtbot, window, plan: ExportPlan) -> list:
    with qtbot.waitSignal(window.controller.exported, timeout=WAIT) as done:
        window.controller.export(plan)
    return list(done.args[0])


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_everything_is_written_with_its_provenance(qtbot, opened, tmp_path, suffix):
    out = tmp_path / "out é"
    out.mkdir()
    paths = export(qtbot, opened, ExportPlan(ITEMS, out, "case", suffix))
    assert sorted(p.name for p in out.iterdir()) == sorted(
        f"case{'' if item == 'fused' else '_' + item}.{suffix}" for item in ITEMS
    )
    assert "Exported 6 files" in opened.status.stage.text()
    fused = paths[0]
    if suffix == "tif":
        with tifffile.TiffFile(fused) as file:
            assert file.pages[0].dtype == np.uint16
            said = json.loads(file.pages[0].description)
    else:
        with PIL.Image.open(fused) as image:
            comment = image.info.get("comment", b"{}")
            said = dict(image.text) if suffix == "png" else json.loads(comment)
    assert said["method"] == "mif-compact"
    assert said["content"] == "fused"


def test_sixteen_bit_tiff_holds_the_numbers_of_the_result(qtbot, opened, tmp_path):
    (path,) = export(qtbot, opened, ExportPlan(("fused",), tmp_path, "deep", "tif"))
    expected = np.floor(opened.session.outcome.result.fused.astype(np.float64) * 65535 + 0.5)
    np.testing.assert_array_equal(tifffile.imread(path), expected.astype(np.uint16))


def test_figure_shows_all_plates_and_carries_legend_and_notice(opened):
    outcome, display = opened.session.outcome, opened.session.display
    image = figure_of(outcome, display)
    # Five plates of 320 pixels, the smallest width there is, between margins.
    assert image.width() > 5 * 320
    pixels = as_array(image)
    assert pixels.shape[2] == 3
    assert pixels[0, 0].tolist() == [1, 1, 1]
    middles = [pixels[60:200, 30 + k * 333 : 300 + k * 333] for k in range(5)]
    assert all(plate.std() > 0.03 for plate in middles)
    assert pixels[-60:].min() < 0.4
    legend = " ".join(legend_of(outcome))
    assert "Compact model" in legend
    assert "pet_1.png" in legend
    assert str(outcome.pair.a.origin.parent) not in legend


def test_a_source_is_never_replaced_by_an_export(qtbot, opened, files):
    before = files[0].read_bytes()
    with qtbot.waitSignal(
        opened.session.problem_changed,
        timeout=WAIT,
        check_params_cb=lambda: opened.session.problem is not None,
    ):
        opened.controller.export(ExportPlan(("fused",), files[0].parent, files[0].stem, "png"))
    assert opened.view.card.action.text() == "Export elsewhere"
    assert files[0].read_bytes() == before


def test_dialog_offers_what_there_is_and_says_what_will_be_replaced(qtbot, opened, tmp_path):
    opened.actions_.export.trigger()
    dialog = opened.files.export_dialog
    assert all(box.isEnabled() for box in dialog.items.values())
    dialog.folder.setText(str(tmp_path / "nowhere"))
    assert not dialog.go.isEnabled()
    assert "no such folder" in dialog.note.text()
    dialog.folder.setText(str(tmp_path))
    dialog.name.setText("pet_1")
    assert "pet_1.png" in dialog.note.text()
    dialog.name.setText("a/b")
    assert not dialog.go.isEnabled()
    dialog.name.setText("new")
    assert dialog.go.isEnabled()
    dialog.items["figure"].setChecked(True)
    with qtbot.waitSignal(opened.controller.exported, timeout=WAIT):
        dialog.go.click()
    assert (tmp_path / "new.png").is_file()
    assert (tmp_path / "new_figure.png").is_file()


def test_a_classical_result_offers_no_features(qtbot, opened):
    opened.session.select_result(opened.session.results[0].key)
    opened.files.ask_export()
    dialog = opened.files.export_dialog
    there = [item for item, box in dialog.items.items() if box.isEnabled()]
    assert there == ["fused", "figure"]
    dialog.reject()


def test_sixteen_bit_png_keeps_its_depth(qtbot, window, tmp_path):
    a = write_png(tmp_path / "pet16.png", gradient(300, 8, np.uint16))
    b = write_png(tmp_path / "mri16.png", gradient(300, 8, np.uint16))
    window.session.set_method("average")
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    (path,) = export(qtbot, window, ExportPlan(("fused",), tmp_path, "fused16", "png"))
    assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_the_copied_picture_is_as_shown_with_the_notice_below(qtbot, opened):
    opened.view.set_window("fused", (0.0, 0.5))
    with qtbot.waitSignal(opened.controller.copied, timeout=WAIT):
        opened.actions_.copy.trigger()
    image = QGuiApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB32)
    assert image.width() >= 64
    assert image.height() > 48
    fused = opened.session.outcome.result.fused[10, 20]
    expected = np.clip(np.rint(np.rint(fused * 255) * 2), 0, 255)
    shown = image.pixelColor(20, 10)
    assert np.abs(np.array([shown.red(), shown.green(), shown.blue()]) - expected).max() <= 1
    assert "copied" in opened.status.stage.text()


# --- the notice --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("width", [24, 500])
def test_a_burnt_notice_stands_below_and_no_pixel_is_changed(
    qtbot, window, tmp_path, suffix, width
):
    a = write_png(tmp_path / "pet.png", gradient(width, 40, np.uint16))
    b = write_png(tmp_path / "mri.png", gradient(width, 40, np.uint16)[:, ::-1])
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    items = ("fused", "reconstruction_a", "figure")
    plain = export(qtbot, window, ExportPlan(items, tmp_path, "plain", suffix))
    burnt = export(qtbot, window, ExportPlan(items, tmp_path, "burnt", suffix, burn=True))
    read = tifffile.imread if suffix == "tif" else lambda p: cv2.imread(str(p), -1)
    for before, after in zip(map(read, plain[:2]), map(read, burnt[:2]), strict=True):
        assert after.dtype == np.uint16
        np.testing.assert_array_equal(after[:40, :width], before)
        strip = after[40:].astype(int)
        assert strip.shape[0] >= 11
        assert strip.shape[1] >= width
        assert np.median(strip) < 5000
        assert strip.max() > 40_000
    np.testing.assert_array_equal(read(plain[2]), read(burnt[2]))


def test_the_notice_strip_holds_every_word_however_narrow(qapp):
    words = "Research use only – AI-generated image"
    wide, narrow = notice_strip(2000, words), notice_strip(10, words)
    assert wide.width() == 2000
    assert narrow.width() < 160
    # The same words in lines below each other: more height, and ink in each line.
    ink = as_array(narrow).max(axis=2) > 0.5
    lines = np.flatnonzero(np.diff(np.concatenate([[0], ink.any(axis=1).astype(int)])) == 1)
    assert len(lines) >= 3
    assert not ink[:, -2:].any()


def test_the_dialog_burns_by_default_where_it_is_clinical_and_not_for_measuring(qtbot, opened):
    dialog = ExportDialog(opened.session.outcome, "", opened)
    qtbot.addWidget(dialog)
    assert dialog.plan.burn
    dialog.format.setCurrentIndex(1)
    assert not dialog.plan.burn
    dialog.format.setCurrentIndex(2)
    assert dialog.plan.burn
    dialog.burn.click()
    assert not dialog.plan.burn
    assert [burns_by_default(task, "png") for task in ("mif", "ivif", "mef", "mff")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(("method", "said"), [("", "AI-generated"), ("average", "Research use")])
def test_every_file_says_in_its_metadata_that_it_is_for_research(
    qtbot, window, files, tmp_path, method, said
):
    window.session.set_task("mef")
    window.session.set_method(method)
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    (path,) = export(qtbot, window, ExportPlan(("fused",), tmp_path, "case"))
    with PIL.Image.open(path) as image:
        assert said in image.text["notice"]
        assert ("AI" in image.text["notice"]) == (method == "")


# --- where, how large, and what is carried along ---------------------------------------------


def test_export_and_open_remember_folders_of_their_own(qtbot, opened, tmp_path, files):
    out = tmp_path / "out"
    out.mkdir()
    opened.files.ask_export()
    opened.files.export_dialog.folder.setText(str(out))
    with qtbot.waitSignal(opened.controller.exported, timeout=WAIT):
        opened.files.export_dialog.go.click()
    opened.files.ask_export()
    assert opened.files.export_dialog.folder.text() == str(out)
    opened.files.export_dialog.reject()
    opened.files.ask_save()
    assert Path(opened.files.dialog.directory().absolutePath()) == out
    opened.files.dialog.reject()
    opened.actions_.open.trigger()
    assert Path(opened.files.dialog.directory().absolutePath()) != out
    opened.files.dialog.reject()
    assert opened.services.settings.export_folder == str(out)


def test_a_missing_folder_is_created_on_request(qtbot, opened, tmp_path):
    opened.files.ask_export()
    dialog = opened.files.export_dialog
    dialog.folder.setText(str(tmp_path))
    assert not dialog.create_.isVisible()
    dialog.folder.setText(str(tmp_path / "new" / "deeper"))
    assert dialog.create_.isVisible()
    assert not dialog.go.isEnabled()
    dialog.create_.click()
    assert (tmp_path / "new" / "deeper").is_dir()
    assert dialog.go.isEnabled()
    assert not dialog.create_.isVisible()
    (tmp_path / "file").write_bytes(b"")
    dialog.folder.setText(str(tmp_path / "file" / "below"))
    dialog.create_.click()
    assert "cannot be created" in dialog.note.text()
    assert not dialog.go.isEnabled()


@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 21)])
def test_features_are_as_large_as_the_picture(qtbot, window, tmp_path, width, height):
    a = write_png(tmp_path / "pet.png", gradient(width, height))
    b = write_png(tmp_path / "mri.png", gradient(width, height)[:, ::-1])
    with idle(qtbot, window):
        window.controller.open_pair(a, b)
    (path,) = export(qtbot, window, ExportPlan(("features_a",), tmp_path, "case"))
    shown = cv2.imread(str(path))
    assert shown.shape[:2] == (height, width)
    # Of half the resolution: each value is a square of two by two pixels.
    even = shown[: height // 2 * 2, : width // 2 * 2]
    np.testing.assert_array_equal(even[::2, ::2], even[1::2, 1::2])


@pytest.fixture
def photographs(tmp_path) -> tuple[Path, Path]:
    """Two pictures by a camera that says when and where, by their names visible and infrared."""
    paths = []
    for name, make in (("1_ir.jpg", "Thermal"), ("1_vis.jpg", "Camera")):
        exif = PIL.Image.Exif()
        exif[0x010F] = make
        exif[0x0112] = 1
        exif[0x8769] = {0x9003: "2024:05:06 07:08:09", 0xA002: 64, 0x927C: b"secret"}
        exif[0x8825] = {1: "N", 2: (48.0, 8.0, 30.0), 3: "E", 4: (11.0, 34.0, 12.0)}
        paths.append(tmp_path / name)
        PIL.Image.fromarray(gradient(64, 48)).convert("RGB").save(paths[-1], exif=exif)
    return paths[0], paths[1]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_camera_time_and_place_are_carried_on_wish(qtbot, window, photographs, tmp_path, suffix):
    with idle(qtbot, window):
        window.controller.open_pair(*photographs)
    assert window.session.task.name == "ivif"
    plain, carried = (
        export(qtbot, window, ExportPlan(("fused",), tmp_path, name, suffix, tags=tags))[0]
        for name, tags in (("plain", False), ("carried", True))
    )
    with PIL.Image.open(plain) as image:
        assert dict(image.getexif()) == {}
    with PIL.Image.open(carried) as image:
        exif = image.getexif()
        assert exif[0x010F] == "Camera"  # of the source whose colours it has
        assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
        assert exif.get_ifd(0x8825)[2] == (48.0, 8.0, 30.0)
        assert 0x0112 not in exif
        assert not {0xA002, 0x927C} & set(exif.get_ifd(0x8769))


def test_what_is_left_out_is_said(qtbot, window, photographs, tmp_path):
    with idle(qtbot, window):
        window.controller.open_pair(*photographs)
    export(qtbot, window, ExportPlan(("fused",), tmp_path, "plain"))
    assert "Camera, time and place (EXIF, GPS)" in window.view.notice.text.text()
    export(qtbot, window, ExportPlan(("fused",), tmp_path, "carried", tags=True))
    assert "left out" not in window.view.notice.text.text()


def test_never_for_medical_tasks(qtbot, window, photographs, tmp_path):
    a, b = (path.rename(path.with_name(path.name.replace("1_", "x"))) for path in photographs)
    window.controller.set_task("mif")
    with idle(qtbot, window):
        window.controller.open_pair(a, b, task_known=True)
    (path,) = export(qtbot, window, ExportPlan(("fused",), tmp_path, "case", tags=True))
    with PIL.Image.open(path) as image:
        assert dict(image.getexif()) == {}
    window.files.ask_export()
    assert not window.files.export_dialog.tags.isVisible()
    assert not window.files.export_dialog.plan.tags


def test_all_files_can_be_chosen_in_one_way(opened):
    opened.files.ask_save()
    filters = opened.files.dialog.nameFilters()
    assert filters.count("All files (*)") == 1
    assert filters[-1] == "All files (*)"
    opened.files.dialog.filterSelected.emit("All files (*)")
    assert opened.files.dialog.defaultSuffix() == "png"
    opened.files.dialog.reject()
    opened.actions_.open.trigger()
    every = [text for text in opened.files.dialog.nameFilters() if text.endswith("(*)")]
    assert every == ["All files: told by their content (*)"]
    opened.files.dialog.reject()


def test_the_notice_stands_outside_the_picture(opened):
    canvas = opened.view.panes["fused"].canvas
    foot = canvas.camera.to_widget(QPointF(*opened.session.outcome.pair.a.size)).y()
    assert canvas.height() - foot >= canvas.fontMetrics().height()
    # Zoomed in, too: the row of the notice holds no pixel of the picture.
    canvas.camera.zoom_about(QPointF(canvas.width() / 2, canvas.height() / 2), 20)
    image = canvas.grab().toImage()
    row = {image.pixelColor(x, image.height() - 3).name() for x in range(4, image.width() - 4)}
    assert row == {"#0d0f12"}
