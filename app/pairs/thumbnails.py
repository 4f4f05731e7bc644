"""Thumbnails of pairs, created in the background for the visible rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.compute.remote import compute
from app.pairs.edits import PairKey
from app.pairs.thumbnail_tasks import small_pair
from app.viewer.pyramid import source_image
from app.viewer.rendering import thumbnail
from app.workers import Job, Runner
from core.errors import FusionError
from core.progress import Progress
from core.types import Image, PairTransform

_ENOUGH = 8
"""Minimum number of image pixels sampled per thumbnail pixel."""

_WAITING = 80
"""Maximum queue length: rows dropped from it are requested again when they become visible."""

_AS_THEY_ARE: Mapping[PairKey, PairKey] = MappingProxyType({})
_AS_THEY_LIE: Mapping[PairKey, PairTransform] = MappingProxyType({})


def draw_waiting(
    waiting: deque[PairKey],
    side: int,
    progress: Progress,
    shown: Mapping[PairKey, PairKey] = _AS_THEY_ARE,
    moved: Mapping[PairKey, PairTransform] = _AS_THEY_LIE,
) -> Iterator[Any]:
    """Yield (key, thumbnail A, thumbnail B), last request first, until the queue is empty.

    Args:
        shown: files that are shown instead of those of a pair, such as the middle slices of series.
        moved: by which one picture of a pair is shown on the other one.
    """
    while True:
        progress.check()
        try:
            key = waiting.pop()
        except IndexError:
            return
        a, b = shown.get(key, key)
        if key in moved:
            yield key, *compute(small_pair, a, b, moved[key], side)(progress)
        else:
            yield key, _small(a, side), _small(b, side)


def _small(path: Path, side: int) -> QImage | None:
    try:
        image = _image(path)
        # A thumbnail shows few pixels of a large image: most need not be processed.
        step = max(1, max(image.size) // (_ENOUGH * side))
        if step > 1:
            image = image.part(np.s_[::step, ::step])
        return thumbnail(source_image(image), side)
    except (FusionError, MemoryError):
        return None  # the error is shown when the pair is opened


def _image(path: Path) -> Image:
    """The image in a file, or the middle slice of a volume or of a folder of slices."""
    from core.io import read_image

    if path.name.lower().endswith((".nii", ".nii.gz")):
        from core.io.volume_preview import middle_slice_image

        return middle_slice_image(path)
    if path.is_dir():
        slices = sorted(path.glob("*.png"))
        path = slices[len(slices) // 2] if slices else path
    return read_image(path)


class ThumbnailLoader(QObject):
    """Creates thumbnails on one thread, last request first."""

    ready = Signal(object, object, object)
    """Key, thumbnail A, thumbnail B (None where the file cannot be read)."""

    def __init__(self, side: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._runner = Runner("thumbnails", self, background=True)
        self._waiting: deque[PairKey] = deque()
        self._asked: set[PairKey] = set()
        self._job: Job | None = None
        self._closed = False
        self._shown: dict[PairKey, PairKey] = {}
        self._moved: dict[PairKey, PairTransform] = {}

    def show_instead(self, shown: Mapping[PairKey, PairKey]) -> None:
        """Files that stand for those of pairs from now on; see :func:`draw_waiting`."""
        self._shown = dict(shown)

    def show_moved(self, moved: Mapping[PairKey, PairTransform]) -> None:
        """By which pictures are shown on their partners from now on; see :func:`draw_waiting`."""
        self._moved = dict(moved)

    def want(self, key: PairKey) -> None:
        """Request the thumbnails of a pair."""
        if self._closed or key in self._asked:
            return
        self._asked.add(key)
        self._waiting.append(key)
        while len(self._waiting) > _WAITING:
            self._asked.discard(self._waiting.popleft())
        self._start()

    def _start(self) -> None:
        if self._job is not None or self._closed or not self._waiting:
            return
        job = self._job = self._runner.submit(
            partial(draw_waiting, self._waiting, self._side, shown=self._shown, moved=self._moved)
        )
        job.yielded.connect(self._drawn)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(self._ended)

    def _drawn(self, found: tuple[PairKey, QImage | None, QImage | None]) -> None:
        self._asked.discard(found[0])
        self.ready.emit(*found)

    def _ended(self, *_answer: object) -> None:
        self._job = None
        self._start()

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
        self._closed = True
        self._waiting.clear()
        self._runner.shutdown()
