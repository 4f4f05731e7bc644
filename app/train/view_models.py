"""What the Train workspace shows, as plain values. No widgets, no torch, no trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from PySide6.QtGui import QImage

from core.errors import FusionError

Subset = Literal["train", "validation", "problem"]
TrainPhase = Literal[
    "setup", "starting", "running", "pausing", "paused", "stopping", "done", "failed", "set aside"
]
"""Where a run is. ``setup``: there is none. ``set aside``: its state is kept, nothing works."""

AT_WORK: frozenset[str] = frozenset(("starting", "running", "pausing", "paused", "stopping"))
"""Phases in which the training thread has a run in its hands."""

TrainSettings = dict[str, Any]
"""A run's configuration as plain nested data, as in a TOML or JSON file."""


class FieldSpec(Protocol):
    """What the form needs of a :class:`trainer.config.form.Field`."""

    @property
    def name(self) -> str:
        """Dotted path into :data:`TrainSettings`."""

    @property
    def title(self) -> str:
        """Label."""

    @property
    def help(self) -> str:
        """One or two sentences."""

    @property
    def unit(self) -> str:
        """Unit, or ""."""

    @property
    def kind(self) -> str:
        """int, float, bool, choice, text or file."""

    @property
    def minimum(self) -> float | None:
        """Smallest value."""

    @property
    def maximum(self) -> float | None:
        """Largest value."""

    @property
    def step(self) -> float | None:
        """What one press of an arrow adds."""

    @property
    def choices(self) -> tuple[str, ...]:
        """What a choice can be."""

    @property
    def group(self) -> str:
        """Heading it stands under."""


@dataclass(frozen=True)
class PreflightRow:
    """One line of the pre-flight table.

    Attributes:
        name: of the pair or file. part: what becomes of it.
        group: patient or folder it belongs to. reason: why it is left out, or "".
    """

    name: str
    part: Subset
    group: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SplitGroup:
    """A patient, folder or other group: how many of its pairs are learnt from, and checked with.

    ``name`` may be a patient's, so it is shown and never written to a log.
    """

    name: str
    train: int
    validation: int

    @property
    def both(self) -> bool:
        """True where its pairs are on both sides."""
        return bool(self.train and self.validation)


@dataclass(frozen=True, eq=False)
class DataReport:
    """What was found in the data folders.

    Attributes:
        rows: pairs and what is left out. groups: number of patients (or folders, names).
        by: what keeps pairs together in the split, in the engine's word.
        notes: what a person should know, one sentence each.
        survey: the engine's own value, handed back to it.
        sides: what is kept together, and on which side; empty where nothing is known of it.
        suggested: the task that names speak of, or "".
        medical: groups may be called patients.
        samples: files A and B of some pairs, to be shown.
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

    def count(self, part: Subset) -> int:
        """How many rows are of a part."""
        return sum(row.part == part for row in self.rows)


@dataclass(frozen=True, eq=False)
class Sample:
    """A pair as a small image of each source; None where a file cannot be read."""

    name: str
    a: QImage | None
    b: QImage | None


@dataclass(frozen=True)
class Cost:
    """What a run will take.

    Attributes:
        seconds_per_step, seconds_total: by the clock. peak_bytes: of memory; free_bytes: there is.
        device: where it will run, and ``reason`` why.
    """

    seconds_per_step: float
    seconds_total: float
    _: KW_ONLY
    peak_bytes: int
    free_bytes: int
    device: str
    reason: str

    @property
    def fits(self) -> bool:
        """False when it will probably run out of memory. Unknown memory is no reason to worry."""
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
    """A ready-made way to train. ``build`` gives its settings for a task and a parent's file."""

    name: str
    title: str
    description: str
    build: Callable[[str, Path | None], TrainSettings]


@dataclass(frozen=True)
class DeviceOption:
    """A device that can be chosen. ``name``: auto, cpu or cuda:N; ``label``, ``reason``: as in
    the status bar, of the automatic choice those of the device it takes."""

    name: str
    label: str
    reason: str


@dataclass(frozen=True)
class BackboneOffer:
    """What there is to know of DINOv3 before it is fetched.

    Attributes:
        name: of the weights. source: where they come from, page: of it, for a browser.
        bytes: about how large. licence: its name, at ``licence_page``; terms: in our words.
        file: where they are kept. sha256: of the file that is there; "" while there is none.
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
    """How fetching stands: told about (offer), under way (loading: done of total bytes), failed."""

    phase: Literal["offer", "loading", "failed"] = "offer"
    done: float = 0
    total: float = 0
    stage: str = ""
    error: FusionError | None = None


@dataclass(frozen=True, eq=False)
class Capabilities:
    """Everything the window must know of the engine before a run can be set up.

    Attributes:
        networks: settings of the networks there are, by name.
        check: message by field name for settings that cannot be used.
        next_name: a free name for a result, given a base.
        runs: where results go.
        devices: the automatic choice, then those there are. backbone: DINOv3, there or to fetch.
        board: whether a TensorBoard log can be written.
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
    """A run that was left before its end and can go on.

    Attributes:
        damage: why it cannot go on after all, "" where it can.
        settings: as it was begun. shown: the same for a form, with everything spelt out.
        handle: the engine's own value, handed back to it.
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
    """How a run is going.

    Attributes:
        pace: seconds per step. memory: bytes in use by this program (or on the GPU); 0: unknown.
    """

    step: int = 0
    steps: int = 0
    _: KW_ONLY
    pace: float = 0.0
    memory: int = 0
    device: str = ""
    reason: str = ""
    rates: tuple[float, float] = (0.0, 0.0)
    best_step: int = 0

    @property
    def seconds_left(self) -> float | None:
        """Time the rest will take; None when not known yet."""
        return (self.steps - self.step) * self.pace if self.pace else None


@dataclass(frozen=True)
class SavedPack:
    """A finished run's pack.

    Attributes:
        name: as the person called it. pack: the file. kept: “best” or “last” state.
        parent: file of the pack it started from, or None.
        scores: over the validation pairs; empty without any.
        score: 1 is the start, more is better; 0 without validation. report: the model card.
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
    report: Path = Path()


@dataclass(frozen=True)
class ScoreRow:
    """One metric of two packs, the mean over the same pairs.

    Attributes:
        name, title: of the metric, short and long. parent, child: its values.
        better: 1 where the new pack is visibly better, -1 where its parent is, else 0.
    """

    name: str
    title: str
    parent: float
    child: float
    better: int


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
