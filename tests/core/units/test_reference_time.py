"""The moment that a PET was decay corrected to, from tags that vendors fill in differently.

All series were injected at 09:00 and are right if the dose is decayed until 10:00, unless said.
"""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from core.units.suv import SuvDerivation, derive_suv
from tests.core.units.pet_headers import FACTOR, HALF_LIFE, ge_scan_time, pet_headers


def right(derivation: SuvDerivation, tag: str, rel: float = 1e-9) -> None:
    assert derivation.problems == ()
    assert derivation.factor == pytest.approx(FACTOR, rel=rel)
    assert derivation.reference_tag.split(" (")[0] == tag


def refused(derivation: SuvDerivation, tag: str) -> None:
    assert derivation.factor is None
    assert derivation.unit == "Bq/mL"
    assert {one.split(" (")[0] for one in derivation.blamed} == {tag}


def beds(**changes: object) -> list[Dataset]:
    """Three beds of two minutes that begin at 10:00, 10:05 and 10:10, corrected to 10:00.

    FrameReferenceTime and DecayFactor as Siemens writes them: the mean of the frame's decay.
    """
    headers = pet_headers(ActualFrameDuration="120000", **changes)
    for number, header in enumerate(headers):
        header.AcquisitionTime = f"10{number * 5:02}00"
        offset = number * 300 + 59.9
        header.FrameReferenceTime = str(offset * 1000)
        header.DecayFactor = f"{2 ** (offset / HALF_LIFE):.5f}"
    return headers


def without(headers: list[Dataset], *keywords: str) -> list[Dataset]:
    for header in headers:
        for keyword in keywords:
            delattr(header, keyword)
    return headers


def test_series_time_where_it_is_not_after_the_first_acquisition() -> None:
    right(derive_suv(beds()), "SeriesTime")
    right(derive_suv(beds()[::-1]), "SeriesTime")


def test_first_acquisition_where_the_series_was_made_afterwards() -> None:
    changed = beds(SeriesTime="113000")
    derivation = derive_suv(changed)
    right(derivation, "AcquisitionTime")
    assert "afterwards" in derivation.notes[0]
    bare = without(beds(SeriesTime="113000"), "FrameReferenceTime", "DecayFactor")
    right(derive_suv(bare), "AcquisitionTime")
    next_day = beds(SeriesDate="20200103", SeriesTime="080000")
    right(derive_suv(next_day), "AcquisitionTime")


def test_series_later_by_microseconds_is_later() -> None:
    headers = pet_headers(AcquisitionTime="095959.999995")
    right(derive_suv(headers), "AcquisitionTime", rel=1e-6)


def test_siemens_is_computed_back_where_the_first_bed_is_not_there() -> None:
    late = beds(SeriesTime="113000")[1:]
    right(derive_suv(late), "FrameReferenceTime", rel=1e-4)
    of_others = beds(SeriesTime="113000", Manufacturer="UIH")[1:]
    refused(derive_suv(without(of_others, "DecayFactor")), "FrameReferenceTime")


def test_ge_wrote_the_moment_in_a_private_tag() -> None:
    headers = pet_headers(SeriesTime="113000", AcquisitionTime="101000")
    ge_scan_time(headers, "20200102100000.00")
    right(derive_suv(headers), "GEMS_PETD_01")
    ge_scan_time(headers, "20200102103000.00")
    refused(derive_suv(headers), "GEMS_PETD_01")


def test_private_tag_of_ge_that_cannot_be_read() -> None:
    headers = pet_headers(SeriesTime="113000")
    ge_scan_time(headers, "20200102")
    refused(derive_suv(headers), "GEMS_PETD_01")


def test_beds_of_siemens_must_agree_on_the_moment() -> None:
    headers = without(beds(SeriesTime="113000"), "DecayFactor")[1:]
    headers[0].FrameReferenceTime = "1000000"
    refused(derive_suv(headers), "FrameReferenceTime")


def test_no_time_of_the_series() -> None:
    with pytest.warns(UserWarning, match="TM"):
        headers = pet_headers(SeriesTime="9999")
    refused(derive_suv(headers), "SeriesTime")


def test_private_tag_of_ge_must_not_contradict_the_series_time() -> None:
    headers = pet_headers()
    ge_scan_time(headers, "20200102100000")
    right(derive_suv(headers), "SeriesTime")
    ge_scan_time(headers, "20200102101000")
    refused(derive_suv(headers), "GEMS_PETD_01")


def test_acquisition_times_that_are_all_the_start_of_the_scan() -> None:
    """Philips: the frame was 22 minutes into the scan, which AcquisitionTime does not tell."""
    headers = pet_headers(
        Manufacturer="Philips",
        AcquisitionTime="100001",
        FrameReferenceTime="1328700",
        ActualFrameDuration="120700",
    )
    right(derive_suv(headers), "SeriesTime")
    for header in headers:
        header.DecayFactor = f"{2 ** (1328.7 / HALF_LIFE):.5f}"
    right(derive_suv(headers), "SeriesTime")


@pytest.mark.parametrize("factor", ["1.5", "1.0", "0.9"])
def test_decay_factor_must_be_that_of_the_frame(factor) -> None:
    headers = without(beds(), "FrameReferenceTime")
    headers[2].DecayFactor = factor
    refused(derive_suv(headers), "DecayFactor")


