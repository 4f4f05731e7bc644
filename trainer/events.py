"""What a training run tells its listener. Values only: the run knows nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.types import FloatArray


@dataclass(frozen=True)
class Started:
    """The data is read and training is about to begin (or to go on at ``step``)."""

    step: int
    steps: int
    pairs: int
    problems: tuple[str, ...]
    device: str


@dataclass(frozen=True)
class Stepped:
    """Loss terms averaged since the last such event, and the pace."""

    step: int
    losses: Mapping[str, float]
    lr_lower: float
    lr_upper: float
    seconds_per_step: float


@dataclass(frozen=True, eq=False)
class Validated:
    """Mean figures over the validation pairs; ``strip`` is A | B | fused of the first pair."""

    step: int
    figures: Mapping[str, float]
    strip: FloatArray


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    step: int
    path: Path


@dataclass(frozen=True)
class Finished:
    """The pack is written."""

    step: int
    pack: Path
    figures: Mapping[str, float]


TrainEvent = Started | Stepped | Validated | Saved | Finished
