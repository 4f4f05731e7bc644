"""Where images of a series arrive: out of sight, until all of them are there.

A series that is still arriving is a folder whose name begins with a dot, which no list of series
looks into; a whole one is moved to its name at once. A program that is killed therefore leaves
nothing that looks whole, and the next retrieval goes on with what is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from core.archive.answers import without_warnings
from core.archive.records import ArchivedSeries
from core.errors import ArchiveError, Message, OutputError
from core.io.atomic import atomic_write, output_error, remove_parts, sync_folder

_UID = re.compile(r"[0-9.]{1,64}")
_MODALITY = re.compile(r"[A-Z]{1,16}")
_ARRIVING = "arriving"
_EARLIER = "earlier"
LOCK = ".retrieve.lock"
"""Name of the file by which one retrieval at a time has a folder; it stays."""


class IncomingSeries:
    """The images of one series in a folder."""

    def __init__(self, folder: Path, series: ArchivedSeries) -> None:
        """
        Args:
            folder: of the retrieval; exists.
            series: that arrives.
        """
        self._series = series
        name = folder_name(series)
        self.whole = folder / name
        self._arriving = folder / f".{name}.{_ARRIVING}"
        self._earlier = folder / f".{name}.{_EARLIER}"
        self._have: set[str] = set()

    def open(self) -> None:
        """Take up what an earlier retrieval left.

        Raises:
            OutputError: the folder cannot be written.
        """
        try:
            self._arriving.mkdir(exist_ok=True)
            remove_parts(self._arriving)
            self._take_up(self._earlier)
            # Of an earlier, whole retrieval, after which the archive may have got more. It goes out
            # of sight at once, so that a program that is killed here leaves no part of it.
            if self.whole.is_dir():
                self.whole.rename(self._earlier)
                self._take_up(self._earlier)
            self._have = {path.stem for path in self._arriving.glob("*.dcm")}
        except OSError as error:
            raise output_error(self._arriving, error) from error

    def _take_up(self, folder: Path) -> None:
        if folder.is_dir():
            for path in list(folder.iterdir()):
                path.replace(self._arriving / path.name)
            folder.rmdir()

    @property
    def arrived(self) -> frozenset[str]:
        """UIDs of the images that are there."""
        return frozenset(self._have)

    def receive(self, uid: str, content: bytes) -> None:
        """Keep an image, if it is what it is said to be.

        Raises:
            ArchiveError: it is not DICOM, or another image than announced.
            OutputError: it cannot be written.
        """
        self._check(uid, content)
        atomic_write(self._arriving / f"{uid}.dcm", content, folder_later=True)
        self._have.add(uid)

    def complete(self) -> Path:
        """Show the series, now that it is whole; returns its folder.

        Raises:
            OutputError: it cannot be moved.
        """
        try:
            sync_folder(self._arriving)
            self._arriving.rename(self.whole)
            sync_folder(self.whole.parent)
        except OSError as error:
            raise output_error(self.whole, error) from error
        return self.whole

    def close(self) -> None:
        """Leave nothing where nothing has arrived."""
        with contextlib.suppress(OSError):
            self._arriving.rmdir()

    def _check(self, uid: str, content: bytes) -> None:
        from pydicom import dcmread

        said: tuple[str, ...] = ()
        # pydicom raises errors of every kind at bytes of others.
        with contextlib.suppress(Exception), without_warnings():
            tags = ["SOPInstanceUID", "SeriesInstanceUID"]
            data = dcmread(io.BytesIO(content), stop_before_pixels=True, specific_tags=tags)
            said = str(data.get("SOPInstanceUID", "")), str(data.get("SeriesInstanceUID", ""))
        if not _UID.fullmatch(uid) or said != (uid, self._series.uid):
            raise ArchiveError(
                Message("An image of the archive"),
                Message("it is damaged, or another one than was asked for"),
                Message("Tell who looks after the archive; nothing of it was kept."),
            )


def folder_name(series: ArchivedSeries) -> str:
    """Name of the folder of a series, the same each time; it says nothing of the patient."""
    kind = series.modality if _MODALITY.fullmatch(series.modality) else "XX"
    return f"{kind}-{hashlib.sha256(series.uid.encode()).hexdigest()[:10]}"


@contextlib.contextmanager
def retrieving_into(folder: Path) -> Iterator[None]:
    """Make ``folder``, and keep other retrievals out of it.

    Raises:
        OutputError: it cannot be made or written, or another program retrieves into it.
    """
    try:
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if new and os.name == "posix":
            folder.chmod(0o700)
    except OSError as error:
        raise output_error(folder, error) from error
    # As of runs and exports: released when the process ends, however it ends, and never removed, so
    # that all programs lock the same file.
    lock = FileLock(
        folder / LOCK, timeout=0, mode=0o666, thread_local=False, fallback_to_soft=False
    )
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            Message("Cannot retrieve into {0}", folder),
            Message("another retrieval into it is running"),
            Message("Wait for its end, or choose another folder."),
        ) from None
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        yield
    finally:
        lock.release()
