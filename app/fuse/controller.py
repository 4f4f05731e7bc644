"""What the person asks for, turned into jobs, and their answers turned into session state."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.engine import EngineFactory, LazyEngine
from app.fuse import tasks
from app.fuse.export import ExportPlan
from app.fuse.opening import Opening
from app.fuse.saving import Saving
from app.fuse.state import FuseState, Outcome, Remedy, Sources
from app.fuse.stored_results import StoredResult, read_stored
from app.viewer.display_state import FeatureView
from app.viewer.rendering import RenderedImage
from app.workers import Runner
from core.errors import DeviceMemoryError, FusionError, InputError, PackError
from core.windows import Windows


class Controller(Opening):
    """Owns three threads: one computes, one makes previews, one reads, writes and draws.

    A preview of a large image takes seconds and cannot be stopped within a stage: neither the
    model nor the reading of the next pair waits for it.
    """

    saved = Signal(object)
    """Path of the file that was written."""
    exported = Signal(object)
    """Paths of the files that were written."""
    copied = Signal(object)
    """A QImage for the clipboard."""

    def __init__(
        self,
        session: FuseState,
        factory: EngineFactory,
        samples: Path,
        parent: QObject | None = None,
        cpu: EngineFactory | None = None,
    ) -> None:
        """
        Args:
            factory: makes the engine, on the thread that computes; ``cpu`` one for the processor,
                offered when a device's memory does not suffice.
        """
        super().__init__(session, samples, parent)
        self.suffixes: tuple[str, ...] = ()
        self._engine = LazyEngine(factory, cpu)
        self._compute = Runner("compute", self)
        self._previews = Runner("previews", self)
        self._saving = Saving(session, self._files, self)
        session.feature_view_changed.connect(self._draw_features)
        session.results_changed.connect(self._redraw_features)
        self._saving.saved.connect(self.saved)
        self._saving.exported.connect(self.exported)
        self._saving.copied.connect(self.copied)

    # --- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the engine and import the codecs, in the background."""
        info = self._compute.submit(self._engine.info)
        info.finished.connect(self.session.set_engine)
        info.failed.connect(partial(self._fail, "retry"))
        suffixes = self._files.submit(tasks.image_suffixes)
        suffixes.finished.connect(self._set_suffixes)
        suffixes.failed.connect(partial(self._fail, ""))

    def refresh_methods(self) -> None:
        """Ask the engine anew what can fuse: packs come and go."""
        if not self._closed:
            info = self._compute.submit(self._engine.info, key="info")
            info.finished.connect(self.session.set_engine)

    def shutdown(self) -> None:
        """Cancel everything and wait for the threads. Nothing is emitted afterwards."""
        self._closed = True
        for runner in (self._compute, self._previews, self._files):
            runner.shutdown()

    def _set_suffixes(self, suffixes: tuple[str, ...]) -> None:
        self.suffixes = suffixes

    # --- fusing ----------------------------------------------------------------------------

    @property
    def is_fusing(self) -> bool:
        """True while a fusion runs or waits."""
        return self._fuse_job is not None

    def fuse(self, *, preview: bool = False, tiles: bool = False) -> None:
        """Fuse the pair on screen; a fusion under way is given up for it."""
        pair = self.session.sources.pair
        if pair is None:
            if self.session.sources.asked == (None, None):
                text = self.tr("Open two pictures first: drop them here or choose “Open…”.")
                self.session.set_message(text)
            return
        self._overtake()
        self.session.set_problem(None)
        self.session.set_message("")
        self.session.set_offer(None)
        plan = tasks.FusePlan(
            pair,
            self.session.task.name,
            method=self.session.method,
            request_id=self._generation,
            features=self.session.feature_view,
            tiles=tiles,
            windows=self.session.windows,
        )
        job = self._fuse_job = self._compute.submit(
            partial(tasks.fuse, self._engine, plan), key="fuse"
        )
        self._show_progress(job, fusing=True)
        job.finished.connect(self._fused)
        job.failed.connect(partial(self._fail_of, plan))
        self._when_over(job)
        if preview:
            self._preview(plan)

    def _preview(self, plan: tasks.FusePlan) -> None:
        """Show a classical fusion until the model's is there."""
        job = self._preview_job = self._previews.submit(
            partial(tasks.classical_preview, plan), key="preview"
        )
        # One that fails is no loss: the model's own answer or error follows.
        job.finished.connect(self._previewed)
        self._when_over(job)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(lambda *_: self.previewed.emit())

    def fuse_in_tiles(self) -> None:
        """Fuse the pair on screen in small pieces: slower, the same result, the least memory."""
        self.fuse(preview=self.session.outcome is None, tiles=True)

    def use_cpu(self) -> None:
        """Compute on the processor from now on, and fuse there what is open."""
        self._compute.submit(self._engine.fall_back)
        info = self._compute.submit(self._engine.info)
        info.finished.connect(self.session.set_engine)
        info.failed.connect(partial(self._fail, "retry"))
        self.fuse(preview=self.session.outcome is None)

    def cancel(self) -> None:
        """Stop reading and fusing."""
        running = self.session.running
        if running is not None:
            stage = self.tr("Cancelling…")
            self.session.set_running(replace(running, stage=stage, cancelling=True))
        for job in self._jobs_now():
            job.cancel()

    def _fused(self, outcome: Outcome) -> None:
        if outcome.result.request_id != self._generation:
            return
        self.session.set_outcome(outcome)

    def _previewed(self, outcome: Outcome | None) -> None:
        if outcome is None or outcome.result.request_id != self._generation:
            return
        shown = self.session.outcome
        if shown is None or shown.result.request_id != self._generation:
            self.session.set_outcome(outcome)
        else:
            # The model was quicker.
            self.session.add_result(outcome)

    # --- results made elsewhere ------------------------------------------------------------

    def open_fused_pair(
        self,
        a: Path,
        b: Path,
        result: Path,
        task: str,
        method: str,
        *,
        resample: bool = False,
        windows: Windows = (None, None),
    ) -> None:
        """Open a pair with the fused image that a batch wrote of it; nothing is fused anew.

        Args:
            result: the file of the fused image.
            task, method: what it was fused for, and by.
            resample: whether B was resampled onto A for it.
            windows: those it was fused in; None for the files' own.
        """
        self.session.known_paths.add(result)
        self.session.set_task(task)
        self.session.set_method(method)
        stored = StoredResult(result, task, method, windows)
        self._load(a, b, resample=resample, then=partial(self._show_stored, stored))

    def _show_stored(self, stored: StoredResult, sources: Sources) -> None:
        display = self.session.display
        for side, window in zip(("a", "b"), stored.windows, strict=True):
            display = display.with_look(side, window=window)
        self.session.set_display(display)
        assert sources.pair is not None
        self._generation += 1
        title = next((m.title for m in self.session.methods if m.name == stored.method), "")
        work = partial(read_stored, stored, sources.pair, title, self._generation)
        job = self._fuse_job = self._files.submit(work, key="stored")
        self._show_progress(job, fusing=False)
        job.finished.connect(self._fused)
        job.failed.connect(partial(self._stored_failed, self._generation))
        self._when_over(job)

    def _stored_failed(self, generation: int, error: FusionError) -> None:
        if generation == self._generation:
            self._fail("retry", error)

    # --- features --------------------------------------------------------------------------

    def _redraw_features(self) -> None:
        outcome = self.session.outcome
        # The person may have chosen another view since, or while the fusion was running.
        if outcome is not None and outcome.feature_view != self.session.feature_view:
            self._draw_features()

    def _draw_features(self) -> None:
        outcome = self.session.outcome
        if self._closed or outcome is None or outcome.basis is None:
            return
        view = self.session.feature_view
        work = partial(tasks.draw_features, outcome, view)
        job = self._files.submit(work, key="features")
        job.finished.connect(partial(self._features_drawn, outcome, view))
        job.failed.connect(partial(self._fail, ""))

    def _features_drawn(
        self, outcome: Outcome, view: FeatureView, image: RenderedImage | None
    ) -> None:
        if image is not None:
            self.session.set_feature_image(outcome, image, view)

    # --- saving ----------------------------------------------------------------------------

    def save(self, path: Path, outcome: Outcome | None = None) -> None:
        """Write the fused image of ``outcome``, or of the result on screen."""
        self._saving.save(path, outcome)

    def export(self, plan: ExportPlan, outcome: Outcome | None = None) -> None:
        """Write what was chosen of ``outcome``, or of the result on screen."""
        self._saving.export(plan, outcome)

    def copy_picture(self) -> None:
        """Make the fused image for the clipboard."""
        self._saving.copy_picture()

    def _fail_of(self, plan: tasks.FusePlan, error: FusionError) -> None:
        if plan.request_id == self._generation:
            self._fail(self._remedy_for(error, plan), error)
        if isinstance(error, (InputError, PackError)) and not self._closed:
            # A pack may have been removed: offer what there is now.
            self.refresh_methods()

    def _remedy_for(self, error: FusionError, plan: tasks.FusePlan) -> Remedy:
        """Less memory first, another device next."""
        if not isinstance(error, DeviceMemoryError):
            return "retry"
        if error.tiles_may_do and not plan.tiles and not self.session.is_classical(plan.method):
            return "tiles"
        device = self.session.engine.device.name if self.session.engine is not None else "cpu"
        elsewhere = device != "cpu" and self._engine.can_fall_back
        return "cpu" if elsewhere else "retry"
