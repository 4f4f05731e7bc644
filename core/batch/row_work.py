"""One row from its files to its record: knows no threads, no manifest and no other rows.

Whatever decides where and when a row is processed calls :func:`process_row`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from core.alignment.aligning import RegistrationFailed, registration_record
from core.batch.output_folder import DiskFull, OutputFolder, Stopped, is_disk_full
from core.batch.plan import BatchPlan, BatchRow
from core.batch.recorded_errors import recorded_text
from core.batch.row_progress import RowProgress
from core.batch.row_record import RowRecord, RowState
from core.batch.row_steps import PictureSteps, RowSteps
from core.batch.study_row import StudySteps
from core.device import is_device_fault
from core.errors import (
    Cancelled,
    DeviceMemoryError,
    InputError,
    Message,
    OutputError,
    PackError,
    SizeMismatch,
)
from core.fusion.protocol import Engine


class OtherPack(InputError):
    """The pack differs from that of the earlier rows, so the run stops."""


def _ignore(record: object) -> None:
    """Tell nobody."""


def _beside_none() -> AbstractContextManager[bool]:
    return nullcontext(False)


@dataclass(frozen=True, kw_only=True, eq=False)
class RowContext:
    """What rows are processed with.

    Attributes:
        plan: the plan with the options of the run.
        engine: fuses the row.
        place: the output folder, checked after writing.
        progress: may cancel the row.
        alone: fuse in tiles, and give up where memory runs out, instead of trying again later.
        clock: in seconds, for the time spent on a row.
        tell: receives the record when it reaches another state, and the stages of volumes.
        fusing: entered while the row is fused; gives whether others are fused beside it.
        writing: entered while files are written.
        check: receives the method and the weights of the result, before anything is written.
    """

    plan: BatchPlan
    engine: Engine
    place: OutputFolder
    progress: RowProgress
    alone: bool = False
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[RowRecord], None] = _ignore
    fusing: Callable[[], AbstractContextManager[bool]] = _beside_none
    writing: Callable[[], AbstractContextManager[None]] = nullcontext
    check: Callable[[Mapping[str, str]], None] = _ignore


def process_row(row: BatchRow, record: RowRecord, context: RowContext) -> RowRecord:
    """Read, fuse and write one row.

    Returns:
        The record of the row: ``done``, ``failed`` with the reason, or ``queued`` where memory ran
        out beside other rows.

    Raises:
        Cancelled: by ``context.progress``. PackError, OtherPack, Stopped: the run cannot go on.
    """
    return _RowWork(row, record, context).done()


class _RowWork:
    def __init__(self, row: BatchRow, record: RowRecord, context: RowContext) -> None:
        self._row, self._record, self._context = row, record, context

    def done(self) -> RowRecord:
        context = self._context
        context.progress.check()
        try:
            with closing(_steps(self._row, context)) as steps:
                return self._processed(steps)
        except (Cancelled, PackError, Stopped, OtherPack):
            raise
        except Exception as error:
            return self._failed(error)

    def _processed(self, steps: RowSteps) -> RowRecord:
        context = self._context
        with self._step("reading"):
            pair, stamps = steps.read(context.progress)
        facts, aligned = steps.facts(pair), steps.aligned.record
        self._record = replace(self._record, stamps=stamps, study=facts, alignment=aligned)
        with context.fusing() as beside_others:
            context.progress.check()
            with self._step("fusing"):
                result = steps.fuse(context.engine, pair, self._told(), beside_others)
                made_by = steps.made_by(result)
                if made_by is not None:
                    context.check(made_by)
        with context.writing(), self._step("writing"):
            size, metrics, notes = self._write(steps, pair, result)
        return replace(
            self._record, state="done", size=size, metrics=metrics, notes=notes, strikes=0
        )

    @contextmanager
    def _step(self, state: RowState) -> Iterator[None]:
        """Tell a state, and count the time of the block."""
        self._record = replace(self._record, state=state, text="")
        self._context.tell(self._record)
        begun = self._context.clock()
        try:
            yield
        finally:
            seconds = self._record.seconds + self._context.clock() - begun
            self._record = replace(self._record, seconds=seconds)

    def _told(self) -> RowProgress:
        """The progress of fusing; that of volumes becomes the text of the record."""
        context, record = self._context, self._record
        if record.study is None:
            return context.progress
        return context.progress.telling(lambda stage: context.tell(replace(record, text=stage)))

    def _write(
        self, steps: RowSteps, pair: Any, result: Any
    ) -> tuple[int, dict[str, float], tuple[str, ...]]:
        place = self._context.place
        try:
            written = steps.write(pair, result)
        except OutputError as error:
            if not is_disk_full(error):
                place.check_writable()
            raise
        place.check()  # a result in a folder that replaced it does not count
        return written

    def _failed(self, error: Exception) -> RowRecord:
        """The record of a row that ended with ``error``.

        Raises:
            DiskFull, RuntimeError: the error ends the run; a failed graphics card, for one, would
                fail all further rows.
        """
        if is_device_fault(error):
            raise error
        record = self._record
        if is_disk_full(error):
            raise DiskFull.of(error) from error
        if _memory_ran_out(error) and not self._context.alone:
            text = Message("memory ran out: tried again at the end, by itself and in tiles")
            return replace(record, state="queued", text=text)
        text = recorded_text(error, self._row.match)
        # Where failed registrations are tolerated, the sizes may still differ.
        cause = error if isinstance(error, RegistrationFailed) else error.__cause__
        if isinstance(cause, RegistrationFailed):
            found = {"registration": registration_record(cause.registration)}
            record = replace(record, alignment=found)
        differ = isinstance(error, SizeMismatch)
        return replace(record, state="failed", text=text, strikes=0, sizes_differ=differ)


def _steps(row: BatchRow, context: RowContext) -> RowSteps:
    if row.match.study is not None:
        return StudySteps(row, context.plan, tiles=context.alone)
    return PictureSteps(row, context.plan, tiles=context.alone)


def _memory_ran_out(error: BaseException) -> bool:
    if isinstance(error, (DeviceMemoryError, MemoryError)):
        return True
    return isinstance(error, InputError) and isinstance(error.__cause__, MemoryError)
