"""Shows a pair with fused images that were written before, without fusing it again."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from app.fuse.job_tracker import JobTracker
from app.fuse.pair_loader import LoadRequest, PairLoader
from app.fuse.state import Activity, FuseState, Outcome, Sources
from app.fuse.stored_results import StoredResult, read_all_stored
from app.workers import Runner
from core.errors import FusionError


class StoredResultLoader(QObject):
    """Reads sources and result one after the other."""

    def __init__(
        self,
        session: FuseState,
        loader: PairLoader,
        files: Runner,
        jobs: JobTracker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._loader = loader
        self._files = files
        self._jobs = jobs

    def open(self, request: LoadRequest, first: StoredResult, *others: StoredResult) -> None:
        """Open the pair of a request, and the results that were made from it.

        Args:
            first: its task and windows are selected; without ``others``, its method too.
        """
        results = (first, *others)
        self._session.known_paths.update(stored.path for stored in results)
        self._session.set_task(first.task)
        if not others:
            self._session.set_method(first.method)
        self._loader.load(request, partial(self._read_results, results))

    def _read_results(self, results: tuple[StoredResult, ...], sources: Sources) -> None:
        display = self._session.display
        for side, window in zip(("a", "b"), results[0].windows, strict=True):
            display = display.with_pane(side, window=window)
        self._session.set_display(display)
        assert sources.pair is not None
        generation = self._jobs.next_generation()
        titles = {method.name: method.title for method in self._session.methods}
        work = partial(read_all_stored, results, sources.pair, titles, generation)
        self._jobs.track(
            "fuse",
            self._files.submit(work, key="stored"),
            finished=self._show,
            failed=partial(self._failed, generation),
            activity=Activity(self.tr("Reading pictures")),
        )

    def _show(self, outcomes: tuple[Outcome, ...]) -> None:
        if outcomes[0].result.request_id == self._jobs.generation:
            for outcome in outcomes:
                self._session.set_outcome(outcome)

    def _failed(self, generation: int, error: FusionError) -> None:
        if generation == self._jobs.generation:
            self._jobs.show_error("retry", error)
