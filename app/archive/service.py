"""Archives for the dialogs: one request after the other, on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.archive import tasks
from app.workers import Job, Runner
from core.errors import FusionError


class ArchiveService(QObject):
    """Runs the requests. Nothing is asked of any archive before a method is called."""

    listed = Signal(object)
    """A :class:`app.archive.tasks.ArchiveListing`, whenever it may have changed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = Runner("archive", self, background=True)
        self.listing: tuple[tasks.NodeRow, ...] = ()

    def refresh(self) -> Job:
        """List the archives that are set up."""
        return self._listing(self._runner.submit(tasks.list_archives))

    def keep(self, form: tasks.NodeForm, replaces: str) -> Job:
        """Keep an archive."""
        return self._listing(self._runner.submit(partial(tasks.keep_archive, form, replaces)))

    def remove(self, name: str) -> Job:
        """Forget an archive."""
        return self._listing(self._runner.submit(partial(tasks.remove_archive, name)))

    def clear(self) -> Job:
        """Delete what was retrieved."""
        return self._listing(self._runner.submit(tasks.clear_folder))

    def echo(self, form: tasks.NodeForm) -> Job:
        """Ask an archive whether it answers."""
        return self._runner.submit(partial(tasks.echo_archive, form))

    def search(self, name: str, form: tasks.SearchForm) -> Job:
        """Search for studies."""
        return self._runner.submit(partial(tasks.search_archive, name, form))

    def series(self, name: str, study_uid: str) -> Job:
        """List the series of a study."""
        return self._runner.submit(partial(tasks.series_of_study, name, study_uid))

    def retrieve(self, name: str, study_uid: str, chosen: frozenset[str]) -> Job:
        """Retrieve series of a study."""
        return self._runner.submit(partial(tasks.retrieve_study, name, study_uid, chosen))

    def send(self, name: str, paths: tuple[Path, ...]) -> Job:
        """Send DICOM files."""
        return self._runner.submit(partial(tasks.send_to_archive, name, paths))

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
        self._runner.shutdown()

    def _listing(self, job: Job) -> Job:
        job.finished.connect(self._listed)
        return job

    def _listed(self, listing: tasks.ArchiveListing) -> None:
        self.listing = listing.rows
        self.listed.emit(listing)


def follow(job: Job, done: Callable[[Any], object], failed: Callable[[FusionError], object]) -> Job:
    """Connect the two ends of a job that matter."""
    job.finished.connect(done)
    job.failed.connect(failed)
    return job
