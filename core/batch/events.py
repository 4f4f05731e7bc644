"""Events of a running batch."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from core.batch.plan import BatchRow
from core.batch.row_record import ENDED, RowRecord, RowState


@dataclass(frozen=True)
class Tally:
    """Progress of a run.

    Attributes:
        total, done, failed, skipped: numbers of rows; skipped ones were done before.
        rate: rows per second lately, 0 while unknown.
        seconds_left: estimated; None while unknown.
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
        place: of the row in the plan. row: the row as planned. record: how far it is now.
        tally: progress of the run after this event.
        output: file of the fused image, once it exists.
    """

    place: int
    row: BatchRow
    record: RowRecord
    tally: Tally
    output: Path | None = None


@dataclass(frozen=True)
class BatchFinished:
    """The last event of a run that was neither cancelled nor stopped by an error.

    Attributes:
        tally: the final progress.
        failures: failed rows with their error text.
        files: table of metrics and contact sheet, if asked for.
    """

    tally: Tally
    failures: tuple[tuple[BatchRow, str], ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ClusterNews:
    """What is known of the workers of a cluster has changed.

    Attributes:
        workers: that get rows. seen: that the scheduler knows, those that get none included.
        text: a sentence on one of them, or "".
    """

    workers: int
    seen: int
    _: KW_ONLY
    text: str = ""


BatchEvent = RowEvent | BatchFinished | ClusterNews


class Counter:
    """Counts rows as they end, and measures the rate of the last forty."""

    _WINDOW = 40

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._ended = {"done": 0, "failed": 0, "skipped": 0}
        self._times: deque[float] = deque([clock()], maxlen=self._WINDOW)

    def count(self, state: RowState, *, before: str = "") -> None:
        """Count a row that reached ``state``; ``before`` is the state it had ended with, if any."""
        if before in ENDED:
            self._ended[before] -= 1
            self._ended[state] += 1
        elif state in ENDED:
            self._ended[state] += 1
            if state != "skipped":
                self._times.append(self._clock())

    def tally(self) -> Tally:
        """Progress so far."""
        span = self._clock() - self._times[0]
        rate = (len(self._times) - 1) / span if len(self._times) > 1 and span > 0 else 0.0
        left = self._total - sum(self._ended.values())
        return Tally(
            self._total, **self._ended, rate=rate, seconds_left=left / rate if rate else None
        )
