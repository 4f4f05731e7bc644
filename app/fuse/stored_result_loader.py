"""Shows a pair with the fused image that a batch wrote, without fusing it again."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from app.fuse.job_tracker import JobTracker
from app.fuse.pair_loader import LoadRequest, PairLoader
from app.fuse.state import Activity, FuseState, Outcome, Sources
from app.fuse.stored_results import StoredResult, read_stored
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

    def open(self, request: LoadRequest, stored: StoredResult) -> None:
        """Open the pair of a request, and the result that was made from it."""
        self._session.known_paths.add(stored.path)
        self._session.set_task(stored.task)
        self._session.set_method(stored.method)
        self._loader.load(request, partial(self._read_result, stored))

    def _read_result(self, stored: StoredResult, sources: Sources) -> None:
        display = self._session.display
        for side, window in zip(("a", "b"), stored.windows, strict=True):
            display = display.with_pane(side, window=window)
        self._session.set_display(display)
        assert sources.pair is not None
        generation = self._jobs.next_generation()
        title = next((m.title for m in self._session.methods if m.name == stored.method), "")
        work = partial(read_stored, stored, sources.pair, title, generation)
        self._jobs.track(
            "fuse",
            self._files.submit(work, key="stored"),
            finished=self._show,
            failed=partial(self._failed, generation),
            activity=Activity(self.tr("Reading pictures")),
        )

    def _show(self, outcome: Outcome) -> None:
        if outcome.result.request_id == self._jobs.generation:
            self._session.set_outcome(outcome)

    def _failed(self, generation: int, error: FusionError) -> None:
        if generation == self._jobs.generation:
            self._jobs.show_error("retry", error)
