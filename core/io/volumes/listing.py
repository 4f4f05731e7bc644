"""What series are in files and folders, told by their headers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError, Message
from core.io.readers.decoding import file_error
from core.io.readers.dicom.directory import referenced_files
from core.io.readers.dicom.guard import reading
from core.io.readers.dicom.headers import Frame, NoImage, frames_of, is_directory, is_encrypted
from core.io.readers.dicom.series import series_of
from core.io.readers.kinds import is_dicom, is_nifti
from core.io.readers.nifti.header import header_beside, nifti_series
from core.io.readers.registry import HEAD_BYTES
from core.progress import NullProgress, Progress
from core.types import SeriesHeader

_REPORT_EVERY = 50
_OTHER = Message("neither DICOM nor NIfTI")


class LeftOut(NamedTuple):
    """A file that is in no series, and why: what it is, or what is wrong with it."""

    path: Path
    reason: str


@dataclass(frozen=True)
class SeriesListing:
    """What was found.

    Attributes:
        series: by patient, study and number; DICOM before NIfTI.
        left_out: all files that are in none of them.
    """

    series: tuple[SeriesHeader, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _Found:
    frames: list[Frame] = field(default_factory=list)
    volumes: list[SeriesHeader] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def list_series(
    paths: str | Path | Iterable[str | Path], progress: Progress | None = None
) -> SeriesListing:
    """The series in ``paths``; no pixel is decoded.

    Args:
        paths: one or several files, DICOMDIRs or folders of anything, which are searched with all
            folders inside them.
        progress: told of the files looked at; may cancel.

    Raises:
        InputError: there is no series in them. For one file the error says why not.
        Cancelled: by ``progress``.
    """
    asked = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    progress = progress or NullProgress()
    found = _Found()
    files = list(dict.fromkeys(path for one in asked for path in _files(one, found.left_out)))
    for index, path in enumerate(files):
        progress.check()
        if index % _REPORT_EVERY == 0:
            progress.report(index, len(files), Message("Looking at files"))
        try:
            _look_at(path, found)
        except InputError as error:
            if len(files) == 1 and asked == files:
                raise
            reason = error.reason if isinstance(error, NoImage) else Message.plain(error.why)
            found.left_out.append(LeftOut(path, reason))
    progress.check()
    series = (*sorted(series_of(found.frames), key=_order), *found.volumes)
    if not series:
        raise _none(asked, found.left_out)
    return SeriesListing(series, tuple(found.left_out))


def _order(series: SeriesHeader) -> tuple[str, str, float]:
    return series.patient, series.study, float("inf") if series.number is None else series.number


def _files(path: Path, left_out: list[LeftOut]) -> Iterator[Path]:
    """All files below a folder, those a DICOMDIR names, or the file itself."""
    try:
        if path.is_dir():
            yield from _inside(path, left_out)
        elif not path.exists():
            raise FileNotFoundError(path)
        elif path.is_file() and is_directory(path):
            yield from referenced_files(path)
        else:
            yield header_beside(path)
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError as error:  # a NUL in the name
        raise InputError(repr(str(path)), str(error), Message("Check the name.")) from error


def _inside(folder: Path, left_out: list[LeftOut]) -> Iterator[Path]:
    def closed(error: OSError) -> None:
        left_out.append(LeftOut(Path(error.filename), Message("a folder that cannot be opened")))

    for where, folders, names in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        linked = [Path(where, name) for name in folders if Path(where, name).is_symlink()]
        left_out += (LeftOut(path, Message("a link to another folder")) for path in linked)
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and header_beside(path) == path:
                yield path


def _look_at(path: Path, found: _Found) -> None:
    """Put what ``path`` holds where it belongs.

    Raises:
        InputError: it belongs to no series.
    """
    with reading(path):
        if not path.is_file():
            raise InputError(
                str(path), Message("it is no file"), Message("Choose a file or a folder.")
            )
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if not head:
            raise InputError(
                str(path), Message("the file is empty"), Message("Copy or export it again.")
            )
        if is_nifti(head):
            found.volumes.append(nifti_series(path))
        elif is_dicom(head) or is_encrypted(head) or path.suffix.lower() in (".dcm", ".dicom"):
            if not is_directory(path):
                found.frames += frames_of(path)
        else:
            raise _not_ours(path)


def _not_ours(path: Path) -> InputError:
    return InputError(
        str(path),
        Message("it is {0}", _OTHER),
        Message("Choose DICOM files, a folder of them, or a NIfTI file."),
    )


def _none(asked: Sequence[Path], left_out: Sequence[LeftOut]) -> InputError:
    """That there is nothing, and what there is instead."""
    name = str(asked[0]) if len(asked) == 1 else Message("The files")
    counts = Counter(left.reason for left in left_out).most_common(3)
    there = [Message("{0} × {1}", count, reason) for reason, count in counts]
    why = Message("no series of images is in it")
    if there:
        why = Message("{0} ({1})", why, Message.joined("; ", there))
    return InputError(name, why, Message("Choose the folder of a CT, MR or PET series."))
