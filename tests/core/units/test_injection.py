"""SUV needs what was injected, how much and when: nuclides, half-lives, dates and zones."""

from __future__ import annotations

import pytest

from core.units.suv import derive_suv
from tests.core.units.pet_headers import (
    FACTOR,
    agrees,
    decayed,
    nuclide_code,
    pet_headers,
    refused,
)


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


def test_zone_that_is_none() -> None:
    headers = pet_headers(
        RadiopharmaceuticalStartDateTime="20200102080000+0000", TimezoneOffsetFromUTC="MEZ"
    )
    refused(derive_suv(headers), "TimezoneOffsetFromUTC")


def test_time_of_day_that_is_none() -> None:
    with pytest.warns(UserWarning, match="TM"):
        headers = pet_headers(
            RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="9am"
        )
    refused(derive_suv(headers), "RadiopharmaceuticalStartTime")


def test_drugs_that_differ_from_slice_to_slice() -> None:
    headers = pet_headers()
    item = headers[1].RadiopharmaceuticalInformationSequence[0]
    item.RadionuclideCodeSequence = nuclide_code("35337001")
    refused(derive_suv(headers), "RadiopharmaceuticalInformationSequence")


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
