"""Fuses the pair on screen, and offers what may help where that fails."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.compute.held import Held
from app.compute.remote import compute, current
from app.engine import LazyEngine, engine_info, fall_back
from app.fuse import tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.pane_texts import source_titles
from app.fuse.state import Activity, FuseState, Outcome, Remedy
from app.workers import Runner
from app.workers.runner import JobFunction
from core.errors import DeviceMemoryError, FusionError, InputError, PackError

_START_MS = 2000
"""Milliseconds after which the engine is made, whatever the sources do."""


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
        self.engine = engine
        """Makes the engine when it is first needed."""
        self._jobs = jobs
        self._compute = Runner("compute", self)
        self._previews = Runner("previews", self)
        self._is_asked = False

    def start(self) -> None:
        """Make the engine, in the background: once the first sources are on screen, or soon.

        Two processes that import at once would keep them from a machine with few cores.
        """
        self._is_asked = False
        if current() is None or self._session.sources.pair is not None:
            self._ask()
            return
        self._session.sources_changed.connect(self._ask_when_shown)
        QTimer.singleShot(_START_MS, self, self._ask)

    def _ask_when_shown(self) -> None:
        if not self._session.sources.is_loading:
            self._ask()

    def _ask(self) -> None:
        if self._is_asked or self._jobs.closed:
            return
        self._is_asked = True
        info = self._compute.submit(compute(engine_info, self.engine))
        info.finished.connect(self._session.set_engine)
        info.failed.connect(partial(self._jobs.show_error, "retry"))

    def refresh_methods(self) -> None:
        """Ask the engine again which methods there are, after packs were added or removed."""
        if not self._jobs.closed:
            info = self._compute.submit(compute(engine_info, self.engine), key="info")
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
            titles=source_titles(self._session),
        )
        held = Held(plan)
        self._jobs.track(
            "fuse",
            self._compute.submit(compute(tasks.fuse, self.engine, held), key="fuse"),
            finished=partial(self._fused, plan),
            failed=partial(self._failed, plan),
            activity=Activity(self.tr("Waiting for the engine"), fusing=True),
        )
        if preview:
            self._preview(held)

    def fuse_in_tiles(self) -> None:
        """Fuse in small pieces: slower, with the same result and the least memory."""
        self.fuse(preview=self._session.outcome is None, tiles=True)

    def use_cpu(self) -> None:
        """Compute on the CPU from now on, and fuse the pair on screen there."""
        self._compute.submit(compute(fall_back, self.engine))
        self.start()
        self.fuse(preview=self._session.outcome is None)

    def _preview(self, held: Held[tasks.FusePlan]) -> None:
        plan = held.value
        work: JobFunction = partial(tasks.classical_preview, plan)
        if self._session.engine is not None:
            # Before that torch is being imported there, which the first picture is not to wait for.
            work = compute(tasks.classical_preview, held, hears=False)
        job = self._previews.submit(work, key="preview")
        # A preview that fails is not reported: the model's result or error follows.
        self._jobs.track("preview", job, finished=partial(self._preview_finished, plan))
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(lambda *_: self.previewed.emit())

    def _fused(self, plan: tasks.FusePlan, outcome: Outcome) -> None:
        if plan.request_id == self._jobs.generation:
            # The pair on screen, of which the compute process had a copy.
            self._session.set_outcome(replace(outcome, pair=plan.pair))

    def _preview_finished(self, plan: tasks.FusePlan, outcome: Outcome | None) -> None:
        generation = self._jobs.generation
        if outcome is None or plan.request_id != generation:
            return
        outcome = replace(outcome, pair=plan.pair)
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
        return "cpu" if device != "cpu" and self.engine.can_fall_back else "retry"
