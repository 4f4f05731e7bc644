"""Opens the sample pairs that come with the program: pictures, or series of slices."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.fuse import source_tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.pair_loader import LoadRequest, PairLoader
from app.fuse.results import Sources
from app.fuse.state import Activity, FuseState
from app.fuse.studies import Study, sample_study
from app.fuse.volume_loader import VolumeLoader
from app.workers import Runner
from core.errors import FusionError


class SampleOpener(QObject):
    """Opens the sample pair of the selected task."""

    def __init__(
        self,
        session: FuseState,
        folder: Path,
        *,
        loader: PairLoader,
        volumes: VolumeLoader,
        files: Runner,
        jobs: JobTracker,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            folder: that of the samples.
            loader, volumes: open pictures, and series.
            files: runs the search for series.
        """
        super().__init__(parent)
        self._session = session
        self._folder = folder
        self._loader = loader
        self._volumes = volumes
        self._files = files
        self._jobs = jobs

    def open(self) -> None:
        """Open it instead of whatever is on screen."""
        try:
            a, b = source_tasks.sample_paths(self._session.task.name, self._folder)
        except FusionError as error:
            if self._session.sources.sample:
                self._loader.close_pictures()
            self._jobs.show_error("open", error)
            return
        if a.is_dir():
            self._open_series(a, b)
        else:
            self._loader.load(LoadRequest(a, b, sample=True))

    def _open_series(self, a: Path, b: Path) -> None:
        self._loader.dismiss_problem()
        self._jobs.supersede()
        self._session.set_sources(Sources(sample=True, requested=(a, b)))
        generation = self._jobs.generation
        self._jobs.track(
            "load",
            self._files.submit(partial(sample_study, a, b), key="load"),
            finished=partial(self._found, generation),
            failed=partial(self._failed, generation),
            cancelled=partial(self._cancelled, generation),
            activity=Activity(self.tr("Reading series")),
        )

    def _found(self, generation: int, study: Study) -> None:
        if generation == self._jobs.generation:
            self._volumes.add(study)
            self._volumes.open(next(iter(study.pairs)))

    def _failed(self, generation: int, error: FusionError) -> None:
        if generation == self._jobs.generation:
            self._loader.close_pictures()
            self._jobs.show_error("open", error)

    def _cancelled(self, generation: int) -> None:
        if generation == self._jobs.generation and not self._jobs.closed:
            self._loader.close_pictures()
