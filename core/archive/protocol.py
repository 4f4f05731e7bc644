"""What every kind of archive can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from core.archive.records import (
    ArchivedImage,
    ArchivedSeries,
    FoundStudies,
    SentFile,
    StudyQuery,
)
from core.progress import Progress

Receive = Callable[[str, bytes], None]
"""Takes the SOP Instance UID and the content of a DICOM file; raises what stops the retrieval."""


class Archive(Protocol):
    """An archive. All methods connect when they are called, and never before.

    Each raises :class:`core.errors.ArchiveError` where the archive fails, and
    :class:`core.errors.Cancelled` by ``progress``.
    """

    def echo(self, progress: Progress) -> None:
        """Ask whether it is there and talks to this program."""

    def find_studies(self, query: StudyQuery, most: int, progress: Progress) -> FoundStudies:
        """Studies that match, at most ``most``."""

    def find_series(self, study_uid: str, progress: Progress) -> tuple[ArchivedSeries, ...]:
        """The series of a study, by their number."""

    def find_images(self, series: ArchivedSeries, progress: Progress) -> tuple[ArchivedImage, ...]:
        """The images of a series; empty where the archive lists none."""

    def fetch(
        self,
        series: ArchivedSeries,
        images: Sequence[ArchivedImage],
        receive: Receive,
        progress: Progress,
        *,
        whole: bool,
    ) -> None:
        """Retrieve images of a series; all where ``images`` is empty.

        Args:
            whole: ``images`` are all that it has.

        That it returns does not mean that all have arrived.
        """

    def send(self, files: Sequence[Path], progress: Progress) -> Iterator[SentFile]:
        """Store DICOM files; yields the outcome of each when it is known."""
