"""What is asked of an archive, and what it answers. Nothing of a patient is in any ``repr``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

MOST_STUDIES = 200
"""Studies that one search lists."""


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """What studies are looked for; empty fields match all.

    Attributes:
        patient_name: with ``*`` and ``?`` for what is not known; without, its beginning.
        patient_id, accession: exactly, or with ``*`` and ``?``.
        first, last: days between which it was made, both included; None without a bound.
        modality: of one of its series, such as PT or MR.
    """

    patient_name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    first: date | None = field(default=None, repr=False)
    last: date | None = field(default=None, repr=False)
    modality: str = ""

    @property
    def name_pattern(self) -> str:
        """The name as archives match it."""
        name = self.patient_name.strip()
        return f"{name}*" if name and not set("*?") & set(name) else name

    @property
    def days(self) -> str:
        """The range of days as DICOM writes it; "" for all."""
        first, last = (f"{day:%Y%m%d}" if day else "" for day in (self.first, self.last))
        if first and first == last:
            return first
        return f"{first}-{last}" if first or last else ""


@dataclass(frozen=True, kw_only=True)
class ArchivedStudy:
    """A study in an archive.

    Attributes:
        uid: Study Instance UID.
        date: as DICOM writes it (YYYYMMDD); "" where unknown.
        modalities: of its series.
        series, images: how many there are; None where the archive does not say.
    """

    uid: str
    patient_name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    date: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    modalities: tuple[str, ...] = ()
    series: int | None = None
    images: int | None = None


@dataclass(frozen=True, kw_only=True)
class ArchivedSeries:
    """A series in an archive.

    Attributes:
        uid, study_uid: Series and Study Instance UID.
        images: how many there are; None where the archive does not say.
        number: as the scanner counted; None without.
    """

    uid: str
    study_uid: str
    modality: str = ""
    description: str = field(default="", repr=False)
    number: int | None = None
    images: int | None = None


@dataclass(frozen=True)
class ArchivedImage:
    """An image (SOP instance) in an archive.

    Attributes:
        uid: SOP Instance UID.
        kind: SOP Class UID; "" where the archive does not say.
    """

    uid: str
    kind: str = ""


@dataclass(frozen=True)
class FoundStudies:
    """Attributes:
    studies: newest first.
    more: whether the archive has more that match.
    """

    studies: tuple[ArchivedStudy, ...]
    more: bool = False


@dataclass(frozen=True)
class RetrievedSeries:
    """What arrived of a series.

    Attributes:
        series: as the archive describes it.
        folder: where it is; None as long as it is not complete.
        arrived, expected: images.
        why: why some are missing; "" for a complete one.
    """

    series: ArchivedSeries
    folder: Path | None
    arrived: int
    expected: int
    why: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all images are there."""
        return self.folder is not None


SendState = Literal["stored", "warned", "failed"]


@dataclass(frozen=True)
class SentFile:
    """What became of a file that was sent.

    Attributes:
        path: of the file.
        state: whether the archive has it; ``warned`` where it changed something.
        why: for a person; "" where it was stored as it is.
    """

    path: Path
    state: SendState
    why: str = ""
