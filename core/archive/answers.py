"""Data sets that archives are asked with, and what is taken from those that they answer with."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.archive.records import ArchivedImage, ArchivedSeries, ArchivedStudy, StudyQuery

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

STUDY_KEYS = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyDescription",
    "ModalitiesInStudy",
    "AccessionNumber",
    "PatientName",
    "PatientID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
SERIES_KEYS = (
    "SeriesInstanceUID",
    "Modality",
    "SeriesDescription",
    "SeriesNumber",
    "NumberOfSeriesRelatedInstances",
)
IMAGE_KEYS = ("SOPInstanceUID", "SOPClassUID")


def study_filters(query: StudyQuery) -> dict[str, str]:
    """What a study has to match, by keyword."""
    wanted = {
        "PatientName": query.name_pattern,
        "PatientID": query.patient_id.strip(),
        "AccessionNumber": query.accession.strip(),
        "StudyDate": query.days,
        "ModalitiesInStudy": query.modality.strip().upper(),
    }
    return {keyword: value for keyword, value in wanted.items() if value}


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Values of others are often not as the standard wants them; they are taken as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def found_study(data: Dataset) -> ArchivedStudy | None:
    """The study of an answer; None where it has no UID."""
    with without_warnings():
        uid = _text(data, "StudyInstanceUID")
        if not uid:
            return None
        return ArchivedStudy(
            uid=uid,
            patient_name=_text(data, "PatientName"),
            patient_id=_text(data, "PatientID"),
            accession=_text(data, "AccessionNumber"),
            date=_text(data, "StudyDate"),
            description=_text(data, "StudyDescription"),
            modalities=_texts(data, "ModalitiesInStudy"),
            series=_count(data, "NumberOfStudyRelatedSeries"),
            images=_count(data, "NumberOfStudyRelatedInstances"),
        )


def found_series(data: Dataset, study_uid: str) -> ArchivedSeries | None:
    """The series of an answer; None where it has no UID."""
    with without_warnings():
        uid = _text(data, "SeriesInstanceUID")
        if not uid:
            return None
        return ArchivedSeries(
            uid=uid,
            study_uid=study_uid,
            modality=_text(data, "Modality"),
            description=_text(data, "SeriesDescription"),
            number=_count(data, "SeriesNumber"),
            images=_count(data, "NumberOfSeriesRelatedInstances"),
        )


def found_image(data: Dataset) -> ArchivedImage | None:
    """The image of an answer; None where it has no UID."""
    with without_warnings():
        uid = _text(data, "SOPInstanceUID")
        return ArchivedImage(uid, _text(data, "SOPClassUID")) if uid else None


def matches(study: ArchivedStudy, query: StudyQuery) -> bool:
    """Whether a study has a series of the modality: some archives leave that to whoever asks."""
    wanted = query.modality.strip().upper()
    return not wanted or not study.modalities or wanted in study.modalities


def by_number(series: Sequence[ArchivedSeries]) -> tuple[ArchivedSeries, ...]:
    """Series in the order of their numbers; those without one last."""
    return tuple(
        sorted(series, key=lambda one: (one.number is None, one.number or 0, one.modality, one.uid))
    )


def newest_first(studies: Sequence[ArchivedStudy]) -> tuple[ArchivedStudy, ...]:
    """Studies by their day, the newest first."""
    return tuple(sorted(studies, key=lambda one: one.date, reverse=True))


def _value(data: Dataset, keyword: str) -> object:
    try:
        return data.get(keyword)
    except Exception:  # of pydicom, at values that cannot be decoded
        return None


def _text(data: Dataset, keyword: str) -> str:
    value = _value(data, keyword)
    return "" if value is None else str(value).strip("\0 ")


def _texts(data: Dataset, keyword: str) -> tuple[str, ...]:
    value = _value(data, keyword)
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(str(one) for one in value) if isinstance(value, Sequence) else (str(value),)


def _count(data: Dataset, keyword: str) -> int | None:
    try:
        return int(str(_value(data, keyword)))
    except ValueError:
        return None
