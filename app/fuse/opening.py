"""What is selected becomes what is shown: reading, and the end of what is overtaken by it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.fuse import tasks
from app.fuse.results import (
    AS_DAMAGED,
    ResultStore,
    Sources,
    StoredResults,
    resampled_side,
    swapped_stamp,
)
from app.fuse.state import Activity, FuseState, Offer, Problem, Remedy, Side
from app.i18n.translate import translate
from app.widgets.file_manager import file_of
from app.workers import Job, Runner
from core.errors import DamagedImage, FusionError, SizeMismatch
from core.pairing.source_words import suggest_task
from core.tasks import TASKS
from core.windows import Windows

_OPPOSITE: dict[Side, Side] = {"a": "b", "b": "a"}
Then = Callable[[Sources], None]


class Opening(QObject):
    """Reads what is selected. From the moment of a selection nothing else is on show.

    Answers carry the generation they were asked in; one that was overtaken is dropped.
    """

    previewed = Signal()
    """A classical preview is there, or will not come."""
    idle = Signal()
    """A fusion ended, whichever way, and none follows."""

    def __init__(self, session: FuseState, samples: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.store = ResultStore()
        self._samples = samples
        self._files = Runner("files", self)
        self._generation = 0
        self._pending: dict[Side, tasks.FileOrImage] = {}
        self._as_damaged = False
        self._asking: Callable[[], None] | None = None
        """Asks for what is being read once more."""
        self._read_for = ""
        """The task whose black and white the sources have."""
        self._fuse_job: Job | None = None
        self._preview_job: Job | None = None
        self._load_job: Job | None = None
        self._closed = False
        session.results_changed.connect(self._keep)
        session.task_changed.connect(self._task_changed)

    def fuse(self, *, preview: bool = False, tiles: bool = False) -> None:
        """Fuse the pair on screen."""
        raise NotImplementedError

    # --- wishes ----------------------------------------------------------------------------

    def open_sample(self) -> None:
        """Open the sample pair of the selected task."""
        try:
            a, b = tasks.sample_paths(self.session.task.name, self._samples)
        except FusionError as error:
            if self.session.sources.sample:
                self.close_pictures()
            self._fail("open", error)
            return
        self._load(a, b, sample=True)

    def open_pair(self, a: Path, b: Path, *, task_known: bool = False) -> None:
        """Open two files and fuse them.

        Args:
            task_known: the person has said which task these two are for.
        """
        self._load(a, b, then=self._fuse_at_once if task_known else None)

    def replace_side(self, side: Side, path: Path) -> None:
        """Open one file; the other side stays, unless it is a sample's."""
        both: dict[Side, tasks.FileOrImage] = dict(self._pending)
        sources = self.session.sources
        other = _OPPOSITE[side]
        if not both and not sources.sample:
            image = tasks.side_source(sources, other)
            asked = sources.paths[0 if other == "a" else 1]
            # What was read beside another image is read anew, where it came from a file.
            if image is not None and (asked is None or not _is_read_together(sources)):
                both[other] = image
            elif asked is not None:
                both[other] = asked
        both[side] = path
        self._load(both.get("a"), both.get("b"))

    def resample_pending(self) -> None:
        """Load the pair that was refused for its sizes, B resampled onto A."""
        if len(self._pending) == 2:
            both = self._pending["a"], self._pending["b"]
            self._load(*both, resample=True, damaged=self._as_damaged)

    def show_damaged(self) -> None:
        """Load what was refused for its damage, as far as it can be decoded."""
        if self._pending:
            self._load(self._pending.get("a"), self._pending.get("b"), damaged=True)

    def reload(self) -> None:
        """Read the selected files again."""
        self._read_again()

    def _read_again(self, then: Then | None = None) -> None:
        """Read the selected files once more, as they were read before."""
        sources = self.session.sources
        a, b = sources.paths
        damaged = AS_DAMAGED in (sources.stamp or ())
        if resampled_side(sources.stamp) == "a":
            # A file is only ever resampled as B: the two were exchanged afterwards.
            exchanged = partial(self._exchanged, then)
            self._load(b, a, resample=True, damaged=damaged, then=exchanged)
        else:
            resample = resampled_side(sources.stamp) == "b"
            sample = sources.sample
            self._load(a, b, resample=resample, sample=sample, damaged=damaged, then=then)

    def _exchanged(self, then: Then | None, _sources: Sources) -> None:
        self.swap()
        (then or self._fuse_by_its_names)(self.session.sources)

    def swap(self) -> None:
        """Exchange A and B. A result shown stays, as stale. Not while one of them is being read."""
        old = self.session.sources
        if old.is_awaited:
            return
        display = self.session.display
        pair = None
        if old.pair is not None:
            pair = type(old.pair)(old.pair.b, old.pair.a)
        stamp = swapped_stamp(old.stamp)
        swapped = replace(old, a=old.b, b=old.a, pair=pair, stamp=stamp, asked=old.asked[::-1])
        self._pending = {_OPPOSITE[side]: item for side, item in self._pending.items()}
        self.session.set_sources(swapped, keep_outcome=True)
        self.session.set_display(replace(display, a=display.b, b=display.a))

    def set_task(self, name: str) -> None:
        """Take the person's choice of a task. A sample on screen gives way to that task's."""
        self.session.task_by_hand = True
        if name == self.session.task.name:
            return
        self.session.set_task(name)
        if self.session.sources.sample:
            self.open_sample()

    def close_pictures(self) -> None:
        """Show nothing: the window is as empty as it can be."""
        busy = bool(self._jobs_now())
        self._overtake()
        self.dismiss_problem()
        self.session.set_sources(Sources())
        self.session.set_running(None)
        if busy:
            self.idle.emit()

    def dismiss_problem(self) -> None:
        """Take the error card away; a pair that waited for resampling is forgotten."""
        self._pending = {}
        self.session.set_problem(None)

    def _overtake(self) -> None:
        """Give up what is read and fused: another pair is selected, and nothing more may come
        of the former one.
        """
        old = self._jobs_now()
        # Let go of them first: their end is then nobody's.
        self._load_job = self._fuse_job = self._preview_job = None
        self._generation += 1
        for job in old:
            job.cancel()

    def _load(
        self,
        a: tasks.FileOrImage | None,
        b: tasks.FileOrImage | None,
        *,
        resample: bool = False,
        sample: bool = False,
        damaged: bool = False,
        then: Then | None = None,
    ) -> None:
        """Read what is given. From now on this is what is selected, and nothing else is shown.

        Args:
            damaged: take what can be decoded of damaged files.
            then: what to do with a pair once it is on show; without it the pair is fused, by the
                task its names speak of.
        """
        a, b = _absolute(a), _absolute(b)
        self._as_damaged = damaged
        self._overtake()
        self._keep()
        self.session.known_paths.update(item for item in (a, b) if isinstance(item, Path))
        self.session.set_problem(None)
        self.session.set_sources(self._asked(a, b, sample))
        kept = {} if resample else self.store.sources()
        # Black and white of deep images depend on the task they will be fused by.
        suggested = "" if then is not None or self.session.task_by_hand else self._suggested()
        task = self._read_for = suggested or self.session.task.name
        self._asking = partial(
            self._load, a, b, resample=resample, sample=sample, damaged=damaged, then=then
        )
        work = partial(
            tasks.load_sources, a, b,
            resample=resample, sample=sample, kept=kept, task=task, damaged=damaged,
        )  # fmt: skip
        job = self._load_job = self._files.submit(work, key="load")
        self._show_progress(job, fusing=False)
        generation = self._generation
        job.finished.connect(partial(self._loaded, generation, then))
        job.failed.connect(partial(self._load_failed, generation, a, b))
        job.cancelled.connect(partial(self._load_cancelled, generation))
        self._when_over(job)

    def _asked(
        self, a: tasks.FileOrImage | None, b: tasks.FileOrImage | None, sample: bool
    ) -> Sources:
        """What is selected before it is read: an image that is there already stays."""
        old = self.session.sources
        shown = [
            side if side is not None and side.image is item else None
            for side, item in ((old.a, a), (old.b, b))
        ]
        asked = tuple(item if isinstance(item, Path) else None for item in (a, b))
        return Sources(shown[0], shown[1], sample=sample, asked=(asked[0], asked[1]))

    def _loaded(self, generation: int, then: Then | None, sources: Sources) -> None:
        if generation != self._generation:
            return
        self._pending = {}
        kept = self.store.get(sources.stamp)
        if kept is not None and kept.sources.pair is sources.pair and kept.results:
            self.session.set_sources(
                sources, results=kept.results, selected=kept.selected, windows=kept.windows
            )
        else:
            self.session.set_sources(sources)
        if sources.pair is not None:
            (then or self._fuse_by_its_names)(sources)

    def _fuse_at_once(self, _sources: Sources) -> None:
        if not self.session.results:
            self.fuse(preview=True)

    # --- the task --------------------------------------------------------------------------

    def _fuse_by_its_names(self, sources: Sources) -> None:
        """Fuse, unless the names speak of another task than the one that was chosen by hand."""
        suggested = self._suggested()
        if suggested in ("", self.session.task.name):
            self._fuse_at_once(sources)
        elif self.session.task_by_hand:
            if not self.session.results:
                self._ask_task(suggested)
        else:
            self._turn_to(suggested)
            self._fuse_at_once(sources)
            task = self.session.task
            text = self.tr("By their names these are “{0}” and “{1}”: the task is now “{2}”.")
            labels = (translate(task.label_a), translate(task.label_b), translate(task.title))
            self.session.set_message(text.format(*labels))

    def _suggested(self) -> str:
        """The task that the names of the selected files speak of; "" for none, or a sample."""
        a, b = self.session.sources.paths
        if a is None or b is None or self.session.sources.sample:
            return ""
        return suggest_task(a, b)

    def _ask_task(self, suggested: str) -> None:
        task, other = self.session.task, TASKS[suggested]
        text = self.tr(
            "By their names these are “{0}” and “{1}”, but the task is “{2}”. "
            "Nothing is fused before you choose."
        ).format(translate(other.label_a), translate(other.label_b), translate(task.title))
        switch = self.tr("Switch to {0}").format(translate(other.title))
        keep = self.tr("Keep {0}").format(translate(task.title))
        self.session.set_offer(Offer(text, (("switch_task", switch), ("keep_task", keep))))

    def switch_task(self) -> None:
        """Fuse by the task that the names speak of."""
        suggested = self._suggested()
        if not suggested:
            return
        self.session.task_by_hand = True
        otherwise = self._is_read_otherwise_for(suggested)
        self._read_for = suggested
        self._turn_to(suggested)
        if otherwise:
            self._read_again(self._fuse_at_once)
        else:
            self.fuse(preview=True)

    def _turn_to(self, task: str) -> None:
        """Select a task; a classical method, which fuses every task, stays chosen."""
        method = self.session.method
        stays = self.session.is_classical(method)
        self.session.set_task(task)
        if stays:
            self.session.set_method(method)

    def keep_task(self) -> None:
        """Fuse by the chosen task, whatever the names say."""
        self.fuse(preview=True)

    def _task_changed(self) -> None:
        """What was asked about the former task is no question any more."""
        offer = self.session.offer
        if offer is not None and any(name == "switch_task" for name, _label in offer.answers):
            self.session.set_offer(None)
        self._follow_task()

    def _follow_task(self) -> None:
        """Two shots by one camera share black and white, other sources do not: what was read for
        the one is read again for the other. Nothing is fused before it is asked for.
        """
        task, sources = self.session.task.name, self.session.sources
        if sources.is_awaited and self._asking is not None:
            if _one_camera(task) != _one_camera(self._read_for):
                self._asking()
        elif self._is_read_otherwise_for(task):
            look = self.session.display
            self._read_again(partial(self._in_windows, (look.a.window, look.b.window)))

    def _is_read_otherwise_for(self, task: str) -> bool:
        """Whether the pair on show would have another black and white for ``task``."""
        sources = self.session.sources
        if sources.pair is None or None in sources.paths:
            return False
        if _one_camera(task) == _one_camera(self._read_for):
            return False
        return tasks.depends_on_task(sources.pair)

    def _in_windows(self, windows: Windows, _sources: Sources) -> None:
        """Show the sources in windows that were chosen by hand before."""
        look = self.session.display
        look = look.with_look("a", window=windows[0]).with_look("b", window=windows[1])
        self.session.set_display(look)

    # --- reading that ends without images ------------------------------------------------

    def _load_failed(
        self,
        generation: int,
        a: tasks.FileOrImage | None,
        b: tasks.FileOrImage | None,
        error: FusionError,
    ) -> None:
        if generation != self._generation:
            return
        self.session.set_sources(replace(self.session.sources, trouble=error))
        if isinstance(error, SizeMismatch) and a is not None and b is not None:
            self._pending = {"a": a, "b": b}
            self._fail("resample", error)
        elif isinstance(error, DamagedImage) and error.can_be_shown:
            both: dict[Side, tasks.FileOrImage | None] = {"a": a, "b": b}
            self._pending = {side: item for side, item in both.items() if item is not None}
            self._fail("damaged", error)
        else:
            self._fail("open", error)

    def _load_cancelled(self, generation: int) -> None:
        if generation != self._generation or self._closed:
            return
        stopped = FusionError(self.tr("Reading was cancelled"))
        self.session.set_sources(replace(self.session.sources, trouble=stopped))
        text = self.tr("Reading was cancelled. Nothing is shown of this pair.")
        self.session.set_offer(Offer(text, (("reload", self.tr("Read again")),)))

    def _keep(self) -> None:
        """Remember results and windows of this pair for when it comes back."""
        session = self.session
        results = tuple(r for r in session.results if r.pair is session.sources.pair)
        finished = tuple(r for r in results if not r.is_preview)
        if finished:
            selected = session.outcome.key if session.outcome else ""
            look = session.display
            windows: Windows = (look.a.window, look.b.window)
            self.store.put(StoredResults(session.sources, finished, selected, windows))

    # --- what is going on ------------------------------------------------------------------

    def _show_progress(self, job: Job, *, fusing: bool) -> None:
        stage = self.tr("Waiting for the engine") if fusing else self.tr("Reading pictures")
        self.session.set_running(Activity(stage, fusing=fusing))
        job.progress.connect(partial(self._progress, job.number, fusing))

    def _progress(self, number: int, fusing: bool, done: float, total: float, stage: str) -> None:
        if self._is_current(number):
            self.session.set_running(Activity(stage, done, total, fusing=fusing))

    def _jobs_now(self) -> list[Job]:
        jobs_now = (self._load_job, self._fuse_job, self._preview_job)
        return [job for job in jobs_now if job is not None]

    def _is_current(self, number: int) -> bool:
        return any(job.number == number for job in self._jobs_now())

    def _ended(self, number: int, *_answer: object) -> None:
        if not self._is_current(number):
            return
        if self._load_job is not None and self._load_job.number == number:
            self._load_job = None
        elif self._fuse_job is not None and self._fuse_job.number == number:
            self._fuse_job = None
        else:
            self._preview_job = None
        if self._load_job is None and self._fuse_job is None:
            self.session.set_running(None)
            if self._preview_job is None:
                self.idle.emit()

    def _when_over(self, job: Job) -> None:
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(partial(self._ended, job.number))

    def _fail(self, remedy: Remedy, error: FusionError) -> None:
        if not self._closed:
            path = file_of(error, self.session.known_paths)
            self.session.set_problem(Problem(error, remedy, path))


def _is_read_together(sources: Sources) -> bool:
    """Whether size, or black and white, of one image may depend on the other."""
    pair = sources.pair
    return pair is not None and (bool(resampled_side(sources.stamp)) or tasks.depends_on_task(pair))


def _one_camera(task: str) -> bool:
    return task in TASKS and TASKS[task].one_camera


def _absolute(item: tasks.FileOrImage | None) -> tasks.FileOrImage | None:
    """A file by its whole path: what is remembered must not depend on the folder of the moment."""
    return Path(os.path.abspath(item)) if isinstance(item, Path) else item  # noqa: PTH100
