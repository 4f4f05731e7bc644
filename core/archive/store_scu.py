"""Sends DICOM files to an archive by C-STORE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.archive.answers import without_warnings
from core.archive.association import Proposal, Session, associated, check_open
from core.archive.contexts import uncompressed
from core.archive.nodes import DicomNode
from core.archive.records import SentFile
from core.errors import Message
from core.progress import Progress

_MOST_CONTEXTS = 128
_STORED = 0x0000
_WARNINGS = (0xB000, 0xB006, 0xB007)


@dataclass(frozen=True)
class _Ready:
    path: Path
    kind: str
    encoding: str


def store_files(node: DicomNode, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
    """Send ``files`` in as many associations as their kinds need.

    Raises:
        ArchiveError: the archive is away, or takes none of them.
        Cancelled: by ``progress``.
    """
    ready: list[_Ready] = []
    for path in files:
        progress.check()
        one = _ready(path)
        if isinstance(one, SentFile):
            yield one
        else:
            ready.append(one)
    contexts = list(dict.fromkeys((one.kind, one.encoding) for one in ready))
    for at in range(0, len(contexts), _MOST_CONTEXTS // 2):
        chosen = set(contexts[at : at + _MOST_CONTEXTS // 2])
        yield from _send(node, [o for o in ready if (o.kind, o.encoding) in chosen], progress)


def _ready(path: Path) -> _Ready | SentFile:
    from pydicom import dcmread

    try:
        with without_warnings():
            meta = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            kind = str(meta.get("SOPClassUID", ""))
            encoding = str(meta.file_meta.get("TransferSyntaxUID", ""))
    except Exception:  # whatever pydicom raises at a file that is none
        kind = encoding = ""
    if kind and encoding:
        return _Ready(path, kind, encoding)
    return SentFile(path, "failed", Message("it is no DICOM file that can be sent"))


def _send(node: DicomNode, ready: Sequence[_Ready], progress: Progress) -> Iterator[SentFile]:
    contexts: list[tuple[str, tuple[str, ...]]] = []
    for kind, encoding in dict.fromkeys((one.kind, one.encoding) for one in ready):
        # Uncompressed values can be written either way.
        plain = encoding in uncompressed()
        contexts.append((kind, uncompressed() if plain else (encoding,)))
    with associated(node, Proposal(contexts=list(dict.fromkeys(contexts))), progress) as session:
        for one in ready:
            check_open(session)
            yield _sent(session, one)


def _sent(session: Session, one: _Ready) -> SentFile:
    from pydicom import dcmread

    try:
        with without_warnings():
            status = session.association.send_c_store(dcmread(one.path))
    except RuntimeError:  # the association ended a moment ago
        check_open(session)
        raise
    except (ValueError, AttributeError, OSError, NotImplementedError) as error:
        return SentFile(one.path, "failed", _why_not(session, one, error))
    code = session.code(status)
    if code == _STORED:
        return SentFile(one.path, "stored")
    if code in _WARNINGS:
        return SentFile(
            one.path, "warned", Message("the archive changed something (status {0:04X})", code)
        )
    return SentFile(
        one.path, "failed", Message("the archive does not take it (status {0:04X})", code)
    )


def _why_not(session: Session, one: _Ready, error: Exception) -> str:
    from pydicom.uid import UID

    if isinstance(error, OSError):
        return Message("it cannot be read ({0})", error.strerror or type(error).__name__)
    kinds = {str(context.abstract_syntax) for context in session.association.accepted_contexts}
    if one.kind not in kinds:
        return Message("the archive does not take images of the kind “{0}”", UID(one.kind).name)
    return Message("the archive does not take the encoding “{0}”", UID(one.encoding).name)
