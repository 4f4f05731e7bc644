"""Prepares a run: data, settings, and the estimate of time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from app.compute.remote import compute
from app.i18n.translate import translate
from app.pairs.datasets import DatasetChoice, known_datasets
from app.train import tasks
from app.train.capabilities import read_capabilities
from app.train.preset_names import OF_THE_DATA, preset_of
from app.train.state import BackgroundTask, DataChoice, TrainState
from app.train.view_models import (
    Capabilities,
    Cost,
    DataReport,
    OpenRun,
    Sample,
    TrainSettings,
    get,
    network_name,
    put,
)
from app.train.weights_check import WeightsCheck
from app.workers import Job, Runner
from core.errors import FusionError
from core.progress import Progress
from core.tasks import TASKS

_SETTLE_MS = 700
"""Delay after the last change before the cost is estimated again."""

_COSTLY = (
    "batch",
    "crop",
    "network",
    "precision",
    "steps",
    "init",
    "backbone",
    "bilevel",
    "device",
)
"""Settings that affect the time and memory of a step."""


class SetupController(QObject):
    """Turns the user's choices into a survey of the data, validated settings and an estimate."""

    def __init__(self, state: TrainState, files: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._files = files
        self._base_name = ""
        self._suggestion_taken_for: tuple[Path, ...] = ()
        self._jobs: dict[str, Job] = {}
        self._shown: Job | None = None
        """The one that is shown as the background task."""
        self._weights = WeightsCheck(state, self._run, self)
        self._weights.checked.connect(lambda: self._take(self.state.settings))
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.estimate)
        self._look_again = QTimer(self)
        self._look_again.setSingleShot(True)
        self._look_again.setInterval(_SETTLE_MS)
        self._look_again.timeout.connect(self.survey)

    # --- capabilities ----------------------------------------------------------------------

    def open(self) -> None:
        """Read the engine's capabilities, and from them the initial settings."""
        job = self._run("open", read_capabilities)
        job.finished.connect(self._opened)
        self._run("datasets", known_datasets).finished.connect(self.state.set_datasets)

    def _opened(self, capabilities: Capabilities) -> None:
        first = self.state.capabilities is None
        self.state.set_capabilities(capabilities)
        if first:
            self._choose_usual_parent()
        elif self.state.settings:
            self._take(self.state.settings)  # missing weights may exist by now

    def _choose_usual_parent(self) -> None:
        task = self.state.data.task
        usual = next((pack.path for pack in self.state.packs if pack.task == task), None)
        self.choose_parent(usual)

    # --- data ------------------------------------------------------------------------------

    def set_data(self, paths: Sequence[Path]) -> None:
        """Replace the data; a task confirmed for these paths before is chosen again."""
        state, places = self.state, tuple(paths)
        state.set_message("")  # what was reported for the previous files
        if not state.data.paths and state.is_task_confirmed:
            # The task was chosen before there were any files.
            state.confirmed_tasks.setdefault(places, state.confirmed_tasks.pop(()))
        known = state.confirmed_tasks.get(places)
        if known and state.preset:
            self.set_task(known)
        self._change_data(
            replace(state.data, paths=places, dataset=DatasetChoice(), validation_dataset=None)
        )

    def choose_task(self, task: str) -> None:
        """Choose the task of the data by hand, which confirms it."""
        self.set_task(task)
        self.state.confirm_task(task)

    def set_task(self, task: str) -> None:
        """Set the task of the data; parent and settings follow."""
        if task == self.state.data.task:
            return
        self._change_data(replace(self.state.data, task=task))
        if self.state.capabilities is not None:
            self._choose_usual_parent()

    def set_share(self, share: float) -> None:
        """Set the fraction of the pairs held back for validation."""
        self._change_data(replace(self.state.data, share=share))

    def set_validation(self, folder: Path | None) -> None:
        """Validate on a separate folder, or (None) on a part of the data."""
        self._change_data(replace(self.state.data, validation=folder, validation_dataset=None))

    def set_dataset(self, choice: DatasetChoice) -> None:
        """Choose how the folder is laid out."""
        self._change_data(replace(self.state.data, dataset=choice, validation_dataset=None))

    def set_swapped(self, swapped: bool) -> None:
        """Exchange A and B in every pair."""
        self._change_data(replace(self.state.data, swapped=swapped))

    def _change_data(self, data: DataChoice) -> None:
        if data == self.state.data:
            return
        self.state.set_data(data)
        self._cancel("survey", "samples")
        self._cost_is_stale()
        self.survey()

    def survey(self) -> None:
        """Start a survey of the pairs."""
        choice = self.state.data
        # Device and backbone do not affect how the images are read.
        faulty = self.state.faults.keys() - {"device", "backbone"}
        if not choice.paths or not self.state.settings or faulty:
            return
        self.state.set_problem(None)
        job = self._run("survey", compute(tasks.survey_data, choice, self.state.settings))
        job.finished.connect(partial(self._surveyed, choice))

    def _surveyed(self, choice: DataChoice, report: DataReport) -> None:
        if choice != self.state.data:
            return
        self._cancel("estimate")  # it is of the pairs of an older report
        self.state.set_report(report)
        untouched = self.state.preset and not self.state.is_task_confirmed
        if self.state.suggested_task and untouched and self._suggestion_taken_for != choice.paths:
            self._take_suggested_task(self.state.suggested_task)
            return
        job = self._run("samples", partial(tasks.draw_samples, report))
        job.finished.connect(partial(self._drawn, report))
        self._settle.start()

    def _take_suggested_task(self, task: str) -> None:
        """Choose the task that the file names suggest, where none was confirmed."""
        self._suggestion_taken_for = self.state.data.paths
        text = self.tr("The names speak of “{0}”: that is taken as the kind of these pictures.")
        self.state.set_message(text.format(translate(TASKS[task].title)))
        self.set_task(task)

    def _drawn(self, report: DataReport, samples: tuple[Sample, ...]) -> None:
        if report is self.state.report:
            self.state.set_samples(samples)

    # --- settings --------------------------------------------------------------------------

    def choose_parent(self, pack: Path | None) -> None:
        """Start from a pack, or (None) from scratch; the preset is rebuilt for it."""
        self.state.parent_pack = pack
        self.choose_preset(self.state.preset)
        choice = self.state.parent_choice
        self._suggest_name(choice.name if choice is not None else self.state.data.task)

    def choose_preset(self, name: str) -> None:
        """Apply all settings of a preset."""
        capabilities = self.state.capabilities
        if capabilities is None:
            return
        preset = next((p for p in capabilities.presets if p.name == name), capabilities.presets[0])
        self.state.preset = preset.name
        settings = preset.build(self.state.data.task, self.state.parent_pack)
        settings["backbone"] = get(self.state.settings, "backbone") or ""
        settings["device"] = get(self.state.settings, "device") or "auto"
        kept = {name: get(self.state.settings, name) for name in OF_THE_DATA}
        settings |= {name: value for name, value in kept.items() if value is not None}
        self._take(settings)

    def set_value(self, name: str, value: Any) -> None:
        """Change one setting, by its dotted name."""
        settings = put(self.state.settings, name, value)
        if name == "backbone":
            self._weights.forget()  # checked again, whatever the previous result
        if name == "network.backbone.kind" and self.state.capabilities is not None:
            # DINOv3 has no other setting in common with the others: each has its own defaults.
            backbone = self.state.capabilities.networks[network_name(settings)]["backbone"]
            settings = put(settings, "network.backbone", {**backbone, "kind": value})
        self.state.preset = ""
        self._take(settings)
        if name == "exclude":
            self.survey()
        elif name in OF_THE_DATA:
            self._look_again.start()

    def set_align(self, chosen: Mapping[str, Any]) -> None:
        """Lay the pairs on each other in another way; the preset stays."""
        if any(get(self.state.settings, name) != value for name, value in chosen.items()):
            self._take({**self.state.settings, **chosen})
            self._look_again.start()

    def set_device(self, name: str) -> None:
        """Choose the device; this does not count as a change of the preset."""
        self._take({**self.state.settings, "device": name})

    def set_network(self, name: str) -> None:
        """Choose the network to train from scratch, by its name in the capabilities."""
        if self.state.capabilities is not None:
            self.state.preset = ""
            network = dict(self.state.capabilities.networks[name])
            self._take({**self.state.settings, "network": network})

    def set_name(self, name: str) -> None:
        """Set the name of the result."""
        self.state.name = name
        self.state.settings_changed.emit()

    def set_about(self, text: str) -> None:
        """Set the description of the images for the model card."""
        self.state.about = text

    def set_tensorboard(self, wanted: bool) -> None:
        """Set whether a TensorBoard log is written, too."""
        self.state.tensorboard = wanted

    def suggest_another_name(self) -> None:
        """Set an unused name for the next run."""
        if self.state.capabilities is not None:
            self._base_name = self.state.name = self.state.capabilities.next_name(self.state.name)
            self.state.settings_changed.emit()

    def load(self, path: Path) -> None:
        """Read settings from a file."""
        job = self._run("settings", partial(tasks.read_settings, path))
        job.finished.connect(self._loaded)

    def _loaded(self, loaded: tasks.LoadedSettings) -> None:
        settings = loaded.settings
        task = settings["task"]
        if task != self.state.data.task:
            self._change_data(replace(self.state.data, task=task))
        self.state.confirm_task(task)
        init = str(settings.get("init", ""))
        known = {pack.name: pack.path for pack in self.state.packs}
        path = known.get(init, Path(init)) if init else None
        self.state.parent_pack = path if path in known.values() else None
        if init and self.state.parent_pack is None:
            text = self.tr("There is no pack “{0}” here to start from: choose another one.")
            self.state.set_message(text.format(Path(init).name))
        settings = {**settings, "init": str(self.state.parent_pack or "")}
        parent = self.state.parent_choice
        if parent is not None and not loaded.network:
            settings["network"] = dict(parent.network)
        self.state.preset = ""
        self._take(settings)

    def show_run(self, run: OpenRun) -> None:
        """Show data and settings of a run that is resumed."""
        state, plan, settings = self.state, run.handle.plan, dict(run.shown)
        self.stop()
        state.confirmed_tasks[plan.sources] = run.task
        state.name, state.about = run.name, "; ".join(plan.data_used)
        state.tensorboard = plan.tensorboard
        init = Path(str(settings.get("init") or ""))
        state.parent_pack = next((p.path for p in state.packs if p.path == init), None)
        state.preset = preset_of(settings, state.capabilities, state.parent_pack)
        state.set_cost(None)
        state.set_data(
            DataChoice(
                plan.sources,
                run.task,
                plan.share,
                plan.validation,
                plan.swapped,
                dataset=DatasetChoice.of_run(plan.dataset, plan.split),
                validation_dataset=DatasetChoice.of_run(
                    plan.validation_dataset, plan.validation_split
                ),
            )
        )
        self._take(settings)

    def save(self, path: Path) -> None:
        """Write the settings to a file."""
        job = self._run("settings", partial(tasks.write_settings, self.state.settings, path))
        job.finished.connect(self._saved)

    def _saved(self, path: Path) -> None:
        self.state.set_message(self.tr("Saved the settings as {0}.").format(path.name))

    def _take(self, settings: TrainSettings) -> None:
        capabilities, old = self.state.capabilities, self.state.settings
        if capabilities is None:
            return
        faults = dict(capabilities.check(settings))
        if wrong := self._weights.error_of(settings, bool(faults)):
            faults.setdefault("backbone", wrong)
        device = settings.get("device", "auto")
        if capabilities.devices and device not in [one.name for one in capabilities.devices]:
            faults.setdefault("device", self.tr("this machine has no {0}").format(device))
        self.state.set_settings(settings, faults)
        if any(old.get(name) != settings.get(name) for name in _COSTLY):
            self._cost_is_stale()
            self._settle.start()
        if self.state.data.paths and self.state.report is None:
            self.survey()

    def _suggest_name(self, base: str) -> None:
        if self.state.capabilities is not None and self.state.name in ("", self._base_name):
            self._base_name = self.state.capabilities.next_name(f"my-{base.removeprefix('my-')}")
            self.state.name = self._base_name
            self.state.settings_changed.emit()

    # --- cost ------------------------------------------------------------------------------

    def _cost_is_stale(self) -> None:
        self._cancel("estimate")
        if self.state.cost is not None and not self.state.cost_stale:
            self.state.set_cost(self.state.cost, stale=True)

    def estimate(self) -> None:
        """Estimate the cost by timing a few steps, unless a run or another task is active."""
        report = self.state.report
        if report is None or self.state.faults or self.state.at_work or not self.state.settings:
            return
        job = self._run("estimate", compute(tasks.estimate_cost, self.state.settings, report))
        job.finished.connect(self._estimated)

    def _estimated(self, cost: Cost) -> None:
        self.state.set_cost(cost)

    # --- common ----------------------------------------------------------------------------

    def stop(self) -> None:
        """Cancel the jobs under way, before a run or at the user's request."""
        self._settle.stop()
        self._look_again.stop()
        for job in self._jobs.values():
            job.cancel()

    def _cancel(self, *kinds: str) -> None:
        """Take neither answers nor errors of what was asked for before."""
        for kind in kinds:
            if kind in self._jobs:
                self._jobs[kind].cancel()

    def _run(self, kind: str, action: Callable[[Progress], Any]) -> Job:
        self._cancel(kind)
        job = self._jobs[kind] = self._files.submit(action, key=kind)
        self.follow(kind, job)
        return job

    def follow(self, kind: str, job: Job) -> None:
        """Show a job as the background task, and its error if it fails."""
        job.started.connect(partial(self._started, kind, job))
        job.progress.connect(
            lambda done, total, stage: self.state.set_background_task(
                BackgroundTask(kind, done, total, stage)
            )
        )
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(partial(self._over, job))
        job.failed.connect(partial(self._failed, kind))

    def _started(self, kind: str, job: Job) -> None:
        self._shown = job
        self.state.set_background_task(BackgroundTask(kind))

    def _over(self, job: Job, *_answer: object) -> None:
        # One that is cancelled may end after the next one has begun.
        if job is self._shown:
            self._shown = None
            self.state.set_background_task(None)

    def _failed(self, kind: str, error: FusionError) -> None:
        if kind == "survey":
            self.state.set_report(None)
        self.state.set_problem(error, {"open": "open", "survey": "data"}.get(kind, ""))
