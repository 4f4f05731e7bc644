"""SUV: right factors, and none where a header does not say what it takes."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from core.units.body import ideal_weight, lean_mass
from core.units.frames import frame_headers
from core.units.suv import SuvDerivation, derive_suv
from tests.core.units.pet_headers import (
    DOSE,
    FACTOR,
    HALF_LIFE,
    WEIGHT,
    nuclide_code,
    pet_headers,
    philips,
)


def decayed(minutes: float) -> float:
    """The factor of the made-up series, scanned so long after the injection."""
    return WEIGHT * 1000 / (DOSE * 0.5 ** (minutes * 60 / HALF_LIFE))


def refused(derivation: SuvDerivation, *keywords: str, unit: str = "Bq/mL") -> None:
    """There is no SUV, the unit is right, and these tags are named and no others."""
    assert derivation.kind is None
    assert derivation.factor is None
    assert derivation.unit == unit
    assert sorted(tag.split(" (")[0] for tag in derivation.blamed) == sorted(keywords)
    for problem in derivation.problems:
        assert problem.tag in problem.message


def agrees(derivation: SuvDerivation, factor: float, kind: str = "bw") -> None:
    assert derivation.problems == ()
    assert derivation.kind == kind
    assert derivation.unit == f"SUV{kind}"
    assert derivation.factor == pytest.approx(factor, rel=1e-9)


# --- by hand


def test_factor_is_weight_over_decayed_dose() -> None:
    derivation = derive_suv(pet_headers())
    agrees(derivation, 80_000 / (320e6 * math.exp(-math.log(2) * 3600 / 6586.2)))
    assert derivation.multipliers == (FACTOR,) * 3
    assert (derivation.injected, derivation.reference) == ("09:00:00", "10:00:00")
    assert derivation.reference_tag == "SeriesTime (0008,0031)"
    assert derivation.decay_minutes == 60
    assert {value.tag: value.value for value in derivation.used} == {
        "Units (0054,1001)": "BQML",
        "CorrectedImage (0028,0051)": "DECY\\ATTN\\SCAT",
        "DecayCorrection (0054,1102)": "START",
        "PatientWeight (0010,1030)": "80 kg",
        "RadionuclideHalfLife (0018,1075)": "6586.2 s",
        "RadionuclideTotalDose (0018,1074)": "320000000 Bq",
        "SeriesTime (0008,0031)": "10:00:00",
        "RadiopharmaceuticalStartDateTime (0018,1078)": "09:00:00",
    }


def test_no_name_number_or_date_of_a_patient_is_told() -> None:
    headers = pet_headers(
        PatientName="Doe^Jane", PatientID="4711", PatientBirthDate="19610203", PatientSex="F"
    )
    told = repr(dataclasses.asdict(derive_suv(headers)))
    for secret in ("Doe", "Jane", "4711", "1961", "2020", "0102"):
        assert secret not in told


def test_corrected_to_the_injection_takes_no_decay() -> None:
    headers = pet_headers(
        DecayCorrection="ADMIN",
        RadionuclideHalfLife=None,
        RadiopharmaceuticalStartTime=None,
        RadiopharmaceuticalStartDateTime=None,
    )
    derivation = derive_suv(headers)
    agrees(derivation, 80_000 / 320e6)
    assert derivation.decay_minutes is None


@pytest.mark.parametrize(
    ("kind", "grams"),
    [
        # Janmahasatian: 9270·80 / (6680 + 216·(80/1.6²)).
        ("lbm", 9270 * 80 / (6680 + 216 * 31.25) * 1000),
        # Sugawara: 48 + 1.06·(160 − 152).
        ("ibw", 56.48e3),
        # DuBois, cm²: 71.84 · 80^0.425 · 160^0.725.
        ("bsa", 71.84 * math.exp(0.425 * math.log(80) + 0.725 * math.log(160))),
    ],
)
def test_other_kinds_divide_by_something_else(kind, grams) -> None:
    headers = pet_headers(PatientSize="1.6", PatientSex="M")
    agrees(derive_suv(headers, kind), FACTOR * grams / 80_000, kind)


def test_formulas_for_women() -> None:
    assert lean_mass(60, 1.65, "F") == pytest.approx(9270 * 60 / (8780 + 244 * 60 / 1.65**2))
    assert ideal_weight(1.65, "F") == pytest.approx(45.5 + 0.91 * 13)
    # A published example of body surface: 70 kg and 1.70 m are 1.81 m².
    headers = pet_headers(PatientSize="1.70", PatientWeight="70")
    surface = derive_suv(headers, "bsa").factor
    weight = derive_suv(headers, "bw").factor
    assert surface is not None
    assert weight is not None
    assert surface / weight * 70_000 == pytest.approx(18_100, rel=2e-3)


@pytest.mark.parametrize(
    ("kind", "changes", "blamed"),
    [
        ("lbm", {"PatientSize": "1.6"}, ["PatientSex"]),
        ("lbm", {"PatientSex": "F"}, ["PatientSize"]),
        ("lbm", {"PatientSize": "1.6", "PatientSex": "O"}, ["PatientSex"]),
        ("ibw", {}, ["PatientSize", "PatientSex"]),
        ("bsa", {}, ["PatientSize"]),
        ("bsa", {"PatientSize": "0"}, ["PatientSize"]),
        ("bsa", {"PatientSize": "160"}, ["PatientSize"]),
    ],
)
def test_other_kinds_need_size_and_sex(kind, changes, blamed) -> None:
    refused(derive_suv(pet_headers(**changes), kind), *blamed)


def test_unknown_kind_and_no_headers() -> None:
    with pytest.raises(ValueError, match="kind"):
        derive_suv(pet_headers(), "lean")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without headers"):
        derive_suv([])


# --- stored as SUV, counts


def test_gml_is_suv_already_whatever_the_times_say() -> None:
    headers = pet_headers(
        Units="GML",
        DecayCorrection="ADMIN",
        PatientWeight=None,
        RadiopharmaceuticalStartDateTime="20200103090000",
    )
    agrees(derive_suv(headers), 1.0)


def test_gml_of_another_kind_stays_what_it_is() -> None:
    lean = derive_suv(pet_headers(Units="GML", SUVType="LBM"))
    agrees(lean, 1.0, "lbm")
    surface = derive_suv(pet_headers(Units="CM2ML", SUVType="BSA"))
    agrees(surface, 1.0, "bsa")


def test_gml_by_weight_becomes_other_kinds() -> None:
    headers = pet_headers(Units="GML", PatientSize="1.6", PatientSex="M")
    agrees(derive_suv(headers, "ibw"), 56.48 / 80, "ibw")
    refused(derive_suv(pet_headers(Units="GML"), "bsa"), "PatientSize", unit="g/mL")


def test_suv_type_must_go_with_the_unit() -> None:
    refused(derive_suv(pet_headers(Units="GML", SUVType="BSA")), "SUVType", unit="g/mL")
    refused(derive_suv(pet_headers(Units="GML", SUVType="KG")), "SUVType", unit="g/mL")


def test_gml_that_was_not_corrected_is_no_suv() -> None:
    headers = pet_headers(Units="GML", CorrectedImage=["DECY"])
    refused(derive_suv(headers), "CorrectedImage", unit="g/mL")


def test_factor_of_philips_is_for_counts() -> None:
    headers = pet_headers(Units="CNTS", PatientWeight=None)
    philips(headers, suv="0.000728")
    agrees(derive_suv(headers), 0.000728)


def test_factor_of_philips_may_differ_from_slice_to_slice() -> None:
    headers = pet_headers(Units="CNTS")
    for number, header in enumerate(headers):
        philips([header], suv=f"0.00{number + 1}")
    derivation = derive_suv(headers)
    assert derivation.multipliers == (0.001, 0.002, 0.003)


def test_factor_of_philips_to_activity_takes_the_way_of_activity() -> None:
    headers = pet_headers(Units="CNTS")
    philips(headers, activity="1.6")
    agrees(derive_suv(headers), 1.6 * FACTOR)
    lame = pet_headers(Units="CNTS", PatientWeight=None)
    philips(lame, suv="0", activity="1.6")
    derivation = derive_suv(lame)
    refused(derivation, "PatientWeight")
    assert derivation.multipliers == (1.6,) * 3, "activity, if no SUV"


def test_factors_of_philips_must_agree() -> None:
    headers = pet_headers(Units="CNTS")
    philips(headers, suv=f"{1.6 * FACTOR:.7f}", activity="1.6")
    assert derive_suv(headers).factor == pytest.approx(1.6 * FACTOR, rel=1e-3)
    philips(headers, suv=f"{2 * 1.6 * FACTOR:.7f}", activity="1.6")
    refused(derive_suv(headers), "Philips PET Private Group")


def test_factor_of_philips_is_not_for_activity() -> None:
    headers = pet_headers()
    philips(headers, suv="0.003515736", activity="4.7")
    agrees(derive_suv(headers), FACTOR)


def test_counts_of_others_and_factor_zero_are_no_suv() -> None:
    headers = pet_headers(Units="CNTS")
    refused(derive_suv(headers), "Units", unit="counts")
    philips(headers, suv="0")
    derivation = derive_suv(headers)
    refused(derivation, "Philips PET Private Group", unit="counts")
    assert "(7053,1000) is 0" in derivation.problems[0].message


def test_counts_that_were_not_corrected_are_no_suv_in_spite_of_the_factor() -> None:
    headers = pet_headers(Units="CNTS", CorrectedImage=["DECY", "NORM"])
    philips(headers, suv="0.000728")
    refused(derive_suv(headers), "CorrectedImage", unit="counts")


# --- headers that do not say what it takes


@pytest.mark.parametrize(
    ("changes", "blamed", "unit"),
    [
        ({"Units": None}, ["Units"], ""),
        ({"Units": "PROPCNTS"}, ["Units"], "proportional counts"),
        ({"Units": "KBQML"}, ["Units"], "KBQML"),
        ({"RescaleSlope": None}, ["RescaleSlope"], ""),
        ({"RescaleSlope": "0"}, ["RescaleSlope"], ""),
        ({"RescaleSlope": "-1"}, ["RescaleSlope"], ""),
        ({"CorrectedImage": None}, ["CorrectedImage"], "Bq/mL"),
        ({"CorrectedImage": ["DECY", "SCAT"]}, ["CorrectedImage"], "Bq/mL"),
        ({"CorrectedImage": "ATTN"}, ["CorrectedImage"], "Bq/mL"),
        ({"DecayCorrection": None}, ["DecayCorrection"], "Bq/mL"),
        ({"DecayCorrection": "NONE"}, ["DecayCorrection"], "Bq/mL"),
        ({"DecayCorrection": "SCAN"}, ["DecayCorrection"], "Bq/mL"),
        ({"PatientWeight": None}, ["PatientWeight"], "Bq/mL"),
        ({"PatientWeight": "0"}, ["PatientWeight"], "Bq/mL"),
        ({"PatientWeight": "80000"}, ["PatientWeight"], "Bq/mL"),
        ({"PatientWeight": "8", "PatientAge": "061Y"}, ["PatientWeight"], "Bq/mL"),
        ({"PatientWeight": "176", "PatientSize": "1.2"}, ["PatientWeight"], "Bq/mL"),
        ({"RadionuclideTotalDose": None}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "0"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "320"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "320000"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "8.6"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "320000000000"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideTotalDose": "-320000000"}, ["RadionuclideTotalDose"], "Bq/mL"),
        ({"RadionuclideHalfLife": None}, ["RadionuclideHalfLife"], "Bq/mL"),
        ({"RadionuclideHalfLife": "109.77"}, ["RadionuclideHalfLife"], "Bq/mL"),
        ({"RadionuclideHalfLife": "1.83"}, ["RadionuclideHalfLife"], "Bq/mL"),
        ({"RadionuclideHalfLife": "1223.4"}, ["RadionuclideHalfLife"], "Bq/mL"),
        ({"SeriesTime": None}, ["SeriesTime"], "Bq/mL"),
        ({"SeriesDate": None}, ["SeriesDate"], "Bq/mL"),
        ({"AcquisitionTime": None}, ["AcquisitionTime"], "Bq/mL"),
        ({"AcquisitionTime": "2561"}, ["AcquisitionTime"], "Bq/mL"),
    ],
)
def test_a_tag_that_is_missing_or_implausible_is_named(changes, blamed, unit) -> None:
    if changes.get("AcquisitionTime"):
        # Written as some files hold it: pydicom would complain when it is set.
        with pytest.warns(UserWarning, match="TM"):
            headers = pet_headers(**changes)
    else:
        headers = pet_headers(**changes)
    refused(derive_suv(headers), *blamed, unit=unit)


def test_all_that_is_missing_is_named_at_once() -> None:
    headers = pet_headers(PatientWeight=None, RadionuclideTotalDose=None, RadionuclideHalfLife=None)
    refused(derive_suv(headers), "PatientWeight", "RadionuclideTotalDose", "RadionuclideHalfLife")


@pytest.mark.parametrize(
    ("keyword", "value", "unit"),
    [
        ("Units", "CNTS", ""),
        ("PatientWeight", "81", "Bq/mL"),
        ("DecayCorrection", "ADMIN", "Bq/mL"),
        ("CorrectedImage", ["DECY", "ATTN"], "Bq/mL"),
        ("SeriesTime", "100100", "Bq/mL"),
    ],
)
def test_slices_must_agree(keyword, value, unit) -> None:
    headers = pet_headers()
    setattr(headers[2], keyword, value)
    refused(derive_suv(headers), keyword, unit=unit)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RadionuclideTotalDose", "310000000"),
        ("RadionuclideHalfLife", "6588"),
        ("RadiopharmaceuticalStartTime", "090100"),
        ("RadiopharmaceuticalStartDateTime", "20200102085900"),
    ],
)
def test_slices_must_agree_on_the_injection(keyword, value) -> None:
    headers = pet_headers()
    setattr(headers[1].RadiopharmaceuticalInformationSequence[0], keyword, value)
    refused(derive_suv(headers), keyword)


def test_order_of_corrections_does_not_matter() -> None:
    headers = pet_headers()
    headers[1].CorrectedImage = ["SCAT", "ATTN", "DECY"]
    agrees(derive_suv(headers), FACTOR)


def test_one_radiopharmaceutical_is_needed() -> None:
    headers = pet_headers()
    for header in headers:
        header.RadiopharmaceuticalInformationSequence.append(Dataset())
    refused(derive_suv(headers), "RadiopharmaceuticalInformationSequence")
    for header in headers:
        del header.RadiopharmaceuticalInformationSequence
    refused(derive_suv(headers), "RadiopharmaceuticalInformationSequence")


def test_damaged_values_are_named_and_raise_nothing() -> None:
    headers = pet_headers()
    for header in headers:
        tag = pydicom.tag.Tag("PatientWeight")
        header[tag] = pydicom.DataElement(tag, "LO", "eighty", already_converted=True)
    refused(derive_suv(headers), "PatientWeight")


# --- nuclides


@pytest.mark.parametrize(
    ("code", "half_life", "dose", "start"),
    [
        (nuclide_code("77004003"), "6588", "3e8", "090000"),
        (nuclide_code("C-111A1", scheme="SNM3"), "6586.2001953125", "3e8", "090000"),
        (nuclide_code("", "^68^Gallium"), "4062.6", "1.5e8", "090000"),
        (nuclide_code("", "11C"), "1223.4", "4e8", "093000"),
        (nuclide_code("79197006"), "76.4", "2.2e9", "095800"),
    ],
)
def test_nuclides_with_their_own_half_life(code, half_life, dose, start) -> None:
    headers = pet_headers(
        Radiopharmaceutical="Tracer",
        RadionuclideCodeSequence=code,
        RadionuclideHalfLife=half_life,
        RadionuclideTotalDose=dose,
        RadiopharmaceuticalStartTime=start,
        RadiopharmaceuticalStartDateTime=None,
    )
    seconds = 36_000 - (int(start[:2]) * 3600 + int(start[2:4]) * 60)
    left = 0.5 ** (seconds / float(half_life))
    agrees(derive_suv(headers), 80_000 / (float(dose) * left))


@pytest.mark.parametrize(
    ("drug", "code"),
    [
        ("Tracer", nuclide_code("35337001")),
        ("Tracer", nuclide_code("C-105A1", scheme="SRT")),
        ("Tracer", nuclide_code("", "Ga-68")),
        ("68Ga-PSMA-11", None),
        ("FDG", nuclide_code("35337001")),
    ],
)
def test_half_life_of_another_nuclide(drug, code) -> None:
    headers = pet_headers(Radiopharmaceutical=drug, RadionuclideCodeSequence=code)
    refused(derive_suv(headers), "RadionuclideHalfLife")


@pytest.mark.parametrize(
    "drug", ["Fluorodeoxyglucose F^18^", "18F-FDG", "FDG -- fluorodeoxyglucose"]
)
def test_drugs_that_name_their_nuclide(drug) -> None:
    agrees(derive_suv(pet_headers(Radiopharmaceutical=drug)), FACTOR)
    headers = pet_headers(Radiopharmaceutical=drug, RadionuclideHalfLife="1223.4")
    refused(derive_suv(headers), "RadionuclideHalfLife")


def test_half_life_without_a_name_must_be_that_of_some_nuclide() -> None:
    agrees(derive_suv(pet_headers(Radiopharmaceutical=None)), FACTOR)
    headers = pet_headers(Radiopharmaceutical=None, RadionuclideHalfLife="109.77")
    refused(derive_suv(headers), "RadionuclideHalfLife")


# --- when it was injected


def test_time_of_day_is_enough_on_the_day_of_the_scan() -> None:
    headers = pet_headers(
        RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="083000.500000"
    )
    derivation = derive_suv(headers)
    agrees(derivation, decayed(90 - 0.5 / 60))
    assert derivation.injected == "08:30:00.5"
    assert derivation.notes == ()


def test_injection_before_midnight_is_the_day_before_and_said() -> None:
    changes = {
        "SeriesDate": "20200103",
        "SeriesTime": "001500",
        "AcquisitionDate": "20200103",
        "AcquisitionTime": "001500",
        "RadiopharmaceuticalStartTime": "231500",
    }
    dated = pet_headers(**changes, RadiopharmaceuticalStartDateTime="20200102231500")
    agrees(derive_suv(dated), FACTOR)
    undated = derive_suv(pet_headers(**changes, RadiopharmaceuticalStartDateTime=None))
    agrees(undated, FACTOR)
    assert "day before" in undated.notes[0]


@pytest.mark.parametrize("start", ["103000", "100001", "173000", "233000"])
def test_injection_after_the_scan_is_never_23_hours_of_decay(start) -> None:
    headers = pet_headers(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime=start)
    refused(derive_suv(headers), "RadiopharmaceuticalStartTime")


@pytest.mark.parametrize(
    "start", ["20200102100100", "20200103090000", "20200101090000", "20190102090000", "20200102"]
)
def test_date_of_the_injection_that_makes_no_sense(start) -> None:
    headers = pet_headers(RadiopharmaceuticalStartDateTime=start, RadiopharmaceuticalStartTime=None)
    refused(derive_suv(headers), "RadiopharmaceuticalStartDateTime")


def test_date_and_time_must_show_the_same_clock() -> None:
    headers = pet_headers(RadiopharmaceuticalStartTime="080000")
    refused(derive_suv(headers), "RadiopharmaceuticalStartDateTime")
    near = pet_headers(RadiopharmaceuticalStartTime="0900")
    for header in near:
        item = header.RadiopharmaceuticalInformationSequence[0]
        item.RadiopharmaceuticalStartDateTime = "20200102090030"
    agrees(derive_suv(near), decayed(59.5))


def test_no_time_of_injection() -> None:
    headers = pet_headers(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime=None)
    refused(derive_suv(headers), "RadiopharmaceuticalStartDateTime")


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("20200102090000+0100", "+0100"),
        ("20200102080000.00+0000", "+0100"),
        ("20200102033000-0430", "+0100"),
        ("20200102090000+0100", None),
    ],
)
def test_zones(start, zone) -> None:
    headers = pet_headers(RadiopharmaceuticalStartDateTime=start, TimezoneOffsetFromUTC=zone)
    agrees(derive_suv(headers), FACTOR)


def test_zone_of_the_scan_must_be_known_if_the_injection_has_one() -> None:
    headers = pet_headers(
        RadiopharmaceuticalStartDateTime="20200102080000+0000", RadiopharmaceuticalStartTime=None
    )
    refused(derive_suv(headers), "TimezoneOffsetFromUTC")
    contradicting = pet_headers(
        RadiopharmaceuticalStartDateTime="20200102080000+0000", TimezoneOffsetFromUTC="+0200"
    )
    refused(derive_suv(contradicting), "RadiopharmaceuticalStartDateTime")


def test_a_long_lived_nuclide_needs_the_date() -> None:
    changes = {
        "Radiopharmaceutical": "89Zr-trastuzumab",
        "RadionuclideHalfLife": "282276",
        "RadionuclideTotalDose": "37000000",
    }
    headers = pet_headers(**changes, RadiopharmaceuticalStartDateTime=None)
    refused(derive_suv(headers), "RadiopharmaceuticalStartDateTime")
    headers = pet_headers(**changes, RadiopharmaceuticalStartDateTime="20191229090000")
    left = 0.5 ** ((4 * 24 + 1) * 3600 / 282276)
    agrees(derive_suv(headers), 80_000 / (37e6 * left))


# --- the published and the computed truth


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
