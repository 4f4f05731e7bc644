"""Files that are to be sent: what is known of them without reading their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.archive.answers import without_warnings
from core.archive.records import SentFile
from core.errors import Message

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_SMALL = 1 << 14
"""Bytes up to which a value is read."""
_NO_LENGTH = 0xFFFFFFFF


@dataclass(frozen=True)
class FileHead:
    """What a file is.

    Attributes:
        path: of the file.
        kind: UID of its SOP class.
        encoding: UID of its transfer syntax.
        is_plain: what stands before its data set says the same as that, so that it can be sent as
            it is.
    """

    path: Path
    kind: str
    encoding: str
    is_plain: bool


def head_of(path: Path) -> FileHead | SentFile:
    """The head of a file; why it cannot be sent where it has none, or not all of its data."""
    from pydicom import dcmread

    try:
        with without_warnings():
            data = dcmread(path, defer_size=_SMALL)
            if not len(data):  # as pydicom reads what it finds no end of
                return _cut(path)
            kind, uid = str(data.SOPClassUID), str(data.SOPInstanceUID)
            encoding = str(data.file_meta.TransferSyntaxUID)
            is_whole = _is_whole(data, path.stat().st_size)
            is_plain = _is_plain(data)
    except OSError as error:
        if error.errno is not None:
            why = Message("it cannot be read ({0})", error.strerror or type(error).__name__)
            return SentFile(path, "failed", why)
        return _no_file(path)
    except Exception:  # whatever pydicom raises at a file that is none
        return _no_file(path)
    if not (kind and uid and encoding):
        return _no_file(path)
    if not is_whole:
        return _cut(path)
    return FileHead(path, kind, encoding, is_plain)


def _no_file(path: Path) -> SentFile:
    return SentFile(path, "failed", Message("it is no DICOM file that can be sent"))


def _cut(path: Path) -> SentFile:
    return SentFile(path, "failed", Message("its end is missing"))


def _is_whole(data: FileDataset, size: int) -> bool:
    """Whether the last value ends within the file."""
    if not len(data) or data.file_meta.TransferSyntaxUID.is_deflated:
        return True
    last: Any = data.get_item(max(data.keys()), keep_deferred=True)
    # Sequences, and what has no length of its own, were read to their end.
    length = getattr(last, "length", _NO_LENGTH)
    return bool(length == _NO_LENGTH or last.value_tell + length <= size)


def _is_plain(data: FileDataset) -> bool:
    meta, syntax = data.file_meta, data.file_meta.TransferSyntaxUID
    return bool(
        meta.get("MediaStorageSOPClassUID") == data.SOPClassUID
        and meta.get("MediaStorageSOPInstanceUID") == data.SOPInstanceUID
        and data.original_encoding == (syntax.is_implicit_VR, syntax.is_little_endian)
    )
