"""View models of the Train workspace: plain values without Qt, torch or the trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from PySide6.QtGui import QImage

from app.pairs.datasets import FoundDataset
from core.errors import FusionError

Subset = Literal["train", "validation", "problem"]
TrainPhase = Literal[
    "setup", "starting", "running", "pausing", "paused", "stopping", "done", "failed", "set aside"
]
"""Phase of a run. ``setup``: there is none. ``set aside``: stopped with a checkpoint."""

AT_WORK: frozenset[str] = frozenset(("starting", "running", "pausing", "paused", "stopping"))
"""Phases in which a run is active on the training thread."""

TrainSettings = dict[str, Any]
"""Configuration of a run as nested dictionaries, as in a TOML or JSON file."""


class FieldSpec(Protocol):
    """The attributes of a :class:`trainer.config.form.Field` that the form uses."""

    @property
    def name(self) -> str:
        """Dotted path into :data:`TrainSettings`."""

    @property
    def title(self) -> str:
        """Label of the field."""

    @property
    def help(self) -> str:
        """Help text of one or two sentences."""

    @property
    def unit(self) -> str:
        """Unit, or ""."""

    @property
    def kind(self) -> str:
        """Type: int, float, bool, choice, text, window or file."""

    @property
    def minimum(self) -> float | None:
        """Minimum value."""

    @property
    def maximum(self) -> float | None:
        """Maximum value."""

    @property
    def step(self) -> float | None:
        """Increment of a spin box."""

    @property
    def choices(self) -> tuple[str, ...]:
        """Options of a choice."""

    @property
    def group(self) -> str:
        """Heading of its group."""


@dataclass(frozen=True)
class PreflightRow:
    """A row of the pre-flight table.

    Attributes:
        name: name of the pair or file. part: its subset.
        group: its patient or folder. reason: why it is excluded, or "".
    """

    name: str
    part: Subset
    group: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SplitGroup:
    """Numbers of training and validation pairs of a patient, folder or other group.

    ``name`` may identify a patient: it is shown, but never written to a log.
    """

    name: str
    train: int
    validation: int

    @property
    def both(self) -> bool:
        """True where the group has pairs in both subsets."""
        return bool(self.train and self.validation)


@dataclass(frozen=True, eq=False)
class DataReport:
    """Result of the survey of the data.

    Attributes:
        rows: pairs and excluded files. groups: number of patients, folders or names.
        by: the engine's name of the grouping used for the split.
        notes: warnings, one sentence each.
        survey: opaque value of the engine, passed back to it.
        sides: groups and their subsets; empty where no groups are known.
        suggested: the task suggested by file names, or "".
        medical: whether groups are called patients.
        samples: name, file A and file B of the pairs shown as examples.
        dataset: how the folder is laid out, for the run.
        validation_dataset: the same of the folder of validation pairs.
    """

    rows: tuple[PreflightRow, ...]
    groups: int
    _: KW_ONLY
    by: str
    notes: tuple[str, ...] = ()
    survey: Any = None
    sides: tuple[SplitGroup, ...] = ()
    suggested: str = ""
    medical: bool = True
    samples: tuple[tuple[str, Path, Path], ...] = ()
    dataset: FoundDataset = field(default_factory=FoundDataset)
    validation_dataset: FoundDataset = field(default_factory=FoundDataset)

    def count(self, part: Subset) -> int:
        """Number of rows of a subset."""
        return sum(row.part == part for row in self.rows)


@dataclass(frozen=True, eq=False)
class Sample:
    """Small images of a pair's sources; None where a file cannot be read."""

    name: str
    a: QImage | None
    b: QImage | None


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a run.

    Attributes:
        seconds_per_step, seconds_total: wall time. peak_bytes, free_bytes: needed and free memory.
        device: device of the run. reason: why it was chosen.
        precision: number format of the run. precision_reason: why it was chosen.
    """

    seconds_per_step: float
    seconds_total: float
    _: KW_ONLY
    peak_bytes: int
    free_bytes: int
    device: str
    reason: str
    precision: str = ""
    precision_reason: str = ""

    @property
    def fits(self) -> bool:
        """False when memory will probably not suffice; True where memory is unknown."""
        return not self.free_bytes or self.peak_bytes <= self.free_bytes


@dataclass(frozen=True)
class PackChoice:
    """A pack that can be the parent of a run."""

    name: str
    title: str
    _: KW_ONLY
    task: str
    path: Path
    embedded: bool
    network: Mapping[str, Any]


@dataclass(frozen=True)
class PresetChoice:
    """A training preset. ``build`` returns its settings for a task and a parent's file."""

    name: str
    title: str
    description: str
    build: Callable[[str, Path | None], TrainSettings]


@dataclass(frozen=True)
class DeviceOption:
    """A device option. ``name``: auto, cpu or cuda:N; ``label``, ``reason``: as in the status
    bar, for the automatic choice those of the device it selects."""

    name: str
    label: str
    reason: str


