"""Pairs of series in the window: how they are found, opened, refused and let go of."""

from __future__ import annotations

import gc
import weakref

from app.fuse import export
from app.fuse.info import rows_of
from app.fuse.pair_search import find_more
from core.progress import NullProgress
from tests.app.acts import WAIT, yield_to_window
from tests.app.fuse.volumes import (
    settled,
    write_mr,
    write_nifti,
    write_pet,
    write_study,
)
from tests.core.io.dicom_files import ID, NAME


def test_a_dropped_folder_is_opened_as_pet_and_mr(study):
    session = study.session
    view = session.sources.slice
    assert (view.plane, view.index, view.count) == ("axial", 8, 16)
    assert session.sources.a.image.size == session.sources.b.image.size == (60, 40)
    assert session.sources.a.image.unit == "SUVbw"
    assert session.display.a.palette == "hot_iron"
    assert session.display.b.palette == "grey"
    assert session.outcome.palettes == ("hot_iron", "grey")
    assert session.outcome.result.fused.shape[2] == 3
    assert not session.is_stale


def test_the_list_names_patients_by_number_and_says_why(study):
    (match,) = study.pairs.matches
    assert str(match.folder) == "Patient 1"
    assert match.name == "PT + MR · FDG + T1 ax"
    assert "frame of reference" in match.reason
    shown = " ".join((match.name, match.reason, study.pairs.note))
    assert NAME.split("^")[0] not in shown
    assert ID not in shown
    assert study.pairs.current == (match.a, match.b)


def test_several_folders_are_one_study(window, qtbot, tmp_path):
    write_study(tmp_path)
    window.files.take([tmp_path / "mr", tmp_path / "pet"])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.slice.volumes.names == ("PT · FDG", "MR · T1 ax")


def test_a_series_waits_for_its_partner(window, qtbot, tmp_path):
    write_study(tmp_path)
    window.files.take([tmp_path / "pet"])
    qtbot.waitUntil(lambda: "partner" in window.session.message, timeout=WAIT)
    window.files.take([tmp_path / "mr"])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)


def test_two_nifti_files_are_opened_as_volumes(window, qtbot, tmp_path):
    a, b = write_nifti(tmp_path / "pet.nii.gz", (16, 20, 20)), write_nifti(tmp_path / "t1.nii")
    window.files.take([b, a])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.slice.volumes.key == (a, b)
    assert window.session.display.a.palette == "hot_iron"
    assert window.view.panes["fused"].tag("registration")


def test_nifti_files_of_several_folders_are_not_guessed_to_be_of_one_patient(
    window, qtbot, tmp_path
):
    for folder, name in (("x", "pet.nii"), ("x", "flair.nii"), ("y", "t1.nii")):
        (tmp_path / folder).mkdir(exist_ok=True)
        write_nifti(tmp_path / folder / name)
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    (match,) = window.pairs.matches
    assert (match.a.name, match.b.name) == ("pet.nii", "flair.nii")
    assert str(match.folder) == "Unknown patient"


def test_two_patients_are_numbered_and_never_mixed(window, qtbot, tmp_path):
    write_study(tmp_path / "one")
    uids = {"FrameOfReferenceUID": "1.2.3.8", "StudyInstanceUID": "1.2.3.2"}
    other = {"PatientID": "QX-2", "PatientName": "Achtstein^Ada", "PatientBirthDate": "19400101"}
    write_pet(tmp_path / "two" / "pet", SeriesInstanceUID="1.2.3.2.1", **uids, **other)
    write_mr(tmp_path / "two" / "mr", SeriesInstanceUID="1.2.3.2.2", **uids, **other)
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    matches = window.pairs.matches
    assert {str(match.folder) for match in matches} == {"Patient 1", "Patient 2"}
    assert all(match.a.parents[1] == match.b.parents[1] for match in matches)


