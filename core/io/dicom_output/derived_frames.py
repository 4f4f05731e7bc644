"""Frames of objects that highdicom makes: in which order they are, and what they refer to."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import MRImageStorage, generate_uid

from core.geometry.planes import PlaneAxes
from core.io.dicom_output.placing import across, corner
from core.io.dicom_output.sources import DicomSources

_REFERENCES = ("ReferencedSeriesSequence", "StudiesContainingOtherReferencedInstancesSequence")


def stand_in(sources: DicomSources, axes: PlaneAxes, size: tuple[int, int]) -> Dataset:
    """An image for highdicom that carries nothing of the patient.

    It is a classic one whatever the sources are: of an enhanced one highdicom wants the functional
    groups. What refers to it is replaced by :func:`refer`.

    Args:
        sources: of which study and frame of reference are taken.
        axes: where it lies.
        size: (rows, columns).
    """
    image = Dataset()
    image.SOPClassUID = MRImageStorage
    image.SOPInstanceUID = generate_uid(prefix=None)
    image.SeriesInstanceUID = generate_uid(prefix=None)
    image.StudyInstanceUID = sources.study_uid
    image.FrameOfReferenceUID = sources.frame_of_reference
    image.Rows, image.Columns = size
    image.ImagePositionPatient = corner(axes, 0)
    image.ImageOrientationPatient = across(axes).ravel().tolist()
    between, *in_plane = axes.spacing
    image.PixelSpacing, image.SliceThickness = in_plane, between
    image.SpacingBetweenSlices = between
    sources.identify(image)
    image.PatientName = ""
    return image


def frame_slices(dataset: Dataset, axes: PlaneAxes) -> list[int]:
    """Which slice each frame is: highdicom sorts frames by their places."""
    places = [
        groups.PlanePositionSequence[0].ImagePositionPatient
        for groups in dataset.PerFrameFunctionalGroupsSequence
    ]
    return [round(float(axes.position_of([float(one) for one in place])[2])) for place in places]


def refer(
    dataset: Dataset, axes: PlaneAxes, sources: DicomSources, derivation: Dataset, text: str
) -> None:
    """Replace the references to the stand-in by those to the sources, for each frame.

    Args:
        dataset: with shared and per-frame functional groups.
        axes: of its slices.
        sources: what it was made of.
        derivation: code of how.
        text: the same in words; "" for none.
    """
    for keyword in _REFERENCES:
        if keyword in dataset:
            delattr(dataset, keyword)
    sources.add_series_references(dataset)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    if "DerivationImageSequence" in shared:
        del shared.DerivationImageSequence
    frames = dataset.PerFrameFunctionalGroupsSequence
    for index, groups in zip(frame_slices(dataset, axes), frames, strict=True):
        derived = Dataset()
        if text:
            derived.DerivationDescription = text
        derived.DerivationCodeSequence = Items([derivation])
        derived.SourceImageSequence = Items(sources.source_images(axes, index))
        groups.DerivationImageSequence = Items([derived])
