"""Changes that a person makes to the pairs of a batch, by rows of the table."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from app.batch.controller import BatchController
from app.pairs.edits import files_of, key_of, moved
from core.pairing.plan import PairingPlan
from core.types import SeriesHeader, SourceSide


class PairEdits:
    """Edits the pairs of a :class:`BatchController`, which does nothing during a run."""

    def __init__(self, batch: BatchController) -> None:
        self._batch = batch

    def _set(self, pairing: PairingPlan) -> None:
        if not self._batch.is_busy:
            self._batch.set_pairing(pairing)

    def swap(self, rows: Collection[int] | None = None) -> None:
        """Exchange A and B in ``rows`` of the table; None: in all."""
        if self._batch.pairing is not None:
            self._set(self._batch.pairing.swap(rows))

    def include(self, rows: Collection[int], used: bool) -> None:
        """Include or exclude rows."""
        plan = self._batch.pairing
        if plan is not None:
            self._set(plan.include(rows) if used else plan.exclude(rows))

    def join(self, rows: Collection[int]) -> None:
        """Pair two unpaired files, or make an unpaired file the B of a pair."""
        plan = self._batch.pairing
        files = files_of(plan, rows) if plan is not None else None
        if files is not None:
            self.pair(*files)

    def pair(self, a: Path, b: Path) -> None:
        """Pair two files by hand."""
        if self._batch.pairing is not None and a != b:
            self._set(self._batch.pairing.pair_by_hand(a, b))

    def choose_series(self, row: int, side: SourceSide, series: SeriesHeader) -> None:
        """Take a series as A or B of the study in ``row``, unless another row has both already."""
        if self._batch.pairing is not None:
            with suppress(ValueError):
                self._set(self._batch.pairing.choose_series(row, side, series))

    def add_series(self, row: int, series: SeriesHeader) -> None:
        """Add a row with A of the study in ``row`` and another series as B."""
        if self._batch.pairing is not None:
            with suppress(ValueError):
                self._set(self._batch.pairing.add_series(row, series))

    def move(self, rows: Collection[int], to: int) -> None:
        """Move rows before position ``to``; during a run this changes the order of queued rows."""
        plan = self._batch.pairing
        if plan is not None and 0 <= to <= len(plan.matches):
            self._batch.reorder(moved(plan, rows, to))

    def resample(self, rows: Collection[int], resample: bool) -> None:
        """Choose for rows whether B is resampled to the size of A."""
        self._batch.set_resample(self._keys(rows), resample)

    def align(self, rows: Collection[int], align: str) -> None:
        """Choose for rows how the pairs are laid on each other; "" for the choice of all."""
        self._batch.set_align(self._keys(rows), align)

    def _keys(self, rows: Collection[int]) -> list[tuple[Path, Path]]:
        plan = self._batch.pairing
        matches = plan.matches if plan is not None else ()
        return [key_of(matches[row]) for row in rows if row < len(matches)]
