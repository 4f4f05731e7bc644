"""Metrics of results, what they lose, thumbnails of channels, tags: each on a thread of its own."""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.compute.remote import compute
from app.fuse.measuring import Measurable, MetricColumn, measure, metric_columns
from app.fuse.result_images import features_of
from app.fuse.results import Outcome
from app.fuse.retention import RetentionWatch
from app.fuse.slice_view import OpenVolumes
from app.fuse.state import FuseState, Problem
from app.fuse.volume_tasks import tags_of
from app.viewer.display_state import AdapterName
from app.viewer.pyramid import rendered_image
from app.viewer.rendering import thumbnail
from app.workers import Job, Runner
from core.progress import Progress
from core.types import FusionResult


def channel_thumbs(
    outcome: Outcome, adapter: AdapterName, side: int, progress: Progress
) -> list[QImage]:
    """Thumbnails of all channels of an adapter, at most ``side`` pixels wide and high."""
    from core.fusion.feature_maps import feature_pixels

    features = features_of(outcome.result, adapter)
    if features is None or outcome.basis is None:
        return []
    thumbs = []
    for channel in range(features.shape[0]):
        progress.check()
        pixels = feature_pixels(features, outcome.basis, "channel", channel)
        thumbs.append(thumbnail(rendered_image(pixels), side))
    return thumbs


class Measurements(QObject):
    """Computes metrics, renders channels and lists tags on request."""

    metrics_changed = Signal()
    thumbs_ready = Signal(object)
    """list[QImage] of the result on screen."""

    def __init__(self, session: FuseState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._measuring = Runner("measure", self, background=True)
        self._drawing = Runner("small pictures", self, background=True)
        self._listing = Runner("tags", self, background=True)
        self._retention = RetentionWatch(session, self)
        self._values: WeakKeyDictionary[FusionResult, dict[str, float]] = WeakKeyDictionary()
        self._measure_job: Job | None = None
        self._thumbs_job: Job | None = None
        self.columns: tuple[MetricColumn, ...] = ()
        self._closed = False
        session.sources_changed.connect(self._supersede)

    def shutdown(self) -> None:
        """Cancel everything and wait for the threads."""
        self._closed = True
        self._measuring.shutdown()
        self._drawing.shutdown()
        self._listing.shutdown()
        self._retention.shutdown()

    def _supersede(self) -> None:
        """Cancel all work for the previous pair."""
        old = (self._measure_job, self._thumbs_job)
        self._measure_job = self._thumbs_job = None
        for job in old:
            if job is not None:
                job.cancel()

    # --- metrics ---------------------------------------------------------------------------

    def values(self, outcome: Outcome) -> dict[str, float]:
        """The metrics known of a result, by name."""
        return self._values.get(outcome.result, {})

    def measure(self) -> None:
        """Compute missing metrics of this pair's results, that on screen first."""
        session = self._session
        shown = session.outcome
        if self._closed or shown is None:
            return
        if not self.columns:
            job = self._measuring.submit(compute(metric_columns), key="columns")
            job.finished.connect(self._set_columns)
        missing = [
            r
            for r in sorted(session.results, key=lambda r: r is not shown)
            if len(self.values(r)) < max(1, len(self.columns))
        ]
        if self._measure_job is not None:
            self._measure_job.cancel()
            self._measure_job = None
        if missing:
            job = self._measure_job = self._measuring.submit(
                compute(measure, [Measurable.of(one) for one in missing]), key="measure"
            )
            job.yielded.connect(partial(self._measured, [one.result for one in missing]))
            job.failed.connect(self._fail)

    def _set_columns(self, columns: tuple[MetricColumn, ...]) -> None:
        self.columns = columns
        self.metrics_changed.emit()

    def _measured(self, results: list[FusionResult], found: tuple[int, str, float]) -> None:
        index, name, value = found
        self._values.setdefault(results[index], {})[name] = value
        self.metrics_changed.emit()

    # --- channels --------------------------------------------------------------------------

    def draw_channels(self, adapter: AdapterName, side: int) -> None:
        """Render thumbnails of all channels of the result on screen, at most ``side`` pixels."""
        outcome = self._session.outcome
        if self._thumbs_job is not None:
            self._thumbs_job.cancel()
            self._thumbs_job = None
        if self._closed or outcome is None:
            return
        work = partial(channel_thumbs, outcome, adapter, side)
        job = self._thumbs_job = self._drawing.submit(work, key="channels")
        job.finished.connect(self.thumbs_ready)
        job.failed.connect(self._fail)

    # --- tags ------------------------------------------------------------------------------

    def list_tags(self, volumes: OpenVolumes) -> Job:
        """Read the tags of both series; the job gives what ``volume_tasks.tags_of`` returns."""
        return self._listing.submit(partial(tags_of, volumes), key="tags")

    def _fail(self, error: Any) -> None:
        if not self._closed:
            self._session.set_problem(Problem(error))
