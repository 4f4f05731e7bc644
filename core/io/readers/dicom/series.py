"""From the images of many files to series that can be read as volumes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.errors import Message, MixedPatients
from core.io.readers.dicom.geometry import Stack, stacked
from core.io.readers.dicom.headers import Frame
from core.io.readers.dicom.identity import (
    Person,
    patient_key,
    patient_marks,
    people_of,
    person_key,
    person_of,
    without_names,
)
from core.io.readers.dicom.problems import is_colour, problem_of
from core.io.readers.dicom.splitting import Part, parts_of
from core.io.readers.dicom.tags import ImageTags, number
from core.io.readers.dicom.values import header_window, modality_of, unit_of
from core.salted import key
from core.types import SeriesHeader, SliceSource

KIND = "DICOM"


def series_of(frames: Iterable[Frame]) -> list[SeriesHeader]:
    """The series that ``frames`` make, in the order in which their first images come.

    Two people under one ID, such as that of all who were made anonymous, are two patients.
    """
    by_uid: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in frames:
        uid = frame.tags.text("SeriesInstanceUID") or str(frame.path.parent)
        by_uid[uid, frame.tags.text("Modality")].append(frame)
    found = [(one, group[0].tags) for group in by_uid.values() for one in _headers(group)]
    sharing: dict[str, list[Person]] = defaultdict(list)
    for header, tags in found:
        sharing[header.patient].append(person_of(tags))
    people = {patient: people_of(persons) for patient, persons in sharing.items() if patient}
    return [
        replace(one, patient=person_key(one.patient, person_of(tags), people[one.patient]))
        if one.patient
        else one
        for one, tags in found
    ]


def _headers(group: Sequence[Frame]) -> list[SeriesHeader]:
    parts = parts_of(group)
    return [_header(part, index if len(parts) > 1 else 0) for index, part in enumerate(parts)]


def _header(part: Part, index: int) -> SeriesHeader:
    first = part.frames[0]
    tags = first.tags
    patients = {patient_marks(frame.tags): frame.tags for frame in part.frames}
    title = _title(tags, part.words, patients.values())
    name = series_name(modality_of(tags), title, number(tags, "SeriesNumber"))
    stacks = [stacked(time, name) for time in part.times]
    middle = stacks[0].frames[len(stacks[0].frames) // 2].tags
    uid, stated = tags.text("SeriesInstanceUID") or str(first.path), number(tags, "SeriesNumber")
    rows, columns = first.size
    problem = problem_of(part.frames, stacks, name)
    return SeriesHeader(
        KIND,
        modality_of(tags),
        (stacks[0].count, rows, columns),
        tuple(_sources(stack) for stack in stacks),
        affine=stacks[0].affine,
        frame_of_reference=tags.text("FrameOfReferenceUID"),
        key=key("series", uid, *part.words, str(index)),
        study=key(tags.text("StudyInstanceUID")),
        patient="" if isinstance(problem, MixedPatients) else patient_key(tags),
        title=title,
        number=None if stated is None else int(stated),
        unit=unit_of(tags),
        window=header_window(middle),
        samples=3 if is_colour(tags) else 1,
        notes=(*part.notes, *stacks[0].notes, *_burned_in(tags), *_lossy(part)),
        problem=problem,
    )


def series_name(modality: str, title: str, stated: float | None) -> Message:
    """What messages call a series."""
    if title:
        return Message("{0} series “{1}”", modality, title)
    if stated is not None:
        return Message("{0} series {1}", modality, int(stated))
    return Message("{0} series without a name", modality)


def _title(tags: ImageTags, words: Sequence[str], patients: Iterable[ImageTags]) -> str:
    described = tags.text("SeriesDescription") or tags.text("ProtocolName")
    for named in patients:
        described = without_names(described, named)
        words = [one if isinstance(one, Message) else without_names(one, named) for one in words]
    texts = [text for text in (described, *words) if text]
    return Message.joined(", ", texts) if words and texts else described


def _sources(stack: Stack) -> tuple[SliceSource, ...]:
    pairs = zip(stack.frames, stack.places, strict=True)
    return tuple(SliceSource(frame.path, frame.index, place) for frame, place in pairs)


def _burned_in(tags: ImageTags) -> tuple[str, ...]:
    if tags.text("BurnedInAnnotation").strip().upper() != "YES":
        return ()
    return (Message("Its pixels hold burned-in text, which may name the patient."),)


def _lossy(part: Part) -> tuple[str, ...]:
    """That compression has changed the values of some slice, and how much it saved at most."""
    told = [frame.tags for frame in part.frames]
    lossy = [tags for tags in told if tags.text("LossyImageCompression").strip() == "01"]
    if not lossy:
        return ()
    ratios = [ratio for tags in lossy for ratio in tags.numbers("LossyImageCompressionRatio")]
    if not ratios:
        return (Message("Lossy compression has changed its values."),)
    saved = f"{max(ratios):g}"
    return (Message("Lossy compression ({0}:1) has changed its values.", saved),)
