"""The state of the Train workspace: data, settings, run and result; no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.pairs.datasets import DatasetChoice
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
from core.pairing.dataset_descriptor import DatasetDescriptor
from core.tasks import TASKS


@dataclass(frozen=True)
class DataChoice:
    """Location of the images and how they are split.

    Attributes:
        paths: folders and files. task: name of the task.
        share: fraction held back for validation, 0 to 0.5; unused if ``validation`` is a folder.
        swapped: whether A and B are exchanged in every pair.
        dataset: how the folder is laid out.
        validation_dataset: how ``validation`` was laid out in a run that is shown again; else None.
    """

    paths: tuple[Path, ...] = ()
    task: str = next(iter(TASKS))
    share: float = 0.2
    validation: Path | None = None
    swapped: bool = False
    _: KW_ONLY
    dataset: DatasetChoice = field(default_factory=DatasetChoice)
    validation_dataset: DatasetChoice | None = None


@dataclass(frozen=True)
class BackgroundTask:
    """Kind and progress of a job on the thread for short tasks."""

    kind: str
    done: float = 0
    total: float = 0
    stage: str = ""


@dataclass(frozen=True, eq=False)
class PackComparison:
    """Comparison of a new pack with its parent: metrics, and rows of images A, B, parent, new.

    ``wins`` is the number of ``pairs`` on which the new one is better.
    """

    lines: tuple[ScoreRow, ...]
    strips: tuple[tuple[QImage, ...], ...]
    pairs: int
    wins: int


class TrainState(QObject):
    """Emits a signal in every setter. All setters are called on the GUI thread."""

    capabilities_changed = Signal()
    data_changed = Signal()
    datasets_changed = Signal()
    samples_changed = Signal()
    settings_changed = Signal()
    """Settings, their errors, parent or preset."""
    cost_changed = Signal()
    background_task_changed = Signal()
    """The background task started, progressed or ended."""
    phase_changed = Signal()
    run_progress_changed = Signal()
    curves_changed = Signal()
    """There are new points."""
    curves_replaced = Signal()
    """All curves were replaced."""
    strip_changed = Signal()
    question_changed = Signal()
    problem_changed = Signal()
    runs_changed = Signal()
    saved_pack_changed = Signal()
    message_changed = Signal()
    fetch_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.capabilities: Capabilities | None = None
        self.data = DataChoice()
        self.datasets: tuple[DatasetDescriptor, ...] = ()
        """The data sets that are known by name."""
        self.report: DataReport | None = None
        self.samples: tuple[Sample, ...] = ()
        self.confirmed_tasks: dict[tuple[Path, ...], str] = {}
        """Tasks the user chose, by the paths of the data."""
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
        """Batch size proposed after a lack of memory; 0 while there is no question."""
        self.problem: FusionError | None = None
        self.remedy = ""
        self.runs: tuple[OpenRun, ...] = ()
        self.saved_pack: SavedPack | None = None
        self.comparison: PackComparison | None = None
        self.is_default = False
        self.message = ""
        self.fetch: Fetch | None = None
        """State of the DINOv3 download; None while it is not requested."""

    # --- derived values --------------------------------------------------------------------

    @property
    def at_work(self) -> bool:
        """True while a run is active on the training thread."""
        return self.phase in AT_WORK

    @property
    def packs(self) -> tuple[PackChoice, ...]:
        """Packs that can be the parent, those of the task first."""
        if self.capabilities is None:
            return ()
        return tuple(sorted(self.capabilities.packs, key=lambda pack: pack.task != self.data.task))

    @property
    def parent_choice(self) -> PackChoice | None:
        """The chosen parent, or None for a start from scratch."""
        return next((pack for pack in self.packs if pack.path == self.parent_pack), None)

    @property
    def offer(self) -> BackboneOffer | None:
        """Facts about the DINOv3 weights; None until the capabilities are known."""
        return self.capabilities.backbone if self.capabilities is not None else None

    @property
    def device(self) -> DeviceOption | None:
        """The chosen device, or None where it is unknown or missing on this machine."""
        options = self.capabilities.devices if self.capabilities is not None else ()
        wanted = self.settings.get("device", "auto")
        return next((one for one in options if one.name == wanted), None)

    @property
    def obstacle(self) -> str:
        """What is missing before a run can start: “data”, “task”, “settings”, “name”, or ""."""
        if self.report is None or not self.report.count("train"):
            return "data"
        if self.is_task_unknown:
            return "task"
        if self.capabilities is None or self.faults or not self.settings:
            return "settings"
        return "" if self.name.strip() else "name"

    @property
    def is_task_confirmed(self) -> bool:
        """True when the current task was chosen by the user."""
        return self.confirmed_tasks.get(self.data.paths) == self.data.task

    @property
    def is_task_unknown(self) -> bool:
        """True when neither file names nor the user determine the task."""
        return self.report is not None and not self.report.suggested and not self.is_task_confirmed

    @property
    def suggested_task(self) -> str:
        """The task that file names suggest, if it is not the current one, else ""."""
        suggested = self.report.suggested if self.report is not None else ""
        return "" if suggested == self.data.task else suggested

    # --- setters ---------------------------------------------------------------------------

    def set_capabilities(self, capabilities: Capabilities) -> None:
        """Set the engine's capabilities."""
        self.capabilities = capabilities
        self.capabilities_changed.emit()

    def set_data(self, data: DataChoice) -> None:
        """Set the data; the report of the previous data is discarded."""
        if data != self.data:
            self.data = data
            self.report = None
            self.set_samples(())
            self.data_changed.emit()

    def set_datasets(self, known: tuple[DatasetDescriptor, ...]) -> None:
        """Set the data sets to choose from."""
        self.datasets = known
        self.datasets_changed.emit()

    def confirm_task(self, task: str) -> None:
        """Store the task the user chose for the data, or for the data still to be chosen."""
        self.confirmed_tasks[self.data.paths] = task
        self.data_changed.emit()

    def set_report(self, report: DataReport | None) -> None:
        """Set the report of the survey."""
        self.report = report
        self.data_changed.emit()

    def set_samples(self, samples: tuple[Sample, ...]) -> None:
        """Set the sample images."""
        self.samples = samples
        self.samples_changed.emit()

    def set_settings(self, settings: TrainSettings, faults: Mapping[str, str]) -> None:
        """Set the settings and their errors."""
        self.settings, self.faults = settings, faults
        self.settings_changed.emit()

    def set_cost(self, cost: Cost | None, *, stale: bool = False) -> None:
        """Set the estimate; a stale one was made for other settings."""
        self.cost, self.cost_stale = cost, stale
        self.cost_changed.emit()

    def set_background_task(self, background_task: BackgroundTask | None) -> None:
        """Set the background task; None when it has ended."""
        if background_task != self.background_task:
            self.background_task = background_task
            self.background_task_changed.emit()

    def set_phase(self, phase: TrainPhase) -> None:
        """Set the phase of the run."""
        if phase != self.phase:
            self.phase = phase
            self.phase_changed.emit()

    def set_run_progress(self, progress: RunProgress) -> None:
        """Set the progress of the run."""
        self.run_progress = progress
        self.run_progress_changed.emit()

    def clear_run(self) -> None:
        """Discard curves, images and result of the previous run."""
        self.losses, self.rates, self.scores = CurveStore(), CurveStore(), CurveStore()
        self.strip, self.saved_pack, self.comparison, self.is_default = (), None, None, False
        self.set_problem(None)
        self.set_question(0)
        self.set_run_progress(RunProgress())
        self.curves_replaced.emit()
        self.strip_changed.emit()
        self.saved_pack_changed.emit()

    def set_strip(self, images: tuple[QImage, ...], step: int) -> None:
        """Set the validation images and their step."""
        self.strip, self.strip_step = images, step
        self.strip_changed.emit()

    def set_question(self, batch: int) -> None:
        """Ask whether to continue with a smaller batch; 0 withdraws the question."""
        if batch != self.question:
            self.question = batch
            self.question_changed.emit()

    def set_problem(self, problem: FusionError | None, remedy: str = "") -> None:
        """Set the error and its remedy; None clears it."""
        self.problem, self.remedy = problem, remedy
        self.problem_changed.emit()

    def set_runs(self, runs: tuple[OpenRun, ...]) -> None:
        """Set the unfinished runs."""
        self.runs = runs
        self.runs_changed.emit()

    def set_saved_pack(self, saved_pack: SavedPack | None) -> None:
        """Set the pack that was written."""
        self.saved_pack = saved_pack
        self.saved_pack_changed.emit()

    def set_comparison(self, comparison: PackComparison | None) -> None:
        """Set the comparison of the new pack with its parent."""
        self.comparison = comparison
        self.saved_pack_changed.emit()

    def set_default(self) -> None:
        """Record that the new pack is the default of its task."""
        self.is_default = True
        self.saved_pack_changed.emit()

    def set_fetch(self, fetch: Fetch | None) -> None:
        """Set the state of the download; None hides it."""
        self.fetch = fetch
        self.fetch_changed.emit()

    def set_message(self, message: str) -> None:
        """Set a message of one sentence; "" clears it."""
        self.message = message
        self.message_changed.emit()
