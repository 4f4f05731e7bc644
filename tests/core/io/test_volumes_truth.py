"""Series of real scanners and phantoms against what is known of them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydicom import dcmread

from core.errors import MissingSlices, MixedPatients, SeriesError, UnevenSlices
from core.io.volumes import list_series, read_volume, series_suv
from core.types import SeriesHeader, Volume


@pytest.fixture(scope="session")
def clinical(shared_data: Path) -> Path:
    folder = shared_data / "clinical"
    if not (folder / "derived").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    return folder


def _only(path: Path) -> SeriesHeader:
    series = list_series(path).series
    assert len(series) == 1
    return series[0]


def _read(path: Path) -> Volume:
    return read_volume(_only(path))


def _assert_same_places(one: Volume, other: Volume, tolerance: float) -> None:
    """Each voxel of ``one`` has the value of the voxel of ``other`` at the same millimetres."""
    between = np.linalg.inv(other.affine) @ one.affine
    k, j, i = np.indices(one.shape).reshape(3, -1)
    there = (between @ [i, j, k, np.ones_like(i)])[:3]
    at = np.round(there).astype(int)
    np.testing.assert_allclose(there, at, atol=1e-3)
    np.testing.assert_allclose(one.data.ravel(), other.data[at[2], at[1], at[0]], rtol=tolerance)


@pytest.mark.parametrize(("name", "classic"), [("PET", "PET"), ("MR_T1", "MR_T1")])
def test_enhanced_equals_classic_bit_for_bit(clinical: Path, name: str, classic: str) -> None:
    one = _read(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / classic)
    other = _read(clinical / "derived" / "enhanced" / f"STS_002_{name}.dcm")
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_array_equal(one.affine, other.affine)
    assert one.frame_of_reference == other.frame_of_reference
    assert (one.unit, one.patient) == (other.unit, other.patient)


@pytest.mark.parametrize("name", ["PET", "MR_T1"])
def test_dicom_equals_nifti(clinical: Path, name: str) -> None:
    dicom = _read(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / name)
    nifti = _read(clinical / "sts_petmr_ct" / "nifti" / "STS_002" / f"{name}_image.nii.gz")
    assert dicom.shape == nifti.shape
    _assert_same_places(dicom, nifti, 1e-6)
    if name == "PET":
        assert dicom.data.max() == pytest.approx(21.67575, abs=1e-5)
        assert (dicom.unit, dicom.window[0]) == ("g/mL", 0.0)


def test_three_grids_of_one_frame_of_reference(clinical: Path) -> None:
    series = list_series(clinical / "sts_petmr_ct" / "dicom").series
    assert sorted(one.modality for one in series) == ["CT", "MR", "PT"]
    assert len({one.frame_of_reference for one in series}) == 1
    assert len({one.patient for one in series}) == 1
    assert len({one.shape for one in series}) == 3


def test_orientation_phantom(clinical: Path) -> None:
    """Each slice of each file is where its own tags say; the NIfTI has the very same grey levels.

    The two copies of the phantom are mirrored along z against each other, by their own headers.
    """
    folder = clinical / "ibsi_digital" / "ibsi_2_digital_phantom"
    dicom = _read(folder / "dicom")
    for path in (folder / "dicom").rglob("*.dcm"):
        tags = dcmread(path)
        at = np.linalg.inv(dicom.affine) @ [*map(float, tags.ImagePositionPatient), 1]
        assert at[:2] == pytest.approx([0, 0])
        np.testing.assert_array_equal(dicom.data[round(at[2])], tags.pixel_array)
    stored = nibabel.load(next((folder / "nifti").rglob("*.nii.gz")))
    nifti = _read(next((folder / "nifti").rglob("*.nii.gz")))
    for voxel in ((3, 7, 11), (31, 0, 63), (0, 47, 0)):
        ras = stored.affine @ [*voxel, 1]
        at = np.linalg.inv(nifti.affine) @ (ras * [-1, -1, 1, 1])
        i, j, k = np.round(at[:3]).astype(int)
        assert nifti.data[k, j, i] == np.asarray(stored.dataobj)[voxel]
    mirrored = np.diag([1.0, 1, -1, 1]) @ nifti.affine
    _assert_same_places(dicom, Volume(data=nifti.data, affine=mirrored), 0)
    assert len({float(value) for value in np.diff(dicom.data[:, 0, 0])} - {0.0}) == 1


def test_gantry_tilt_and_uneven_slices(clinical: Path) -> None:
    series = _only(clinical / "dicom_ct_ge")
    assert "tilted by 18.5°" in series.notes[0]
    with pytest.raises(UnevenSlices, match=r"1\.08 to 7\.00 mm"):
        read_volume(series)
    volume = read_volume(series, accept={"uneven"})
    assert volume.unit == "HU"
    first = dcmread(clinical / "dicom_ct_ge" / "11.dcm")
    last = dcmread(clinical / "dicom_ct_ge" / "18.dcm")
    for k, tags in ((0, first), (volume.shape[0] - 1, last)):
        place = [float(v) for v in tags.ImagePositionPatient]
        assert volume.affine @ [0, 0, k, 1] == pytest.approx([*place, 1], abs=1e-3)
        inside = volume.mask[k] if volume.mask is not None else np.ones(volume.shape[1:], bool)
        values = tags.pixel_array * float(tags.RescaleSlope) + float(tags.RescaleIntercept)
        np.testing.assert_allclose(volume.data[k][inside], values[inside], atol=1e-2)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("missing_slice", MissingSlices, r"1 slice is missing, at -243\.50 mm"),
        ("duplicate_position", SeriesError, r"at the same place, at -256\.58 mm"),
        ("no_pixel_spacing", SeriesError, "how large a pixel is"),
        ("two_patients_one_series", MixedPatients, "2 different patients"),
    ],
)
def test_broken_series(clinical: Path, name: str, kind: type[SeriesError], words: str) -> None:
    with pytest.raises(kind, match=words) as told:
        _read(clinical / "derived" / "broken" / name)
    assert told.value.what.startswith("PT series “")
    assert "STS_00" not in str(told.value)
    assert told.value.remedy


def test_all_zero_pet_is_read_and_said(clinical: Path) -> None:
    volume = _read(clinical / "derived" / "broken" / "all_zero")
    assert not volume.data.any()
    assert volume.window == (0.0, 1.0)
    assert "All of its values are 0." in volume.notes


def test_a_moved_copy_has_the_matrix_of_its_truth(clinical: Path) -> None:
    moved = _read(clinical / "derived" / "rigid")
    original = _read(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / "MR_T1")
    truth = json.loads((clinical / "derived" / "rigid" / "truth.json").read_text())
    matrix = np.array(truth["STS_002"]["p_moved = M p_original (LPS mm)"])
    np.testing.assert_allclose(moved.affine, matrix @ original.affine, atol=1e-3)
    np.testing.assert_array_equal(moved.data, original.data)
    assert moved.frame_of_reference != original.frame_of_reference


def test_enhanced_frames_of_several_files(clinical: Path) -> None:
    series = _only(clinical / "enhanced_mr")
    assert (series.frames, series.shape) == (4, (6, 64, 64))
    for time, path in enumerate(sorted((clinical / "enhanced_mr").rglob("*.dcm"))):
        np.testing.assert_array_equal(read_volume(series, time).data, dcmread(path).pixel_array)


def test_read_outs_of_pet_by_published_factors(clinical: Path) -> None:
    truth = json.loads((clinical / "suv" / "truth.json").read_text())["with_answer"]
    assert len(truth) == 6
    for name, row in truth.items():
        (path,) = (clinical / "suv").glob(f"*/{name}")
        values = _read(path).data * row["suvbw_factor"]
        assert values[:, 14:19, 8:13] == pytest.approx(4.0, rel=1e-3)
        assert values[:, 20, 22] == pytest.approx(10.0, rel=1e-3)


def test_suv_of_series_on_file(clinical: Path) -> None:
    truth = json.loads((clinical / "suv" / "truth.json").read_text())
    for name, row in truth["with_answer"].items():
        (path,) = (clinical / "suv").glob(f"*/{name}")
        derived = series_suv(_only(path))
        assert derived is not None
        assert derived.factor == pytest.approx(row["suvbw_factor"], rel=1e-3)
    for name in truth["traps_without_answer"]:
        for series in list_series(clinical / "suv" / "traps" / name).series:
            derived = series_suv(series)
            assert derived is not None
            if name != "slice_with_other_units" or series.unit != "Bq/mL":
                assert derived.factor is None
                assert derived.blamed
    pet = clinical / "sts_petmr_ct" / "dicom" / "STS_002"
    for path in (pet / "PET", clinical / "derived" / "enhanced" / "STS_002_PET.dcm"):
        derived = series_suv(_only(path))
        assert derived is not None
        assert (derived.factor, derived.unit) == (1.0, "SUVbw")
    assert series_suv(_only(pet / "MR_T1")) is None


def test_slices_of_other_units_are_another_series(clinical: Path) -> None:
    series = list_series(clinical / "suv" / "traps" / "slice_with_other_units").series
    assert {one.unit: one.shape[0] for one in series} == {"Bq/mL": 2, "counts": 1}


def test_synthetic_pair(clinical: Path) -> None:
    mr, pet = (_read(clinical / "dicom_synthetic" / name) for name in ("MR", "PT"))
    assert mr.frame_of_reference == pet.frame_of_reference != ""
    assert mr.patient == pet.patient != ""
    assert (mr.shape, pet.shape) == ((80, 216, 180), (40, 64, 64))
    assert (mr.spacing, pet.spacing) == ((2.0, 1.0, 1.0), (4.0, 4.0, 4.0))
