"""A batch in the window: what a person asks for, turned into jobs, and what they answer, as state.

It has an engine and threads of its own, so that the Fuse workspace is free meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.batch import tasks
from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.run import BatchRun
from app.batch.settings import BatchChoices, usual_folder
from app.batch.state import OVER, BatchPhase, Ending, RowStates
from app.engine import EngineFactory
from app.pairs.edits import PairKey, files_of, key_of, moved
from app.workers import Job, Runner
from core.errors import FusionError

if TYPE_CHECKING:
    from core.batch import PairHeader, Tally
    from core.pairing.plan import PairingPlan

_PLAN_MS = 120
"""Choices are gathered for so long before names are made from them."""


class BatchController(QObject):
    """Pairs, choices and the run. All signals come on the GUI thread."""

    pairing_changed = Signal()
    choices_changed = Signal()
    planned_changed = Signal()
    rows_changed = Signal(object)
    """Keys of rows that look different now."""
    phase_changed = Signal()
    tally_changed = Signal()
    failed = Signal(object)
    """A FusionError outside of a run: nothing can be read there."""
    ended = Signal(object)
    """An :class:`Ending`."""
    remembered = Signal(object)
    """A :class:`LastBatch` batch that was not finished."""

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
            task: chosen at first.
            folder: where the last batch is kept; None keeps nothing.
        """
        super().__init__(parent)
        self._folder = folder
        self._work = Runner("batch", self, background=True)
        self._header_worker = Runner("batch look", self)
        self.run = BatchRun(factory, self._work, self)
        self._is_finding = False
        self._header_job: Job | None = None
        self._closed = False
        self._out_is_usual, self._start_soon = True, False
        self.sources: tuple[Path, ...] = ()
        self.pairing: PairingPlan | None = None
        self.choices = BatchChoices(task)
        self.planned = tasks.Planned()
        self.is_planning = False
        self.looks: dict[PairKey, PairHeader] = {}
        self.own: dict[PairKey, bool] = {}
        """Pairs for which it was chosen whether B is resampled, whatever counts for the others."""
        self._plan_timer = QTimer(self)
        self._plan_timer.setSingleShot(True)
        self._plan_timer.setInterval(_PLAN_MS)
        self._plan_timer.timeout.connect(self._plan)
        self.run.rows_changed.connect(self.rows_changed)
        self.run.phase_changed.connect(self.phase_changed)
        self.run.tally_changed.connect(self.tally_changed)
        self.run.ended.connect(self._ended)

    # --- life ------------------------------------------------------------------------------

    def begin(self) -> None:
        """See whether the last batch was left unfinished."""
        if self._folder is not None:
            job = self._work.submit(partial(load_last_batch, self._folder))
            job.finished.connect(self._recalled)

    def shutdown(self) -> None:
        """Stop at a point from which the run can go on, and wait for the threads."""
        self._closed = True
        self._plan_timer.stop()
        self.run.close()
        self._work.shutdown()
        self._header_worker.shutdown()

    @property
    def targets(self) -> Mapping[PairKey, Path]:
        """Names of results below the output folder."""
        return self.planned.targets

    @property
    def problems(self) -> Mapping[PairKey, str]:
        """Rows that cannot be done, as the plan says."""
        return self.planned.problems

    @property
    def rows(self) -> RowStates:
        """How the rows of the run are getting on."""
        return self.run.rows

    @property
    def tally(self) -> Tally | None:
        """How far the run is."""
        return self.run.tally

    @property
    def stage(self) -> str:
        """What the run does before its first row."""
        return self.run.stage

    @property
    def phase(self) -> BatchPhase:
        """What is done at the moment."""
        return "finding" if self._is_finding else self.run.phase

    @property
    def is_busy(self) -> bool:
        """True while a run is on, paused ones included."""
        return self.run.is_on

    @property
    def failed_rows(self) -> int:
        """How many rows failed and can be tried again."""
        return self.rows.failed

    @property
    def has_more(self) -> bool:
        """Whether there are rows that were not tried yet, or not to their end."""
        return any(key not in self.rows or self.rows[key].state not in OVER for key in self.targets)

    def _set_finding(self, finding: bool) -> None:
        if finding != self._is_finding:
            self._is_finding = finding
            self.phase_changed.emit()

    def _recalled(self, last: LastBatch | None) -> None:
        if last is None:
            return
        if not self.sources:
            self.set_choices(replace(last.choices, out="", anew=False), by_person=False)
        if last.is_open and not (last.found is not None and last.found.is_over):
            self.remembered.emit(last)

    def take_up(self, last: LastBatch, *, start: bool = False) -> None:
        """Show a remembered batch as it was, and go on with it if asked to."""
        self._out_is_usual, self._start_soon = False, start
        self.sources, self.choices = last.sources, replace(last.choices, anew=False)
        self.own = dict(last.own)
        self.run.forget()
        self.choices_changed.emit()
        self.set_pairing(last.pairing)

    # --- pairs -----------------------------------------------------------------------------

    def add(self, paths: Sequence[Path]) -> None:
        """Find the pairs in more files and folders, together with what is there already."""
        if self.is_busy or not paths:
            return
        self.sources = tuple(dict.fromkeys((*self.sources, *paths)))
        if self._out_is_usual:
            self.set_choices(replace(self.choices, out=usual_folder(self.sources)), by_person=False)
        self._find()

    def _find(self) -> None:
        self._set_finding(True)
        job = self._work.submit(
            partial(tasks.find, self.sources, self.choices, self.pairing), key="find"
        )
        job.finished.connect(self._found)
        job.failed.connect(self._not_found)

    def _found(self, pairing: PairingPlan) -> None:
        self._set_finding(False)
        self.set_pairing(pairing)

    def _not_found(self, error: FusionError) -> None:
        self._set_finding(False)
        there = self.pairing is not None
        self.sources = tuple(path for path in self.sources if path.exists()) if there else ()
        self.failed.emit(error)

    def clear(self) -> None:
        """Start over with an empty table."""
        if not self.is_busy:
            self.sources, self.pairing = (), None
            self.run.forget()
            self.looks.clear()
            self.own.clear()
            self._out_is_usual = True
            self.choices = replace(self.choices, out="", anew=False)
            self.choices_changed.emit()
            self._set_planned(tasks.Planned())
            self.pairing_changed.emit()

    def set_pairing(self, pairing: PairingPlan) -> None:
        """Show other pairs; what is known of those that stay is kept."""
        self.pairing = pairing
        keys = {key_of(match) for match in pairing.matches}
        self.run.keep_only(keys)
        self.pairing_changed.emit()
        self.plan_soon()
        self._look_at([key_of(match) for match in pairing.matches])

    def _edit(self, pairing: PairingPlan) -> None:
        if not self.is_busy:
            self.set_pairing(pairing)

    def swap(self, rows: Collection[int] | None = None) -> None:
        """Exchange A and B in rows of the table; in all when None."""
        if self.pairing is not None:
            self._edit(self.pairing.swap(rows))

    def include(self, rows: Collection[int], used: bool) -> None:
        """Take rows in or leave them out."""
        if self.pairing is not None:
            plan = self.pairing
            self._edit(plan.include(rows) if used else plan.exclude(rows))

    def join(self, rows: Collection[int]) -> None:
        """Pair two files without partner, or give a pair such a file as its B."""
        files = files_of(self.pairing, rows) if self.pairing is not None else None
        if files is not None:
            self.pair(*files)

    def pair(self, a: Path, b: Path) -> None:
        """Pair two files by hand."""
        if self.pairing is not None and a != b:
            self._edit(self.pairing.pair_by_hand(a, b))

    def move(self, rows: Collection[int], to: int) -> None:
        """Bring rows before place ``to``; those that wait in a run are taken in that order."""
        if self.pairing is None or not 0 <= to <= len(self.pairing.matches):
            return
        pairing = moved(self.pairing, rows, to)
        if not self.is_busy:
            self.set_pairing(pairing)
            return
        self.pairing = pairing
        self.pairing_changed.emit()
        if self.planned.plan is not None and self.planned.order is not None:
            ids = {key_of(row.match): row.key for row in self.planned.plan.rows}
            keys = [key_of(match) for match in pairing.matches]
            self.planned.order.set([ids[key] for key in keys if key in ids])

    # --- sizes -----------------------------------------------------------------------------

    def _look_at(self, keys: Sequence[PairKey]) -> None:
        if self._header_job is not None:
            self._header_job.cancel()
            self._header_job = None
        wanted = [key for key in keys if key not in self.looks]
        if wanted and not self._closed:
            job = self._header_job = self._header_worker.submit(
                partial(tasks.inspect_pairs, wanted, self.looks)
            )
            job.yielded.connect(self._looked)

    def _looked(self, seen: list[tuple[PairKey, PairHeader]]) -> None:
        self.looks.update(seen)
        self.rows_changed.emit([key for key, _ in seen])

    # --- choices ---------------------------------------------------------------------------

    def set_choices(self, choices: BatchChoices, *, by_person: bool = True) -> None:
        """Choose otherwise; results in a source folder are looked for again if that matters."""
        old = self.choices
        if choices == old or self.is_busy:
            return
        self.choices = choices
        if by_person and choices.out != old.out:
            self._out_is_usual = not choices.out.strip()
        self.choices_changed.emit()
        if self.pairing is None:
            return
        if choices.task != old.task or self._touches_sources(old, choices):
            self._find()
        else:
            self.plan_soon()

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
        """Forget the run recorded in the output folder with the next start, and start."""
        if not self.is_busy:
            self._start_soon = True
            self.run.forget()
            self.set_choices(replace(self.choices, anew=True))

    def plan_soon(self) -> None:
        """Make names anew, a little later."""
        self.is_planning = True
        self._plan_timer.start()
        self.planned_changed.emit()

    def _plan(self) -> None:
        if self.pairing is None or self.is_busy or self._closed:
            return
        wanted = partial(tasks.plan, self.pairing, self.choices, dict(self.own))
        job = self._work.submit(wanted, key="plan")
        job.finished.connect(self._set_planned)
        job.failed.connect(lambda error: self._set_planned(tasks.Planned(error=error)))

    def _set_planned(self, planned: tasks.Planned) -> None:
        if self._plan_timer.isActive():
            return  # overtaken
        self.is_planning, self.planned = False, planned
        self.planned_changed.emit()
        if self._start_soon:
            self._start_soon = False
            self.start()

    def resamples(self, key: PairKey) -> bool:
        """Whether B of a pair is brought onto A where sizes differ."""
        planned = self.planned.resamples(key)
        return self.own.get(key, self.choices.resample if planned is None else planned)

    def set_resample(
        self, keys: Collection[PairKey], resample: bool, *, start: bool = False
    ) -> None:
        """Choose for single pairs whether B is resampled; then run what is left, if asked to."""
        if self.is_busy:
            return
        self.own.update(dict.fromkeys(keys, resample))
        self.rows.forget(key for key in keys if key in self.rows and self.rows[key].sizes_differ)
        self._start_soon = start
        self.rows_changed.emit(list(keys))
        self.plan_soon()

    # --- the run ---------------------------------------------------------------------------

    def start(self) -> None:
        """Run what is planned: begin, or go on."""
        self._run(self.planned)

    def retry(self) -> None:
        """Try failed rows again, also those at which the program crashed."""
        if self.planned.can_run:
            self._run(self.planned.for_retry())

    def _run(self, planned: tasks.Planned) -> None:
        if not self.is_busy and not self.is_planning and planned.can_run:
            self._keep(is_open=True)
            self.run.start(planned)

    def pause(self) -> None:
        """Let rows that are being written end, and then stand still."""
        self.run.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self.run.resume()

    def cancel(self) -> None:
        """Stop; what is done stays done."""
        self.run.cancel()

    def _ended(self, ending: Ending) -> None:
        self.choices = replace(self.choices, anew=False)
        if self._closed:
            return
        self.choices_changed.emit()
        self.ended.emit(ending)
        self.plan_soon()
        if ending.finished is not None:
            self._keep(is_open=False)

    def _keep(self, *, is_open: bool) -> None:
        if self._folder is not None and self.pairing is not None:
            last = LastBatch(self.sources, self.choices, self.pairing, is_open, own=dict(self.own))
            job = self._work.submit(partial(save_last_batch, self._folder, last))
            job.failed.connect(self.failed)
