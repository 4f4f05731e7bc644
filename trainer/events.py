"""What a training run tells its listener. Values only: the run knows nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

from core.types import FloatArray

Kept = Literal["best", "last"]


@dataclass(frozen=True)
class Started:
    """The data is read and training is about to begin (or to go on at ``step``).

    Attributes:
        step: steps done before. steps: those of the whole run.
        pairs, validation: pairs trained on, and pairs held back to judge by.
        problems: what could not be used, one sentence each.
        device, device_reason: where it runs and why there.
        notes: what a person should know besides.
        batch: crops per step.
    """

    step: int
    steps: int
    _: KW_ONLY
    pairs: int
    problems: tuple[str, ...]
    device: str
    device_reason: str = ""
    validation: int = 0
    notes: tuple[str, ...] = ()
    batch: int = 0


@dataclass(frozen=True)
class Stepped:
    """Loss terms averaged since the last such event, and the pace.

    ``memory``: bytes in use, by the process on a CPU, by torch on a GPU; 0 when unknown.
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
    """The first validation pair as the network saw and fused it, H×W×ch in [0, 1] each.

    ``start`` is the fused image before the first step: what the parent makes of the pair.
    """

    a: FloatArray
    b: FloatArray
    now: FloatArray
    start: FloatArray


@dataclass(frozen=True, eq=False)
class Validated:
    """Mean figures over the validation pairs; at step 0 those of the start.

    Attributes:
        score: one number for all figures, 1 for the start; see :func:`trainer.run.score.score`.
        best: no state before this one scored as high; it was kept. The start is the first.
    """

    step: int
    figures: Mapping[str, float]
    strip: PreviewImages
    score: float = 1.0
    best: bool = False


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Paused:
    """The run waits, with a checkpoint on disk, until it is resumed, stopped or cancelled."""

    step: int


@dataclass(frozen=True)
class Resumed:
    """The run goes on after a pause."""

    step: int


@dataclass(frozen=True)
class RatesChanged:
    """The learning rates of the next step, as a person set them; the decay goes on from there."""

    step: int
    lower: float
    upper: float


@dataclass(frozen=True)
class MemoryRanOut:
    """A question: the batch did not fit; may the run go on with ``smaller`` crops a step?

    The run waits for :meth:`trainer.run.control.RunControl.allow_smaller_batch`, stop or cancel.
    What was done after step ``step``, the last good state, is done again.
    """

    step: int
    batch: int
    smaller: int


@dataclass(frozen=True)
class Reduced:
    """The batch is ``batch`` crops from here on; the learning rates are as they were."""

    step: int
    batch: int


@dataclass(frozen=True)
class Finished:
    """The pack is written.

    Attributes:
        step: steps done. pack: the file. figures: of what is in it, {} without validation.
        kept: whether the pack holds the best validated state or the last one.
        best_step: the step whose state is in the pack; 0 is the start, where nothing was better.
        report: the model card. curves: the log with every point of every curve.
        score: of what is in the pack, 0 without validation; below 1 (which only the last state can
            be) the start was better.
    """

    step: int
    pack: Path
    _: KW_ONLY
    figures: Mapping[str, float]
    kept: Kept = "last"
    best_step: int = 0
    report: Path = Path()
    curves: Path = Path()
    score: float = 0.0


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