def test_series_of_one_frame_of_reference_are_not_called_unregistered(study):
    assert not study.view.panes["fused"].tag("registration")


def test_another_frame_of_reference_is_said_for_good(window, qtbot, tmp_path):
    folder = write_study(tmp_path / "export", FrameOfReferenceUID="1.2.3.77")
    window.files.take([folder])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.view.panes["fused"].tag("registration") == "Not registered"
    window.controller.volumes.step(1)
    qtbot.waitUntil(lambda: window.session.sources.slice.index == 9, timeout=WAIT)
    assert window.view.panes["fused"].tag("registration") == "Not registered"


def test_folders_given_at_the_start_are_opened(window, qtbot, tmp_path):
    write_study(tmp_path)
    window.services.begin(tmp_path / "pet", tmp_path / "mr")
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert window.session.sources.slice.volumes.names == ("PT · FDG", "MR · T1 ax")


def test_single_images_open_as_before(window, qtbot, files):
    found = find_more(list(files), "mif", lambda: None, NullProgress(), only_series=True)
    assert found is None
    window.files.take(list(files))
    qtbot.waitUntil(lambda: window.session.outcome is not None, timeout=WAIT)
    assert window.session.sources.slice is None
    assert not window.view.slices.isVisible()


def test_a_single_dicom_slice_opens_as_an_image(window, qtbot, tmp_path):
    write_mr(tmp_path / "mr")
    path = min((tmp_path / "mr").iterdir())
    window.files.take([path])
    qtbot.waitUntil(lambda: window.session.sources.a is not None, timeout=WAIT)
    assert window.session.sources.slice is None
    assert window.session.sources.a.image.size == (60, 40)


def test_a_gap_is_refused_and_accepted(window, qtbot, tmp_path):
    write_study(tmp_path)
    files = sorted((tmp_path / "pet").iterdir(), key=lambda path: int(path.stem.split("_")[1]))
    files[2].unlink()
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: window.session.problem is not None, timeout=WAIT)
    assert window.session.problem.remedy == "gap"
    assert window.session.sources.slice is None
    window.view.remedy_requested.emit("gap")
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert any("Accepted" in note for note in window.session.sources.notes)


def test_a_slice_in_the_gap_is_said_to_have_no_data(window, qtbot, tmp_path):
    write_study(tmp_path)
    files = sorted((tmp_path / "pet").iterdir(), key=lambda path: int(path.stem.split("_")[1]))
    files[2].unlink()
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: window.session.problem is not None, timeout=WAIT)
    window.view.remedy_requested.emit("gap")
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    assert not window.view.panes["a"].tag("data")
    window.controller.volumes.go_to(4)  # the MR has two slices for one of the PET: 2 × 2
    qtbot.waitUntil(lambda: window.session.sources.slice.index == 4, timeout=WAIT)
    assert window.session.sources.slice.lone == "b"
    assert window.view.panes["a"].tag("data") == "No data"
    assert not window.view.panes["b"].tag("data")


def test_reading_can_be_cancelled_and_repeated(window, qtbot, tmp_path, monkeypatch):
    from app.fuse import volume_tasks

    whole = volume_tasks.open_volumes

    def slow(*asked: object) -> None:
        while True:
            yield_to_window()
            asked[-1].check()

    monkeypatch.setattr(volume_tasks, "open_volumes", slow)
    window.files.take([write_study(tmp_path / "export")])
    # A run of before may end between the names and the start of the reading.
    qtbot.waitUntil(
        lambda: any(window.session.sources.names) and window.session.running is not None,
        timeout=WAIT,
    )
    window.controller.cancel()
    qtbot.waitUntil(lambda: window.session.offer is not None, timeout=WAIT)
    monkeypatch.setattr(volume_tasks, "open_volumes", whole)
    window.controller.reload()
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)


