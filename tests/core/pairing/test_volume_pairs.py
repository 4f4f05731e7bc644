"""Series and volumes among pictures: what is paired with what, and what is left."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from core.errors import Cancelled, InputError
from core.pairing.folders import pair_paths
from core.pairing.plan import PairingPlan
from core.progress import NullProgress
from core.types import SeriesHeader
from tests.core.io.studies import write_mr, write_pet, write_study


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients whose files have the same names, and pictures beside them."""
    folder = tmp_path_factory.mktemp("export")
    for patient in ("A1", "B2"):
        write_study(folder / patient, patient)
    (folder / "report.pdf").write_bytes(b"%PDF-1.4")
    for name in ("x_ct.png", "x_mri.png"):
        (folder / name).write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    return folder


def _plan(*paths: Path, **options: object) -> PairingPlan:
    return pair_paths(paths, "mif", volumes=True, **options)  # type: ignore[arg-type]


def test_each_patient_gives_a_pair_and_pictures_are_paired_by_name(export: Path) -> None:
    plan = _plan(export)
    studies = [match for match in plan.matches if match.study is not None]
    assert len(studies) == 2
    for match in studies:
        assert match.study is not None
        assert match.study.a.patient == match.study.b.patient != ""
        assert match.a.parent.parent == match.b.parent.parent
        assert [len(files) for files in match.files] == [8, 10]
        assert "of one patient in one frame of reference" in match.reason
    assert [match.name for match in plan.matches if match.study is None] == ["x"]
    assert not plan.leftovers
    assert len({match.folder for match in studies}) == 2


def test_names_of_pairs_tell_nothing_of_the_patient(export: Path) -> None:
    for match in _plan(export).matches:
        if match.study is not None:
            assert not any(word in f"{match.folder}/{match.name}" for word in ("A1", "B2", "Zwei"))
            assert match.name.startswith("pt-mr_")


def test_without_asking_files_stay_single_images(export: Path) -> None:
    assert all(match.study is None for match in pair_paths([export], "mif").matches)


def test_series_of_two_patients_are_never_paired(tmp_path: Path, export: Path) -> None:
    shutil.copytree(export / "A1" / "PET", tmp_path / "study" / "PET")
    shutil.copytree(export / "B2" / "MR", tmp_path / "study" / "MR")
    plan = _plan(tmp_path)
    assert not plan.matches
    reasons = " ".join(item.reason for item in plan.leftovers)
    assert "the patient has no series of MR" in reasons
    assert "the patient has no series of PET" in reasons


