"""Fuses the pair on screen, and offers what may help where that fails."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.engine import LazyEngine
from app.fuse import tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.state import Activity, FuseState, Outcome, Remedy
from app.workers import Job, Runner
from core.errors import DeviceMemoryError, FusionError, InputError, PackError


class FusionRunner(QObject):
    """Owns the engine and two threads: one for the engine, one for classical previews.

    The preview of a large image takes seconds and cannot be interrupted within a stage, so neither
    the model nor the reading of the next pair waits for it.
    """

    previewed = Signal()
    """A classical preview is on screen, or will not come."""

    def __init__(
        self,
        session: FuseState,
        engine: LazyEngine,
        jobs: JobTracker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._engine = engine
        self._jobs = jobs
        self._compute = Runner("compute", self)
        self._previews = Runner("previews", self)

    def start(self) -> None:
        """Make the engine, in the background."""
        info = self._compute.submit(self._engine.info)
        info.finished.connect(self._session.set_engine)
        info.failed.connect(partial(self._jobs.show_error, "retry"))

    def ask_engine(self) -> Job:
        """The engine, once it is made; it may be called from other threads as well."""
        return self._compute.submit(self._engine.get)

    def refresh_methods(self) -> None:
        """Ask the engine again which methods there are, after packs were added or removed."""
        if not self._jobs.closed:
            info = self._compute.submit(self._engine.info, key="info")
            info.finished.connect(self._session.set_engine)

    def shutdown(self) -> None:
        """Cancel everything and wait for the threads."""
        for runner in (self._compute, self._previews):
            runner.shutdown()

    def fuse(self, *, preview: bool = False, tiles: bool = False) -> None:
        """Fuse the pair on screen instead of whatever is being read or fused.

        Args:
            preview: show a classical fusion until the model has finished.
            tiles: fuse in small pieces, which takes the least memory.
        """
        pair = self._session.sources.pair
        if pair is None:
            if self._session.sources.requested == (None, None):
                text = self.tr("Open two pictures first: drop them here or choose “Open…”.")
                self._session.set_message(text)
            return
        shown = self._session.sources.slice
        if shown is not None and shown.volumes.are_apart:
            text = self.tr("A and B share no place in the patient: align them, then fuse.")
            self._session.set_message(text)
            return
        if shown is not None and shown.lone is not None:
            text = self.tr("Only {0} has data in this slice: there is nothing to fuse.")
            self._session.set_message(text.format(shown.lone.upper()))
            return
        self._jobs.supersede()
        self._session.set_problem(None)
        self._session.set_message("")
        self._session.set_offer(None)
        plan = tasks.FusePlan(
            pair,
            self._session.task.name,
            method=self._session.method,
            request_id=self._jobs.generation,
            features=self._session.feature_view,
            tiles=tiles,
            windows=self._session.windows,
            palettes=self._session.palettes,
        )
        self._jobs.track(
            "fuse",
            self._compute.submit(partial(tasks.fuse, self._engine, plan), key="fuse"),
            finished=self._fused,
            failed=partial(self._failed, plan),
            activity=Activity(self.tr("Waiting for the engine"), fusing=True),
        )
        if preview:
            self._preview(plan)

    def fuse_in_tiles(self) -> None:
        """Fuse in small pieces: slower, with the same result and the least memory."""
        self.fuse(preview=self._session.outcome is None, tiles=True)

    def use_cpu(self) -> None:
        """Compute on the CPU from now on, and fuse the pair on screen there."""
        self._compute.submit(self._engine.fall_back)
        self.start()
        self.fuse(preview=self._session.outcome is None)

    def _preview(self, plan: tasks.FusePlan) -> None:
        job = self._previews.submit(partial(tasks.classical_preview, plan), key="preview")
        # A preview that fails is not reported: the model's result or error follows.
        self._jobs.track("preview", job, finished=self._preview_finished)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(lambda *_: self.previewed.emit())

    def _fused(self, outcome: Outcome) -> None:
        if outcome.result.request_id == self._jobs.generation:
            self._session.set_outcome(outcome)

    def _preview_finished(self, outcome: Outcome | None) -> None:
        generation = self._jobs.generation
        if outcome is None or outcome.result.request_id != generation:
            return
        shown = self._session.outcome
        if shown is None or shown.result.request_id != generation:
            self._session.set_outcome(outcome)
        else:
            # The model was faster.
            self._session.add_result(outcome)

    def _failed(self, plan: tasks.FusePlan, error: FusionError) -> None:
        if plan.request_id == self._jobs.generation:
            self._jobs.show_error(self._remedy_for(error, plan), error)
        if isinstance(error, (InputError, PackError)):
            # A pack may have been removed.
            self.refresh_methods()

    def _remedy_for(self, error: FusionError, plan: tasks.FusePlan) -> Remedy:
        """Where memory ran out: tiles first, then the CPU."""
        if not isinstance(error, DeviceMemoryError):
            return "retry"
        if error.tiles_may_do and not plan.tiles and not self._session.is_classical(plan.method):
            return "tiles"
        device = self._session.engine.device.name if self._session.engine is not None else "cpu"
        return "cpu" if device != "cpu" and self._engine.can_fall_back else "retry"
