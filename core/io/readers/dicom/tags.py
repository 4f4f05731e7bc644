"""Tags of one image, asked by keyword: from a quick scan of the file, or from what pydicom read.

The quick scan is what makes a folder of thousands of files listed in seconds: it looks at the plain
tags in :data:`WANTED` alone, without a parser for all the others, and gives up (None) on every file
that is not plain little endian with one image. Those are read by pydicom.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ImplicitVRLittleEndian

_TEXTS = (
    *("SpecificCharacterSet", "ImageType", "SOPClassUID", "SOPInstanceUID", "AcquisitionDateTime"),
    *("AcquisitionTime", "ContentTime", "AccessionNumber", "Modality", "SeriesDescription"),
    *("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "SliceThickness"),
    *("OtherPatientNames", "PatientBirthName"),
    *("SpacingBetweenSlices", "EchoTime", "EchoNumbers", "InversionTime", "TriggerTime"),
    *("ProtocolName", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "AcquisitionNumber"),
    *("InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"),
    *("TemporalPositionIdentifier", "ComplexImageComponent", "NumberOfFrames", "PixelSpacing"),
    *("PhotometricInterpretation", "WindowCenter", "WindowWidth", "RescaleIntercept"),
    *("LossyImageCompression", "LossyImageCompressionRatio"),
    *("RescaleSlope", "RescaleType", "BurnedInAnnotation", "Units", "SUVType", "CorrectedImage"),
    *("FrameReferenceTime", "GantryDetectorTilt", "VOILUTFunction"),
)
_WORDS = (
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
_DOUBLES = ("DiffusionBValue", "DiffusionGradientOrientation")


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


WANTED: Mapping[int, str] = {_tag(keyword): keyword for keyword in (*_TEXTS, *_WORDS, *_DOUBLES)}
"""Tags that listing asks for, by number."""
_NOT_PLAIN = frozenset(
    map(
        _tag,
        (
            "PerFrameFunctionalGroupsSequence",
            "RealWorldValueMappingSequence",
            "ModalityLUTSequence",
        ),
    )
)
"""Tags of files that the quick scan leaves to pydicom."""
_HEAD, _MORE = 1 << 14, 1 << 20
_PIXELS = 0x7FE00000
_LONG_KINDS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN"))
_ESCAPE = b"\x1b"
"""Begins letters of another set, such as kanji, written in 7 bits."""
_LONG = _LONG_KINDS | {b"UR", b"UT", b"UV"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEPTH = 20
_META_LENGTH = struct.Struct("<HH2sHI")


class ImageTags(Protocol):
    """Tags of one image."""

    def text(self, keyword: str) -> str:
        r"""The value as text, several joined by ``\\``; "" when there is none."""

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """The value as finite numbers; () when there is none, or one that is no number."""


def number(tags: ImageTags, keyword: str) -> float | None:
    """The first number of a tag; None when there is none."""
    found = tags.numbers(keyword)
    return found[0] if found else None


def _as_numbers(texts: Sequence[Any]) -> tuple[float, ...]:
    try:
        found = tuple(float(text) for text in texts)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if all(map(math.isfinite, found)) else ()


class ScannedTags:
    """Tags as the quick scan found them: bytes of little endian elements.

    Attributes:
        syntax: UID of the transfer syntax.
    """

    __slots__ = ("_raw", "syntax")

    def __init__(self, raw: dict[str, bytes], syntax: str) -> None:
        self._raw = raw
        self.syntax = syntax

    def text(self, keyword: str) -> str:
        raw = self._raw.get(keyword, b"")
        if keyword in _WORDS or keyword in _DOUBLES:
            return "\\".join(f"{value:g}" for value in self.numbers(keyword))
        if raw.isascii() and _ESCAPE not in raw:
            return raw.decode("ascii").strip(" \0")
        try:
            names = self._raw.get("SpecificCharacterSet", b"").decode("ascii", "replace")
            encodings = convert_encodings([name.strip(" \0") for name in names.split("\\")])
            return decode_bytes(raw, encodings, set()).strip(" \0")
        except (LookupError, UnicodeError, ValueError):
            return raw.decode("latin-1").strip(" \0")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        raw = self._raw.get(keyword, b"")
        if keyword in _WORDS:
            return (float(int.from_bytes(raw[:2], "little")),) if len(raw) >= 2 else ()
        if keyword in _DOUBLES:
            return _as_numbers(struct.unpack(f"<{len(raw) // 8}d", raw[: len(raw) // 8 * 8]))
        text = raw.decode("latin-1").strip(" \0")
        return _as_numbers(text.split("\\")) if text else ()


class DatasetTags:
    """Tags of one image in a data set of pydicom.

    For a multi-frame file those of the frame: first its functional groups, then the shared ones,
    then the data set itself.
    """

    def __init__(self, dataset: Dataset, index: int = 0) -> None:
        self.dataset = dataset
        self.index = index
        self._groups = [dataset]
        shared = dataset.get("SharedFunctionalGroupsSequence") or []
        frames = dataset.get("PerFrameFunctionalGroupsSequence") or []
        for group in [*shared[:1], *frames[index : index + 1]]:
            self._groups[:0] = list(_macros(group))

    def get(self, keyword: str) -> Any:
        """The value as pydicom gives it; None when there is none."""
        for group in self._groups:
            if keyword in group:
                value = group.get(keyword)
                if value is not None and value != "":
                    return value
        return None

    def text(self, keyword: str) -> str:
        value = self.get(keyword)
        if value is None:
            return ""
        many = isinstance(value, (MultiValue, list, tuple))
        return "\\".join(map(str, value)) if many else str(value).strip(" \0")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        value = self.get(keyword)
        if value is None or isinstance(value, DicomSequence):
            return ()
        many = isinstance(value, (MultiValue, list, tuple))
        return _as_numbers(value if many else (value,))


def _macros(group: Dataset) -> Iterator[Dataset]:
    """The items of the functional groups in ``group``, and of the sequences inside them."""
    for element in group:
        if isinstance(element.value, DicomSequence) and len(element.value) == 1:
            yield element.value[0]
            for inner in element.value[0]:
                if isinstance(inner.value, DicomSequence) and len(inner.value) == 1:
                    yield inner.value[0]
    yield group


class _Odd(Exception):
    """Not a plain file: pydicom may know it."""


def scanned(path: Path) -> ScannedTags | None:
    """The tags of a plain single-image file; None for every other one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        content = stream.read(_HEAD)
        try:
            return _scan(content)
        except (_Odd, struct.error, IndexError):
            if len(content) < _HEAD:
                return None
        content += stream.read(_MORE)
        try:
            return _scan(content)
        except (_Odd, struct.error, IndexError):
            return None