def test_of_two_that_fit_alike_one_has_to_be_chosen(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")
    write_mr(tmp_path / "T1")
    write_mr(tmp_path / "T2", SeriesInstanceUID="1.2.3.1.2", SeriesDescription="T2 ax")
    (match,) = _plan(tmp_path).matches
    assert match.study is not None
    (other,) = match.study.equals
    (chosen,) = _plan(tmp_path, prefer=[other.key[:10]]).matches
    assert chosen.study is not None
    assert (chosen.study.b.key, chosen.study.equals) == (other.key, ())


def test_another_series_than_the_best_is_taken_by_its_key(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")
    write_mr(tmp_path / "T1")
    elsewhere = {"FrameOfReferenceUID": "1.2.77"}
    write_mr(tmp_path / "T2", SeriesInstanceUID="1.2.3.1.2", **elsewhere)
    (match,) = _plan(tmp_path).matches
    assert match.study is not None
    assert not match.study.equals
    (other,) = match.study.others
    (chosen,) = _plan(tmp_path, prefer=[other.key[:10]]).matches
    assert chosen.study is not None
    assert (chosen.study.b.key, chosen.study.same_frame) == (other.key, False)
    assert chosen.reason == "paired by hand"
    assert [one.key for one in chosen.study.others] == [match.study.b.key]
    with pytest.raises(InputError, match="0 series have keys that begin so"):
        _plan(tmp_path, prefer=["nosuchkey"])
    with pytest.raises(InputError, match="3 series have"):
        _plan(tmp_path, prefer=[""])


def test_another_b_is_chosen_and_taken_back(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")
    write_mr(tmp_path / "T1")
    write_mr(tmp_path / "T2", SeriesInstanceUID="1.2.3.1.2", SeriesDescription="T2 ax")
    plan = _plan(tmp_path)
    (match,) = plan.matches
    assert match.study is not None
    first, second = match.study.choices
    changed = plan.choose_series(0, "b", second)
    (now,) = changed.matches
    assert now.study is not None
    assert (now.study.b, now.study.equals) == (second, ())
    assert [item.path for item in changed.leftovers] == [first.files[0]]
    back = changed.choose_series(0, "b", first)
    assert back.matches[0].study is not None
    assert back.matches[0].study.choices == (first, second)
    assert [item.path for item in back.leftovers] == [second.files[0]]
    with pytest.raises(ValueError, match="two series"):
        plan.choose_series(0, "b", match.study.a)


def test_any_series_of_the_patient_may_be_a_or_b(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")
    write_mr(tmp_path / "T1")
    write_mr(tmp_path / "T2", SeriesInstanceUID="1.2.3.1.2", SeriesDescription="T2 ax")
    write_mr(tmp_path / "other", SeriesInstanceUID="1.2.3.9.9", PatientID="somebody else")
    plan = _plan(tmp_path)
    (match,) = plan.matches
    assert match.study is not None
    pet, (t1, t2) = match.study.a, match.study.choices
    assert plan.series_for(0, "b") == (t1, t2)
    assert plan.series_for(0, "a") == (pet, t2)
    # Exchanged, the other MR is still listed, and which one is meant still open.
    turned = plan.swap()
    assert turned.matches[0].study is not None
    assert turned.series_for(0, "a") == (t1, t2)
    assert turned.matches[0].study.open_choices == match.study.open_choices == (t1, t2)
    chosen = turned.choose_series(0, "a", t2)
    assert _pairs(chosen) == [(t2, pet, False), (t1, pet, True)]
    assert chosen.matches[0].study is not None
    assert chosen.matches[0].study.open_choices == ()
    # A row can be added, but not the same twice.
    more = plan.choose_series(0, "b", t1).add_series(0, t2)
    assert _pairs(more) == [(pet, t1, False), (pet, t2, False)]
    assert len({one.name for one in more.matches}) == 1, "numbered by the plan of the batch"
    for refused in (lambda: more.add_series(0, t2), lambda: more.choose_series(1, "b", t1)):
        with pytest.raises(ValueError, match="another row"):
            refused()


def _pairs(plan: PairingPlan) -> list[tuple[SeriesHeader, SeriesHeader, bool]]:
    return [(m.study.a, m.study.b, m.excluded) for m in plan.matches if m.study is not None]


def test_series_are_swapped_and_paired_by_hand(tmp_path: Path) -> None:
    write_pet(tmp_path / "PET")
    write_mr(tmp_path / "T1")
    write_mr(tmp_path / "T2", SeriesInstanceUID="1.2.3.1.2", SeriesDescription="T2 ax")
    plan = _plan(tmp_path)
    (match,) = plan.matches
    swapped = plan.swap().matches[0]
    assert match.study is not None
    assert swapped.study is not None
    assert (swapped.study.a, swapped.study.b) == (match.study.b, match.study.a)
    assert (swapped.a, swapped.b) == (match.b, match.a)
    (loose,) = plan.leftovers
    (paired,) = plan.pair_by_hand(match.a, loose.path).matches
    assert paired.study is not None
    assert (paired.study.b.title, paired.study.same_frame) == ("T2 ax", True)
    assert not paired.study.equals


def test_nifti_volumes_are_paired_by_name_and_masks_left(tmp_path: Path) -> None:
    volume = nibabel.Nifti1Image(np.ones((4, 5, 6), np.float32), np.eye(4))
    for name in ("sub-01_pet", "sub-01_mri", "sub-01_mri_mask", "sub-02_pet", "sub-02_mri"):
        nibabel.save(volume, tmp_path / f"{name}.nii.gz")
    plan = _plan(tmp_path)
    names = {(m.a.name[:10], m.b.name[:10]) for m in plan.matches if m.study is not None}
    assert names == {("sub-01_pet", "sub-01_mri"), ("sub-02_pet", "sub-02_mri")}
    (mask,) = plan.leftovers
    assert mask.path.name == "sub-01_mri_mask.nii.gz"
    assert "mask" in mask.reason


def test_listing_headers_can_be_cancelled(export: Path) -> None:
    class _Stop(NullProgress):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        _plan(export, progress=_Stop())
