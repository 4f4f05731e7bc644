"""How a batch and its rows are getting on, as values."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.pairs.edits import PairKey
from core.errors import FusionError

if TYPE_CHECKING:
    from core.batch import BatchFinished

BatchPhase = Literal["idle", "finding", "running", "paused", "stopping"]

OVER = ("done", "skipped", "failed")
UNDER_WAY = ("queued", "reading", "fusing", "writing")


@dataclass(frozen=True, slots=True)
class RowNow:
    """How a row is getting on; ``state`` as in :class:`core.batch.RowEvent`."""

    state: str
    text: str = ""
    _: KW_ONLY
    seconds: float = 0.0
    output: Path | None = None
    notes: tuple[str, ...] = ()
    differs: bool = False
    """It failed because the two sizes differ."""


class RowStates(Mapping[PairKey, RowNow]):
    """What is known of each row, with the number of failed ones at hand."""

    def __init__(self) -> None:
        self._rows: dict[PairKey, RowNow] = {}
        self.failed = 0

    def __getitem__(self, key: PairKey) -> RowNow:
        return self._rows[key]

    def __iter__(self) -> Iterator[PairKey]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, key: PairKey, now: RowNow) -> None:
        """Take note of how a row is getting on."""
        before = self._rows.get(key)
        self.failed += (now.state == "failed") - (before is not None and before.state == "failed")
        self._rows[key] = now

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()
        self.failed = 0

    def forget(self, keys: Iterable[PairKey]) -> None:
        """Know nothing of these any more."""
        for key in keys:
            row = self._rows.pop(key, None)
            self.failed -= row is not None and row.state == "failed"

    @property
    def of_other_size(self) -> tuple[PairKey, ...]:
        """Rows that failed because their two sizes differ."""
        return tuple(key for key, row in self._rows.items() if row.differs)

    def keep_only(self, keys: Container[PairKey]) -> bool:
        """Forget the others; whether there were any."""
        others = [key for key in self._rows if key not in keys]
        for key in others:
            self.failed -= self._rows.pop(key).state == "failed"
        return bool(others)


@dataclass(frozen=True)
class Ending:
    """How a run ended: with a report, with an error, or (neither) because somebody stopped it."""

    finished: BatchFinished | None = None
    error: FusionError | None = None
