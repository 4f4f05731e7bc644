"""Sends DICOM files and folders of them to an archive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.archive.protocol import Archive
from core.archive.records import SentFile
from core.errors import ArchiveError, InputError, Message
from core.io.readers.kinds import is_dicom
from core.io.readers.registry import HEAD_BYTES
from core.progress import Progress


def files_to_send(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The DICOM files in files and folders, each once; of folders also what is in those inside.

    Raises:
        InputError: there is none, or a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError(
                str(path), Message("there is no such file or folder"), Message("Check the name.")
            )
        if path.is_dir():
            found |= dict.fromkeys(one for one in _inside(path) if _is_dicom(one))
        else:
            found[path] = None
    if not found:
        raise InputError(
            ", ".join(map(str, paths)),
            Message("there is no DICOM file in it"),
            Message("Choose DICOM files, or export as DICOM first."),
        )
    return tuple(found)


def send_files(
    archive: Archive,
    paths: Sequence[Path],
    progress: Progress,
    told: Callable[[SentFile], None] = lambda one: None,
) -> tuple[SentFile, ...]:
    """Send files, and folders with what is in them.

    Args:
        told: of each file as soon as its outcome is known.

    Returns:
        One outcome for each file; those after which the archive failed are failed as well.

    Raises:
        ArchiveError: the archive failed before any outcome was known.
        InputError: there is nothing to send.
        Cancelled: by ``progress``; what was sent before is in the archive.
    """
    files = files_to_send(paths)
    done: dict[Path, SentFile] = {}
    progress.report(0, len(files), Message("Connecting"))
    try:
        for one in archive.send(files, progress):
            done[one.path] = one
            told(one)
            stage = Message("Sending: {0} of {1} files", len(done), len(files))
            progress.report(len(done), len(files), stage)
    except ArchiveError as error:
        if not done:
            raise
        for path in files:
            done.setdefault(path, SentFile(path, "failed", error.message))
    return tuple(done[path] for path in files)


def _inside(folder: Path) -> list[Path]:
    """Files below ``folder``, without hidden ones, which may be half-written."""
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            found.append(path)
    return found


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return is_dicom(stream.read(HEAD_BYTES))
    except OSError:
        return False
