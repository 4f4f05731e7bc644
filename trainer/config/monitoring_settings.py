"""Settings of monitoring: how often a run logs, validates and saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from core.errors import Message
from core.setting import Setting


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """Intervals in steps; 0 disables.

    Attributes:
        log_every: steps between two points of the curves.
        validate_every: steps between two validations; before the first step and at the end there
            is always one, where there are pairs to judge by.
        validate_pairs: largest number of pairs to validate on, spread evenly; 0 uses all.
        checkpoint_every: steps between two checkpoints.
    """

    log_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Curve points every"),
            Message("0 draws no curves."),
            Message("steps"),
            Message("Watching"),
            5,
        ),
    ] = 20
    validate_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Judge every"),
            Message("0 judges before the first step and at the end only."),
            Message("steps"),
            Message("Watching"),
            50,
        ),
    ] = 500
    validate_pairs: Annotated[
        int,
        Interval(ge=0, le=1_000_000),
        Setting(
            Message("Pairs to judge by"),
            Message("At most, spread over all; 0 takes all."),
            Message("pairs"),
            Message("Watching"),
            4,
        ),
    ] = 0
    checkpoint_every: Annotated[
        int,
        Interval(ge=0, le=10_000_000),
        Setting(
            Message("Save every"),
            Message("0 saves on pause and close only."),
            Message("steps"),
            Message("Watching"),
            50,
        ),
    ] = 200
