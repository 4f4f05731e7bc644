"""Pairs that a person must answer for, and series that are alone."""

from __future__ import annotations

import shutil

import pydicom

from tests.app.acts import WAIT
from tests.app.fuse.volumes import settled, write_mr, write_nifti, write_pet, write_study
from tests.core.io.dicom_files import ID, NAME

OTHER = {
    "PatientID": "QX-2",
    "PatientName": "Achtstein^Ada",
    "StudyInstanceUID": "1.2.3.9",
    "FrameOfReferenceUID": "1.2.3.9.1",
}


def test_two_patients_are_refused_until_a_person_accepts_them(window, qtbot, tmp_path):
    write_pet(tmp_path / "z")
    write_mr(tmp_path / "a", **OTHER)
    window.files.take([tmp_path / "a", tmp_path / "z"])
    qtbot.waitUntil(lambda: window.session.problem is not None, timeout=WAIT)
    assert window.session.problem.remedy == "patients"
    assert window.session.sources.slice is None
    assert [str(match.folder) for match in window.pairs.matches] == ["Two patients"]
    text = str(window.session.problem.error)
    assert not any(word in text for word in (NAME.split("^")[0], ID, "QX-2", "Achtstein"))

    window.view.card.action_requested.emit("patients")
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.slice.volumes.names == ("PT · FDG", "MR · T1 ax")
    assert "A and B are of two different patients." in window.session.sources.notes
    assert window.view.panes["fused"].tag("registration") == "Two patients"


def test_a_pair_of_two_patients_is_not_made_out_of_one_folder(window, qtbot, tmp_path):
    write_pet(tmp_path / "pet")
    write_mr(tmp_path / "mr", **OTHER)
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: "same patient" in window.session.message, timeout=WAIT)
    assert not window.pairs.matches
    assert window.session.sources.slice is None


def test_a_gap_beside_another_patient_is_asked_for_as_well(window, qtbot, tmp_path):
    write_pet(tmp_path / "pet")
    files = sorted((tmp_path / "pet").iterdir(), key=lambda path: int(path.stem.split("_")[1]))
    files[2].unlink()
    write_mr(tmp_path / "mr", **OTHER)
    window.files.take([tmp_path / "pet", tmp_path / "mr"])
    for remedy in ("patients", "gap"):
        qtbot.waitUntil(
            lambda wanted=remedy: getattr(window.session.problem, "remedy", "") == wanted,
            timeout=WAIT,
        )
        window.view.card.action_requested.emit(remedy)
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)


def test_a_series_alone_says_what_is_wrong_with_it(window, qtbot, tmp_path):
    write_study(tmp_path)
    shutil.rmtree(tmp_path / "mr")
    files = sorted((tmp_path / "pet").iterdir(), key=lambda path: int(path.stem.split("_")[1]))
    files[2].unlink()
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: "partner" in window.session.message, timeout=WAIT)
    assert "1 slice is missing" in window.session.message


def test_a_single_image_without_a_place_is_opened_as_a_picture(window, qtbot, tmp_path):
    write_mr(tmp_path / "mr")
    path = min((tmp_path / "mr").iterdir())
    dataset = pydicom.dcmread(path)
    del dataset.ImagePositionPatient
    del dataset.ImageOrientationPatient
    dataset.save_as(path)
    window.files.take([path])
    qtbot.waitUntil(lambda: window.session.sources.a is not None, timeout=WAIT)
    assert window.session.sources.a.image.size == (60, 40)


def test_pictures_beside_series_are_not_left_out_in_silence(window, qtbot, tmp_path, files):
    folder = write_study(tmp_path / "export")
    for file in files:
        shutil.copy(file, folder)
    window.files.take([folder])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert "2 pictures beside the series were left out" in window.pairs.note


def test_two_volumes_that_name_no_modality_are_a_and_b_as_given(window, qtbot, tmp_path):
    first, second = write_nifti(tmp_path / "y.nii"), write_nifti(tmp_path / "x.nii")
    window.files.take([first, second])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.slice.volumes.key == (first, second)
