"""What derived objects refer to: patient, study, frame of reference and images of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, generate_uid

from core import __version__
from core.errors import InputError, Message
from core.geometry.planes import PlaneAxes
from core.io.dicom_output.choices import DicomChoices
from core.io.dicom_output.placing import across, corner, normal
from core.io.readers.dicom.headers import image_tags
from core.io.volumes.reading import read_headers
from core.salted import key
from core.types import SeriesHeader

PROGRAM = "UniFusion Studio"
_BASIC_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_RETAIN_UIDS = ("113110", "Retain UIDs Option")
_SOURCE_IMAGE = ("121322", "Source image for image processing operation")
_HEADLESS = ("ABDOMEN", "PELVIS", "CHEST", "THORAX", "BREAST", "PROSTATE", "LIVER", "HEART", "KNEE",
             "ANKLE", "FOOT", "HIP", "LEG", "THIGH", "ARM", "HAND", "WRIST", "ELBOW", "SHOULDER",
             "LSPINE", "TSPINE", "UTERUS", "KIDNEY", "EXTREMITY")  # fmt: skip
"""Body parts (0018,0015) from which no face can be rebuilt."""
_EMPTY = ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
          "ReferringPhysicianName")  # fmt: skip
_IDENTITY = ("PatientName", "PatientID", *_EMPTY, "StudyDescription", "PatientAge")
_LINES = {
    "Name": "PatientName",
    "ID": "PatientID",
    "Born": "PatientBirthDate",
    "Sex": "PatientSex",
    "Study": "StudyDescription",
    "Study date": "StudyDate",
    "Accession number": "AccessionNumber",
}
"""What a report says of a patient, in its words."""
_DATES = {
    "ContentDate": "19000101",
    "ContentTime": "000000",
    "InstanceCreationDate": "19000101",
    "InstanceCreationTime": "000000",
}
"""What the standard wants a value of, and the basic profile a dummy."""
_PARALLEL = 0.999
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_OFF, _UNIT_OFF = 0.05, 1e-4
"""Pixels, and parts of a unit vector, that decimal strings may round off."""
_IN_SLICE = 1e-3
"""Millimetres."""
SourceImage = tuple[Dataset, int]
"""The tags of a file, and which of its images is meant, from 0."""


@dataclass(frozen=True, eq=False)
class DicomSources:
    """The two sources as the objects that are made of them refer to them.

    Attributes:
        a, b: of each slice its tags, in the order of the volume; () where a source is no DICOM.
        patient: salted hash of the patient; "" when unknown.
        modalities: of A and B.
        registered: A was moved onto B, so its places are no longer those of its files.
        choices: what a person chose.
    """

    a: tuple[SourceImage, ...]
    b: tuple[SourceImage, ...]
    _: KW_ONLY
    patient: str
    modalities: tuple[str, str]
    registered: bool
    choices: DicomChoices

    @property
    def images(self) -> tuple[SourceImage, ...]:
        """Those of B, then those of A."""
        return self.b + self.a

    @property
    def leading(self) -> Dataset | None:
        """The tags that patient and study are taken from: of B, else of A."""
        return self.images[0][0] if self.images else None

    def referred(self, uid: str) -> UID:
        """A UID of the sources as it is written into derived objects."""
        return hidden_uid(uid) if self.choices.replace_uids else UID(uid)

    @property
    def frame_of_reference(self) -> UID:
        """That of B, which the derived objects lie in; a new one where B names none."""
        known = str(self.b[0][0].get("FrameOfReferenceUID") or "") if self.b else ""
        return self.referred(known) if known else generate_uid(prefix=None)

    @property
    def study_uid(self) -> UID:
        """Of the study that derived objects belong to: the sources' own with their identity, else
        one that is the same in every export.
        """
        lead = self.leading
        study = str(lead.get("StudyInstanceUID") or "") if lead is not None else ""
        if not study:
            return generate_uid(prefix=None)
        return UID(study) if self.choices.keep_identity else hidden_uid(study)

    def identify(self, dataset: Dataset) -> None:
        """Set patient and study, whatever they were, and what was removed of them and how."""
        lead = self.leading if self.choices.keep_identity else None
        pseudonym = f"UF{self.patient.upper()}" if self.patient else "UFANONYMOUS"
        dataset.PatientName, dataset.PatientID = f"{pseudonym}^", pseudonym
        for keyword in _EMPTY:
            setattr(dataset, keyword, "")
        for keyword in _IDENTITY if lead is not None else ():
            if lead is not None and lead.get(keyword):
                setattr(dataset, keyword, lead[keyword].value)
        if self.choices.keep_identity and self.leading is not None:
            dataset.PatientIdentityRemoved = "NO"
        else:
            codes = (
                [_BASIC_PROFILE] if self.choices.replace_uids else [_BASIC_PROFILE, _RETAIN_UIDS]
            )
            dataset.PatientIdentityRemoved = "YES"
            dataset.DeidentificationMethod = f"{PROGRAM} {__version__}: PS3.15 basic profile"
            dataset.DeidentificationMethodCodeSequence = Items(code(*one) for one in codes)
            dataset.LongitudinalTemporalInformationModified = "REMOVED"
            for keyword, dummy in _DATES.items():
                if keyword in dataset:
                    setattr(dataset, keyword, dummy)
        burned = any(_says_yes(tags, "BurnedInAnnotation") for tags, _ in self.images)
        # The notice that is burned in identifies nobody; what the sources had burned in may.
        dataset.BurnedInAnnotation = "YES" if burned else "NO"
        dataset.RecognizableVisualFeatures = "YES" if self.may_show_face else "NO"

    @property
    def identity(self) -> dict[str, str]:
        """Lines about the patient and the study, by name, for a person; {} unless the identity is
        kept.
        """
        lead = self.leading if self.choices.keep_identity else None
        if lead is None:
            return {}
        found = {title: str(lead.get(keyword) or "") for title, keyword in _LINES.items()}
        return {title: text for title, text in found.items() if text}

    @property
    def may_show_face(self) -> bool:
        """Whether a face may be rebuilt from the slices: unless another body part is named."""
        parts = {str(tags.get("BodyPartExamined") or "").upper() for tags, _ in self.b[:1]}
        return not parts or not parts <= set(_HEADLESS)

    @property
    def burned_in(self) -> bool:
        """Whether a source says that it has a name burned into its pixels."""
        return any(_says_yes(tags, "BurnedInAnnotation") for tags, _ in self.images)

    def mark_lossy(self, dataset: Dataset) -> None:
        """Set that pixels were compressed with a loss before, where those of a source were."""
        lossy = any(str(tags.get("LossyImageCompression") or "") == "01" for tags, _ in self.images)
        dataset.LossyImageCompression = "01" if lossy else "00"
        if lossy:
            found = [tags for tags, _ in self.images if "LossyImageCompressionRatio" in tags]
            for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
                if found and keyword in found[0]:
                    setattr(dataset, keyword, found[0][keyword].value)

    def add_series_references(
        self, dataset: Dataset, images: Sequence[SourceImage] | None = None
    ) -> None:
        """Set the common instance references: ``images``, or all of both series, by study."""
        studies: dict[str, dict[str, dict[str, Dataset]]] = {}
        for tags, _ in self.images if images is None else images:
            series = studies.setdefault(str(tags.get("StudyInstanceUID")), {})
            instances = series.setdefault(str(tags.get("SeriesInstanceUID")), {})
            instances.setdefault(str(tags.SOPInstanceUID), self._instance(tags))
        others = []
        for study, series in studies.items():
            listed = Items(self._series_item(uid, found) for uid, found in series.items())
            if study == str(dataset.StudyInstanceUID):
                dataset.ReferencedSeriesSequence = listed
                continue
            other = Dataset()
            other.StudyInstanceUID = self.referred(study)
            other.ReferencedSeriesSequence = listed
            others.append(other)
        if others:
            dataset.StudiesContainingOtherReferencedInstancesSequence = Items(others)

    def _series_item(self, uid: str, instances: dict[str, Dataset]) -> Dataset:
        item = Dataset()
        item.SeriesInstanceUID = self.referred(uid)
        item.ReferencedInstanceSequence = Items(instances.values())
        return item

    def _instance(self, tags: Dataset) -> Dataset:
        item = Dataset()
        item.ReferencedSOPClassUID = tags.SOPClassUID
        item.ReferencedSOPInstanceUID = self.referred(tags.SOPInstanceUID)
        return item

    def source_images(self, axes: PlaneAxes, index: int) -> list[Dataset]:
        """Items of SourceImageSequence for a slice: the images of B and A that it is made of.

        None of a source whose own slices lie across, or of A where it was moved. Each says whether
        its pixels are where those of the slice are (0028,135A), so that what was drawn on one fits
        the other; those of a source that was resampled are not.
        """
        of_a, of_b = self._near(corner(axes, index), normal(axes))
        return [self._source(image, axes, index) for image in (*of_b, *of_a)]

    def referred_images(self, axes: PlaneAxes, index: int) -> list[SourceImage]:
        """Those images, and all of a source of which :meth:`source_images` names none."""
        of_a, of_b = self._near(corner(axes, index), normal(axes))
        return [*(of_b or self.b), *(of_a or self.a)]

    def _near(
        self, first: Sequence[float], along: Sequence[float]
    ) -> tuple[Sequence[SourceImage], Sequence[SourceImage]]:
        of_a = () if self.registered else self._slices[0].nearest(first, along, 2)
        return of_a, self._slices[1].nearest(first, along, 1)

    @cached_property
    def _slices(self) -> tuple[_Slices, _Slices]:
        return _Slices(self.a), _Slices(self.b)

    def _source(self, image: SourceImage, axes: PlaneAxes, index: int) -> Dataset:
        tags, frame = image
        item = self._instance(tags)
        if int(tags.get("NumberOfFrames") or 1) > 1:
            item.ReferencedFrameNumber = frame + 1
        item.SpatialLocationsPreserved = "YES" if _has_pixels_of(image, axes, index) else "NO"
        item.PurposeOfReferenceCodeSequence = Items([code(*_SOURCE_IMAGE)])
        return item


def read_dicom_sources(
    a: SeriesHeader,
    b: SeriesHeader,
    frames: tuple[int, int],
    choices: DicomChoices,
    *,
    registered: bool = False,
) -> DicomSources:
    """Read what derived objects refer to; no pixel.

    Raises:
        InputError: a file cannot be read, or the identity of two patients is to be kept.
    """
    if choices.keep_identity and a.patient and b.patient and a.patient != b.patient:
        raise InputError(
            Message("The two series"),
            Message("they are of two different patients, so there is no identity to keep"),
            Message("Write them without the patient's identity."),
        )
    images = [tuple(read_headers(series, n)) for series, n in zip((a, b), frames, strict=True)]
    return DicomSources(
        images[0],
        images[1],
        patient=b.patient or a.patient,
        modalities=(a.modality, b.modality),
        registered=registered,
        choices=choices,
    )


def read_dicom_source(series: SeriesHeader, frame: int, choices: DicomChoices) -> DicomSources:
    """What objects derived from one source alone, on its own grid, refer to; no pixel is read.

    Raises:
        InputError: a file cannot be read.
    """
    return DicomSources(
        (),
        tuple(read_headers(series, frame)),
        patient=series.patient,
        modalities=("", series.modality),
        registered=False,
        choices=choices,
    )


def code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    """An item of a sequence of codes."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def hidden_uid(uid: str) -> UID:
    """A UID that stands for another one, the same in every export of this installation."""
    digits = key("uid", uid) + key("uid again", uid)
    return UID(f"2.25.{int(digits, 16)}")


