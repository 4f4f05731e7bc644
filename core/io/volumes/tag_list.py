"""All tags of a series as text, without those that name or may name a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

from core.errors import Message
from core.io.readers.dicom.guard import reading
from core.io.readers.dicom.headers import open_dataset
from core.io.readers.dicom.identity import is_confidential, without_names
from core.io.readers.dicom.series import KIND as DICOM
from core.io.readers.dicom.tags import DatasetTags
from core.io.readers.nifti.header import header_fields
from core.types import SeriesHeader

REMOVED = Message("removed")
"""The value of a tag that names or may name a person."""
_UNREADABLE = Message("unreadable")
_FREE_TEXTS = ("descrip", "aux_file", "intent_name", "db_name")
"""Fields of NIfTI that hold whatever a program or a person wrote."""
_MAX_VALUES, _MAX_TEXT, _MAX_ITEMS = 16, 200, 16
_NUMBERS_AS_TEXT = ("DS", "IS")
"""Kinds whose values pydicom gives as numbers, or as text where they are none."""
_PER_FRAME = "PerFrameFunctionalGroupsSequence"


@dataclass(frozen=True)
class Tag:
    """One tag.

    Attributes:
        number: “(0008,0060)”; "" for fields of NIfTI.
        name: of the DICOM dictionary, or of the field.
        value: several are separated by commas; :data:`REMOVED` in place of what is confidential.
        depth: how many sequences it lies in.
    """

    number: str
    name: str
    value: str
    depth: int = 0


def series_tags(series: SeriesHeader, frame: int = 0) -> tuple[Tag, ...]:
    """All tags of the first slice of a volume, or the fields of the header of a NIfTI file.

    Names, IDs, dates, times, places and free texts are replaced by :data:`REMOVED`, as are private
    tags: what the basic profile of DICOM PS3.15 removes, and every text that it does not know to be
    harmless. No pixel is read.

    Args:
        series: from :func:`core.io.volumes.list_series`.
        frame: which of its volumes, from 0.

    Raises:
        InputError: the file cannot be read.
        IndexError: there is no such frame.
    """
    source = series.slices[frame][0]
    if series.kind != DICOM:
        return tuple(_field(name, value) for name, value in header_fields(source.path))
    return tuple(_file_tags(source.path, source.index))


def _field(name: str, value: Any) -> Tag:
    if isinstance(value, bytes):
        text = value.rstrip(b"\0 ").decode("latin-1")
        return Tag("", name, REMOVED if text and name in _FREE_TEXTS else text)
    return Tag("", name, _joined(np.asarray(value).ravel().tolist()))


def _file_tags(path: Path, index: int) -> Iterator[Tag]:
    with reading(path):
        dataset = open_dataset(path)
        named = DatasetTags(dataset)
        for group in (getattr(dataset, "file_meta", Dataset()), dataset):
            yield from _tags(group, named, index)


def _tags(
    dataset: Dataset, named: DatasetTags, index: int, parent: str = "", depth: int = 0
) -> Iterator[Tag]:
    """The tags of a data set that lies in the sequence ``parent``, "" for none."""
    for key in sorted(dataset.keys()):
        number = f"({key >> 16:04x},{key & 0xFFFF:04x})"
        try:
            element = dataset[key]
            is_sequence = element.VR == "SQ"
            name = Message("private tag") if element.tag.is_private else element.name
            value = "" if is_sequence else _value(element, named, parent)
        except Exception:  # a value that contradicts its kind raises whatever its conversion does
            yield Tag(number, "", _UNREADABLE, depth)
            continue
        if not is_sequence:
            yield Tag(number, name, value, depth)
        elif is_confidential(element, parent):
            yield Tag(number, name, REMOVED if element.value else "", depth)
        else:
            items = element.value or ()
            yield Tag(number, name, Message("{0} items", len(items)), depth)
            is_per_frame = element.keyword == _PER_FRAME
            shown = items[index : index + 1] if is_per_frame else items[:_MAX_ITEMS]
            for item in shown:
                yield from _tags(item, named, index, element.keyword, depth + 1)


def _value(element: DataElement, named: DatasetTags, parent: str) -> str:
    if element.is_empty:
        return ""
    if is_confidential(element, parent):
        return REMOVED
    value = element.value
    if isinstance(value, bytes):
        return Message("{0} bytes", len(value))
    if isinstance(value, UID):
        return value.name
    values = list(value) if element.VM > 1 else [value]
    texts = any(isinstance(one, str) for one in values)
    if texts and element.VR in _NUMBERS_AS_TEXT:
        return _UNREADABLE
    text = _joined(values)
    return (without_names(text, named) or REMOVED) if texts else text


def _joined(values: Iterable[Any]) -> str:
    known = list(values)
    text = ", ".join(_short(value) for value in known[:_MAX_VALUES])
    text = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
    return text if len(known) <= _MAX_VALUES else f"{text}, … ({len(known)})"


def _short(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
