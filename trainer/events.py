"""Events that a training run yields. Plain values: the run does not know its consumers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

from core.types import FloatArray

Kept = Literal["best", "last"]


@dataclass(frozen=True)
class Started:
    """The data has been read and training is about to start, or to resume at ``step``.

    Attributes:
        step: steps done before.
        steps: steps of the whole run.
        pairs, validation: number of training pairs and of validation pairs.
        problems: files that could not be used, one sentence each.
        device, device_reason: the device of the run and the reason for choosing it.
        precision, precision_reason: the number format of the networks and the reason for it.
        notes: further remarks for the user.
        batch: crops per step.
    """

    step: int
    steps: int
    _: KW_ONLY
    pairs: int
    problems: tuple[str, ...]
    device: str
    device_reason: str = ""
    precision: str = ""
    precision_reason: str = ""
    validation: int = 0
    notes: tuple[str, ...] = ()
    batch: int = 0


@dataclass(frozen=True)
class Stepped:
    """Mean loss terms since the last such event, and the speed.

    ``memory``: bytes in use, of the process on a CPU and of torch on a GPU; 0 if unknown.
    """

    step: int
    losses: Mapping[str, float]
    lr_lower: float
    lr_upper: float
    seconds_per_step: float
    _: KW_ONLY
    memory: int = 0


@dataclass(frozen=True, eq=False)
class PreviewImages:
    """The first validation pair and its fusion, H×W×ch in [0, 1] each.

    ``start`` is the fused image before the first step, that is, of the parent if there is one.
    """

    a: FloatArray
    b: FloatArray
    now: FloatArray
    start: FloatArray


@dataclass(frozen=True, eq=False)
class Validated:
    """Mean scores over the validation pairs; at step 0 those of the start.

    Attributes:
        since: step that the score compares with, 0 for the start. Another one where the validation
            pairs changed when the run was resumed: scores of before are of other pairs.
        score: one number for all scores, 1 for the start; see :func:`trainer.run.score.score`.
        best: no state before this one scored as high; it was kept. The start is the first.
    """

    step: int
    scores: Mapping[str, float]
    strip: PreviewImages
    score: float = 1.0
    best: bool = False
    _: KW_ONLY
    since: int = 0


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Paused:
    """The run is paused, with a checkpoint on disk, until it is resumed, stopped or cancelled."""

    step: int


@dataclass(frozen=True)
class Resumed:
    """The run continues after a pause."""

    step: int


@dataclass(frozen=True)
class RatesChanged:
    """The learning rates of the next step, as set by the user; the decay continues from them."""

    step: int
    lower: float
    upper: float


@dataclass(frozen=True)
class MemoryRanOut:
    """The batch did not fit into memory; asks whether to continue with ``smaller`` crops per step.

    The run waits for :meth:`trainer.run.control.RunControl.allow_smaller_batch`, stop or cancel.
    Steps after ``step``, the last saved state, are repeated.
    """

    step: int
    batch: int
    smaller: int


@dataclass(frozen=True)
class Reduced:
    """The batch size is ``batch`` from here on; the learning rates are unchanged."""

    step: int
    batch: int


@dataclass(frozen=True)
class Finished:
    """The pack is written.

    Attributes:
        step: steps done. pack: the file. scores: of what is in it, {} without validation.
        kept: whether the pack holds the best validated state or the last one.
        best_step: the step whose state is in the pack; 0 is the start, where nothing was better.
        report: the model card. curves: the log with every point of every curve.
        score: of what is in the pack, 0 without validation; below 1 (which only the last state can
            be) the start was better. since: as in :class:`Validated`.
    """

    step: int
    pack: Path
    _: KW_ONLY
    scores: Mapping[str, float]
    kept: Kept = "last"
    best_step: int = 0
    report: Path = Path()
    curves: Path = Path()
    score: float = 0.0
    since: int = 0


TrainEvent = (
    Started
    | Stepped
    | Validated
    | Saved
    | Paused
    | Resumed
    | RatesChanged
    | MemoryRanOut
    | Reduced
    | Finished
)
