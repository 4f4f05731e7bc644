"""Multi-frame PET files as if each frame were a file of its own."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from core.units.headers import items, number_of, text

_WANTED = (
    "AcquisitionDate",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "ActualFrameDuration",
    "CorrectedImage",
    "DecayCorrection",
    "DecayCorrectionDateTime",
    "DecayFactor",
    "FrameReferenceTime",
    "Manufacturer",
    "PatientAge",
    "PatientSex",
    "PatientSize",
    "PatientWeight",
    "RadiopharmaceuticalInformationSequence",
    "RescaleSlope",
    "SUVType",
    "SeriesDate",
    "SeriesTime",
    "SeriesType",
    "TimezoneOffsetFromUTC",
    "Units",
)
_PRIVATE_GROUPS = (0x0009, 0x7053)
_UNITS = {
    "bq/ml": ("BQML", ""),
    "g/ml{suvbw}": ("GML", "BW"),
    "{suvbw}g/ml": ("GML", "BW"),
    "g/ml{suvlbm}": ("GML", "LBM"),
    "{suvlbm}g/ml": ("GML", "LBM"),
    "g/ml{suvibw}": ("GML", "IBW"),
    "{suvibw}g/ml": ("GML", "IBW"),
    "cm2/ml{suvbsa}": ("CM2ML", "BSA"),
    "{suvbsa}cm2/ml": ("CM2ML", "BSA"),
    "{counts}": ("CNTS", ""),
    "{propcounts}": ("PROPCNTS", ""),
}


def frame_headers(header: Dataset) -> list[Dataset]:
    """What :func:`core.units.suv.derive_suv` asks for, of each frame of a file in their order.

    A classic file has one frame, and is returned as it is. Of an enhanced one, or one that was
    converted from classic files, the attributes of file, shared groups and groups of the frame come
    together under the names that classic files have.
    """
    frames = items(header, "PerFrameFunctionalGroupsSequence")
    mapped = items(header, "RealWorldValueMappingSequence")
    if not frames and (text(header, "Units") or not mapped):
        return [header]
    shared = [header, *items(header, "SharedFunctionalGroupsSequence")]
    # What a real-world value map says is asked only where no tag Units says it.
    parts = [part for group in (*shared, *frames) for part in _parts(group)]
    sources = _parts if any(text(part, "Units") for part in (header, *parts)) else _all_parts
    common = Dataset()
    for source in (header, *(part for group in shared for part in sources(group))):
        _take(common, source)
    _translate(common, header)
    return [_frame(common, sources(frame), frame) for frame in frames or [Dataset()]]


def _frame(common: Dataset, parts: Iterator[Dataset], frame: Dataset) -> Dataset:
    made = Dataset()
    made.update(common)
    for part in parts:
        _take(made, part)
    for content in items(frame, "FrameContentSequence"):
        started = text(content, "FrameAcquisitionDateTime")
        if started:
            # A new element each time: those that came from the file are shared by all frames.
            made.add_new("AcquisitionDateTime", "DT", started)
            for keyword in ("AcquisitionDate", "AcquisitionTime"):
                if keyword in made:
                    delattr(made, keyword)
        length = number_of(text(content, "FrameAcquisitionDuration"))
        if length > 0 and "ActualFrameDuration" not in made:
            made.add_new("ActualFrameDuration", "IS", round(length))
    return made


def _parts(group: Dataset) -> Iterator[Dataset]:
    """Items of functional groups, or of a file, that hold attributes under their classic names."""
    for keyword in (
        "UnassignedSharedConvertedAttributesSequence",
        "UnassignedPerFrameConvertedAttributesSequence",
        "PixelValueTransformationSequence",
    ):
        yield from items(group, keyword)


def _all_parts(group: Dataset) -> Iterator[Dataset]:
    """:func:`_parts`, and what the real-world value maps say."""
    yield from _parts(group)
    for item in items(group, "RealWorldValueMappingSequence"):
        slope = number_of(text(item, "RealWorldValueSlope"))
        for code in items(item, "MeasurementUnitsCodeSequence"):
            mapped = _units(text(code, "CodeValue"))
            if slope > 0:
                mapped.RescaleSlope = f"{slope:.10g}"
            yield mapped


def _units(code: str) -> Dataset:
    made = Dataset()
    units, kind = _UNITS.get(code.lower(), ("", ""))
    if units:
        made.Units = units
    if kind:
        made.SUVType = kind
    return made


def _take(target: Dataset, source: Dataset) -> None:
    for keyword in _WANTED:
        tag = tag_for_keyword(keyword)
        if tag is not None and tag in source:
            target[tag] = source[tag]
    for group in _PRIVATE_GROUPS:
        target.update({element.tag: element for element in source.group_dataset(group)})


def _translate(made: Dataset, header: Dataset) -> None:
    """Corrections of an enhanced file, in the words of a classic one."""
    if "CorrectedImage" not in made:
        corrections = [
            word
            for word, keyword in (("ATTN", "AttenuationCorrected"), ("DECY", "DecayCorrected"))
            if text(header, keyword) == "YES"
        ]
        if corrections:
            made.CorrectedImage = corrections
    if "DecayCorrection" not in made and "DecayCorrectionDateTime" in made:
        made.DecayCorrection = "START"