def test_decay_factor_of_a_single_frame() -> None:
    right(derive_suv(pet_headers(DecayFactor="1.0")), "SeriesTime")
    refused(derive_suv(pet_headers(DecayFactor="1.5")), "DecayFactor")


def test_decay_factor_without_the_decay_within_the_frame() -> None:
    headers = without(beds(), "FrameReferenceTime")
    for number, header in enumerate(headers):
        header.DecayFactor = f"{2 ** (number * 300 / HALF_LIFE):.4f}"
    right(derive_suv(headers), "SeriesTime")


def test_frame_reference_time_must_be_that_of_the_frame() -> None:
    headers = without(beds(), "DecayFactor")
    for header in headers:
        header.FrameReferenceTime = "59900"  # since the start of its own bed
    refused(derive_suv(headers), "FrameReferenceTime")


def test_series_time_long_before_the_first_acquisition() -> None:
    early = pet_headers(SeriesTime="100000", AcquisitionTime="103000")
    derivation = derive_suv(early)
    right(derivation, "SeriesTime")
    assert "30 min before" in derivation.notes[0]
    stale = pet_headers(SeriesTime="100000", AcquisitionTime="114500")
    refused(derive_suv(stale), "SeriesTime")
    years = pet_headers(SeriesDate="20190102")
    refused(derive_suv(years), "SeriesTime")
    confirmed = pet_headers(
        SeriesTime="100000",
        AcquisitionTime="114500",
        FrameReferenceTime=str((105 * 60 + 60) * 1000),
        ActualFrameDuration="120000",
    )
    right(derive_suv(confirmed), "SeriesTime")


@pytest.mark.parametrize("kind", ["DYNAMIC", "GATED"])
def test_of_dynamic_and_gated_frames_the_moment_must_be_certain(kind) -> None:
    headers = beds(SeriesType=[kind, "IMAGE"])
    right(derive_suv(headers), "SeriesTime")
    right(derive_suv(headers[2:]), "SeriesTime")
    bare = without(beds(SeriesType=[kind, "IMAGE"]), "FrameReferenceTime", "DecayFactor")
    refused(derive_suv(bare), "FrameReferenceTime")
    right(derive_suv(bare[:1]), "SeriesTime")


def test_acquisition_over_midnight() -> None:
    changes: dict[str, object] = {
        "SeriesDate": "20200102",
        "SeriesTime": "235900",
        "RadiopharmaceuticalStartTime": "225900",
        "RadiopharmaceuticalStartDateTime": "20200102225900",
    }
    headers = pet_headers(**changes)
    for header, date, time in zip(
        headers, ("20200102", "20200103", "20200103"), ("235900", "000100", "000300"), strict=True
    ):
        header.AcquisitionDate, header.AcquisitionTime = date, time
    right(derive_suv(headers), "SeriesTime")
    right(derive_suv(without(headers, "AcquisitionDate")), "SeriesTime")


def test_acquisition_date_and_time_in_one_tag() -> None:
    headers = pet_headers(
        AcquisitionDate=None, AcquisitionTime=None, AcquisitionDateTime="20200102100000.000000"
    )
    right(derive_suv(headers), "SeriesTime")
    for header in headers:
        header.AcquisitionDate, header.AcquisitionTime = "20200102", "100500"
    refused(derive_suv(headers), "AcquisitionDateTime")


@pytest.mark.parametrize("zone", ["+0200", "-0330", None])
def test_acquisition_in_another_zone_than_the_other_times(zone: str | None) -> None:
    """Acquired at 10:00 by the clock of the scanner, of a series made half an hour later."""
    there = {"+0200": "20200102080000+0000", "-0330": "20200102133000+0000", None: ""}[zone]
    headers = pet_headers(
        AcquisitionDate=None,
        AcquisitionTime=None,
        AcquisitionDateTime=there or "20200102080000+0000",
        TimezoneOffsetFromUTC=zone,
        SeriesTime="103000",
    )
    found = derive_suv(headers)
    if zone is None:
        refused(found, "TimezoneOffsetFromUTC")
    else:
        assert found.factor == pytest.approx(FACTOR)
        assert found.reference == "10:00:00"


def test_injection_counts_from_the_day_of_the_acquisition_not_of_the_series() -> None:
    headers = pet_headers(
        SeriesDate="20200103", SeriesTime="080000", RadiopharmaceuticalStartDateTime=None
    )
    right(derive_suv(headers), "AcquisitionTime")


def test_moment_of_an_enhanced_file_is_what_it_says() -> None:
    headers = pet_headers(SeriesTime="120000", DecayCorrectionDateTime="20200102100000")
    right(derive_suv(headers), "DecayCorrectionDateTime")
    refused(derive_suv(pet_headers(DecayCorrectionDateTime="20200102")), "DecayCorrectionDateTime")


def test_slices_of_two_days_are_not_one_scan() -> None:
    headers = pet_headers()
    headers[1].AcquisitionDate = "20200103"
    refused(derive_suv(headers), "AcquisitionDate")
    headers[1].AcquisitionDate, headers[1].AcquisitionTime = "20200102", "103000"
    assert derive_suv(headers).factor == pytest.approx(FACTOR)
