"""A batch in the window: turns requests into jobs, and keeps their results as state.

It has its own engine and threads, so that the Fuse workspace stays free meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.batch import tasks
from app.batch.header_inspector import HeaderInspector
from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.planner import BatchPlanner
from app.batch.run import BatchRun
from app.batch.settings import BatchChoices, default_folder
from app.batch.state import OVER, BatchPhase, Ending, RowStates
from app.engine import EngineFactory
from app.pairs.datasets import AUTOMATIC, FoundDataset, known_datasets
from app.pairs.edits import PairKey, key_of
from app.workers import Job, Runner
from core.batch.row_choice import RowChoice
from core.errors import FusionError

if TYPE_CHECKING:
    from core.batch import PairHeader, Tally
    from core.pairing.dataset_descriptor import DatasetDescriptor
    from core.pairing.plan import PairingPlan


class BatchController(QObject):
    """Pairs, choices and the run. All signals come on the GUI thread."""

    pairing_changed = Signal()
    choices_changed = Signal()
    planned_changed = Signal()
    rows_changed = Signal(object)
    """Keys of rows whose texts may have changed."""
    phase_changed = Signal()
    tally_changed = Signal()
    failed = Signal(object)
    """A FusionError outside of a run: sources cannot be read, or the batch cannot be saved."""
    ended = Signal(object)
    """An :class:`Ending`."""
    datasets_changed = Signal()
    """The known data sets, or the one that the sources are."""
    unfinished_found = Signal(object)
    """A :class:`LastBatch` that was not finished."""

    def __init__(
        self,
        factory: EngineFactory,
        task: str,
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            factory: makes the engine, on the thread that fuses.
            task: the initial one.
            folder: where the last batch is saved; None saves nothing.
        """
        super().__init__(parent)
        self._folder = folder
        self._work = Runner("batch", self, background=True)
        self._inspector = HeaderInspector(self)
        self.run = BatchRun(factory, self._work, self)
        self._search: Job | None = None
        """The one whose answer is taken; those of older ones are not."""
        self._closed = False
        self._uses_default_folder, self._start_when_planned = True, False
        self.sources: tuple[Path, ...] = ()
        self.pairing: PairingPlan | None = None
        self.datasets: tuple[DatasetDescriptor, ...] = ()
        self.dataset: FoundDataset | None = None
        """The data set that the sources are; None while that is not known."""
        self.choices = BatchChoices(task)
        self.planner = BatchPlanner(self._work, self._to_be_planned, self)
        self.planner.changed.connect(self.planned_changed)
        self.planner.ready.connect(self._planned)
        self._inspector.inspected.connect(self.rows_changed)
        self.run.rows_changed.connect(self.rows_changed)
        self.run.phase_changed.connect(self.phase_changed)
        self.run.tally_changed.connect(self.tally_changed)
        self.run.ended.connect(self._ended)

    # --- life ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Load the last batch, and offer to resume it if it was not finished; list data sets."""
        self._work.submit(known_datasets).finished.connect(self._listed)
        if self._folder is not None:
            job = self._work.submit(partial(load_last_batch, self._folder))
            job.finished.connect(self._loaded)

    def _listed(self, known: tuple[DatasetDescriptor, ...]) -> None:
        self.datasets = known
        self.datasets_changed.emit()

    def _set_dataset(self, found: FoundDataset | None) -> None:
        """Take the data set that the sources are, and its task when it is another one."""
        old, self.dataset = self.dataset, found
        self.datasets_changed.emit()
        now = found.descriptor if found is not None else None
        is_new = old is None or old.descriptor != now
        if now is not None and is_new and now.task != self.choices.task:
            self.set_choices(replace(self.choices, task=now.task, method=""), by_person=False)

    def shutdown(self) -> None:
        """Stop so that the run can be resumed later, and wait for the threads."""
        self._closed = True
        self.planner.close()
        self.run.close()
        self._work.shutdown()
        self._inspector.shutdown()

    @property
    def planned(self) -> tasks.Planned:
        """The plan of the pairs and choices."""
        return self.planner.planned

    @property
    def is_planning(self) -> bool:
        """Whether a newer plan is being made."""
        return self.planner.is_planning

    @property
    def own(self) -> Mapping[PairKey, RowChoice]:
        """What was chosen for single pairs."""
        return self.planner.own

    @property
    def targets(self) -> Mapping[PairKey, Path]:
        """Paths of results below the output folder, by pair."""
        return self.planned.targets

    @property
    def problems(self) -> Mapping[PairKey, str]:
        """Why rows cannot be fused, by pair, according to the plan."""
        return self.planned.problems

    @property
    def headers(self) -> Mapping[PairKey, PairHeader]:
        """Headers of the files that have been read so far, by pair."""
        return self._inspector.headers

    @property
    def rows(self) -> RowStates:
        """Records of the rows of the run."""
        return self.run.rows

    @property
    def tally(self) -> Tally | None:
        """Progress of the run; None before its first event."""
        return self.run.tally

    @property
    def stage(self) -> str:
        """What the run is doing before its first row."""
        return self.run.stage

    @property
    def phase(self) -> BatchPhase:
        """What the batch is doing."""
        return "finding" if self._search is not None else self.run.phase

    @property
    def is_busy(self) -> bool:
        """Whether a run is in progress, including a paused one."""
        return self.run.is_on

    @property
    def failed_rows(self) -> int:
        """Number of failed rows, which can be retried."""
        return self.rows.failed

    @property
    def has_more(self) -> bool:
        """Whether some planned rows have not ended yet."""
        return any(key not in self.rows or self.rows[key].state not in OVER for key in self.targets)

    def _set_search(self, search: Job | None) -> None:
        old, self._search = self._search, search
        if old is not None and old is not search:
            old.cancel()
        if (old is None) != (search is None):
            self.phase_changed.emit()

    def _loaded(self, last: LastBatch | None) -> None:
        if last is None:
            return
        if not self.sources:
            self.set_choices(replace(last.choices, out="", anew=False), by_person=False)
        if last.is_open and not (last.found is not None and last.found.is_over):
            self.unfinished_found.emit(last)

    def restore(self, last: LastBatch, *, start: bool = False) -> None:
        """Restore a saved batch; ``start`` resumes it as soon as it is planned."""
        self._uses_default_folder, self._start_when_planned = False, start
        self.sources, self.choices = last.sources, replace(last.choices, anew=False)
        self.planner.own = dict(last.own)
        self.run.forget()
        self.choices_changed.emit()
        if last.has_volumes:
            self.pairing = last.pairing  # whose edits are carried over
            self._find()
        else:
            self._set_search(None)
            self.set_pairing(last.pairing)

    # --- pairs -----------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and folders to the sources, and find the pairs in all of them."""
        if self.is_busy or not paths:
            return
        self.sources = tuple(dict.fromkeys((*self.sources, *paths)))
        if self._uses_default_folder:
            self.set_choices(
                replace(self.choices, out=default_folder(self.sources)), by_person=False
            )
        self._find()

    def _find(self) -> None:
        old = self.pairing
        job = self._work.submit(partial(tasks.find, self.sources, self.choices, old), key="find")
        self._set_search(job)
        job.finished.connect(partial(self._found, job, old))
        job.failed.connect(partial(self._not_found, job))

    def _found(self, job: Job, old: PairingPlan | None, found: tasks.BatchPairs) -> None:
        if job is not self._search:
            return
        if self.pairing is not old:
            self._find()  # with what has been changed by hand meanwhile
            return
        self._set_search(None)
        self.set_pairing(found.pairing)
        self._set_dataset(found.dataset)

    def _not_found(self, job: Job, error: FusionError) -> None:
        if job is not self._search:
            return
        self._set_search(None)
        there = self.pairing is not None
        left = tuple(path for path in self.sources if path.exists()) if there else ()
        if there and left == self.sources:
            # The pairs stay, but not a plan that was made for other choices.
            self.planner.set_planned(tasks.Planned(error=error))
        self.sources = left
        self.failed.emit(error)

    def clear(self) -> None:
        """Remove all pairs."""
        if not self.is_busy:
            self._set_search(None)
            self.sources, self.pairing = (), None
            self._set_dataset(None)
            self.run.forget()
            self._inspector.clear()
            self.planner.own.clear()
            self._uses_default_folder = True
            self.choices = replace(self.choices, out="", anew=False, dataset=AUTOMATIC, split="")
            self.choices_changed.emit()
            self.planner.set_planned(tasks.Planned())
            self.pairing_changed.emit()

    def set_pairing(self, pairing: PairingPlan) -> None:
        """Replace the pairs; the state of those that stay is kept."""
        self.pairing = pairing
        keys = {key_of(match) for match in pairing.matches}
        self.run.keep_only(keys)
        self.pairing_changed.emit()
        self.planner.later()
        # Of volumes the headers are known.
        pictures = [match for match in pairing.matches if match.study is None]
        self._inspector.inspect([key_of(match) for match in pictures])

    def reorder(self, pairing: PairingPlan) -> None:
        """Take the same pairs in another order; during a run, that of its queued rows changes."""
        if not self.is_busy:
            self.set_pairing(pairing)
            return
        self.pairing = pairing
        self.pairing_changed.emit()
        if self.planned.plan is not None:
            ids = {key_of(row.match): row.key for row in self.planned.plan.rows}
            keys = [key_of(match) for match in pairing.matches]
            self.run.set_order([ids[key] for key in keys if key in ids])

    # --- choices ---------------------------------------------------------------------------

    def set_choices(self, choices: BatchChoices, *, by_person: bool = True) -> None:
        """Change the choices; pairs are found again where the task or output folder affects them.

        Args:
            by_person: whether the user chose the output folder, so that no default replaces it.
        """
        old = self.choices
        if choices == old or self.is_busy:
            return
        self.choices = choices
        if by_person and choices.out != old.out:
            self._uses_default_folder = not choices.out.strip()
        self.choices_changed.emit()
        if self.pairing is None:
            return
        finds = choices.task, choices.dataset_choice
        if finds != (old.task, old.dataset_choice) or self._touches_sources(old, choices):
            self._find()
        else:
            self.planner.later()

    def _touches_sources(self, *choices: BatchChoices) -> bool:
        if len({one.out for one in choices}) == 1:
            return False
        folders = [one.folder for one in choices if one.folder is not None]
        return any(f.is_relative_to(source) for f in folders for source in self.sources)

    def choose_method(self, name: str) -> None:
        """Choose a method."""
        self.set_choices(replace(self.choices, method=name), by_person=False)

    def choose_folder(self, folder: str) -> None:
        """Choose the output folder."""
        self.set_choices(replace(self.choices, out=folder))

    def begin_anew(self) -> None:
        """Start a new run that replaces the one recorded in the output folder."""
        if not self.is_busy:
            self._start_when_planned = True
            self.run.forget()
            self.set_choices(replace(self.choices, anew=True))

    def _to_be_planned(self) -> tuple[PairingPlan, BatchChoices] | None:
        if self.pairing is None or self.is_busy or self._closed:
            return None
        return self.pairing, self.choices

    def _planned(self) -> None:
        if self._start_when_planned and self._search is None:
            self._start_when_planned = False
            self.start()

    def resamples(self, key: PairKey) -> bool:
        """Whether B of a pair is resampled to the size of A where they differ."""
        chosen = self.planner.choice(key).resample
        return self.choices.resample if chosen is None else chosen

    def align(self, key: PairKey) -> str:
        """How a pair will be laid on each other, as :meth:`AlignChoice.text` writes it."""
        return self.planner.choice(key).align or self.choices.align

    def set_resample(
        self, keys: Collection[PairKey], resample: bool, *, start: bool = False
    ) -> None:
        """Choose for single pairs whether B is resampled; ``start`` then runs what is left."""
        if not self.is_busy:
            self._start_when_planned = start
            failed = {key for key in keys if key in self.rows and self.rows[key].sizes_differ}
            self._choose(keys, RowChoice(resample=resample), failed)

    def set_align(self, keys: Collection[PairKey], align: str) -> None:
        """Choose for single pairs how they are laid on each other; they are fused again.

        Args:
            align: as :meth:`AlignChoice.text` writes it; "" for the choice of all.
        """
        if not self.is_busy:
            again = [key for key in keys if self.align(key) != (align or self.choices.align)]
            self._choose(keys, RowChoice(align=align), again)

    def _choose(
        self, keys: Collection[PairKey], choice: RowChoice, again: Collection[PairKey]
    ) -> None:
        self.planner.choose(keys, choice)
        self.rows.forget(again)
        self.rows_changed.emit(list(keys))
        self.planner.later()

    # --- the run ---------------------------------------------------------------------------

    def start(self) -> None:
        """Start or resume the planned run."""
        self._run(self.planned)

    def retry(self) -> None:
        """Retry failed rows, including those at which the program crashed."""
        if self.planned.can_run:
            self._run(self.planned.for_retry())

    def _run(self, planned: tasks.Planned) -> None:
        if not self.is_busy and not self.is_planning and planned.can_run:
            self._save(is_open=True)
            self.run.start(planned)

    def _ended(self, ending: Ending) -> None:
        self.choices = replace(self.choices, anew=False)
        if self._closed:
            return
        self.choices_changed.emit()
        self.ended.emit(ending)
        self.planner.later()
        if ending.finished is not None:
            self._save(is_open=False)

    def _save(self, *, is_open: bool) -> None:
        if self._folder is not None and self.pairing is not None:
            last = LastBatch(self.sources, self.choices, self.pairing, is_open, own=dict(self.own))
            job = self._work.submit(partial(save_last_batch, self._folder, last))
            job.failed.connect(self.failed)
