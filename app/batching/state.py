"""How a batch and its rows are getting on, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import FusionError

if TYPE_CHECKING:
    from core.batch import BatchFinished

Phase = Literal["idle", "finding", "running", "paused", "stopping"]

OVER = ("done", "skipped", "failed")
UNDER_WAY = ("queued", "reading", "fusing", "writing")


@dataclass(frozen=True, slots=True)
class RowNow:
    """How a row is getting on; ``state`` as in :class:`core.batch.RowEvent`."""

    state: str
    text: str = ""
    seconds: float = 0.0
    output: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ending:
    """How a run ended: with a report, with an error, or (neither) because somebody stopped it."""

    finished: BatchFinished | None = None
    error: FusionError | None = None
