"""Reads the selected files and shows them, or says why they cannot be shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.fuse import source_tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.result_cache import ResultCache
from app.fuse.results import AS_DAMAGED, Sources, resampled_side, swapped_stamp
from app.fuse.source_tasks import FileOrImage
from app.fuse.state import Activity, FuseState, Offer, Side
from app.workers import Runner
from core.alignment.choice import AlignChoice
from core.errors import DamagedImage, FusionError, SizeMismatch
from core.tasks import TASKS
from core.types import PairTransform
from core.windows import Windows

_OPPOSITE: dict[Side, Side] = {"a": "b", "b": "a"}
LoadedCallback = Callable[[Sources], None]


@dataclass(frozen=True)
class LoadRequest:
    """What to read, and how.

    Attributes:
        a, b: a file, an image in memory, or None for a side that stays empty.
        resample: resample B onto the grid of A if their sizes differ.
        sample: True for a sample that comes with the program.
        damaged: read what can be decoded of damaged files.
        transform: by which one source is resampled onto the other.
        align: how two files are laid on each other where there is no transform.
    """

    a: FileOrImage | None
    b: FileOrImage | None
    _: KW_ONLY
    resample: bool = False
    sample: bool = False
    damaged: bool = False
    transform: PairTransform | None = None
    align: AlignChoice | None = None

    def absolute(self) -> LoadRequest:
        """The same request with absolute paths: the working directory may change."""
        return replace(self, a=_absolute(self.a), b=_absolute(self.b))

    def swapped(self) -> LoadRequest:
        """The same request with A and B exchanged."""
        transform = None if self.transform is None else self.transform.swapped()
        return replace(self, a=self.b, b=self.a, transform=transform)

    @property
    def paths(self) -> tuple[Path | None, Path | None]:
        """The files among ``a`` and ``b``."""
        a, b = (item if isinstance(item, Path) else None for item in (self.a, self.b))
        return a, b


class PairLoader(QObject):
    """Reads the selected files. As soon as files are selected nothing else is on screen."""

    loaded = Signal(object)
    """:class:`Sources` with a pair, now on screen; only for loads without a callback."""

    def __init__(
        self,
        session: FuseState,
        *,
        files: Runner,
        jobs: JobTracker,
        cache: ResultCache,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            files: runs the reading.
            cache: holds what was read before, with its results.
        """
        super().__init__(parent)
        self._session = session
        self._files = files
        self._jobs = jobs
        self._cache = cache
        self._request: LoadRequest | None = None
        self._callback: LoadedCallback | None = None
        """Of the last load, like ``_request``."""
        self._refused: LoadRequest | None = None
        """A request that the person may repeat with other options."""
        self._task_read_for = ""
        """The task that decided which values of the sources are black and white."""
        session.task_changed.connect(self._task_changed)

    # --- what to read ----------------------------------------------------------------------

    def replace_side(self, side: Side, path: Path) -> None:
        """Open one file; the other side stays, unless it belongs to a sample."""
        sources = self._session.sources
        other = _OPPOSITE[side]
        stays: FileOrImage | None = None
        if self._refused is not None:
            stays = self._refused.a if other == "a" else self._refused.b
        elif not sources.sample and sources.slice is None:
            image = source_tasks.side_source(sources, other)
            origin = sources.paths[0 if other == "a" else 1]
            # An image that was read in relation to the other one has to be read again.
            if image is not None and (origin is None or not _is_read_together(sources)):
                stays = image
            else:
                stays = origin
        self.load(LoadRequest(path, stays) if side == "a" else LoadRequest(stays, path))

    def load_resampled(self) -> None:
        """Load the pair that was refused because of its sizes, with B resampled onto A."""
        refused = self._refused
        if refused is not None and refused.a is not None and refused.b is not None:
            self.load(LoadRequest(refused.a, refused.b, resample=True, damaged=refused.damaged))

    def load_damaged(self) -> None:
        """Load the files that were refused as damaged, as far as they can be decoded."""
        if self._refused is not None:
            refused = self._refused
            self.load(replace(refused, damaged=True, resample=False))

    def load_transformed(
        self, transform: PairTransform | None, callback: LoadedCallback | None = None
    ) -> None:
        """Read the selected files again with another transform, or with none.

        Args:
            callback: as in :meth:`load`.
        """
        sources = self._session.sources
        a, b = sources.paths
        damaged = AS_DAMAGED in (sources.stamp or ())
        request = LoadRequest(a, b, sample=sources.sample, damaged=damaged, transform=transform)
        self.load(request, callback)

    def reload(self, callback: LoadedCallback | None = None) -> None:
        """Read the selected files again, with the same options."""
        sources = self._session.sources
        a, b = sources.paths
        damaged = AS_DAMAGED in (sources.stamp or ())
        if resampled_side(sources.stamp) == "a":
            # Only B is ever resampled: A and B were swapped afterwards.
            request = LoadRequest(b, a, resample=True, damaged=damaged)
            self.load(request, partial(self._swap_loaded, callback))
        else:
            resample = resampled_side(sources.stamp) == "b"
            request = LoadRequest(
                a, b, resample=resample, sample=sources.sample, damaged=damaged,
                transform=sources.transform,
            )  # fmt: skip
            self.load(request, callback)

    def _swap_loaded(self, callback: LoadedCallback | None, _sources: Sources) -> None:
        self._exchange()
        (callback or self.loaded.emit)(self._session.sources)

    def swap(self) -> None:
        """Exchange A and B; their results, which name A and B, return with swapping back.

        A fusion that is running is cancelled. Does nothing while a side is being read.
        """
        if self._session.sources.is_loading:
            return
        busy = self._jobs.is_busy
        self._jobs.supersede()
        self._cache.save()
        self._exchange()
        if busy:
            self._session.set_running(None)
            self._jobs.idle.emit()

    def _exchange(self) -> None:
        old = self._session.sources
        display = self._session.display
        pair = None if old.pair is None else old.pair.swapped()
        stamp = swapped_stamp(old.stamp)
        swapped = replace(
            old, a=old.b, b=old.a, pair=pair, stamp=stamp, requested=old.requested[::-1],
            transform=None if old.transform is None else old.transform.swapped(),
        )  # fmt: skip
        if self._refused is not None:
            self._refused = self._refused.swapped()
        self._cache.show(self._as_before(swapped))
        self._session.set_display(replace(display, a=display.b, b=display.a))

    def _as_before(self, swapped: Sources) -> Sources:
        """The same sources with the pair that stored results are of, if its images are these."""
        stored, pair = self._cache.find(swapped.stamp) if swapped.stamp else None, swapped.pair
        known = None if stored is None else stored.sources.pair
        if pair is None or known is None or known.a is not pair.a or known.b is not pair.b:
            return swapped
        return replace(swapped, pair=known)

    def close_pictures(self) -> None:
        """Cancel everything and close both sources."""
        busy = self._jobs.is_busy
        self._jobs.supersede()
        self.dismiss_problem()
        self._session.set_sources(Sources())
        self._session.set_running(None)
        if busy:
            self._jobs.idle.emit()

    def dismiss_problem(self) -> None:
        """Take the error card away; a refused request can no longer be repeated."""
        self._refused = None
        self._session.set_problem(None)

    # --- black and white depend on the task --------------------------------------------------

    def switch_task(self, task: str, callback: LoadedCallback) -> None:
        """Select a task, read the pair on screen again if the task requires it, and call back."""
        differs = self._is_read_differently_for(task)
        # Known before the task changes, so that the change itself causes no second reading.
        self._task_read_for = task
        self._session.switch_task(task)
        if differs:
            self.reload(callback)
        else:
            callback(self._session.sources)

    def _task_changed(self) -> None:
        """Read again what another task maps to black and white differently; do not fuse it."""
        task, sources = self._session.task.name, self._session.sources
        if sources.is_loading and self._request is not None and not any(sources.names):
            if _is_one_camera(task) != _is_one_camera(self._task_read_for):
                self.load(self._request, self._callback)
        elif self._is_read_differently_for(task):
            display = self._session.display
            windows = display.a.window, display.b.window
            self.reload(partial(self._restore_windows, windows))

    def _is_read_differently_for(self, task: str) -> bool:
        """True where reading the pair on screen for ``task`` would give another value range.

        Images of one camera share black and white, other sources do not.
        """
        sources = self._session.sources
        if sources.pair is None or sources.slice is not None or None in sources.paths:
            return False
        if _is_one_camera(task) == _is_one_camera(self._task_read_for):
            return False
        return source_tasks.depends_on_task(sources.pair)

    def _restore_windows(self, windows: Windows, _sources: Sources) -> None:
        display = self._session.display.with_pane("a", window=windows[0])
        self._session.set_display(display.with_pane("b", window=windows[1]))

    # --- reading -----------------------------------------------------------------------------

    def load(self, request: LoadRequest, callback: LoadedCallback | None = None) -> None:
        """Select and read; whatever was on screen, being read or being fused is dropped.

        Args:
            callback: called with a pair once it is on screen, instead of :attr:`loaded`.
        """
        session = self._session
        request = request.absolute()
        self._refused = None
        self._jobs.supersede()
        self._cache.save()
        session.known_paths.update(path for path in request.paths if path is not None)
        session.set_problem(None)
        session.set_sources(self._selected(request))
        cached = {} if request.resample else self._cache.sources()
        # Black and white of deep images depend on the task they will be fused for.
        follows_names = callback is None and not session.task_by_hand
        task = (session.suggested_task if follows_names else "") or session.task.name
        self._request, self._callback, self._task_read_for = request, callback, task
        work = partial(
            source_tasks.load_sources, request.a, request.b,
            resample=request.resample, sample=request.sample, cached=cached, task=task,
            damaged=request.damaged, transform=request.transform, align=request.align,
        )  # fmt: skip
        generation = self._jobs.generation
        self._jobs.track(
            "load",
            self._files.submit(work, key="load"),
            finished=partial(self._show, generation, callback),
            failed=partial(self._failed, generation, request),
            cancelled=partial(self._cancelled, generation),
            activity=Activity(self.tr("Reading pictures")),
        )

    def _selected(self, request: LoadRequest) -> Sources:
        """What is selected before it has been read; an image that is already in memory stays."""
        old = self._session.sources
        shown = [
            side if side is not None and side.image is item else None
            for side, item in ((old.a, request.a), (old.b, request.b))
        ]
        return Sources(
            shown[0], shown[1], sample=request.sample, requested=request.paths,
            transform=request.transform,
        )  # fmt: skip

    def _show(self, generation: int, callback: LoadedCallback | None, sources: Sources) -> None:
        if generation != self._jobs.generation:
            return
        self._cache.show(sources)
        if sources.pair is not None:
            (callback or self.loaded.emit)(sources)

    def _failed(self, generation: int, request: LoadRequest, error: FusionError) -> None:
        if generation != self._jobs.generation:
            return
        self._session.set_sources(replace(self._session.sources, error=error))
        if isinstance(error, SizeMismatch) and request.a is not None and request.b is not None:
            self._refused = request
            self._jobs.show_error("resample", error)
        elif isinstance(error, DamagedImage) and error.can_be_shown:
            self._refused = request
            self._jobs.show_error("damaged", error)
        else:
            self._jobs.show_error("open", error)

    def _cancelled(self, generation: int) -> None:
        if generation != self._jobs.generation or self._jobs.closed:
            return
        error = FusionError(self.tr("Reading was cancelled"))
        self._session.set_sources(replace(self._session.sources, error=error))
        text = self.tr("Reading was cancelled. Nothing is shown of this pair.")
        self._session.set_offer(Offer(text, (("reload", self.tr("Read again")),)))


def _is_read_together(sources: Sources) -> bool:
    """Whether size, or black and white, of one image may depend on the other."""
    pair = sources.pair
    if pair is None:
        return False
    is_resampled = pair.transform is not None or bool(resampled_side(sources.stamp))
    return is_resampled or source_tasks.depends_on_task(pair)


def _is_one_camera(task: str) -> bool:
    return task in TASKS and TASKS[task].one_camera


def _absolute(item: FileOrImage | None) -> FileOrImage | None:
    return Path(os.path.abspath(item)) if isinstance(item, Path) else item  # noqa: PTH100
