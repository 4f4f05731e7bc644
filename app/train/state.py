"""What the Train workspace knows, without widgets: data, settings, the run, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.train.curves import CurveStore
from app.train.view_models import (
    AT_WORK,
    BackboneOffer,
    Capabilities,
    Cost,
    DataReport,
    DeviceOption,
    Fetch,
    OpenRun,
    PackChoice,
    RunProgress,
    Sample,
    SavedPack,
    ScoreRow,
    TrainPhase,
    TrainSettings,
)
from core.errors import FusionError
from core.tasks import TASKS


@dataclass(frozen=True)
class DataChoice:
    """Where the images are and how they are divided.

    Attributes:
        paths: folders and files. task: name of the task.
        share: part held back to check with, 0 to 0.5; not used where ``validation`` is a folder.
        swapped: A and B change places in every pair.
    """

    paths: tuple[Path, ...] = ()
    task: str = next(iter(TASKS))
    share: float = 0.2
    validation: Path | None = None
    swapped: bool = False


@dataclass(frozen=True)
class BackgroundTask:
    """Something under way on the thread for short work: ``kind``, and how far it is."""

    kind: str
    done: float = 0
    total: float = 0
    stage: str = ""


@dataclass(frozen=True, eq=False)
class Compared:
    """A new pack beside its parent: scores, and rows of images A, B, parent, new.

    ``wins``: on how many of the ``pairs`` the new one is better.
    """

    lines: tuple[ScoreRow, ...]
    strips: tuple[tuple[QImage, ...], ...]
    pairs: int
    wins: int


class TrainState(QObject):
    """Setters tell whoever shows it. Everything is set on the window's thread."""

    capabilities_changed = Signal()
    data_changed = Signal()
    samples_changed = Signal()
    settings_changed = Signal()
    """Settings, their faults, parent or preset."""
    cost_changed = Signal()
    background_task_changed = Signal()
    """Short work began, went on or ended."""
    phase_changed = Signal()
    run_progress_changed = Signal()
    curves_changed = Signal()
    """New points."""
    curves_replaced = Signal()
    """Other curves altogether."""
    strip_changed = Signal()
    question_changed = Signal()
    problem_changed = Signal()
    runs_changed = Signal()
    kept_changed = Signal()
    message_changed = Signal()
    fetch_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.capabilities: Capabilities | None = None
        self.data = DataChoice()
        self.report: DataReport | None = None
        self.samples: tuple[Sample, ...] = ()
        self.confirmed_tasks: dict[tuple[Path, ...], str] = {}
        """What kind of images a person said these are, by where they lie."""
        self.preset = "fine"
        self.parent_pack: Path | None = None
        self.settings: TrainSettings = {}
        self.faults: Mapping[str, str] = {}
        self.name = ""
        self.about = ""
        self.tensorboard = False
        self.cost: Cost | None = None
        self.cost_stale = False
        self.background_task: BackgroundTask | None = None
        self.phase: TrainPhase = "setup"
        self.run_progress = RunProgress()
        self.losses, self.rates, self.scores = CurveStore(), CurveStore(), CurveStore()
        self.strip: tuple[QImage, ...] = ()
        self.strip_step = 0
        self.question: int = 0
        """Crops per step to go on with after memory ran out; 0 when nothing is asked."""
        self.problem: FusionError | None = None
        self.remedy = ""
        self.runs: tuple[OpenRun, ...] = ()
        self.kept: SavedPack | None = None
        self.compared: Compared | None = None
        self.is_default = False
        self.message = ""
        self.fetch: Fetch | None = None
        """DINOv3 being offered or fetched; None while nobody asked."""

    # --- what follows from it --------------------------------------------------------------

    @property
    def at_work(self) -> bool:
        """True while the training thread has a run in its hands."""
        return self.phase in AT_WORK

    @property
    def packs(self) -> tuple[PackChoice, ...]:
        """Packs that can be a parent, those of the task first."""
        if self.capabilities is None:
            return ()
        return tuple(sorted(self.capabilities.packs, key=lambda pack: pack.task != self.data.task))

    @property
    def parent_choice(self) -> PackChoice | None:
        """The chosen parent, or None for a start from scratch."""
        return next((pack for pack in self.packs if pack.path == self.parent_pack), None)

    @property
    def offer(self) -> BackboneOffer | None:
        """What is known of DINOv3, once the engine said it."""
        return self.capabilities.backbone if self.capabilities is not None else None

    @property
    def device(self) -> DeviceOption | None:
        """The chosen device, or None where it is not known, or not on this machine."""
        options = self.capabilities.devices if self.capabilities is not None else ()
        wanted = self.settings.get("device", "auto")
        return next((one for one in options if one.name == wanted), None)

    @property
    def obstacle(self) -> str:
        """What must be done before a run can start: “data”, “kind”, “settings”, “name”, or ""."""
        if self.report is None or not self.report.count("train"):
            return "data"
        if self.is_task_unknown:
            return "task"
        if self.capabilities is None or self.faults or not self.settings:
            return "settings"
        return "" if self.name.strip() else "name"

    @property
    def is_task_confirmed(self) -> bool:
        """A person said what kind of images these are, and that is chosen."""
        return self.confirmed_tasks.get(self.data.paths) == self.data.task

    @property
    def is_task_unknown(self) -> bool:
        """Neither the names nor a person say what kind of images these are."""
        return self.report is not None and not self.report.suggested and not self.is_task_confirmed

    @property
    def suggested_task(self) -> str:
        """The task that names speak of where it is another than the one chosen, else ""."""
        suggested = self.report.suggested if self.report is not None else ""
        return "" if suggested == self.data.task else suggested

    # --- setters ---------------------------------------------------------------------------

    def set_capabilities(self, capabilities: Capabilities) -> None:
        """Take what the engine said about itself."""
        self.capabilities = capabilities
        self.capabilities_changed.emit()

    def set_data(self, data: DataChoice) -> None:
        """Choose data; what was found in other data goes."""
        if data != self.data:
            self.data = data
            self.report = None
            self.set_samples(())
            self.data_changed.emit()

    def confirm_task(self, task: str) -> None:
        """Keep what a person said these images are, or those still to come."""
        self.confirmed_tasks[self.data.paths] = task
        self.data_changed.emit()

    def set_report(self, report: DataReport | None) -> None:
        """Take what was found."""
        self.report = report
        self.data_changed.emit()

    def set_samples(self, samples: tuple[Sample, ...]) -> None:
        """Show some of the pairs."""
        self.samples = samples
        self.samples_changed.emit()

    def set_settings(self, settings: TrainSettings, faults: Mapping[str, str]) -> None:
        """Other settings, checked."""
        self.settings, self.faults = settings, faults
        self.settings_changed.emit()

    def set_cost(self, cost: Cost | None, *, stale: bool = False) -> None:
        """Take an estimate; a stale one was made for other settings."""
        self.cost, self.cost_stale = cost, stale
        self.cost_changed.emit()

    def set_background_task(self, background_task: BackgroundTask | None) -> None:
        """Short work goes on."""
        if background_task != self.background_task:
            self.background_task = background_task
            self.background_task_changed.emit()

    def set_phase(self, phase: TrainPhase) -> None:
        """The run goes on to another phase."""
        if phase != self.phase:
            self.phase = phase
            self.phase_changed.emit()

    def set_run_progress(self, progress: RunProgress) -> None:
        """How the run is going."""
        self.run_progress = progress
        self.run_progress_changed.emit()

    def clear_run(self) -> None:
        """Forget curves, images and result of the run before."""
        self.losses, self.rates, self.scores = CurveStore(), CurveStore(), CurveStore()
        self.strip, self.kept, self.compared, self.is_default = (), None, None, False
        self.set_problem(None)
        self.set_question(0)
        self.set_run_progress(RunProgress())
        self.curves_replaced.emit()
        self.strip_changed.emit()
        self.kept_changed.emit()

    def set_strip(self, images: tuple[QImage, ...], step: int) -> None:
        """The newest validation images, and the step they are of."""
        self.strip, self.strip_step = images, step
        self.strip_changed.emit()

    def set_question(self, batch: int) -> None:
        """Ask whether to go on with a smaller batch; 0 ends the question."""
        if batch != self.question:
            self.question = batch
            self.question_changed.emit()

    def set_problem(self, problem: FusionError | None, remedy: str = "") -> None:
        """Show an error and the action that helps; None takes it away."""
        self.problem, self.remedy = problem, remedy
        self.problem_changed.emit()

    def set_runs(self, runs: tuple[OpenRun, ...]) -> None:
        """Runs that can go on."""
        self.runs = runs
        self.runs_changed.emit()

    def set_kept(self, kept: SavedPack | None) -> None:
        """A pack was written."""
        self.kept = kept
        self.kept_changed.emit()

    def set_compared(self, compared: Compared | None) -> None:
        """The new pack was compared with its parent."""
        self.compared = compared
        self.kept_changed.emit()

    def set_default(self) -> None:
        """The new pack is the task's default now."""
        self.is_default = True
        self.kept_changed.emit()

    def set_fetch(self, fetch: Fetch | None) -> None:
        """Fetching goes on; None ends it."""
        self.fetch = fetch
        self.fetch_changed.emit()

    def set_message(self, message: str) -> None:
        """One sentence that is no error; "" takes it away."""
        self.message = message
        self.message_changed.emit()
