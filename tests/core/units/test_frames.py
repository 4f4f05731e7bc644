"""Multi-frame files give the same SUV as the classic files of their frames."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from core.units.frames import frame_headers
from core.units.suv import derive_suv
from tests.core.units.pet_headers import FACTOR, pet_headers


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def units(code: str, slope: float) -> Dataset:
    return item(
        RealWorldValueSlope=slope,
        MeasurementUnitsCodeSequence=[item(CodeValue=code, CodingSchemeDesignator="UCUM")],
    )


def enhanced(**changes: object) -> Dataset:
    """An enhanced PET of three frames, with the times where such files have them."""
    (classic,) = pet_headers(1)
    header = item(
        PatientWeight=classic.PatientWeight,
        SeriesDate="20200102",
        SeriesTime="113000",
        RadiopharmaceuticalInformationSequence=classic.RadiopharmaceuticalInformationSequence,
        AttenuationCorrected="YES",
        DecayCorrected="YES",
        DecayCorrectionDateTime="20200102100000",
        SharedFunctionalGroupsSequence=[Dataset()],
        PerFrameFunctionalGroupsSequence=[
            item(
                FrameContentSequence=[item(FrameAcquisitionDateTime=f"2020010210{number:02}00")],
                RealWorldValueMappingSequence=[units("Bq/ml", number + 1.0)],
            )
            for number in range(3)
        ],
    )
    for keyword, value in changes.items():
        setattr(header, keyword, value)
    return header


def test_a_classic_file_is_its_own_frame() -> None:
    (header,) = pet_headers(1)
    assert frame_headers(header) == [header]


def test_enhanced_file() -> None:
    frames = frame_headers(enhanced())
    assert [float(frame.RescaleSlope) for frame in frames] == [1, 2, 3]
    derivation = derive_suv(frames)
    assert derivation.problems == ()
    assert derivation.factor == pytest.approx(FACTOR)
    assert derivation.reference_tag.startswith("DecayCorrectionDateTime")


def test_enhanced_file_that_was_not_corrected() -> None:
    derivation = derive_suv(frame_headers(enhanced(AttenuationCorrected="NO")))
    assert derivation.factor is None
    assert derivation.blamed == ("CorrectedImage (0028,0051)",)


def test_enhanced_file_that_holds_suv() -> None:
    header = enhanced()
    for frame in header.PerFrameFunctionalGroupsSequence:
        frame.RealWorldValueMappingSequence = [units("{SUVlbm}g/ml", 1.0)]
    derivation = derive_suv(frame_headers(header))
    assert (derivation.factor, derivation.unit) == (1.0, "SUVlbm")


def test_a_real_world_value_map_is_not_asked_where_units_are_stated() -> None:
    header = enhanced()
    for frame in header.PerFrameFunctionalGroupsSequence:
        frame.RealWorldValueMappingSequence = [units("{SUVbw}g/ml", 7.0)]
        frame.UnassignedPerFrameConvertedAttributesSequence = [item(Units="BQML", RescaleSlope="2")]
    derivation = derive_suv(frame_headers(header))
    assert (derivation.factor, derivation.unit) == (pytest.approx(FACTOR), "SUVbw")


def test_a_classic_file_with_nothing_but_a_map() -> None:
    (header,) = pet_headers(1, Units=None, RescaleSlope=None)
    header.RealWorldValueMappingSequence = [units("g/ml{SUVbw}", 0.01)]
    (made,) = frame_headers(header)
    assert derive_suv([made]).factor == 1
    header.RealWorldValueMappingSequence = [units("g/ml", 0.01)]
    (made,) = frame_headers(header)
    assert derive_suv([made]).blamed == ("Units (0054,1001)",)


def test_converted_file_keeps_what_differs_from_frame_to_frame() -> None:
    classic = pet_headers()
    for number, header in enumerate(classic):
        header.AcquisitionTime = f"10{number:02}00"
        header.RescaleSlope = str(number + 1)
    (shared,) = pet_headers(1, AcquisitionTime=None, AcquisitionDate=None, RescaleSlope=None)
    converted = item(
        PatientWeight=shared.PatientWeight,
        AcquisitionDateTime="20200102090000",
        SharedFunctionalGroupsSequence=[item(UnassignedSharedConvertedAttributesSequence=[shared])],
        PerFrameFunctionalGroupsSequence=[
            item(
                FrameContentSequence=[
                    item(
                        FrameAcquisitionDateTime=f"20200102{header.AcquisitionTime}",
                        FrameAcquisitionDuration=60000.0,
                    )
                ],
                PixelValueTransformationSequence=[item(RescaleSlope=header.RescaleSlope)],
            )
            for header in classic
        ],
    )
    frames = frame_headers(converted)
    assert [frame.AcquisitionDateTime for frame in frames] == [
        "20200102100000",
        "20200102100100",
        "20200102100200",
    ]
    assert [frame.ActualFrameDuration for frame in frames] == [60000] * 3
    assert derive_suv(frames) == derive_suv(classic)
