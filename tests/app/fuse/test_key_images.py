"""Key images and the report of a study from the window."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt

from app.preferences.session_file import KeyImage, from_json, to_json
from core.regions import SphereRegion
from tests.app.acts import WAIT
from tests.app.fuse.volumes import settled
from tests.core.io.dicom_files import BIRTH, ID
from tests.core.io.pdf_text import pdf_text

PLANTED = ("Zweistein", "Ottokar", ID, BIRTH)


def at(qtbot, study, index: int) -> None:
    study.controller.volumes.go_to(index)
    qtbot.waitUntil(
        lambda: (
            study.session.sources.slice is not None and study.session.sources.slice.index == index
        ),
        timeout=WAIT,
    )


def test_slices_are_marked_by_a_key_and_shown_beside_the_slider(qtbot, study):
    bar, keys = study.view.slices, study.controller.key_images
    at(qtbot, study, 5)
    assert bar.mark.text() == "☆"
    qtbot.keyClick(study, Qt.Key.Key_J)
    assert bar.mark.text() == "★"
    at(qtbot, study, 9)
    assert bar.mark.text() == "☆"
    bar.mark.click()
    volumes = study.session.sources.slice.volumes
    assert keys.of(volumes) == (("axial", 5), ("axial", 9))
    assert [action.text() for action in bar.mark.menu().actions()] == [
        "Axial, slice 6",
        "Axial, slice 10",
    ]
    assert "2 key images" in bar.mark.toolTip()
    study.actions_.next_key_image.trigger()
    qtbot.waitUntil(lambda: study.session.sources.slice.index == 5, timeout=WAIT)
    bar.mark.menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: study.session.sources.slice.index == 9, timeout=WAIT)
    bar.mark.click()
    assert keys.of(volumes) == (("axial", 5),)


def test_marks_are_kept_in_the_session_without_a_name(qtbot, study):
    at(qtbot, study, 5)
    study.actions_.key_image.trigger()
    study.actions_.planes["coronal"].trigger()
    qtbot.waitUntil(lambda: study.session.sources.slice.plane == "coronal", timeout=WAIT)
    study.actions_.key_image.trigger()
    stored = to_json(study.services.snapshot())
    assert not any(planted.encode() in stored for planted in PLANTED)
    kept = from_json(stored).key_images
    a, b = study.session.sources.slice.volumes.series
    coronal = study.session.sources.slice.index
    assert kept == (KeyImage(a.key, b.key, "axial", 5), KeyImage(a.key, b.key, "coronal", coronal))
    study.controller.key_images.toggle(study.session.sources.slice)
    study.services.restore(from_json(stored))
    qtbot.waitUntil(lambda: len(study.controller.key_images.all) == 2, timeout=WAIT)
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)


def test_the_report_shows_the_key_images_as_they_are_on_screen(qtbot, study, tmp_path):
    display = study.session.display
    study.session.set_display(display.with_pane("b", window=(0.0, 400.0)))
    for index in (5, 9):
        at(qtbot, study, index)
        study.actions_.key_image.trigger()
    study.actions_.report.trigger()
    dialog = study.files.report_dialog
    dialog.folder.setText(str(tmp_path / "new"))
    assert not dialog.go.isEnabled()
    dialog.create_.click()
    assert dialog.go.isEnabled()
    assert dialog.slices.currentText() == "2 key images"
    assert "No name" in dialog.privacy.text()
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        dialog.go.click()
    path = tmp_path / "new" / "report.pdf"
    text = pdf_text(path.read_bytes())
    assert re.findall(r"Slice (\d+) of 16, axial", text) == ["6", "10"]
    assert "MR, 0 to 400" in text
    assert "Research use only" in text
    for planted in PLANTED:
        assert planted not in text
        assert planted.encode() not in path.read_bytes()
    assert study.controller.volume_export.unfinished == ()
    assert "Lost in the fused pictures" in text
    assert "all that are shown" in text
    study.actions_.report.trigger()
    again = study.files.report_dialog
    again.folder.setText(str(tmp_path / "new"))
    assert "Will be replaced: report.pdf" in again.note.text()
    again.identity.setChecked(True)
    assert "will be in the report" in again.privacy.text()
    again.slices.setCurrentIndex(2)
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        again.go.click()
    text = pdf_text(path.read_bytes())
    assert "Zweistein" in text
    assert re.findall(r"Slice (\d+) of 16, axial", text) == ["10"]


def test_a_report_that_cannot_be_written_says_so_and_leaves_nothing(qtbot, study, tmp_path):
    study.actions_.report.trigger()
    dialog = study.files.report_dialog
    folder = tmp_path / "gone"
    folder.mkdir()
    dialog.folder.setText(str(folder))
    folder.rmdir()
    dialog.go.click()
    qtbot.waitUntil(lambda: study.session.problem is not None, timeout=WAIT)
    assert "no folder" in str(study.session.problem.error)
    assert study.controller.volume_export.running is None


def test_figures_of_regions_are_in_the_report(qtbot, study, tmp_path):
    volumes = study.session.sources.slice.volumes
    point = study.session.sources.slice.point
    frame = volumes.pair.b.frame_of_reference
    study.measuring.state.add(SphereRegion("Hot spot", point, 8, frame_of_reference=frame))
    study.actions_.report.trigger()
    dialog = study.files.report_dialog
    assert dialog.figures.text() == "Figures of 1 region"
    dialog.folder.setText(str(tmp_path))
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        dialog.go.click()
    text = pdf_text((tmp_path / "report.pdf").read_bytes())
    assert "Hot spot" in text
    assert "SUVbw" in text.split("Regions")[1]
    study.actions_.report.trigger()
    study.files.report_dialog.figures.setChecked(False)
    assert study.files.report_dialog.plan.regions == ()
