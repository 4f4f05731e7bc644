"""Sends DICOM files to an archive by C-STORE."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.archive.answers import without_warnings
from core.archive.association import Proposal, Session, associated, check_open
from core.archive.contexts import uncompressed
from core.archive.files import FileHead, head_of
from core.archive.nodes import DicomNode
from core.archive.records import SentFile
from core.errors import Message
from core.progress import Progress

if TYPE_CHECKING:
    from pynetdicom.association import Association

_MOST_CONTEXTS = 128
_MOST_WAITING = 64
"""Pieces of a file that are read before those before them are sent; each some 16 KiB."""
_STORED = 0x0000
_WARNINGS = (0xB000, 0xB006, 0xB007)


def store_files(node: DicomNode, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
    """Send ``files`` in as many associations as their kinds need.

    A file is read while it is sent, if the archive takes its encoding; else as a whole.

    Raises:
        ArchiveError: the archive is away, or takes none of them.
        Cancelled: by ``progress``.
    """
    ready: list[FileHead] = []
    for path in files:
        progress.check()
        one = head_of(path)
        if isinstance(one, SentFile):
            yield one
        else:
            ready.append(one)
    contexts = list(dict.fromkeys((one.kind, one.encoding) for one in ready))
    for at in range(0, len(contexts), _MOST_CONTEXTS // 2):
        chosen = set(contexts[at : at + _MOST_CONTEXTS // 2])
        yield from _send(node, [o for o in ready if (o.kind, o.encoding) in chosen], progress)


def _send(node: DicomNode, ready: Sequence[FileHead], progress: Progress) -> Iterator[SentFile]:
    from pynetdicom import _config

    # Of paths; a data set that is handed over is encoded as ever.
    _config.STORE_SEND_CHUNKED_DATASET = True
    contexts: list[tuple[str, tuple[str, ...]]] = []
    for kind, encoding in dict.fromkeys((one.kind, one.encoding) for one in ready):
        contexts.append((kind, (encoding,)))
        if encoding in uncompressed():
            # These values can be written either way.
            contexts.append((kind, uncompressed()))
    with associated(node, Proposal(contexts=list(dict.fromkeys(contexts))), progress) as session:
        session.association.dul.to_provider_queue = _ShortQueue(session.association)
        for one in ready:
            check_open(session)
            yield _sent(session, one)


class _ShortQueue(queue.Queue[Any]):
    """What waits to be sent; who adds more than a little waits as long as the connection lives."""

    def __init__(self, association: Association) -> None:
        super().__init__(_MOST_WAITING)
        self._thread = association.dul

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add ``item``; it is dropped where nobody sends any more."""
        while self._thread.is_alive():
            try:
                super().put(item, timeout=0.1)
            except queue.Full:
                continue
            return


def _sent(session: Session, one: FileHead) -> SentFile:
    from pydicom import dcmread

    accepted = {
        (str(context.abstract_syntax), str(syntax))
        for context in session.association.accepted_contexts
        for syntax in context.transfer_syntax
    }
    problem = _not_taken(accepted, one)
    if problem is not None:
        return SentFile(one.path, "failed", problem)
    try:
        with without_warnings():
            is_piecewise = one.is_plain and (one.kind, one.encoding) in accepted
            status = session.association.send_c_store(
                one.path if is_piecewise else dcmread(one.path)
            )
    except RuntimeError:  # the association ended a moment ago
        check_open(session)
        raise
    except OSError as error:
        why = Message("it cannot be read ({0})", error.strerror or type(error).__name__)
        return SentFile(one.path, "failed", why)
    except (ValueError, AttributeError, NotImplementedError):  # of pydicom, while it encodes
        why = Message("its values cannot be written in an encoding that the archive takes")
        return SentFile(one.path, "failed", why)
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


def _not_taken(accepted: set[tuple[str, str]], one: FileHead) -> Message | None:
    """Why the archive does not take a file, if it does not."""
    from pydicom.uid import UID

    if not any(kind == one.kind for kind, _ in accepted):
        return Message("the archive does not take images of the kind “{0}”", UID(one.kind).name)
    wanted = uncompressed() if one.encoding in uncompressed() else (one.encoding,)
    if not any((one.kind, encoding) in accepted for encoding in wanted):
        return Message("the archive does not take the encoding “{0}”", UID(one.encoding).name)
    return None
