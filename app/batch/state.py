"""State of a batch and its rows, as values."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app.pairs.edits import PairKey
from core.errors import FusionError

if TYPE_CHECKING:
    from core.batch import BatchFinished, RowRecord

BatchPhase = Literal["idle", "finding", "running", "paused", "stopping"]

OVER = ("done", "skipped", "failed")
UNDER_WAY = ("queued", "reading", "fusing", "writing")


class RowStates(Mapping[PairKey, "RowRecord"]):
    """The records of the rows by pair, and the number of failed ones."""

    def __init__(self) -> None:
        self._rows: dict[PairKey, RowRecord] = {}
        self.failed = 0

    def __getitem__(self, key: PairKey) -> RowRecord:
        return self._rows[key]

    def __iter__(self) -> Iterator[PairKey]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, key: PairKey, record: RowRecord) -> None:
        """Store the record of a row."""
        before = self._rows.get(key)
        self.failed += record.state == "failed"
        self.failed -= before is not None and before.state == "failed"
        self._rows[key] = record

    def update(self, records: Mapping[PairKey, RowRecord]) -> None:
        """Store the records of many rows."""
        self._rows.update(records)
        self.failed = sum(record.state == "failed" for record in self._rows.values())

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self.failed = 0

    def forget(self, keys: Iterable[PairKey]) -> None:
        """Forget the rows of ``keys``."""
        for key in keys:
            row = self._rows.pop(key, None)
            self.failed -= row is not None and row.state == "failed"

    @property
    def doubtful(self) -> tuple[PairKey, ...]:
        """Fused rows whose registration is doubtful."""
        return self._fused_with("doubtful")

    @property
    def unregistered(self) -> tuple[PairKey, ...]:
        """Rows that were fused as they lie, since their registration failed."""
        return self._fused_with("failed")

    @property
    def lost(self) -> tuple[PairKey, ...]:
        """Fused rows that lose so much of a source that it is an alarm."""
        return tuple(
            key
            for key, row in self._rows.items()
            if row.state in ("done", "skipped") and row.is_lost
        )

    def _fused_with(self, verdict: str) -> tuple[PairKey, ...]:
        return tuple(
            key
            for key, row in self._rows.items()
            if row.state in ("done", "skipped") and row.registration.get("verdict") == verdict
        )

    @property
    def of_other_size(self) -> tuple[PairKey, ...]:
        """Rows that failed because A and B differ in size."""
        return tuple(key for key, row in self._rows.items() if row.sizes_differ)

    def keep_only(self, keys: Container[PairKey]) -> bool:
        """Forget rows that are not among ``keys``; returns whether there were any."""
        others = [key for key in self._rows if key not in keys]
        for key in others:
            self.failed -= self._rows.pop(key).state == "failed"
        return bool(others)


@dataclass(frozen=True)
class Ending:
    """How a run ended: finished, with an error, or (neither) cancelled by the user."""

    finished: BatchFinished | None = None
    error: FusionError | None = None
