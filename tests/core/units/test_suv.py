"""SUV: right factors, and none where a header does not say what it takes."""

from __future__ import annotations

import dataclasses
import math

import pydicom
import pytest
from pydicom.dataset import Dataset

from core.units.body import ideal_weight, lean_mass
from core.units.suv import derive_suv
from tests.core.units.pet_headers import (
    FACTOR,
    agrees,
    pet_headers,
    philips,
    refused,
)

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
    derivation = derive_suv(headers, kind)
    agrees(derivation, FACTOR * grams / 80_000, kind)
    assert len(derivation.notes) == 1, "the formula is named"


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
    james = derive_suv(pet_headers(Units="GML", SUVType="LBMJAMES128"))
    agrees(james, 1.0, "lbm")
    assert "James" in james.notes[0]
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


def test_counts_with_only_a_factor_to_activity_are_that_if_not_corrected() -> None:
    headers = pet_headers(Units="CNTS", CorrectedImage=["ATTN"])
    philips(headers, activity="1.6")
    derivation = derive_suv(headers)
    refused(derivation, "CorrectedImage")
    assert derivation.multipliers == (1.6,) * 3
    philips(headers, suv="0.0007", activity="-1")
    refused(derive_suv(headers), "CorrectedImage", unit="counts")


def test_counts_of_another_kind_need_the_body() -> None:
    headers = pet_headers(Units="CNTS", PatientSize="1.6", PatientSex="M")
    philips(headers, suv="0.001")
    agrees(derive_suv(headers, "ibw"), 0.001 * 56.48 / 80, "ibw")
    for header in headers:
        del header.PatientSize
    refused(derive_suv(headers, "ibw"), "PatientSize", unit="counts")


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


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize(
    "keyword", ["PatientWeight", "RadionuclideTotalDose", "RadionuclideHalfLife"]
)
def test_a_number_in_another_unit_gives_no_suv(keyword, factor) -> None:
    right = {"PatientWeight": 80.0, "RadionuclideTotalDose": 320e6, "RadionuclideHalfLife": 6586.2}
    refused(derive_suv(pet_headers(**{keyword: f"{right[keyword] * factor:.6g}"})), keyword)


@pytest.mark.parametrize("damage", ["absent", "empty", "absent in one slice"])
def test_whatever_is_missing_there_is_the_same_suv_or_none(damage) -> None:
    whole = pet_headers()
    refusals = 0
    for of_drug in (False, True):
        source = whole[0].RadiopharmaceuticalInformationSequence[0] if of_drug else whole[0]
        for element in source:
            headers = pet_headers()
            for header in headers[2 if damage == "absent in one slice" else 0 :]:
                target = header.RadiopharmaceuticalInformationSequence[0] if of_drug else header
                if damage == "empty":
                    target[element.tag].value = [] if element.VR == "SQ" else None
                else:
                    del target[element.tag]
            derivation = derive_suv(headers)
            refusals += derivation.factor is None
            assert derivation.factor in (None, FACTOR), element.keyword
            assert (derivation.factor is None) == bool(derivation.problems), element.keyword
    assert refusals >= 9


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
