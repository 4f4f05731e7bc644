"""Writes fused slices as secondary captures, with the geometry of the anatomical source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from pydicom.valuerep import DSfloat

from core import __version__
from core.errors import Message, OutputError
from core.geometry.planes import PlaneAxes
from core.io.atomic import atomic_folder, atomic_path
from core.io.dicom_output.notice import ColourSlice, PlacedNotice, place_notice
from core.io.dicom_output.placing import (
    MOST_BYTES,
    across,
    corner,
    plane_position,
    shared_groups,
    write_pixels,
)
from core.io.dicom_output.sources import PROGRAM, DicomSources, SourceImage, code
from core.io.writer import check_folder
from core.progress import NullProgress, Progress
from core.types import RESEARCH_NOTICE

MULTI_FRAME_FILE = "fused.dcm"
_OWN_NAME = re.compile(r"fused(_\d+)?\.dcm")
_SERIES_NUMBER = 9001
_SCHEME = "99UNIFUSION"
_PER_FRAME = Tag(0x5200, 0x9230)
_POSITION, _POSITION_GROUP = Tag(0x0020, 0x0032), Tag(0x0020, 0x9113)
_DESCRIPTION_LENGTH = 1024


@dataclass(frozen=True, eq=False)
class FusedSeries:
    """Fused slices and what is to be said of them.

    Attributes:
        slices: N×H×W×3 uint8 in the order of ``axes``, an array or what reads each slice when it
            is asked for.
        axes: where they lie.
        sources: what they were made of.
        provenance: of the result (:func:`core.fusion.instrumentation.provenance`).
    """

    slices: Any
    axes: PlaneAxes
    sources: DicomSources
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Series:
    """What all files of one series share."""

    fused: FusedSeries
    notice: PlacedNotice
    uid: UID
    frame_of_reference: UID


def write_fused_folder(
    folder: Path,
    fused: FusedSeries,
    progress: Progress | None = None,
    *,
    replaces: bool = False,
) -> tuple[str, ...]:
    """Write a series into a new folder, all of it or nothing; returns notes for a person.

    Args:
        folder: of the series alone.
        fused: what is written.
        progress: told of the slices written; may cancel.
        replaces: a series that was written there before is replaced.

    Raises:
        OutputError: the folder holds files already, cannot be made, or the disk is full.
        Cancelled: by ``progress``.
    """
    check_new_folder(folder, replaces=replaces)
    with atomic_folder(folder) as temporary:
        single = fused.sources.choices.layout == "single"
        if single:
            return write_fused_files(temporary, fused, progress)
        return write_fused_files(temporary / MULTI_FRAME_FILE, fused, progress)


def check_new_folder(folder: Path, protect: Sequence[Path] = (), *, replaces: bool = False) -> None:
    """Refuse a folder for a series that holds anything, or in which sources are.

    With ``replaces`` it may hold files that have the names of a series written here.

    Raises:
        OutputError: see above, or its parent is missing.
    """
    what = Message("Cannot write into {0}", folder)
    if folder.resolve() in {path.resolve().parent for path in protect}:
        raise OutputError(what, Message("the sources are in it"), Message("Name another folder."))
    try:
        if folder.exists() and (not folder.is_dir() or _holds_others(folder, replaces)):
            raise OutputError(
                what,
                Message("it holds other files, and a series is a folder of its own"),
                Message("Name a new folder or an empty one."),
            )
    except OSError as error:
        raise OutputError(
            what, error.strerror or str(error), Message("Choose another folder.")
        ) from error
    check_folder(folder)


def _holds_others(folder: Path, replaces: bool) -> bool:
    names = (entry.name for entry in folder.iterdir())
    return any(not (replaces and _OWN_NAME.fullmatch(name)) for name in names)


def write_fused_files(
    path: Path, fused: FusedSeries, progress: Progress | None = None
) -> tuple[str, ...]:
    """Write a series: one multi-frame file, or into a folder that is there a file for each slice.

    Pixels are written slice by slice; no more than one is in memory.

    Returns:
        Notes for a person: where the notice stands, what of the patient is in the files.

    Raises:
        OutputError: a file cannot be written.
        Cancelled: by ``progress``; what was written into a folder before stays.
    """
    progress = progress or NullProgress()
    count, rows, columns = fused.slices.shape[:3]
    placed = place_notice(
        fused.provenance.get("notice", RESEARCH_NOTICE),
        (rows, columns),
        fused.sources.choices.notice,
        _checked(fused.slices, progress, Message("Placing the notice")),
    )
    series = _Series(fused, placed, generate_uid(prefix=None), fused.sources.frame_of_reference)
    if path.is_dir():
        for index in range(count):
            progress.check()
            progress.report(index, count, Message("Writing DICOM"))
            _write(path / f"fused_{index + 1:04d}.dcm", _single(series, index), series, [index])
    else:
        _check_size(path, fused.slices)
        frames = _reported(range(count), count, progress)
        _write(path, _multi(series), series, frames)
    return _notes(series)


def _checked(slices: Any, progress: Progress, stage: str) -> Iterator[ColourSlice]:
    for index in range(len(slices)):
        progress.check()
        progress.report(index, len(slices), stage)
        yield slices[index]


def _reported(indices: Sequence[int], count: int, progress: Progress) -> Iterator[int]:
    for index in indices:
        progress.check()
        progress.report(index, count, Message("Writing DICOM"))
        yield index


def _check_size(path: Path, slices: Any) -> None:
    if slices.nbytes > MOST_BYTES:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("it has more pixels than one DICOM file can hold"),
            Message("Write a file for each slice (--dicom single)."),
        )


def _write(path: Path, dataset: Dataset, series: _Series, indices: Any) -> None:
    """Write the tags, and then the pixels of slices, which are the last of them."""
    slices = series.fused.slices
    count = int(dataset.get("NumberOfFrames", 1))
    length = count * int(dataset.Rows) * int(dataset.Columns) * 3
    with atomic_path(path, folder_later=count == 1) as temporary, temporary.open("wb") as stream:
        dcmwrite(stream, dataset, enforce_file_format=True)
        write_pixels(
            stream, 0x0010, b"OB", length, (series.notice.burn(slices[n]) for n in indices)
        )


def _notes(series: _Series) -> tuple[str, ...]:
    sources, notice = series.fused.sources, series.notice
    found = []
    if not notice.text:
        found.append(
            Message("The slices are too small for the notice; it is in the description alone.")
        )
    elif notice.covered:
        found.append(
            Message(
                "The notice covers something in {0} slices; it can be put into another corner or "
                "below.",
                notice.covered,
            )
        )
    return (*found, *identity_notes(sources))


def identity_notes(sources: DicomSources, *, has_pixels: bool = True) -> tuple[str, ...]:
    """What of the patient is in files that refer to ``sources``, for a person who gives them on.

    ``has_pixels``: whether the files show what the sources show, not only where.
    """
    found = []
    if sources.choices.keep_identity and sources.leading is not None:
        found.append(Message("The patient's name and ID are in the files."))
    else:
        found.append(
            Message(
                "Name, ID and dates of the patient are not in the files (PS3.15 basic profile)."
            )
        )
        if sources.images and not sources.choices.replace_uids:
            found.append(
                Message(
                    "The UIDs of the sources are in the files, so that other systems find the "
                    "originals."
                )
            )
    if has_pixels and sources.burned_in:
        found.append(Message("A source says that a name may be burned into its pixels."))
    if has_pixels and sources.may_show_face:
        found.append(Message("A face can be recognised in slices of a head."))
    return tuple(found)


# --- data sets


def _multi(series: _Series) -> Dataset:
    """The tags of the multi-frame file."""
    fused = series.fused
    dataset = _common(series, MultiFrameTrueColorSecondaryCaptureImageStorage, 1)
    count = fused.slices.shape[0]
    dataset.NumberOfFrames = count
    dataset.FrameIncrementPointer = _PER_FRAME
    organisation = Dataset()
    organisation.DimensionOrganizationUID = generate_uid(prefix=None)
    dataset.DimensionOrganizationSequence = Items([organisation])
    index = Dataset()
    index.DimensionOrganizationUID = organisation.DimensionOrganizationUID
    index.DimensionIndexPointer = _POSITION
    index.FunctionalGroupPointer = _POSITION_GROUP
    index.DimensionDescriptionLabel = "Position"
    dataset.DimensionIndexSequence = Items([index])
    dataset.SharedFunctionalGroupsSequence = Items([shared_groups(series.fused.axes)])
    dataset.PerFrameFunctionalGroupsSequence = Items(
        _frame_groups(series, number) for number in range(count)
    )
    return dataset


def _frame_groups(series: _Series, index: int) -> Dataset:
    axes = series.fused.axes
    groups, content = Dataset(), Dataset()
    content.DimensionIndexValues = index + 1
    content.StackID, content.InStackPositionNumber = "1", index + 1
    groups.FrameContentSequence = Items([content])
    groups.PlanePositionSequence = plane_position(axes, index)
    derived = Dataset()
    derived.DerivationDescription = description(series.fused)
    derived.DerivationCodeSequence = Items(derivation_codes())
    derived.SourceImageSequence = Items(series.fused.sources.source_images(axes, index))
    groups.DerivationImageSequence = Items([derived])
    return groups


def _single(series: _Series, index: int) -> Dataset:
    """The tags of the file of one slice."""
    fused, axes = series.fused, series.fused.axes
    referred = fused.sources.referred_images(axes, index)
    dataset = _common(series, SecondaryCaptureImageStorage, index + 1, referred)
    between, down, beside = (_decimal(one) for one in axes.spacing)
    dataset.ImagePositionPatient = [_decimal(one) for one in corner(axes, index)]
    dataset.ImageOrientationPatient = [_decimal(one) for one in across(axes).ravel()]
    dataset.PixelSpacing = [down, beside]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = between
    dataset.SliceLocation = _decimal(axes.offset_of(index))
    found = fused.sources.source_images(axes, index)
    if found:
        dataset.SourceImageSequence = Items(found)
    return dataset


def _decimal(value: float) -> DSfloat:
    return DSfloat(float(value), auto_format=True)


def _common(
    series: _Series, kind: UID, number: int, referred: Sequence[SourceImage] | None = None
) -> Dataset:
    """The tags that a file has whatever its layout is, without pixels.

    ``referred``: images that it refers to; None for all of both sources.
    """
    from highdicom.base import SOPClass

    fused = series.fused
    letters = fused.axes.letters
    dataset = SOPClass(
        study_instance_uid=fused.sources.study_uid,
        series_instance_uid=series.uid,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=generate_uid(prefix=None),
        sop_class_uid=kind,
        instance_number=number,
        modality="OT",
        manufacturer=PROGRAM,
        manufacturer_model_name=PROGRAM,
        software_versions=__version__,
        series_description="Fused {}/{}, research use only".format(*fused.sources.modalities),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
    )
    dataset.CodingSchemeIdentificationSequence = [_coding_scheme()]
    dataset.Laterality = ""
    fused.sources.identify(dataset)
    fused.sources.mark_lossy(dataset)
    fused.sources.add_series_references(dataset, referred)
    dataset.FrameOfReferenceUID = series.frame_of_reference
    dataset.PositionReferenceIndicator = ""
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = [letters[1], letters[3]]
    dataset.ConversionType = "WSD"
    dataset.SecondaryCaptureDeviceManufacturer = PROGRAM
    dataset.SecondaryCaptureDeviceManufacturerModelName = PROGRAM
    dataset.SecondaryCaptureDeviceSoftwareVersions = __version__
    dataset.DerivationDescription = description(fused)
    dataset.DerivationCodeSequence = Items(derivation_codes())
    dataset.ImageComments = fused.provenance.get("notice", RESEARCH_NOTICE).replace("–", "-")
    rows, columns = fused.slices.shape[1:3]
    _add_pixel_tags(dataset, rows + series.notice.extra_rows, columns)
    return dataset


def _add_pixel_tags(dataset: Dataset, rows: int, columns: int) -> None:
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0


def derivation_codes() -> list[Dataset]:
    """That slices of one source were resampled, and fused with the other."""
    return [code("113085", "Spatial resampling"), code("fusion", "Image fusion", _SCHEME)]


def _coding_scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator, item.CodingSchemeName = _SCHEME, PROGRAM
    return item


def description(fused: FusedSeries) -> str:
    """How the slices were made: program, version, method and hash of its weights, settings."""
    said = {"plane": fused.axes.plane, **fused.provenance}
    left_out = {"software", "notice", "source_a", "source_b", "picture"}
    first = said.get("software", f"{PROGRAM} {__version__}")
    parts = [f"{name} {value}" for name, value in said.items() if name not in left_out]
    text = "; ".join([first, *parts, said.get("notice", RESEARCH_NOTICE)])
    return text.replace("–", "-").replace("\\", "/")[:_DESCRIPTION_LENGTH]