@dataclass(frozen=True)
class BackboneOffer:
    """Facts about the DINOv3 weights, shown before the download.

    Attributes:
        name: name of the weights. source: origin of the file. page: web page of the source.
        bytes: approximate size. licence, licence_page: name and URL. terms: summary of it.
        file: path on disk. sha256: hash of the existing file, "" where there is none.
    """

    name: str
    source: str
    _: KW_ONLY
    page: str
    bytes: int
    licence: str
    licence_page: str
    terms: tuple[str, ...]
    file: Path
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Fetch:
    """State of the download: offered, loading (``done`` of ``total`` bytes) or failed."""

    phase: Literal["offer", "loading", "failed"] = "offer"
    done: float = 0
    total: float = 0
    stage: str = ""
    error: FusionError | None = None


@dataclass(frozen=True, eq=False)
class Capabilities:
    """Everything the GUI needs to know about the engine to set up a run.

    Attributes:
        networks: settings of the available networks, by name.
        check: returns messages of invalid settings, by field name.
        next_name: returns an unused name for a result, given a base name.
        runs: folder of the results.
        devices: the automatic choice, then all devices. backbone: the DINOv3 weights.
        board: whether TensorBoard logs can be written.
    """

    presets: tuple[PresetChoice, ...]
    fields: tuple[FieldSpec, ...]
    _: KW_ONLY
    packs: tuple[PackChoice, ...]
    networks: Mapping[str, Mapping[str, Any]]
    check: Callable[[TrainSettings], Mapping[str, str]]
    next_name: Callable[[str], str]
    runs: Path
    devices: tuple[DeviceOption, ...] = ()
    backbone: BackboneOffer | None = None
    board: bool = False


@dataclass(frozen=True)
class OpenRun:
    """An unfinished run that can be resumed.

    Attributes:
        damage: why it cannot be resumed, "" where it can.
        settings: initial settings. shown: the same with all defaults, for the form.
        handle: opaque value of the engine, passed back to it.
    """

    name: str
    task: str = ""
    step: int = 0
    steps: int = 0
    when: float = 0.0
    _: KW_ONLY
    damage: str = ""
    settings: TrainSettings = field(default_factory=dict)
    shown: TrainSettings = field(default_factory=dict)
    handle: Any = None


@dataclass(frozen=True)
class RunProgress:
    """Progress of a run.

    Attributes:
        pace: seconds per step. memory: bytes used by this process or on the GPU; 0 if unknown.
        device, precision: where and in which number format it computes; reason, precision_reason:
            why.
    """

    step: int = 0
    steps: int = 0
    _: KW_ONLY
    pace: float = 0.0
    memory: int = 0
    device: str = ""
    reason: str = ""
    precision: str = ""
    precision_reason: str = ""
    rates: tuple[float, float] = (0.0, 0.0)
    best_step: int = 0

    @property
    def seconds_left(self) -> float | None:
        """Estimated remaining time; None while unknown."""
        return (self.steps - self.step) * self.pace if self.pace else None


@dataclass(frozen=True)
class SavedPack:
    """The pack of a finished run.

    Attributes:
        name: name given by the user. pack: the file. kept: “best” or “last” state.
        parent: file of the parent pack, or None.
        scores: metrics on the validation pairs; empty without any.
        score: relative to the start (1), higher is better; 0 without validation.
        since: step that it is relative to instead, where the validation pairs changed; else 0.
        report: the model card.
    """

    name: str
    pack: Path
    _: KW_ONLY
    task: str
    step: int
    best_step: int
    kept: str
    parent: Path | None
    scores: Mapping[str, float]
    score: float = 0.0
    since: int = 0
    report: Path = Path()


@dataclass(frozen=True)
class ScoreRow:
    """A metric of two packs, averaged over the same pairs.

    Attributes:
        name, title: short and long name of the metric. parent, child: its values.
        better: 1 where the new pack is clearly better, -1 where its parent is, else 0.
    """

    name: str
    title: str
    parent: float
    child: float
    better: int


def network_name(settings: TrainSettings) -> str:
    """The name of the network, as in ``Capabilities.networks``, that settings come closest to."""
    if get(settings, "network.backbone.kind") != "dinov3":
        return "compact"
    return "paper" if get(settings, "network.stride") == 1 else "dinov3-compact"


def get(settings: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted path, or None."""
    found: Any = settings
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def put(settings: TrainSettings, name: str, value: Any) -> TrainSettings:
    """A copy of ``settings`` with the value at a dotted path replaced."""
    head, _, rest = name.partition(".")
    if not rest:
        return {**settings, head: value}
    inner = settings.get(head)
    return {**settings, head: put(dict(inner) if isinstance(inner, Mapping) else {}, rest, value)}
