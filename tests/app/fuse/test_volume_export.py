"""All slices of a study leave the window: DICOM, NIfTI, or the slice on show."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from app.fuse.study_tasks import VolumeExportPlan
from app.shell.main_window import MainWindow
from core.errors import OutputError
from core.geometry.grids import grid_of
from core.geometry.planes import axes_of
from tests.app.acts import WAIT
from tests.core.io.dicom_files import BIRTH, ID

PLANTED = ("Zweistein", "Ottokar", ID, BIRTH)


def dialog_of(study: MainWindow, out: Path):
    study.actions_.export.trigger()
    dialog = study.files.volume_dialog
    dialog.folder.setText(str(out))
    return dialog


def choose(dialog, name: str) -> None:
    dialog.format.setCurrentIndex(dialog.format.findData(name))


def test_the_dialog_says_whether_the_notice_fits_the_slices(study, tmp_path):
    dialog = dialog_of(study, tmp_path)
    choose(dialog, "multi")
    for size, told in (((64, 64), "too small for the notice"), ((128, 128), "into every slice")):
        dialog._size = size
        dialog.update_state()
        assert told in dialog.privacy.text()


@pytest.mark.parametrize(("layout", "name"), [("multi", "fused.dcm"), ("single", "fused")])
def test_dicom_is_written_of_the_study_on_show(qtbot, study, tmp_path, layout, name):
    out = tmp_path / "out"
    out.mkdir()
    dialog = dialog_of(study, out)
    choose(dialog, layout)
    assert "left out" in dialog.privacy.text()
    assert "face" in dialog.privacy.text()
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        dialog.go.click()
    assert [path.name for path in out.iterdir()] == [name]
    assert study.controller.volume_export.running is None
    assert "PS3.15" in study.session.message
    path = out / name
    files = [path] if path.is_file() else sorted(path.iterdir())
    assert len(files) == {"multi": 1, "single": 16}[layout]
    tags = pydicom.dcmread(files[0])
    assert tags.PatientIdentityRemoved == "YES"
    volumes = study.session.sources.slice.volumes
    assert tags.FrameOfReferenceUID == volumes.pair.b.frame_of_reference
    for path in files:
        assert not any(planted.encode() in path.read_bytes() for planted in PLANTED)


def test_windows_on_show_are_those_of_the_slices(qtbot, study, tmp_path):
    """The slice on show, in its windows, is in the file as it is on screen."""
    display = study.session.display
    study.session.set_display(display.with_pane("b", window=(0.0, 400.0)))
    with qtbot.waitSignal(study.controller.idle, timeout=WAIT):
        study.controller.fuse()
    shown = study.session.sources.slice
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        study.controller.volume_export.export(VolumeExportPlan(tmp_path / "o.nii.gz"))
    image = nibabel.load(tmp_path / "o.nii.gz")
    stored = np.asarray(image.dataobj)
    volume = np.stack([stored[name].T for name in "RGB"], axis=-1)
    fused = study.session.outcome.result.fused
    wanted = np.floor(fused.astype(float) * 255 + 0.5)
    axes = axes_of(grid_of(shown.volumes.pair.b), shown.plane)
    assert axes.order == (0, 1, 2)
    index = len(volume) - 1 - shown.index if axes.flipped[0] else shown.index
    np.testing.assert_array_equal(volume[index], wanted)


def test_choices_are_said_plainly(study, tmp_path):
    dialog = dialog_of(study, tmp_path)
    dialog.identity.setChecked(True)
    assert "will be in the files" in dialog.privacy.text()
    assert dialog.plan.keep_identity
    dialog.identity.setChecked(False)
    dialog.uids.setChecked(True)
    assert "stay" not in dialog.privacy.text()
    choose(dialog, "nifti")
    assert not dialog.identity.isEnabled()
    assert not dialog.notice.isEnabled()
    assert dialog.plan.path == tmp_path / "fused.nii.gz"
    assert not dialog.plan.replace_uids
    dialog.name.setText("a/b")
    assert not dialog.go.isEnabled()
    dialog.name.setText("fused")
    dialog.folder.setText(str(tmp_path / "nowhere"))
    assert not dialog.go.isEnabled()
    dialog.folder.setText(str(tmp_path))
    (tmp_path / "fused").mkdir()
    (tmp_path / "fused" / "a.txt").write_text("a")
    choose(dialog, "single")
    assert not dialog.go.isEnabled()
    assert "holds other files" in dialog.note.text()
    dialog.name.setText("fused.v2")
    assert not dialog.go.isEnabled()
    choose(dialog, "multi")
    assert dialog.go.isEnabled()


def test_key_image_is_the_export_of_the_slice(study, tmp_path):
    dialog = dialog_of(study, tmp_path)
    choose(dialog, "key")
    assert dialog.go.isEnabled()
    dialog.go.click()
    assert study.files.export_dialog.isVisible()
    study.files.export_dialog.reject()


def test_a_cancelled_export_leaves_nothing(qtbot, study, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    exporter = study.controller.volume_export
    stages = []

    def watch() -> None:
        running = exporter.running
        stages.append(running)
        if running is not None and running.share:
            exporter.cancel()

    exporter.changed.connect(watch)
    exporter.export(VolumeExportPlan(out / "fused.dcm"))
    qtbot.waitUntil(lambda: exporter.running is None, timeout=WAIT)
    assert any(stage is not None and stage.share for stage in stages)
    qtbot.waitUntil(lambda: list(out.iterdir()) == [], timeout=WAIT)
    assert study.session.problem is None
    assert exporter.unfinished == ()


def test_the_slice_on_show_is_fused_first(qtbot, study, tmp_path, monkeypatch):
    from core.fusion import volume_targets

    asked = []
    fuse_slices = volume_targets.fuse_slices

    def watched(*given):
        asked.extend(given[3])
        return fuse_slices(*given)

    monkeypatch.setattr(volume_targets, "fuse_slices", watched)
    index = study.session.sources.slice.index
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        study.controller.volume_export.export(VolumeExportPlan(tmp_path / "o.nii"))
    assert asked[0] == index
    assert sorted(asked) == list(range(16))


def test_a_failed_export_says_why(qtbot, study, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("a")
    with qtbot.waitSignal(
        study.session.problem_changed,
        timeout=WAIT,
        check_params_cb=lambda: study.session.problem is not None,
    ):
        study.controller.volume_export.export(VolumeExportPlan(tmp_path / "full", layout="single"))
    assert isinstance(study.session.problem.error, OutputError)
    assert study.controller.volume_export.running is None


def test_progress_is_told_in_the_language_of_the_window(german, qtbot, study, tmp_path):
    """A signal turns messages into plain text, which nobody could translate any more."""
    exporter = study.controller.volume_export
    told = []
    exporter.changed.connect(
        lambda: told.append(exporter.running.stage if exporter.running else "")
    )
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT):
        exporter.export(VolumeExportPlan(tmp_path / "o.dcm"))
    assert any(stage.startswith("Schicht ") and stage.endswith(" von 16") for stage in told)
    assert not any(stage.startswith("Slice") for stage in told)


def test_the_values_of_a_are_written_as_a_map_when_asked_for(qtbot, study, tmp_path):
    dialog = dialog_of(study, tmp_path)
    assert dialog.parametric.isVisibleTo(dialog)
    dialog.parametric.setChecked(True)
    choose(dialog, "nifti")
    assert not dialog.parametric.isEnabled()
    assert not dialog.plan.parametric
    choose(dialog, "multi")
    with qtbot.waitSignal(study.controller.exported, timeout=WAIT) as told:
        dialog.go.click()
    assert [path.name for path in told.args[0]] == ["fused.dcm", "fused_map.dcm"]
    tags = pydicom.dcmread(tmp_path / "fused_map.dcm")
    mapping = tags.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "{SUVbw}g/ml"
    a = study.session.sources.slice.volumes.pair.a
    np.testing.assert_allclose(np.nanmax(tags.pixel_array), a.data.max(), rtol=1e-6)
    for path in tmp_path.glob("*.dcm"):
        assert not any(planted.encode() in path.read_bytes() for planted in PLANTED)
    choose(dialog_of(study, tmp_path), "multi")
    again = study.files.volume_dialog
    again.parametric.setChecked(True)
    assert again.note.text() == "Will be replaced: fused.dcm, fused_map.dcm"
    again.reject()
