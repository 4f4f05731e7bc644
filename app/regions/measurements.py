"""The figures of the regions on screen, computed in the compute process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from PySide6.QtCore import QObject, Signal

from app.compute.held import Held
from app.compute.remote import compute
from app.fuse.results import Sources
from app.fuse.state import FuseState
from app.regions import tasks
from app.regions.file_tasks import RegionsRequest
from app.regions.state import RegionsState
from app.regions.tasks import Asked, Measured, RegionMeasurement
from app.workers import Job, Runner
from core.errors import FusionError
from core.regions import Annotation, Region, is_region


def subject_of(sources: Sources) -> Measured | None:
    """What is measured of the sources on screen; None while there is no pair."""
    if sources.pair is None:
        return None
    return sources.slice.volumes if sources.slice is not None else sources.pair


class RegionMeasurements(QObject):
    """Measures what is in the list and not known yet.

    Figures belong to a region as it is and to the sources that they were measured on: of others
    they are dropped, also where they arrive late.
    """

    changed = Signal()
    failed = Signal(object)
    """A :class:`core.errors.FusionError`."""

    def __init__(
        self, session: FuseState, state: RegionsState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._state = state
        self._runner = Runner("regions", self)
        self._subject: Measured | None = None
        self._held: Held[Asked] | None = None
        """What is measured of it, once something is."""
        self._known: dict[Annotation, RegionMeasurement] = {}
        self._job: Job | None = None
        self._asked: tuple[Region, ...] = ()
        """Those that it measures."""
        self._closed = False
        session.sources_changed.connect(self.follow)
        state.edited.connect(self._request)
        state.settled.connect(self._drop_overtaken)

    def shutdown(self) -> None:
        """Cancel everything and wait for the thread."""
        self._closed = True
        self._runner.shutdown()

    def of(self, region: Annotation) -> RegionMeasurement | None:
        """The figures of a region; None while they are not known."""
        return self._known.get(region)

    @property
    def all(self) -> tuple[RegionMeasurement, ...] | None:
        """Of all regions in the order of the list; None while one is missing."""
        regions = self._regions
        found = [self._known[one] for one in regions if one in self._known]
        return tuple(found) if len(found) == len(regions) else None

    def request(self) -> RegionsRequest | None:
        """What a file or a table is asked of; None while there is nothing to measure."""
        if self._subject is None or self._closed:
            return None
        return RegionsRequest.of(self._state.regions, self._subject)

    def run(self, work: Callable[..., Any], request: RegionsRequest) -> Job:
        """Run a function of :mod:`app.regions.file_tasks` on what is on screen."""
        return self._runner.submit(compute(work, request, self._asked_of()))

    def _asked_of(self) -> Held[Asked]:
        assert self._subject is not None
        if self._held is None:
            self._held = Held(tasks.asked_of(self._subject))
        return self._held

    @property
    def _regions(self) -> list[Region]:
        """Those of the list that hold voxels."""
        return [cast(Region, one) for one in self._state.regions if is_region(one)]

    @property
    def is_busy(self) -> bool:
        """Whether figures are being computed."""
        return self._job is not None

    def follow(self) -> None:
        """Forget everything once other sources are on screen."""
        subject = subject_of(self._session.sources)
        if subject is self._subject:
            return
        self._subject, self._held = subject, None
        self._known = {}
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self.changed.emit()
        self._request()

    def _request(self) -> None:
        """Measure what is missing; while a job runs, when it has ended."""
        subject = self._subject
        if subject is None or self._job is not None or self._closed:
            return
        regions = [one for one in self._regions if one not in self._known]
        if not regions:
            self._held = self._held if self._regions else None
            return
        self._asked = tuple(regions)
        work = compute(tasks.measure, self._asked_of(), self._asked)
        job = self._job = self._runner.submit(work)
        job.finished.connect(partial(self._measured, job))
        job.failed.connect(partial(self._fail, job))

    def _drop_overtaken(self) -> None:
        """End the work on regions that have all changed meanwhile: large ones take seconds.

        While one is dragged the work goes on, so that figures follow the mouse.
        """
        listed = set(self._state.regions)
        if self._job is not None and not listed.intersection(self._asked):
            self._job.cancel()
            self._job = None
            self._request()

    def _measured(self, job: Job, measurements: tuple[RegionMeasurement, ...]) -> None:
        if job is not self._job:
            return
        self._job = None
        listed = set(self._state.regions)
        self._known.update((one.region, one) for one in measurements)
        self._known = {region: one for region, one in self._known.items() if region in listed}
        self.changed.emit()
        self._request()

    def _fail(self, job: Job, error: FusionError) -> None:
        if job is self._job:
            self._job = None
            self.failed.emit(error)
            self.changed.emit()
