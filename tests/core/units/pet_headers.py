"""Headers of a PET series as small as the calculation allows, to be changed by tests."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from core.units.suv import SuvDerivation

WEIGHT, DOSE, HALF_LIFE = 80.0, 320e6, 6586.2
"""In kg, Bq and s."""
MINUTES = 60.0
"""From injection (09:00:00) to series and acquisition (10:00:00)."""
FACTOR = WEIGHT * 1000 / (DOSE * 2 ** (-MINUTES * 60 / HALF_LIFE))
"""SUVbw per Bq/mL of :func:`pet_headers` unchanged."""


def pet_headers(slices: int = 3, **changes: object) -> list[Dataset]:
    """An F-18 series in BQML with DecayCorrection START.

    Args:
        slices: how many.
        changes: keywords and values, None to take a tag away; those of the radiopharmaceutical go
            into its item.
    """
    return [_header(changes) for _ in range(slices)]


_OF_THE_DRUG = (
    "Radiopharmaceutical",
    "RadionuclideHalfLife",
    "RadionuclideTotalDose",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
    "RadionuclideCodeSequence",
)


def _header(changes: dict[str, object]) -> Dataset:
    header, drug = Dataset(), Dataset()
    values: dict[str, object] = {
        "Modality": "PT",
        "Manufacturer": "SIEMENS",
        "PatientWeight": str(WEIGHT),
        "SeriesDate": "20200102",
        "SeriesTime": "100000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "100000.00",
        "SeriesType": ["STATIC", "IMAGE"],
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "RescaleSlope": "1.5",
        "RescaleIntercept": "0",
        "Radiopharmaceutical": "FDG",
        "RadionuclideTotalDose": f"{DOSE:.0f}",
        "RadionuclideHalfLife": str(HALF_LIFE),
        "RadiopharmaceuticalStartTime": "090000",
        "RadiopharmaceuticalStartDateTime": "20200102090000.00",
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(drug if keyword in _OF_THE_DRUG else header, keyword, value)
    header.RadiopharmaceuticalInformationSequence = [drug]
    return header


def nuclide_code(value: str, meaning: str = "", scheme: str = "SCT") -> list[Dataset]:
    """A RadionuclideCodeSequence."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = value, scheme
    if meaning:
        code.CodeMeaning = meaning
    return [code]


def philips(headers: list[Dataset], *, suv: object = None, activity: object = None) -> None:
    """Add Philips' private factors."""
    for header in headers:
        header.Manufacturer = "Philips Medical Systems"
        block = header.private_block(0x7053, "Philips PET Private Group", create=True)
        if suv is not None:
            block.add_new(0x00, "DS", str(suv))
        if activity is not None:
            block.add_new(0x09, "DS", str(activity))


def ge_scan_time(headers: list[Dataset], value: str) -> None:
    """Add the private date and time of a GE scan."""
    for header in headers:
        header.Manufacturer = "GE MEDICAL SYSTEMS"
        header.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", value)


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
