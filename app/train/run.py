"""Starts, observes, controls and resumes training runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.compute.process import ProcessEnded
from app.compute.remote import Control, compute
from app.i18n.translate import plural, translate_all
from app.train import tasks, unfinished_runs
from app.train.state import TrainState
from app.train.view_models import OpenRun, RunProgress, SavedPack, TrainSettings, get
from app.workers import Job, Runner
from core.errors import DeviceFault, DeviceMemoryError, FusionError, InputError, OutputError
from core.messages import Message

if TYPE_CHECKING:
    from trainer import events
    from trainer.config.run_plan import RunPlan

_DRAW_MS = 200
"""Minimum interval between two updates of the curves."""


_RESUMABLE = (OutputError, DeviceMemoryError, DeviceFault, ProcessEnded)
"""After these a run goes on from its checkpoint, if it has one."""


class RunController(QObject):
    """Owns the job on the training thread and handles its events."""

    finished = Signal()
    """A pack was written."""

    def __init__(
        self, state: TrainState, trainer: Runner, files: Runner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.state = state
        self._trainer, self._files = trainer, files
        self._job: Job | None = None
        self._steering: Control | None = None
        self._plan: RunPlan | None = None
        self._settings: TrainSettings = {}
        self._from = 0
        self._closed = False
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._draw.setInterval(_DRAW_MS)
        self._draw.timeout.connect(state.curves_changed)

    @property
    def plan(self) -> RunPlan | None:
        """Paths of the run, None before the first one."""
        return self._plan

    @property
    def name(self) -> str:
        """Name of the run's result, "" before the first run."""
        plan = self._plan
        return (plan.title or plan.out.stem) if plan is not None else ""

    @property
    def settings(self) -> TrainSettings:
        """Settings with which the run was started."""
        return self._settings

    # --- commands --------------------------------------------------------------------------

    def start(self) -> None:
        """Start a run with the chosen data and settings."""
        state = self.state
        if state.at_work or state.obstacle or state.capabilities is None:
            return
        state.clear_run()
        state.set_phase("starting")
        self._plan = None  # what fails from now on is not the last run
        make = partial(
            tasks.new_plan,
            state.capabilities,
            state.data,
            state.name,
            state.about,
            state.tensorboard,
            report=state.report,
        )
        job = self._files.submit(lambda _progress: make())
        job.finished.connect(partial(self._begin, state.settings))
        job.failed.connect(self._failed)

    def resume_run(self, run: OpenRun) -> None:
        """Resume an unfinished run; its curves are shown from the start."""
        if self.state.at_work:
            return
        self.state.clear_run()
        self.state.set_run_progress(RunProgress(run.step, run.steps))
        self.state.set_phase("starting")
        settings, plan = self._for_this_machine(run)
        job = self._files.submit(compute(unfinished_runs.read_unfinished_run, plan))
        job.finished.connect(self._show_old)
        for end in (job.finished, job.failed):
            end.connect(lambda _answer: self._begin(settings, plan))

    def _for_this_machine(self, run: OpenRun) -> tuple[TrainSettings, RunPlan]:
        """The settings of a run, with another device if its own one is missing here."""
        settings, plan = run.settings, run.handle.plan
        named = [str(settings.get("device", "auto")), plan.device]
        options = self.state.capabilities.devices if self.state.capabilities is not None else ()
        here = {one.name for one in options} | {"cuda" for one in options if "cuda" in one.name}
        gone = [name for name in named if options and name not in here]
        if not gone:
            return settings, plan
        text = self.tr("This machine has no {0}: the run goes on with the automatic choice.")
        self.state.set_message(text.format(gone[0]))
        return {**settings, "device": "auto"}, replace(plan, device="auto")

    def resume_failed(self) -> None:
        """Resume the run that has just failed, from its last checkpoint; never another one."""
        capabilities = self.state.capabilities
        if capabilities is not None and self._plan is not None and not self.state.at_work:
            work = partial(unfinished_runs.open_runs, capabilities.runs)
            job = self._files.submit(work, key="runs")
            job.finished.connect(partial(self._resume_own, self._plan))
            job.failed.connect(self.state.set_problem)

    def _resume_own(self, plan: RunPlan, runs: tuple[OpenRun, ...]) -> None:
        self.state.set_runs(runs)
        if self._plan is not plan or self.state.at_work:
            return  # another run was started meanwhile
        for run in runs:
            if not run.damage and run.handle.plan.out == plan.out:
                self.resume_run(run)
                return
        error = InputError(
            Message.plain(self.name),
            Message("its run has no checkpoint that it can be resumed from"),
            Message("Start it again."),
        )
        self.state.set_problem(error)

    def pause(self) -> None:
        """Pause after the current step; a checkpoint is written."""
        if self._steering is not None and self.state.phase == "running":
            self._steering.request("pause")
            self.state.set_phase("pausing")

    def resume(self) -> None:
        """Continue after a pause."""
        if self._steering is not None and self.state.phase in ("paused", "pausing"):
            self._steering.request("resume")

    def stop(self) -> None:
        """Stop the run and write its best state as a pack."""
        if self._steering is not None and self.state.at_work:
            self.state.set_question(0)
            self._steering.request("stop")
            self.state.set_phase("stopping")

    def set_aside(self) -> None:
        """Stop the run with a checkpoint, so that it can be resumed later."""
        if self._job is not None:
            self.state.set_question(0)
            self._job.cancel()

    def allow_smaller_batch(self) -> None:
        """Continue with half the batch after a lack of memory."""
        if self._steering is not None and self.state.question:
            self.state.set_question(0)
            self._steering.request("allow_smaller_batch")

    def set_rates(self, lower: float, upper: float) -> bool:
        """Change the learning rates of a paused run; False, with an error shown, if invalid."""
        if self._steering is None or self.state.phase != "paused":
            return False
        from trainer.run.control import check_rates

        try:
            check_rates(lower, upper, self._alternates())
            self._steering.request("set_rates", lower, upper)
        except FusionError as error:
            self.state.set_problem(error)
            return False
        self.state.set_run_progress(replace(self.state.run_progress, rates=(lower, upper)))
        self.state.set_problem(None)
        return True

    def _alternates(self) -> bool:
        """Whether the lower level must learn faster than the upper one."""
        return bool(
            get(self._settings, "bilevel") and get(self._settings, "network.reconstruction")
        )

    def keep_best(self) -> None:
        """Write the pack of a failed run from its best saved state."""
        if self._plan is None or self.state.at_work:
            return
        self.state.set_problem(None)
        self.state.set_phase("stopping")
        job = self._trainer.submit(compute(unfinished_runs.package_run, self._plan.run_folder))
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)

    def close(self) -> None:
        """Start no more jobs: the threads are about to end."""
        self._closed = True
        self._draw.stop()

    # --- the runs that were left -----------------------------------------------------------

    def find_runs(self) -> None:
        """Find runs that can be resumed."""
        capabilities = self.state.capabilities
        if capabilities is not None and not self._closed:
            job = self._files.submit(
                partial(unfinished_runs.open_runs, capabilities.runs), key="runs"
            )
            job.finished.connect(self.state.set_runs)

    def discard(self, run: OpenRun) -> None:
        """Delete an unfinished run."""
        job = self._files.submit(partial(unfinished_runs.discard_run, run))
        job.finished.connect(lambda _none: self.find_runs())
        job.failed.connect(self.state.set_problem)

    # --- the thread's answers --------------------------------------------------------------

    def _begin(self, settings: TrainSettings, plan: RunPlan) -> None:
        self._plan, self._settings, self._from = plan, settings, 0
        self._steering = control = Control("trainer.run.control:RunControl")
        order = tasks.TrainingRequest(settings, plan)
        kept = Message(
            "Resume it from its last checkpoint; where there is none yet, start it again."
        )
        work = compute(tasks.train_steps, order, control=control, kept=kept)
        self._job = job = self._trainer.submit(work, key="train")
        job.yielded.connect(self._take)
        job.finished.connect(lambda _none: self._ended(job))
        job.failed.connect(self._failed)
        job.cancelled.connect(self._left)

    def _show_old(self, left: unfinished_runs.UnfinishedRun) -> None:
        if left.images:
            self.state.set_strip(left.images, left.step)
        old = left.curves
        if old is None:
            return
        rates = ("lr_lower", "lr_upper")
        for name, values in old.series.items():
            if name != "seconds_per_step":
                target = self.state.rates if name in rates else self.state.losses
                target.fill(name, old.steps, values)
        # The score comes first as during a run, since colours depend on the order.
        for name, values in sorted(old.validation.items(), key=lambda item: item[0] != "score"):
            self.state.scores.fill(name, old.validation_steps, values)
        self.state.curves_replaced.emit()

    def _take(self, event: object) -> None:
        from trainer import events

        handlers: dict[type, Callable[[Any], None]] = {
            events.Started: self._started,
            events.Stepped: self._stepped,
            tasks.ValidationPreview: self._validated,
            events.Paused: lambda _event: self.state.set_phase("paused"),
            events.Resumed: lambda _event: self.state.set_phase("running"),
            events.RatesChanged: self._rates_changed,
            events.MemoryRanOut: lambda event: self.state.set_question(event.smaller),
            events.Reduced: self._reduced,
            events.Finished: self._finished,
        }
        handle = handlers.get(type(event))
        if handle is not None:
            handle(event)

    def _started(self, event: events.Started) -> None:
        self._from = event.step
        progress = RunProgress(
            event.step,
            event.steps,
            device=event.device,
            reason=event.device_reason,
            precision=event.precision,
            precision_reason=event.precision_reason,
        )
        self.state.set_run_progress(progress)
        if self.state.phase == "starting":
            self.state.set_phase("running")
        known = self.state.report.notes if self.state.report is not None else ()
        news = [note for note in event.notes if note not in known]
        if news:
            self.state.set_message(" ".join(translate_all(news)))

    def _stepped(self, event: events.Stepped) -> None:
        state = self.state
        state.losses.add(event.step, event.losses)
        state.rates.add(event.step, {"lr_lower": event.lr_lower, "lr_upper": event.lr_upper})
        state.set_run_progress(
            replace(
                state.run_progress,
                step=event.step,
                pace=event.seconds_per_step,
                memory=event.memory,
                rates=(event.lr_lower, event.lr_upper),
            )
        )
        self._draw_soon()

    def _validated(self, event: tasks.ValidationPreview) -> None:
        # A resumed run reports its starting point again.
        if event.step > self._from or not len(self.state.scores):
            self.state.scores.add(event.step, {"score": event.score, **event.scores})
        if event.best:
            self.state.set_run_progress(replace(self.state.run_progress, best_step=event.step))
        self.state.set_strip(event.images, event.step)
        self._draw_soon()

    def _rates_changed(self, event: events.RatesChanged) -> None:
        self.state.set_run_progress(
            replace(self.state.run_progress, rates=(event.lower, event.upper))
        )

    def _reduced(self, event: events.Reduced) -> None:
        text = plural(
            "The run goes on with {0} crop per step.",
            "The run goes on with {0} crops per step.",
            event.batch,
        )
        self.state.set_message(text.format(event.batch))

    def _draw_soon(self) -> None:
        if not self._draw.isActive():
            self._draw.start()

    def _finished(self, event: events.Finished) -> None:
        self.state.set_saved_pack(
            SavedPack(
                self.name or event.pack.stem,
                event.pack,
                task=str(self._settings.get("task", "")),
                step=event.step,
                best_step=event.best_step,
                since=event.since,
                kept=event.kept,
                parent=self._parent(),
                scores=dict(event.scores),
                score=event.score,
                report=event.report,
            )
        )
        self.state.set_phase("done")
        self.finished.emit()

    def _ended(self, job: Job) -> None:
        if self._job is job:
            self._job = self._steering = None
        self.state.curves_changed.emit()

    def _parent(self) -> Path | None:
        path = Path(str(self._settings.get("init", "")))
        return path if path.name and path.is_file() else None

    def _left(self) -> None:
        self._job = self._steering = None
        if self._closed:
            return
        self.state.set_phase("set aside")
        # The thread may still be writing its checkpoint; this job runs after it.
        self._trainer.submit(lambda _progress: None).finished.connect(
            lambda _none: self.find_runs()
        )

    def _failed(self, error: FusionError) -> None:
        self._job = self._steering = None
        self.state.set_question(0)
        self.state.set_phase("failed")
        self.state.set_problem(error, self._remedy(error))
        self.find_runs()

    def _remedy(self, error: FusionError) -> str:
        if isinstance(error, _RESUMABLE):
            known = self._plan is not None and self._plan.checkpoint.is_file()
            return "resume" if known else ""
        best = False
        if self._plan is not None:
            with suppress(OSError):
                best = self._plan.best.is_file()
        return "keep" if best else ""
