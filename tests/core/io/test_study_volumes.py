"""Series in the unit that they are looked at in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from core.io.volumes import list_series, load_study_volume, read_volume, series_suv
from core.types import SeriesHeader, Volume
from tests.core.io.dicom_files import item, write_series

_WEIGHT, _DOSE = 80.0, 320e6
_FACTOR = _WEIGHT * 1000 / _DOSE


def _drug() -> Any:
    return [item(RadionuclideTotalDose=_DOSE, RadionuclideHalfLife=6586.2, Radiopharmaceutical="F")]


def _pet(folder: Path, slices: int = 4, **tags: Any) -> SeriesHeader:
    wanted = {
        "Units": "BQML",
        "DecayCorrection": "ADMIN",
        "CorrectedImage": ["DECY", "ATTN"],
        "PatientWeight": _WEIGHT,
        "RescaleSlope": [float(2 + k) for k in range(slices)],
        "RescaleIntercept": 0,
        "SeriesDate": "20200102",
        "SeriesTime": "100000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "100000",
        "RadiopharmaceuticalInformationSequence": _drug(),
    }
    volume = np.arange(slices * 30, dtype=np.uint16).reshape(slices, 5, 6) * 50
    write_series(folder, volume, "PT", **wanted | tags)
    (series,) = list_series(folder).series
    return series


def test_pet_is_in_suv(tmp_path: Path) -> None:
    series = _pet(tmp_path)
    stored, volume = read_volume(series), load_study_volume(series)
    assert volume.unit == "SUVbw"
    np.testing.assert_allclose(volume.data, stored.data * _FACTOR, rtol=1e-6)
    assert volume.window == (0.0, pytest.approx(min(30, np.quantile(volume.data, 0.995)), rel=1e-4))
    derivation = series_suv(series)
    assert derivation is not None
    assert derivation.factor == pytest.approx(_FACTOR)


def test_kind_of_suv(tmp_path: Path) -> None:
    series = _pet(tmp_path, PatientSize=1.8, PatientSex="M")
    volume = load_study_volume(series, suv_kind="lbm")
    assert volume.unit == "SUVlbm"
    assert volume.data.max() < load_study_volume(series).data.max()


def test_what_stands_in_the_way_is_named(tmp_path: Path) -> None:
    series = _pet(tmp_path, PatientWeight=None)
    volume = load_study_volume(series)
    assert volume.unit == "Bq/mL"
    np.testing.assert_array_equal(volume.data, read_volume(series).data)
    assert "No SUV: PatientWeight (0010,1030) is missing." in volume.notes


def test_without_a_slope_there_is_no_unit(tmp_path: Path) -> None:
    volume = load_study_volume(_pet(tmp_path, RescaleSlope=None))
    assert volume.unit == ""
    assert any("RescaleSlope (0028,1053)" in note for note in volume.notes)


def test_across_a_gap_each_slice_keeps_its_multiplier(tmp_path: Path) -> None:
    """Counts of Philips have a factor of their own in each slice."""
    series = _pet(tmp_path, 5, places=[0, 1, 3, 4, 5], Units="CNTS")
    for index, source in enumerate(series.slices[0]):
        dataset = pydicom.dcmread(source.path)
        block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", str(index + 1))
        dataset.save_as(source.path)
    (series,) = list_series(tmp_path).series
    stored = read_volume(series, accept={"gap"})
    volume = load_study_volume(series, accept={"gap"})
    assert volume.unit == "SUVbw"
    assert volume.mask is not None
    assert not volume.mask[2].any()
    for place, factor in ((0, 1), (1, 2), (3, 3), (4, 4), (5, 5)):
        np.testing.assert_allclose(volume.data[place], stored.data[place] * factor, rtol=1e-6)


def test_others_keep_their_unit(tmp_path: Path) -> None:
    write_series(
        tmp_path,
        np.arange(120, dtype=np.uint16).reshape(4, 5, 6) + 1000,
        "CT",
        RescaleSlope=1,
        RescaleIntercept=-1024,
    )
    (series,) = list_series(tmp_path).series
    volume = load_study_volume(series)
    assert (volume.unit, series_suv(series)) == ("HU", None)
    assert volume.window == (-160.0, 240.0)
    np.testing.assert_array_equal(volume.data, read_volume(series).data)


@pytest.fixture(scope="session")
def clinical(shared_data: Path) -> Path:
    folder = shared_data / "clinical"
    if not (folder / "suv").is_dir():
        pytest.skip("no clinical files beside the real pairs")
    return folder


def _load(folder: Path) -> Volume:
    (series,) = list_series(folder).series
    return load_study_volume(series)


def test_readouts_of_the_truth(clinical: Path) -> None:
    truth = json.loads((clinical / "suv" / "truth.json").read_text())["with_answer"]
    folders = {
        path.name: path
        for part in ("published", "computed")
        for path in (clinical / "suv" / part).iterdir()
    }
    assert set(folders) == set(truth)
    for name in truth:
        volume = _load(folders[name])
        assert volume.unit == "SUVbw", name
        for plane in volume.data:
            assert plane[20, 22] == pytest.approx(10, rel=2e-3), name
            np.testing.assert_allclose(plane[14:18, 8:12], 4, rtol=2e-3)


def test_traps_have_no_suv(clinical: Path) -> None:
    folders = {path.name: path for path in (clinical / "suv" / "traps").iterdir()}
    split = list_series(folders.pop("slice_with_other_units")).series
    assert [(one.unit, one.shape[0]) for one in split] == [("Bq/mL", 2), ("counts", 1)]
    assert len(folders) >= 6
    for name, folder in folders.items():
        volume = _load(folder)
        assert not volume.unit.startswith("SUV"), name
        assert any(note.startswith("No SUV: ") for note in volume.notes), name


def test_enhanced_equals_classic(clinical: Path) -> None:
    classic = _load(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / "PET")
    enhanced = _load(clinical / "derived" / "enhanced" / "STS_002_PET.dcm")
    assert classic.unit == enhanced.unit == "SUVbw"
    np.testing.assert_array_equal(classic.data, enhanced.data)
    assert classic.data.max() == pytest.approx(21.67575, abs=1e-5)
