"""What the person asks for, turned into jobs, and their answers turned into session state."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app import jobs
from app.display import FeatureView
from app.export import ExportPlan, clipboard_picture, export_files
from app.places import file_of
from app.render import Picture
from app.results import Kept, ResultStore
from app.session import Outcome, Problem, Remedy, Running, Session, Side, Sources
from app.workers import Job, Runner
from core.errors import DeviceMemoryError, FusionError, InputError, PackError, Said, SizeMismatch

_OPPOSITE: dict[Side, Side] = {"a": "b", "b": "a"}


class Controller(QObject):
    """Owns three threads: one computes, one makes previews, one reads, writes and draws.

    A preview of a large picture takes seconds and cannot be stopped within a stage: neither the
    model nor the reading of the next pair waits for it. Answers carry the generation they were
    asked in; one that was overtaken is dropped.
    """

    saved = Signal(object)
    """Path of the file that was written."""
    exported = Signal(object)
    """Paths of the files that were written."""
    copied = Signal(object)
    """A QImage for the clipboard."""
    previewed = Signal()
    """A classical preview is there, or will not come."""
    idle = Signal()
    """A fusion ended, whichever way, and none follows."""

    def __init__(
        self,
        session: Session,
        factory: jobs.EngineFactory,
        samples: Path,
        parent: QObject | None = None,
        cpu: jobs.EngineFactory | None = None,
    ) -> None:
        """
        Args:
            factory: makes the engine, on the thread that computes; ``cpu`` one for the processor,
                offered when a device's memory does not suffice.
        """
        super().__init__(parent)
        self.session = session
        self.suffixes: tuple[str, ...] = ()
        self._samples = samples
        self._engine = jobs.LazyEngine(factory, cpu)
        self._compute = Runner("compute", self)
        self._previews = Runner("previews", self)
        self._files = Runner("files", self)
        self._generation = 0
        self._pending: dict[Side, jobs.FileOrImage] = {}
        self._fuse_job: Job | None = None
        self._preview_job: Job | None = None
        self._load_job: Job | None = None
        self._closed = False
        self.store = ResultStore()
        session.results_changed.connect(self._keep)
        session.feature_view_changed.connect(self._draw_features)
        session.results_changed.connect(self._redraw_features)

    # --- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the engine and import the codecs, in the background."""
        info = self._compute.submit(self._engine.info)
        info.finished.connect(self.session.set_engine)
        info.failed.connect(partial(self._fail, "retry"))
        suffixes = self._files.submit(jobs.image_suffixes)
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

    # --- sources ---------------------------------------------------------------------------

    def open_sample(self) -> None:
        """Open the sample pair of the selected task."""
        try:
            a, b = jobs.sample_paths(self.session.task.name, self._samples)
        except FusionError as error:
            self._fail("open", error)
            return
        self._load(a, b, sample=True)

    def open_pair(self, a: Path, b: Path) -> None:
        """Open two files."""
        self._load(a, b)

    def replace_side(self, side: Side, path: Path) -> None:
        """Open one file; the other side stays, unless it is a sample's."""
        both: dict[Side, jobs.FileOrImage] = dict(self._pending)
        sources = self.session.sources
        other = _OPPOSITE[side]
        if not both and not sources.sample:
            image = jobs.side_source(sources, other)
            if image is not None:
                both[other] = image
        both[side] = path
        self._load(both.get("a"), both.get("b"))

    def resample_pending(self) -> None:
        """Load the pair that was refused for its sizes, B resampled onto A."""
        if len(self._pending) == 2:
            self._load(self._pending["a"], self._pending["b"], resample=True)

    def reload(self) -> None:
        """Read the files on show again."""
        sources = self.session.sources
        both = [s.image.origin if s is not None else None for s in (sources.a, sources.b)]
        resampled = any("resampled" in entry for entry in sources.stamp or ())
        self._load(both[0], both[1], resample=resampled)

    def swap(self) -> None:
        """Exchange A and B. A result shown stays, as stale."""
        old = self.session.sources
        display = self.session.display
        pair = None
        if old.pair is not None:
            pair = type(old.pair)(old.pair.b, old.pair.a)
        stamp = old.stamp[::-1] if old.stamp else None
        swapped = Sources(old.b, old.a, pair, old.sample, stamp)
        self.session.set_sources(swapped, keep_outcome=True)
        self.session.set_display(replace(display, a=display.b, b=display.a))

    def set_task(self, name: str) -> None:
        """Select a task. A sample on screen gives way to that task's sample."""
        if name == self.session.task.name:
            return
        self.session.set_task(name)
        if self.session.sources.sample:
            self.open_sample()

    def close_pictures(self) -> None:
        """Show nothing: the window is as empty as it can be."""
        for job in self._jobs_now():
            job.cancel()
        self._generation += 1
        self.dismiss_problem()
        self.session.set_sources(Sources())

    def dismiss_problem(self) -> None:
        """Take the error card away; a pair that waited for resampling is forgotten."""
        self._pending = {}
        self.session.set_problem(None)

    def _load(
        self,
        a: jobs.FileOrImage | None,
        b: jobs.FileOrImage | None,
        *,
        resample: bool = False,
        sample: bool = False,
    ) -> None:
        old, self._load_job = self._load_job, None
        if old is not None:
            old.cancel()
        self.session.known_paths.update(item for item in (a, b) if isinstance(item, Path))
        self.session.set_problem(None)
        kept = {} if resample else self.store.sources()
        work = partial(
            jobs.load_sources,
            a,
            b,
            resample=resample,
            sample=sample,
            kept=kept,
            task=self.session.task.name,
        )
        job = self._load_job = self._files.submit(work, key="load")
        self._show_progress(job, fusing=False)
        job.finished.connect(self._loaded)
        job.failed.connect(partial(self._load_failed, a, b))
        self._when_over(job)

    def _loaded(self, sources: Sources) -> None:
        self._pending = {}
        self._generation += 1
        kept = self.store.get(sources.stamp)
        if kept is not None and kept.sources.pair is sources.pair and kept.results:
            self.session.set_sources(sources, results=kept.results, selected=kept.selected)
        else:
            self.session.set_sources(sources)
            if sources.pair is not None:
                self.fuse(preview=True)

    def _load_failed(
        self, a: jobs.FileOrImage | None, b: jobs.FileOrImage | None, error: FusionError
    ) -> None:
        if isinstance(error, SizeMismatch) and a is not None and b is not None:
            self._pending = {"a": a, "b": b}
            self._fail("resample", error)
        else:
            self._fail("open", error)

    # --- fusing ----------------------------------------------------------------------------

    @property
    def is_fusing(self) -> bool:
        """True while a fusion runs or waits."""
        return self._fuse_job is not None

    def fuse(self, *, preview: bool = False, tiles: bool = False) -> None:
        """Fuse the pair on screen; a fusion under way is given up for it."""
        pair = self.session.sources.pair
        if pair is None:
            self.session.set_message(self.tr("Open two pictures first: drop them here or Ctrl+O."))
            return
        # Let go of them first: their end is then nobody's, and the window stays busy.
        old = (self._fuse_job, self._preview_job)
        self._fuse_job = self._preview_job = None
        for job in old:
            if job is not None:
                job.cancel()
        self.session.set_problem(None)
        self.session.set_message("")
        self._generation += 1
        plan = jobs.FusePlan(
            pair,
            self.session.task.name,
            self.session.method,
            self._generation,
            self.session.feature_view,
            tiles,
        )
        job = self._fuse_job = self._compute.submit(
            partial(jobs.fuse, self._engine, plan), key="fuse"
        )
        self._show_progress(job, fusing=True)
        job.finished.connect(self._fused)
        job.failed.connect(partial(self._fail_of, plan))
        self._when_over(job)
        if preview:
            self._preview(plan)

    def _preview(self, plan: jobs.FusePlan) -> None:
        """Show a classical fusion until the model's is there."""
        job = self._preview_job = self._previews.submit(
            partial(jobs.classical_preview, plan), key="preview"
        )
        # One that fails is no loss: the model's own answer or error follows.
        job.finished.connect(self._previewed)
        self._when_over(job)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(lambda *_: self.previewed.emit())

    def _when_over(self, job: Job) -> None:
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(partial(self._ended, job.number))

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

    def _keep(self) -> None:
        """Remember the results of this pair for when it comes back."""
        session = self.session
        results = tuple(r for r in session.results if r.pair is session.sources.pair)
        finished = tuple(r for r in results if not r.is_preview)
        if finished:
            selected = session.outcome.key if session.outcome else ""
            self.store.put(Kept(session.sources, finished, selected))

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
        work = partial(jobs.draw_features, outcome, view)
        job = self._files.submit(work, key="features")
        job.finished.connect(partial(self._features_drawn, outcome, view))
        job.failed.connect(partial(self._fail, ""))

    def _features_drawn(self, outcome: Outcome, view: FeatureView, picture: Picture | None) -> None:
        if picture is not None:
            self.session.set_feature_picture(outcome, picture, view)

    # --- saving ----------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the fused picture of the result on screen."""
        outcome = self.session.outcome
        if outcome is None:
            return
        self.session.set_problem(None)
        self.session.known_paths.add(path)
        job = self._files.submit(partial(jobs.save_outcome, outcome, path), key="save")
        job.finished.connect(partial(self._save_done, path))
        job.failed.connect(partial(self._fail, "save"))

    def _save_done(self, path: Path, notes: tuple[str, ...]) -> None:
        if notes:
            self.session.set_message(Said.joined(" ", notes))
        self.saved.emit(path)

    def export(self, plan: ExportPlan) -> None:
        """Write what was chosen of the result on screen."""
        outcome = self.session.outcome
        if outcome is None:
            return
        self.session.set_problem(None)
        self.session.known_paths.update(plan.target(item) for item in plan.items)
        work = partial(export_files, outcome, self.session.display, plan)
        job = self._files.submit(work, key="export")
        job.finished.connect(self._export_done)
        job.failed.connect(partial(self._fail, "export"))

    def _export_done(self, answer: tuple[tuple[Path, ...], tuple[str, ...]]) -> None:
        paths, notes = answer
        if notes:
            self.session.set_message(Said.joined(" ", notes))
        self.exported.emit(paths)

    def copy_picture(self) -> None:
        """Make the fused picture for the clipboard."""
        outcome = self.session.outcome
        if outcome is not None:
            work = partial(clipboard_picture, outcome, self.session.display)
            job = self._files.submit(work, key="copy")
            job.finished.connect(self.copied)
            job.failed.connect(partial(self._fail, ""))

    # --- common ----------------------------------------------------------------------------

    def _show_progress(self, job: Job, *, fusing: bool) -> None:
        stage = self.tr("Waiting for the engine") if fusing else self.tr("Reading pictures")
        self.session.set_running(Running(stage, fusing=fusing))
        job.progress.connect(partial(self._progress, job.number, fusing))

    def _progress(self, number: int, fusing: bool, done: float, total: float, stage: str) -> None:
        if self._is_current(number):
            self.session.set_running(Running(stage, done, total, fusing=fusing))

    def _jobs_now(self) -> list[Job]:
        jobs_now = (self._load_job, self._fuse_job, self._preview_job)
        return [job for job in jobs_now if job is not None]

    def _is_current(self, number: int) -> bool:
        return any(job.number == number for job in self._jobs_now())

    def _ended(self, number: int, *_answer: object) -> None:
        if not self._is_current(number):
            return
        if self._load_job is not None and self._load_job.number == number:
            self._load_job = None
        elif self._fuse_job is not None and self._fuse_job.number == number:
            self._fuse_job = None
        else:
            self._preview_job = None
        if self._load_job is None and self._fuse_job is None:
            self.session.set_running(None)
            if self._preview_job is None:
                self.idle.emit()

    def _fail_of(self, plan: jobs.FusePlan, error: FusionError) -> None:
        if plan.request_id == self._generation:
            self._fail(self._remedy_for(error, plan), error)
        if isinstance(error, (InputError, PackError)) and not self._closed:
            # A pack may have been removed: offer what there is now.
            self.refresh_methods()

    def _remedy_for(self, error: FusionError, plan: jobs.FusePlan) -> Remedy:
        """Less memory first, another device next."""
        if not isinstance(error, DeviceMemoryError):
            return "retry"
        if error.tiles_may_do and not plan.tiles and not self.session.is_classical(plan.method):
            return "tiles"
        device = self.session.engine.device.name if self.session.engine is not None else "cpu"
        elsewhere = device != "cpu" and self._engine.can_fall_back
        return "cpu" if elsewhere else "retry"

    def _fail(self, remedy: Remedy, error: FusionError) -> None:
        if not self._closed:
            path = file_of(error, self.session.known_paths)
            self.session.set_problem(Problem(error, remedy, path))
