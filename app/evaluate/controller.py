"""An evaluation in the window: turns requests into jobs, and keeps their results as state."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app.compute.remote import compute
from app.evaluate import tasks
from app.evaluate.last_result import load_result, save_result
from app.evaluate.settings import ChosenMethod, EvaluationChoices, load_choices, save_choices
from app.pairs.datasets import FoundDataset, inspect_folder, known_datasets
from app.workers import Job, Runner
from core.errors import FusionError
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.messages import Message
from core.pairing.dataset_descriptor import DatasetDescriptor

EvaluationPhase = Literal["idle", "running", "stopping", "analysing", "writing"]

_DRAIN_MS = 100
"""Milliseconds between two updates of the window."""
_CACHE = "evaluation"
"""Folder of scores and fused images in the settings folder."""


class EvaluationController(QObject):
    """Choices, the run and its result. All signals come on the GUI thread."""

    choices_changed = Signal()
    phase_changed = Signal()
    progress_changed = Signal()
    analysis_changed = Signal()
    datasets_changed = Signal()
    """The known data sets, or what the chosen folder holds."""
    failed = Signal(object)
    """A :class:`FusionError`."""
    cancelled = Signal()
    finished = Signal(object)
    """A list of sentences: what was left out."""
    workers_changed = Signal(object)
    """News of the workers of a cluster."""
    written = Signal(object)
    """Path of a report."""

    def __init__(
        self, task: str, folder: Path | None = None, parent: QObject | None = None
    ) -> None:
        """
        Args:
            task: the initial one.
            folder: of settings; choices and scores are kept there. None keeps nothing.
        """
        super().__init__(parent)
        self._folder = folder
        self._work = Runner("evaluate", self, background=True)
        self._job: Job | None = None
        self._closed = False
        self._inbox: deque[Any] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(_DRAIN_MS)
        self._timer.timeout.connect(self.drain)
        self._began = 0.0
        self._fresh = 0
        self.choices = EvaluationChoices(task)
        self.evaluated: EvaluationChoices | None = None
        """The choices that the result on screen is of."""
        self.analysis: tasks.Analysis | None = None
        self.datasets: tuple[DatasetDescriptor, ...] = ()
        self.dataset: FoundDataset | None = None
        """What the chosen folder holds; None while that is not known."""
        self._looking: Job | None = None
        self._starts_when_known = False
        self.phase: EvaluationPhase = "idle"
        self.stage = ""
        self.done = self.total = self.errors = 0
        self.seconds_left: float | None = None

    # --- life ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Load the choices of the last session, and list the data sets."""
        known = self._work.submit(known_datasets)
        known.finished.connect(self._listed)
        known.failed.connect(self.failed)
        if self._folder is not None:
            self._work.submit(partial(load_choices, self._folder)).finished.connect(self._loaded)
            self._work.submit(partial(load_result, self._folder)).finished.connect(self._restored)

    def _loaded(self, choices: EvaluationChoices | None) -> None:
        if choices is not None and not self.choices.sources and not self.choices.methods:
            self.set_choices(choices)

    def _restored(self, last: tuple[EvaluationChoices, EvaluationResult] | None) -> None:
        if last is not None and self.phase == "idle" and self.analysis is None:
            choices, result = last
            self.show_result(result, choices)

    def _listed(self, known: tuple[DatasetDescriptor, ...]) -> None:
        self.datasets = known
        self.datasets_changed.emit()

    def shutdown(self) -> None:
        """Stop; scores that were found are kept. Waits for the thread."""
        self._closed = True
        self._timer.stop()
        self._work.shutdown()

    @property
    def is_busy(self) -> bool:
        """Whether an evaluation is in progress."""
        return self.phase in ("running", "stopping")

    @property
    def is_stale(self) -> bool:
        """Whether the result on screen is of other choices than those made now."""
        if self.evaluated is None:
            return False
        now = self.choices  # where it is computed makes no difference
        same = replace(self.evaluated, scheduler=now.scheduler, certificates=now.certificates)
        return same != now

    def _set_phase(self, phase: EvaluationPhase) -> None:
        if phase != self.phase:
            self.phase = phase
            if not self._closed:
                self.phase_changed.emit()

    # --- choices ---------------------------------------------------------------------------

    def set_choices(self, choices: EvaluationChoices) -> None:
        """Change the choices; the result on screen stays, as one of other choices."""
        if choices == self.choices or self.is_busy:
            return
        old, self.choices = self.choices, choices
        self.choices_changed.emit()
        if (choices.folder, choices.dataset) != (old.folder, old.dataset):
            self._look()

    def _look(self) -> None:
        """Find out which data set the chosen folder holds."""
        self.dataset, self._looking = None, None
        folder, choice = self.choices.folder, self.choices.dataset
        if folder is not None and not self._closed:
            work = partial(inspect_folder, folder, choice, "")
            job = self._looking = self._work.submit(work, key="data set")
            job.finished.connect(partial(self._found_dataset, job))
            job.failed.connect(lambda _error: self._found_dataset(job, FoundDataset()))
        self.datasets_changed.emit()

    def _found_dataset(self, job: Job, found: FoundDataset) -> None:
        if job is not self._looking:
            return
        self.dataset, self._looking = found, None
        if found.descriptor is not None:
            self.set_choices(self.choices.with_task(found.descriptor.task))
        self.datasets_changed.emit()
        if self._starts_when_known:
            self._starts_when_known = False
            self.start()

    def add_method(self, method: ChosenMethod) -> None:
        """Add a method."""
        self.set_choices(self.choices.with_method(method))

    # --- the run ---------------------------------------------------------------------------

    def start(self) -> None:
        """Evaluate; what is known from earlier evaluations is taken from there."""
        if self.phase != "idle" or not self.choices.is_complete:
            return
        if self._looking is not None:
            # The data set may be one of another task.
            self._starts_when_known = True
            return
        choices = self.choices
        cache = None if self._folder is None else self._folder / _CACHE
        self._inbox.clear()
        self.stage, self.seconds_left = "", None
        self.done = self.total = self.errors = self._fresh = 0
        self._began = time.monotonic()
        if self._folder is not None:
            saved = self._work.submit(partial(save_choices, self._folder, choices))
            saved.failed.connect(self.failed)
        # A signal for each event would block the window.
        take = self._inbox.append
        kept = Message("Scores that were found are kept; evaluate again to find the rest.")
        work = compute(tasks.evaluate_choices, choices, cache, take=take, kept=kept)
        job = self._job = self._work.submit(work)
        job.progress.connect(self._report)
        job.finished.connect(partial(self._finished, choices))
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)
        self._timer.start()
        self._set_phase("running")

    def cancel(self) -> None:
        """Stop; scores that were found are kept."""
        if self._job is not None and self.phase == "running":
            self._set_phase("stopping")
            self._job.cancel()

    def _report(self, _done: float, _total: float, stage: str) -> None:
        self.stage = stage
        self.progress_changed.emit()

    def drain(self) -> None:
        """Take the events that have come since the last call."""
        changed = False
        while self._inbox:
            event = self._inbox.popleft()
            if hasattr(event, "seen"):  # news of the workers of a cluster
                self.workers_changed.emit(event)
                continue
            self.done, self.total, changed = event.done, event.total, True
            self.errors += event.score.error is not None
            self._fresh += not event.cached
        if changed:
            elapsed = time.monotonic() - self._began
            left = (self.total - self.done) * elapsed / self._fresh if self._fresh else None
            self.seconds_left = left
            self.progress_changed.emit()

    def _end(self) -> None:
        self._job = None
        self._timer.stop()
        self.drain()
        self._set_phase("idle")

    def _failed(self, error: FusionError) -> None:
        self._end()
        if not self._closed:
            self.failed.emit(error)

    def _cancelled(self) -> None:
        self._end()
        if not self._closed:
            self.cancelled.emit()

    def _finished(self, choices: EvaluationChoices, event: EvaluationFinished) -> None:
        self._end()
        if self._folder is not None and not self._closed:
            saved = self._work.submit(partial(save_result, self._folder, choices, event.result))
            saved.failed.connect(self.failed)
        self.show_result(event.result, choices)
        self.finished.emit(list(event.problems))

    # --- the result ------------------------------------------------------------------------

    def show_result(self, result: EvaluationResult, choices: EvaluationChoices) -> None:
        """Show the result of an evaluation of ``choices``."""
        self.evaluated = choices
        self._analyse(result, self.analysis.reference if self.analysis else "")

    def set_reference(self, name: str) -> None:
        """Compare the others with the method of this name."""
        if self.analysis is not None and name != self.analysis.reference and not self._closed:
            self._analyse(self.analysis.result, name)

    def _analyse(self, result: EvaluationResult, reference: str) -> None:
        self._set_phase("analysing")
        job = self._work.submit(compute(tasks.analyse, result, reference), key="analyse")
        job.finished.connect(self._analysed)
        job.failed.connect(self._failed)
        job.cancelled.connect(lambda: None)

    def _analysed(self, analysis: tasks.Analysis) -> None:
        self._set_phase("idle")
        self.analysis = analysis
        self.analysis_changed.emit()

    def export(self, path: Path) -> None:
        """Write a report of the result on screen, in the format that the name ends in."""
        if self.analysis is None or self.phase != "idle":
            return
        self._set_phase("writing")
        of = self.evaluated or self.choices
        shown, read = self.analysis, [file.expanduser() for file in of.paths]
        job = self._work.submit(
            compute(tasks.write_report, shown.result, path, shown.reference, read)
        )
        job.finished.connect(self._written)
        job.failed.connect(self._failed)
        job.cancelled.connect(self._cancelled)

    def _written(self, path: Path) -> None:
        self._set_phase("idle")
        self.written.emit(path)