def test_looking_at_many_files_shows_progress_and_can_be_cancelled(
    window, qtbot, tmp_path, monkeypatch
):
    from app.fuse import pair_search

    def slow(paths, known, progress):
        while True:
            yield_to_window()
            progress.report(10, 5000, "Looking at files")
            progress.check()

    monkeypatch.setattr(pair_search, "find_study", slow)
    window.files.take([tmp_path])
    qtbot.waitUntil(lambda: window.session.running is not None, timeout=WAIT)
    assert window.session.running.total == 5000
    window.actions_.cancel.trigger()
    qtbot.waitUntil(lambda: window.session.running is None, timeout=WAIT)
    assert window.pairs.note == "The search was cancelled."


def test_swapping_brings_a_onto_the_grid_of_the_other(study, qtbot):
    study.controller.swap()
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.a.image.size == (12, 12), timeout=WAIT
    )
    assert study.session.sources.slice.volumes.names == ("MR · T1 ax", "PT · FDG")
    assert study.session.display.b.palette == "hot_iron"
    # What is said of each is true of it.
    titles = [study.view.panes[name].title.text() for name in ("a", "b")]
    assert titles == ["MRI", "PET"]
    assert [title for title, _rows in rows_of(study.session)][:2] == ["A – MRI", "B – PET"]


def test_the_figure_names_what_it_shows(study, qtbot, monkeypatch):
    drawn = []
    monkeypatch.setattr(export, "figure", lambda panels, *_more: drawn.append(panels))

    def titles() -> list[str]:
        export.figure_of(study.session.outcome, study.session.display)
        return [panel.title for panel in drawn[-1]][:3]

    assert titles() == ["A: PET", "B: MRI", "Fused"]
    before = study.session.outcome
    study.controller.swap()
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.a.image.size == (12, 12), timeout=WAIT
    )
    assert titles() == ["A: MRI", "B: PET", "Fused"]
    export.figure_of(before, study.session.display)
    assert drawn[-1][0].title == "A: PET"


def test_a_session_brings_a_swapped_pair_back_swapped(study, qtbot, files):
    study.controller.swap()
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.a.image.size == (12, 12), timeout=WAIT
    )
    kept = study.services.snapshot()
    study.files.take(list(files))
    qtbot.waitUntil(lambda: study.session.sources.slice is None and bool(study.session.results))
    study.services.restore(kept)
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert study.session.sources.slice.volumes.names == ("MR · T1 ax", "PT · FDG")
    assert (study.session.display.a.palette, study.session.display.b.palette) == (
        "grey",
        "hot_iron",
    )
    assert study.controller.volumes.on_show == kept.slice


def test_a_pair_swapped_in_the_list_stays_one_of_series(study, qtbot):
    study.pairs.set_plan(study.pairs.plan.swap())
    qtbot.waitUntil(
        lambda: settled(study) and study.session.sources.a.image.size == (12, 12), timeout=WAIT
    )


def test_reading_again_reads_the_files(study, qtbot, tmp_path):
    for path in (tmp_path / "export" / "mr").iterdir():
        path.write_bytes(b"gone")
    study.controller.reload()
    qtbot.waitUntil(lambda: study.session.problem is not None, timeout=WAIT)
    assert study.session.sources.a is None


def test_results_that_are_kept_do_not_keep_the_volumes(study, qtbot, files):
    volumes = weakref.ref(study.session.sources.slice.volumes)
    data = weakref.ref(study.session.sources.slice.volumes.pair.b)
    study.files.take(list(files))
    qtbot.waitUntil(lambda: study.session.sources.slice is None and bool(study.session.results))
    gc.collect()
    assert volumes() is None
    assert data() is None


def test_images_opened_afterwards_are_grey_again(study, qtbot, files):
    study.files.take(list(files))
    qtbot.waitUntil(lambda: study.session.sources.slice is None and bool(study.session.results))
    assert study.session.display.a.palette == "grey"
    assert not study.view.slices.isVisible()
    assert study.controller.volumes.view is None
