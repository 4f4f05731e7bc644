"""Reads other frames of the series on show, while these stay on screen."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.fuse import volume_tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.results import Sources
from app.fuse.slice_view import SliceView
from app.fuse.state import Activity
from app.fuse.studies import Frames, ListedSeries
from app.workers import Runner
from core.errors import FusionError

if TYPE_CHECKING:
    from app.fuse.slice_view import Accepted


class FrameReader(QObject):
    """Reads one request at a time; a later one, or any other request of its tracker, ends it."""

    done = Signal(object)
    """The :class:`Sources` of the frames asked for last."""
    left = Signal()
    """They will not come: the reading failed, or ended before its time."""

    def __init__(self, files: Runner, jobs: JobTracker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files = files
        self._jobs = jobs
        self._generation = 0
        self.frames: Frames | None = None
        """Those that are being read."""

    def read(
        self,
        pair: ListedSeries,
        frames: Frames,
        accept: Collection[Accepted],
        view: SliceView,
    ) -> None:
        """Read ``frames`` and render the slice ``view`` of them.

        Args:
            accept: what a person has accepted of the series.
        """
        old = view.volumes.frames
        changed = next(n for n, o in zip(frames, old, strict=True) if n != o)
        self.frames, self._generation = frames, self._jobs.generation
        work = partial(volume_tasks.open_frames, pair, frames, accept, view)
        self._jobs.track(
            "load",
            self._files.submit(work, key="load"),
            finished=partial(self._finished, self._generation),
            failed=partial(self._failed, self._generation),
            cancelled=partial(self._end, self._generation),
            activity=Activity(self.tr("Reading frame {0}").format(changed + 1)),
        )

    def forget(self) -> None:
        """Let go of what is being read, without a signal."""
        self.frames = None

    def _finished(self, generation: int, sources: Sources) -> None:
        if self._is_current(generation):
            self.frames = None
            self.done.emit(sources)

    def _failed(self, generation: int, error: FusionError) -> None:
        if self._is_current(generation):
            self._end(generation)
            self._jobs.show_error("open", error)

    def _end(self, generation: int) -> None:
        if self._is_current(generation):
            self.frames = None
            self.left.emit()

    def _is_current(self, generation: int) -> bool:
        return self.frames is not None and generation == self._generation