def _says_yes(tags: Dataset, keyword: str) -> bool:
    return str(tags.get(keyword) or "").strip().upper() == "YES"


def _has_pixels_of(image: SourceImage, axes: PlaneAxes, index: int) -> bool:
    """Whether an image of a source has its pixels where those of a slice are, in their order."""
    tags = image_tags(*image)
    sizes = image[0].get("Rows"), image[0].get("Columns")
    if sizes != axes.shape[1:]:
        return False
    known = [tags.numbers(name) for name in _PLACE]
    placed, turned = np.array(corner(axes, index)), across(axes).ravel()
    wanted = (placed, turned, np.array(axes.spacing[1:]))
    off = _OFF * min(axes.spacing[1:])
    limits = (off, _UNIT_OFF, off / max(sizes))
    return all(
        len(one) == len(other) and np.allclose(one, other, rtol=0, atol=limit)
        for one, other, limit in zip(known, wanted, limits, strict=True)
    )


class _Slices:
    """Where the images of one source lie."""

    def __init__(self, images: Sequence[SourceImage]) -> None:
        self._images = images
        self._normal = np.zeros(3)
        positions = []
        for image in images:
            tags = image_tags(*image)
            across = tags.numbers("ImageOrientationPatient")
            position = tags.numbers("ImagePositionPatient")
            if len(across) == 6 and len(position) == 3:
                self._normal = np.cross(across[:3], across[3:])
                positions.append(position)
        self._positions = np.array(positions) if len(positions) == len(images) else None

    def nearest(
        self, corner: Sequence[float], normal: Sequence[float], count: int
    ) -> Sequence[SourceImage]:
        """Those next to a slice along its normal, ``count`` unless one lies in it; none where they
        lie across it.
        """
        if self._positions is None or abs(self._normal @ np.array(normal)) < _PARALLEL:
            return ()
        apart = np.abs((self._positions - np.array(corner)) @ np.array(normal))
        order = np.argsort(apart, kind="stable")[:count]
        if len(order) and apart[order[0]] < _IN_SLICE:
            order = order[:1]
        return [self._images[n] for n in order]
