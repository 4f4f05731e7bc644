"""Headers of the files of a batch, read in the background before anything is fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.batch import tasks
from app.pairs.edits import PairKey
from app.workers import Job, Runner

if TYPE_CHECKING:
    from core.batch import PairHeader


class HeaderInspector(QObject):
    """Reads sizes and problems of pairs from the headers of their files."""

    inspected = Signal(object)
    """Keys of pairs whose headers have been read."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._runner = Runner("batch headers", self)
        self._job: Job | None = None
        self._headers: dict[PairKey, PairHeader] = {}
        self._closed = False

    @property
    def headers(self) -> Mapping[PairKey, PairHeader]:
        """Headers that have been read, by pair, including pairs that were removed."""
        return self._headers

    def inspect(self, keys: Sequence[PairKey]) -> None:
        """Read the headers of ``keys`` that are not known yet; replaces the previous request."""
        self._drop()
        wanted = [key for key in keys if key not in self._headers]
        if wanted and not self._closed:
            self._job = self._runner.submit(partial(tasks.inspect_pairs, wanted, self._headers))
            self._job.yielded.connect(self._store)

    def _drop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _store(self, found: list[tuple[PairKey, PairHeader]]) -> None:
        self._headers.update(found)
        self.inspected.emit([key for key, _ in found])

    def clear(self) -> None:
        """Forget all headers."""
        self._drop()
        self._headers.clear()

    def shutdown(self) -> None:
        """Stop reading, and wait for the thread."""
        self._closed = True
        self._runner.shutdown()