def _scan(content: bytes) -> ScannedTags | None:
    if content[128:132] != b"DICM":
        return None
    group, element, kind, length, size = _META_LENGTH.unpack_from(content, 132)
    if (group, element, kind, length) != (2, 0, b"UL", 4):
        return None
    begin = 144 + size
    meta = {tag: value for tag, value, _ in _elements(content, 144, begin, explicit=True)}
    syntax = meta.get(0x00020010, b"").decode("latin-1").strip(" \0")
    if begin > len(content):
        raise _Odd
    if syntax in ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", ""):  # big endian, deflated
        return None
    raw = _wanted(content, begin, explicit=syntax != ImplicitVRLittleEndian)
    return None if raw is None else ScannedTags(raw, syntax)


def _wanted(content: bytes, begin: int, *, explicit: bool) -> dict[str, bytes] | None:
    """The wanted tags of the data set that begins at ``begin``; None when it is not plain."""
    raw: dict[str, bytes] = {}
    for tag, value, whole in _elements(content, begin, len(content), explicit=explicit):
        if tag >= _PIXELS:
            break
        if tag in _NOT_PLAIN:
            return None
        keyword = WANTED.get(tag)
        if keyword is not None:
            if not whole:
                raise _Odd
            raw[keyword] = value
    else:
        raise _Odd  # the pixels lie further on, or there are none
    if raw.get("NumberOfFrames", b"").strip(b" \0") not in (b"", b"1"):
        return None
    return raw


def _elements(
    content: bytes, at: int, end: int, *, explicit: bool
) -> Iterator[tuple[int, bytes, bool]]:
    """Tag, value and whether all of the value is there, of each element; up to the pixels."""
    previous = -1
    while at + 8 <= end:
        tag, length, at = _element(content, at, explicit=explicit)
        if tag <= previous:
            raise _Odd  # not in order: damaged, or no data set at all
        previous = tag
        if tag >= _PIXELS:
            yield tag, b"", True
            return
        if length == _UNDEFINED:
            at = _after_sequence(content, at, explicit=explicit)
            yield tag, b"", True
            continue
        yield tag, content[at : at + length], at + length <= len(content)
        at += length
    if at > len(content):
        raise _Odd


def _element(content: bytes, at: int, *, explicit: bool) -> tuple[int, int, int]:
    """Tag and length of the element at ``at``, and where its value begins."""
    group, element = struct.unpack_from("<HH", content, at)
    tag = group << 16 | element
    if not explicit or group == 0xFFFE:
        return tag, struct.unpack_from("<I", content, at + 4)[0], at + 8
    kind = content[at + 4 : at + 6]
    if kind in _LONG:
        return tag, struct.unpack_from("<I", content, at + 8)[0], at + 12
    if not kind.isalpha():
        raise _Odd
    return tag, struct.unpack_from("<H", content, at + 6)[0], at + 8


def _after_sequence(content: bytes, at: int, *, explicit: bool, depth: int = 0) -> int:
    """Where a sequence of undefined length, whose first item is at ``at``, ends."""
    if depth > _DEPTH:
        raise _Odd
    while True:
        tag, length, at = _element(content, at, explicit=explicit)
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise _Odd
        at = (
            _after_item(content, at, explicit=explicit, depth=depth)
            if length == _UNDEFINED
            else at + length
        )


def _after_item(content: bytes, at: int, *, explicit: bool, depth: int) -> int:
    while True:
        tag, length, at = _element(content, at, explicit=explicit)
        if tag == _ITEM_END:
            return at
        if length == _UNDEFINED:
            at = _after_sequence(content, at, explicit=explicit, depth=depth + 1)
        else:
            at += length
