"""SUV of real scanners' headers: published factors, read-outs at known places, and traps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from core.units.frames import frame_headers
from core.units.suv import derive_suv
from tests.core.units.pet_headers import agrees, pet_headers, philips

# Factors published with the tests of github.com/cornerstonejs/calculate-suv (MIT), which took them
# from the scanners' own software; dates of all are 2020-12-17.
_PUBLISHED = {
    "Siemens": (
        0.00042748316187197236,
        {
            "PatientWeight": "67",
            "SeriesTime": "104829.000000",
            "AcquisitionTime": "104830.351370",
            "FrameReferenceTime": "38513.36",
            "ActualFrameDuration": "77027",
            "RadionuclideTotalDose": "374000000",
            "RadiopharmaceuticalStartTime": "083045.000000",
            "RadiopharmaceuticalStartDateTime": "20201217083045.000000",
        },
    ),
    "Siemens, series 5 µs after the acquisition": (
        0.0004069156854009332,
        {
            "PatientWeight": "65",
            "SeriesTime": "123515.000000",
            "AcquisitionTime": "123514.999995",
            "FrameReferenceTime": "59936.854672596",
            "ActualFrameDuration": "120000",
            "RadionuclideTotalDose": "225000000",
            "RadiopharmaceuticalStartTime": "114100.000000",
        },
    ),
    "Siemens, a late bed": (
        0.0003721089202818729,
        {
            "PatientWeight": "102",
            "SeriesTime": "135431.843000",
            "AcquisitionTime": "141555.687000",
            "FrameReferenceTime": "1372857.9232493",
            "ActualFrameDuration": "180000",
            "RadionuclideTotalDose": "412000000",
            "RadiopharmaceuticalStartTime": "125000.000000",
        },
    ),
    "CPS, series made afterwards": (
        0.00026503312764157046,
        {
            "Manufacturer": "CPS",
            "PatientWeight": "69",
            "SeriesTime": "134918.000000",
            "AcquisitionTime": "130348.234000",
            "FrameReferenceTime": "0",
            "ActualFrameDuration": "180000",
            "RadionuclideTotalDose": "388000000",
            "RadiopharmaceuticalStartTime": "120037.000000",
        },
    ),
    "GE": (
        0.0005367387681819742,
        {
            "Manufacturer": "GE MEDICAL SYSTEMS",
            "PatientWeight": "52",
            "SeriesTime": "095621",
            "AcquisitionTime": "095621",
            "FrameReferenceTime": "0",
            "ActualFrameDuration": "120000",
            "RadionuclideTotalDose": "152022720",
            "RadionuclideHalfLife": "6586.2001953125",
            "RadiopharmaceuticalStartDateTime": "20201217084500.00",
            "RadiopharmaceuticalStartTime": "084500.00",
        },
    ),
    "Philips, activity, with private factors": (
        0.0007463747013889488,
        {
            "PatientWeight": "64",
            "SeriesTime": "110155",
            "AcquisitionTime": "110156",
            "FrameReferenceTime": "1328700",
            "ActualFrameDuration": "120700",
            "RadionuclideTotalDose": "126000000",
            "RadionuclideHalfLife": "6586.199707",
            "RadiopharmaceuticalStartTime": "100058",
            "RadiopharmaceuticalStartDateTime": "20201217100058",
        },
    ),
    "Philips, counts, both private factors": (
        0.000551,
        {
            "Units": "CNTS",
            "PatientWeight": "54",
            "SeriesTime": "093556",
            "AcquisitionTime": "095439",
            "FrameReferenceTime": "1183000",
            "ActualFrameDuration": "120000",
            "RadionuclideTotalDose": "238000000",
            "RadionuclideHalfLife": "6588",
            "RadiopharmaceuticalStartTime": "083000",
        },
    ),
}


@pytest.mark.parametrize("scanner", _PUBLISHED)
def test_published_factors(scanner) -> None:
    factor, changes = _PUBLISHED[scanner]
    undated = {"RadiopharmaceuticalStartDateTime": None}
    dates = {"SeriesDate": "20201217", "AcquisitionDate": "20201217"}
    headers = pet_headers(**(undated | dates | changes))
    if "counts" in scanner:
        philips(headers, suv="0.000551", activity="1.602563")
    elif "private" in scanner:
        philips(headers, suv="0.003515736", activity="4.709921")
    derivation = derive_suv(headers)
    assert derivation.problems == ()
    assert derivation.factor == pytest.approx(factor, rel=1e-6)


def _folders(shared: Path, part: str) -> dict[str, Path]:
    return {path.name: path for path in sorted((shared / "clinical" / "suv" / part).iterdir())}


def _slices(folder: Path) -> list[Dataset]:
    slices = [pydicom.dcmread(path) for path in folder.glob("*.dcm")]
    return sorted(slices, key=lambda one: float(one.ImagePositionPatient[2]))


def _values(header: Dataset, factor: float) -> np.ndarray:
    stored = header.pixel_array.astype(np.float64)
    return (stored * float(header.RescaleSlope) + float(header.RescaleIntercept)) * factor


def test_truth_of_scanners(shared_data: Path) -> None:
    truth = json.loads((shared_data / "clinical" / "suv" / "truth.json").read_text())
    folders = _folders(shared_data, "published") | _folders(shared_data, "computed")
    assert set(folders) == set(truth["with_answer"])
    for name, right in truth["with_answer"].items():
        headers = _slices(folders[name])
        derivation = derive_suv(headers)
        assert derivation.factor == pytest.approx(right["suvbw_factor"], rel=1e-3), name
        for header, factor in zip(headers, derivation.multipliers, strict=True):
            values = _values(header, factor)
            background = np.median(values[values > 0])
            assert background == pytest.approx(right["background_suv"], rel=2e-3)
            square = values[14:19, 8:13]
            assert square == pytest.approx(right["square_suv_rows14-18_cols8-12"], rel=2e-3)
            assert values[20, 22] == pytest.approx(right["hot_voxel_row20_col22_suv"], rel=2e-3)


_BLAMED = {
    "no_weight": ("PatientWeight (0010,1030)", "Bq/mL"),
    "no_dose": ("RadionuclideTotalDose (0018,1074)", "Bq/mL"),
    "dose_in_MBq": ("RadionuclideTotalDose (0018,1074)", "Bq/mL"),
    "injection_after_scan": ("RadiopharmaceuticalStartTime (0018,1072)", "Bq/mL"),
    "units_propcnts": ("Units (0054,1001)", "proportional counts"),
    "PHILIPS_suv_factor_zero": ("Philips PET Private Group (7053,1000)", "counts"),
    "slice_with_other_units": ("Units (0054,1001)", ""),
}


def test_traps_have_no_suv(shared_data: Path) -> None:
    folders = _folders(shared_data, "traps")
    assert set(folders) == set(_BLAMED)
    for name, (tag, unit) in _BLAMED.items():
        derivation = derive_suv(_slices(folders[name]))
        assert derivation.factor is None, name
        assert (derivation.blamed, derivation.unit) == ((tag,), unit), name


def test_real_series_stored_as_suv_classic_and_enhanced(shared_data: Path) -> None:
    clinical = shared_data / "clinical"
    classic = _slices(clinical / "sts_petmr_ct" / "dicom" / "STS_002" / "PET" / "image")
    agrees(derive_suv(classic), 1.0)
    largest = max(_values(header, 1.0).max() for header in classic)
    assert largest == pytest.approx(21.67575, rel=1e-6)
    enhanced = pydicom.dcmread(clinical / "derived" / "enhanced" / "STS_002_PET.dcm")
    frames = frame_headers(enhanced)
    assert len(frames) == len(classic)
    agrees(derive_suv(frames), 1.0)


def test_made_up_series_by_hand(shared_data: Path) -> None:
    headers = _slices(shared_data / "clinical" / "dicom_synthetic" / "PT")
    assert derive_suv(headers).factor == pytest.approx(70_000 / (185e6 * 0.5 ** (3600 / 6586.2)))
