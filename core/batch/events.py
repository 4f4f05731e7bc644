"""What a running batch tells."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

from core.batch.plan import BatchRow

RowState = Literal["queued", "reading", "fusing", "writing", "done", "failed", "skipped"]
ENDED: frozenset[str] = frozenset(("done", "failed", "skipped"))


@dataclass(frozen=True)
class Tally:
    """How far the whole is.

    Attributes:
        total, done, failed, skipped: numbers of rows; skipped ones were done before.
        rate: rows per second of late, 0 when not known yet.
        seconds_left: None when not known yet.
    """

    total: int
    _: KW_ONLY
    done: int = 0
    failed: int = 0
    skipped: int = 0
    rate: float = 0.0
    seconds_left: float | None = None

    @property
    def ended(self) -> int:
        """Rows that need no more work."""
        return self.done + self.failed + self.skipped


@dataclass(frozen=True)
class RowEvent:
    """A row changed its state.

    Attributes:
        place: of the row in the plan. row: the row.
        state: what it is now.
        text: error text of a failed row, reason of a skipped or repeated one, else "".
        seconds: time spent on it so far (reading, fusing, writing).
        output: the fused image, once it is there.
        notes: what a person should know about the result, one sentence each.
        differs: it failed because the two sizes differ; resampling B is the remedy.
        tally: the whole after this event.
    """

    place: int
    row: BatchRow
    state: RowState
    tally: Tally
    text: str = ""
    _: KW_ONLY
    seconds: float = 0.0
    output: Path | None = None
    notes: tuple[str, ...] = ()
    differs: bool = False


@dataclass(frozen=True)
class BatchFinished:
    """The last event of a run that was neither cancelled nor stopped by an error.

    Attributes:
        tally: the whole.
        failures: failed rows with their error text.
        files: table and contact sheet, if asked for.
    """

    tally: Tally
    failures: tuple[tuple[BatchRow, str], ...] = ()
    files: tuple[Path, ...] = ()


BatchEvent = RowEvent | BatchFinished


class Counter:
    """Counts rows as they end and knows the pace of late."""

    _WINDOW = 40

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._ended = {"done": 0, "failed": 0, "skipped": 0}
        self._times: deque[float] = deque([clock()], maxlen=self._WINDOW)

    def count(self, state: RowState, *, before: str = "") -> None:
        """Take note that a row came to ``state``, from ``before`` if it had ended by that."""
        if before in ENDED:
            self._ended[before] -= 1
            self._ended[state] += 1
        elif state in ENDED:
            self._ended[state] += 1
            if state != "skipped":
                self._times.append(self._clock())

    def tally(self) -> Tally:
        """The whole as it stands."""
        span = self._clock() - self._times[0]
        rate = (len(self._times) - 1) / span if len(self._times) > 1 and span > 0 else 0.0
        left = self._total - sum(self._ended.values())
        return Tally(
            self._total, **self._ended, rate=rate, seconds_left=left / rate if rate else None
        )
