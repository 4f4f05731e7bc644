"""Stores files by STOW-RS (PS3.18 10.5), each read while it is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.archive.answers import without_warnings
from core.archive.files import FileHead, head_of
from core.archive.records import SentFile
from core.errors import Message

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from core.archive.web_session import ArchiveSession

_JSON = "application/dicom+json"
_REFUSED = (400, 409, 413, 415)
_ACCEPTED = 202
"""Some of what was sent was not stored, or was changed."""
_WARNING_REASON, _FAILURE_REASON = "WarningReason", "FailureReason"


def store_file(
    session: ArchiveSession, url: str, path: Path, times: tuple[float, float]
) -> SentFile:
    """Send one file.

    Args:
        session: to the archive.
        url: of its DICOMweb services.
        path: any file.
        times: seconds within which it is reached, and says the next thing.

    Raises:
        requests.RequestException: the archive is away, or refuses whatever is sent.
        ValueError: its answer is none of DICOMweb.
    """
    head = head_of(path)
    if not isinstance(head, FileHead):
        return head
    boundary = uuid.uuid4().hex
    try:
        stream = path.open("rb")
    except OSError as error:
        why = Message("it cannot be read ({0})", error.strerror or type(error).__name__)
        return SentFile(path, "failed", why)
    with stream:
        answer = session.post(
            f"{url.rstrip('/')}/studies",
            data=_OnePart(stream, path.stat().st_size, boundary),
            headers={
                "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                "Accept": _JSON,
            },
            timeout=times,
        )
    if answer.status_code in _REFUSED:
        why = Message("the archive does not take it (HTTP {0})", answer.status_code)
        return SentFile(path, "failed", why)
    answer.raise_for_status()
    if "json" not in answer.headers.get("Content-Type", ""):
        return SentFile(path, "warned" if answer.status_code == _ACCEPTED else "stored")
    return _outcome(path, answer.json())


class _OnePart:
    """The body of a request that holds one file, read piece by piece."""

    def __init__(self, stream: BinaryIO, size: int, boundary: str) -> None:
        self._stream = stream
        self._before = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._size = len(self._before) + size + len(self._after)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(1 << 16):
            yield piece

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        if self._before:
            piece, self._before = self._before[:size], self._before[size:]
            return piece
        piece = self._stream.read(size)
        if not piece:
            piece, self._after = self._after[:size], self._after[size:]
        return piece


def _outcome(path: Path, read: Any) -> SentFile:
    """What the answer says of the one file that was sent (PS3.18 I.2)."""
    from pydicom.dataset import Dataset

    with without_warnings():
        answer: Dataset = Dataset.from_json(read)
        for item in answer.get("FailedSOPSequence", None) or ():
            code = int(item.get(_FAILURE_REASON, 0) or 0)
            why = Message("the archive does not take it (status {0:04X})", code)
            return SentFile(path, "failed", why)
        for item in answer.get("ReferencedSOPSequence", None) or ():
            code = int(item.get(_WARNING_REASON, 0) or 0)
            if code:
                why = Message("the archive changed something (status {0:04X})", code)
                return SentFile(path, "warned", why)
    return SentFile(path, "stored")
