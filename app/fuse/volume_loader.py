"""Opens pairs of series, and shows one slice of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.fuse import volume_tasks
from app.fuse.asked_series import AskedSeries
from app.fuse.frame_reader import FrameReader
from app.fuse.job_tracker import JobTracker
from app.fuse.restored_slice import RestoredSlice, slice_on_show
from app.fuse.result_cache import ResultCache
from app.fuse.results import Outcome, Sources
from app.fuse.slice_view import Point, SliceView
from app.fuse.state import Activity, FuseState, Offer
from app.fuse.studies import Frames, KnownSeries, ListedSeries, Study
from app.pairs.edits import PairKey
from app.preferences.session_file import SliceOnShow
from app.workers import Runner
from core.errors import FusionError
from core.geometry.planes import PlaneName
from core.types import PairTransform

if TYPE_CHECKING:
    from app.fuse.slice_view import Accepted
    from core.types import SeriesHeader

REST_MS = 300
"""A slice is fused once it has been on show for this long."""
_TASK = "mif"


class VolumeLoader(QObject):
    """Reads the series of a pair, renders slices on a thread of its own, and asks for their fusion.

    The slice on show is a pair of images like any other: results, windows and stale marks belong to
    it alone.
    """

    moved = Signal(object)
    """The :class:`SliceView` that was asked for; it is on screen a moment later."""

    def __init__(
        self,
        session: FuseState,
        *,
        files: Runner,
        jobs: JobTracker,
        cache: ResultCache,
        fuse: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            files: runs the reading.
            cache: holds the results of slices that were shown before.
            fuse: fuses what is on screen.
        """
        super().__init__(parent)
        self._session = session
        self._files = files
        self._jobs = jobs
        self._cache = cache
        self._fuse = fuse
        self._slices = Runner("slices", self)
        self._reader = FrameReader(files, jobs, self)
        self._reader.done.connect(self._framed)
        self._reader.left.connect(self._stay)
        self._known = KnownSeries()
        self._asked: AskedSeries | None = None
        """The pair that was opened last."""
        self._restored = RestoredSlice()
        self._wanted: SliceView | None = None
        self._turn = self._shown_turn = 0
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._rested)
        session.sources_changed.connect(self._follow)

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
        self._rest.stop()
        self._slices.shutdown()

    # --- pairs of series -------------------------------------------------------------------

    def add(self, study: Study) -> None:
        """Make series and pairs of them known, which :meth:`open` opens by their first files."""
        self._known.add(study)

    def add_pair(self, pair: ListedSeries) -> None:
        """Make a pair known, instead of what was known of it."""
        self._known.add_pair(pair)

    def knows(self, key: PairKey) -> bool:
        """Whether a pair of files is one of series, proposed or made by hand."""
        return self._known.pair(key) is not None

    def series_of(self, keys: Collection[str]) -> tuple[SeriesHeader, ...]:
        """Series that were found, by their keys."""
        return self._known.of(keys)

    def restore(self, wanted: SliceOnShow, transform: PairTransform | None = None) -> None:
        """Show that slice once its series are opened, A being brought onto B by ``transform``."""
        self._restored.wait_for(wanted, transform)

    def is_wanted(self, key: PairKey) -> bool:
        """Whether a pair is the one that is to be restored."""
        pair = self._known.pair(key)
        return pair is not None and self._restored.is_of(pair)

    @property
    def on_show(self) -> SliceOnShow:
        """The slice on show, without names."""
        view, asked = self._wanted, self._asked
        return SliceOnShow() if view is None or asked is None else slice_on_show(asked.pair, view)

    @property
    def is_open(self) -> bool:
        """Whether a pair of series is on screen or being read."""
        sources = self._session.sources
        return sources.slice is not None or any(sources.names)

    def open(
        self,
        key: PairKey,
        accept: Collection[Accepted] = (),
        frames: Frames = (0, 0),
        *,
        anew: bool = False,
    ) -> None:
        """Read a pair of series instead of whatever is on screen, being read or being fused.

        Args:
            accept: what a person has accepted of a pair that is otherwise refused.
            frames: which volume of each series.
            anew: read the files again, even if the volumes are in memory.
        """
        known, session = self._known.pair(key), self._session
        if known is None:
            raise KeyError(key)
        pair, frames = self._restored.opened_with(known, frames)
        self._known.add_pair(pair)
        old = self._asked.pair if self._asked is not None and not anew else None
        held = volume_tasks.held_volumes(old, session.sources.slice)
        self._reader.forget()
        self._jobs.supersede()
        self._rest.stop()
        self._cache.save()
        self._asked = AskedSeries(pair, tuple(accept), frames)
        session.set_problem(None)
        session.set_sources(Sources(requested=pair.key, names=pair.names, sample=pair.sample))
        work = partial(volume_tasks.open_volumes, pair, frames, tuple(accept), held)
        generation = self._jobs.generation
        self._jobs.track(
            "load",
            self._files.submit(work, key="load"),
            finished=partial(self._opened, generation),
            failed=partial(self._failed, generation),
            cancelled=partial(self._cancelled, generation),
            activity=Activity(self.tr("Reading series")),
        )

    def reopen(self) -> None:
        """Read the files of the pair that was opened last again."""
        if self._asked is not None:
            asked = self._asked
            self.open(asked.key, asked.accept, asked.frames, anew=True)

    def set_transform(self, transform: PairTransform | None) -> None:
        """Bring A onto B of the pair on show by another transform, or by none; the slice stays."""
        asked = self._asked
        if asked is not None and self._wanted is not None:
            self._known.add_pair(asked.laid_by(transform).pair)
            self._restored.wait_for(self.on_show)
            self.open(asked.key, asked.accept, asked.frames)

    def accept(self) -> None:
        """Read the refused pair in spite of what it was refused for."""
        asked = self._asked
        if asked is not None and asked.refused is not None:
            self.open(asked.key, asked.accepting, asked.frames)

    def swap(self) -> None:
        """Exchange A and B: A is brought onto the grid of the other one."""
        asked = self._asked
        if asked is not None and self._session.sources.slice is not None:
            swapped = asked.pair.swapped()
            self._known.add_pair(swapped)
            self.open(swapped.key, asked.accept, asked.frames[::-1])

    def _opened(self, generation: int, sources: Sources) -> None:
        view = sources.slice
        if generation != self._jobs.generation or view is None:
            return
        session = self._session
        if self._asked is not None and self._asked.pair.align is not None:  # estimated only once
            self._asked = self._asked.laid_by(view.volumes.pair.transform)
            self._known.add_pair(self._asked.pair)
        if not session.task_by_hand:
            session.switch_task(_TASK)
        self._wanted = view
        self._shown_turn = self._turn = self._turn + 1
        a, b = view.volumes.palettes
        display = session.display.with_pane("a", palette=a, window=None)
        session.set_display(display.with_pane("b", palette=b, window=None))
        self._put(sources)
        self.moved.emit(view)
        target = None if self._asked is None else self._restored.take(self._asked.pair, view)
        if target is not None:
            self._show(target)
        elif not session.results and view.can_be_fused:
            self._fuse()

    def _failed(self, generation: int, error: FusionError) -> None:
        if generation != self._jobs.generation or self._asked is None:
            return
        self._session.set_sources(replace(self._session.sources, error=error))
        self._asked = self._asked.refused_with(error)
        self._jobs.show_error(self._asked.refused or "open", error)

    def _cancelled(self, generation: int) -> None:
        if generation != self._jobs.generation or self._jobs.closed:
            return
        error = FusionError(self.tr("Reading was cancelled"))
        self._session.set_sources(replace(self._session.sources, error=error))
        text = self.tr("Reading was cancelled. Nothing is shown of this pair.")
        self._session.set_offer(Offer(text, (("reload", self.tr("Read again")),)))

    def _follow(self) -> None:
        """Let go of the volumes once something else is on screen."""
        if not self.is_open and self._wanted is not None:
            self._rest.stop()
            self._reader.forget()
            self._wanted = None
            self._turn += 1
            self._shown_turn = self._turn
            display = self._session.display
            for side in ("a", "b"):
                display = display.with_pane(side, palette="grey")
            self._session.set_display(display)

    # --- frames ----------------------------------------------------------------------------

    @property
    def frames(self) -> Frames:
        """Those that are being read, or else those on show."""
        return self._reader.frames or (self._asked.frames if self._asked is not None else (0, 0))

    def show_frame(self, side: int, frame: int) -> None:
        """Read another frame of A (0) or B (1), and show the same slice of it.

        What is on screen stays there meanwhile, and remains where the reading fails.
        """
        asked, view = self._asked, self._wanted
        if asked is None or view is None or self._session.sources.slice is None:
            return
        a, b = self.frames
        frames = asked.pair.frames_within((frame, b) if side == 0 else (a, frame))
        if frames == (a, b):
            return
        self._reader.forget()
        self._jobs.supersede()
        self._rest.stop()
        self._session.set_problem(None)
        self._session.set_running(None)
        if frames == view.volumes.frames:
            self._stay()
        else:
            self._reader.read(asked.pair, frames, asked.accept, view)

    def _framed(self, sources: Sources) -> None:
        """Show other frames, in the slice that was asked for last."""
        view, wanted = sources.slice, self._wanted
        if view is None or wanted is None:
            return
        if self._asked is not None:
            self._asked = replace(self._asked, frames=view.volumes.frames)
        for side, old, new in zip("ab", wanted.volumes.native, view.volumes.native, strict=True):
            if old.unit != new.unit:  # a window in another unit means nothing here
                self._session.set_display(self._session.display.with_pane(side, window=None))
        target = replace(wanted, volumes=view.volumes, lone=view.lone)
        is_there = (target.plane, target.index) == (view.plane, view.index)
        self._wanted = view = target if is_there else view
        self._shown_turn = self._turn = self._turn + 1
        known = self._cache.find(view.stamp)
        self._put(replace(sources if known is None else known.sources, slice=view))
        self.moved.emit(view)
        self._rest.start()
        self._show(target)

    def _stay(self) -> None:
        """Go on with the frames on show."""
        if self._wanted is not None:
            self.moved.emit(self._wanted)
            self._rest.start()

    # --- slices ----------------------------------------------------------------------------

    @property
    def view(self) -> SliceView | None:
        """The slice that was asked for last; None while no volumes are open."""
        return self._wanted

    def step(self, by: int) -> None:
        """Show the slice ``by`` places further on."""
        if self._wanted is not None:
            self.go_to(self._wanted.index + by)

    def go_to(self, index: int) -> None:
        """Show a slice of the plane; beyond the ends, the first or the last one."""
        if self._wanted is not None:
            self._show(self._wanted.at(index))

    def set_plane(self, plane: PlaneName) -> None:
        """Show the slice of another plane through the same place."""
        if self._wanted is not None:
            self._show(self._wanted.in_plane(plane))

    def set_point(self, point: Point) -> None:
        """Link the planes by another place of the slice on show."""
        shown = self._session.sources.slice
        if shown is None or self._wanted is None:
            return
        self._wanted = self._wanted.through(point)
        sources = replace(self._session.sources, slice=shown.through(point))
        self._session.set_sources(sources, keep_outcome=True, windows=self._windows)

    def look_at(self, point: Point) -> None:
        """Link the planes by a place anywhere in the volumes, and show the slice it lies in."""
        view = self._wanted
        if view is None:
            return
        target = view.through(point).in_plane(view.plane)
        if target.index == view.index:
            self.set_point(point)
        else:
            self._show(target)

    def _show(self, view: SliceView) -> None:
        old = self._wanted
        if old is not None and (old.plane, old.index) == (view.plane, view.index):
            return
        self._wanted = view
        self._turn += 1
        if self._jobs.is_busy and self._reader.frames is None:
            # What is being fused is another slice.
            self._jobs.supersede()
            self._session.set_running(None)
        self.moved.emit(view)
        self._rest.start()
        known = self._cache.find(view.stamp)
        if known is not None:
            self._finished(self._turn, replace(known.sources, slice=view))
            return
        job = self._slices.submit(partial(volume_tasks.slice_sources, view), key="slice")
        job.finished.connect(partial(self._finished, self._turn))
        job.failed.connect(partial(self._jobs.show_error, "open"))

    def _finished(self, turn: int, sources: Sources) -> None:
        """Show a slice unless a later one is on screen already."""
        view, wanted = sources.slice, self._wanted
        if wanted is None or view is None or view.volumes is not wanted.volumes:
            return
        if turn > self._shown_turn and self._session.sources.slice is not None:
            self._shown_turn = turn
            self._put(sources)

    @property
    def _windows(self) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
        display = self._session.display
        return display.a.window, display.b.window

    def _put(self, sources: Sources) -> None:
        """Show a slice with the results that it has, in the windows that are on show."""
        stored = self._cache.find(sources.stamp or ())
        results: tuple[Outcome, ...] = ()
        selected = ""
        sample = self._asked is not None and self._asked.pair.sample
        if stored is not None and stored.sources.pair is sources.pair:
            results, selected = stored.results, stored.selected
        self._session.set_sources(
            replace(sources, sample=sample),
            results=results,
            selected=selected,
            windows=self._windows,
        )

    def _rested(self) -> None:
        """Fuse the slice on show unless it has results, or only one source has data in it."""
        shown, wanted = self._session.sources.slice, self._wanted
        if shown is None or wanted is None or self._reader.frames is not None:
            return
        if (shown.plane, shown.index) != (wanted.plane, wanted.index):
            self._rest.start()
        elif not self._session.results and shown.can_be_fused:
            self._fuse()
