"""The steps of a row as the scheduler takes them, whatever its sources are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from core.alignment.aligning import Aligned
from core.batch.plan import BatchPlan, BatchRow
from core.batch.row_record import FileStamp
from core.batch.stages import read_row, request_for, write_row
from core.fusion.protocol import Engine
from core.progress import Progress
from core.types import FusionResult, SourcePair


class RowSteps(Protocol):
    """The steps of one row. What one makes is for the next."""

    aligned: Aligned
    """How the sources were brought onto each other, once they have been read."""

    def read(self, progress: Progress) -> tuple[Any, tuple[FileStamp, FileStamp]]:
        """Read the sources; also gives the stamps of their files."""

    def fuse(self, engine: Engine, pair: Any, progress: Progress, beside_others: bool) -> Any:
        """Fuse what was read."""

    def made_by(self, result: Any) -> Mapping[str, str] | None:
        """Method ("method") and weights ("weights_sha256") of a result, which are checked; None
        where nothing was fused.
        """

    def facts(self, pair: Any) -> dict[str, str] | None:
        """What the result depends on, for the record; None for pictures."""

    def write(self, pair: Any, result: Any) -> tuple[int, dict[str, float], tuple[str, ...]]:
        """Write the files; gives the size of the result, metrics and notes."""

    def close(self) -> None:
        """Throw away what was fused and has not been written."""


class PictureSteps:
    """The steps of a row of two pictures."""

    def __init__(self, row: BatchRow, plan: BatchPlan, *, tiles: bool) -> None:
        self._row, self._plan, self._tiles = row, plan, tiles
        self.aligned = Aligned()

    def read(self, progress: Progress) -> tuple[SourcePair, tuple[FileStamp, FileStamp]]:
        """Both pictures, and the stamps of their files."""
        pair, stamps, self.aligned = read_row(self._row, self._plan, progress)
        return pair, stamps

    def fuse(
        self, engine: Engine, pair: SourcePair, progress: Progress, beside_others: bool
    ) -> FusionResult:
        """Fuse them."""
        request = request_for(pair, self._plan, tiles=self._tiles)
        return engine.fuse(request, progress, beside_others=beside_others)

    def made_by(self, result: FusionResult) -> Mapping[str, str]:
        """Its method and weights."""
        return {**result.provenance, "method": result.method}

    def facts(self, pair: SourcePair) -> None:
        """Nothing: files and settings say it all."""
        return

    def write(
        self, pair: SourcePair, result: FusionResult
    ) -> tuple[int, dict[str, float], tuple[str, ...]]:
        """As :func:`core.batch.stages.write_row`."""
        result = replace(result, notes=(*self.aligned.notes, *result.notes))
        return write_row(self._row, self._plan, pair, result)

    def close(self) -> None:
        """Nothing: pictures are in memory."""
