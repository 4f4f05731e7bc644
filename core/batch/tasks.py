"""Rows of a batch on a worker of a cluster."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from core import salted
from core.batch.memory_budget import RowBudget
from core.batch.options import BatchOptions
from core.batch.output_folder import DiskFull, OutputFolder, WorkerDiskFull
from core.batch.plan import BatchPlan, BatchRow
from core.batch.recorded_errors import told_of
from core.batch.row_files import RowFiles, SharedFolder, options_below, read_files
from core.batch.row_progress import RowProgress
from core.batch.row_record import RowRecord, kept_text, read_text
from core.batch.row_work import RowContext, process_row
from core.batch.stages import expected_bytes
from core.cluster.tasks import WantedProgress
from core.cluster.worker_plan import DEVICE_VARIABLE, worker_slots
from core.device import usable_cores
from core.errors import Message, OutputError
from core.fusion.opening import open_engine
from core.fusion.protocol import CheckedEngine

_MOST_BACK, _MOST_SECONDS = 32 * 2**20, 10.0
"""Bytes to send back, and seconds, after which a group ends early; others are free again."""


@dataclass(frozen=True)
class RowJob:
    """What all rows of a run share.

    Attributes:
        options: with absolute paths, and the method by name.
        folder: where results are left, if the worker sees it.
        alone: as in :class:`core.batch.row_work.RowContext`.
        salt: of the installation that the UIDs of the sources are hidden by, the same in all of its
            exports, whoever writes them; empty where they are not.
    """

    options: BatchOptions
    folder: SharedFolder
    _: KW_ONLY
    alone: bool = False
    salt: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, options: BatchOptions, folder: SharedFolder, *, alone: bool = False) -> RowJob:
        """That of a run of this installation."""
        salt = salted.salt() if options.dicom and options.replace_uids else b""
        return cls(options, folder, alone=alone, salt=salt)


@dataclass(frozen=True)
class RowAnswer:
    """What a worker says of a row.

    Attributes:
        record: how it ended; ``queued`` where memory ran out beside others.
        files: of a row that is done.
        made_by: method and weights; None where nothing was fused.
    """

    record: RowRecord
    files: RowFiles
    made_by: Mapping[str, str] | None = None


def process_group(
    job: RowJob, items: tuple[tuple[BatchRow, RowRecord], ...]
) -> tuple[RowAnswer, ...]:
    """Process rows one after the other.

    Returns:
        The answers for the first of them; the others are not begun.

    Raises:
        Cancelled: nobody waits for them. FusionError: this worker cannot process any row.
    """
    answers: list[RowAnswer] = []
    begun = time.monotonic()
    for row, record in items:
        answers.append(_process(job, row, record))
        back = sum(answer.files.size for answer in answers)
        if back > _MOST_BACK or time.monotonic() - begun > _MOST_SECONDS:
            break
    return tuple(answers)


def _process(job: RowJob, row: BatchRow, record: RowRecord) -> RowAnswer:
    made: list[Mapping[str, str]] = []
    with _place(job.folder) as (place, is_shared):
        plan = BatchPlan(options_below(job.options, place), (row,))
        row = replace(row, is_own=False)
        progress = RowProgress(WantedProgress(), threading.Event())
        budget, size = _budget(job.alone), expected_bytes(row)
        target: OutputFolder | None = None
        try:
            target = OutputFolder(place)
            context = RowContext(
                plan=plan,
                engine=_engine(job.options.method),
                place=target,
                progress=progress,
                alone=job.alone,
                fusing=partial(budget.fusing, size, progress.check),
                check=made.append,
            )
            with salted.in_place_of(job.salt), budget.row(size, progress.check):
                record = process_row(row, record, context)
        except OutputError as error:
            raise _as_user_sees_it(error, job.options.out, place, is_shared) from error
        finally:
            if target is not None:
                target.close()
        files = RowFiles()
        if record.state != "done":
            shutil.rmtree(place, ignore_errors=True)
        else:
            files = RowFiles(place) if is_shared else read_files(row, plan)
    # What an unexpected error holds may be such that it cannot be sent.
    text = told_of(read_text(kept_text(record.text)), job.options.out, place)
    record = replace(record, text=text)
    return RowAnswer(record, files, made[0] if made else None)


def _as_user_sees_it(error: OutputError, out: Path, place: Path, is_shared: bool) -> OutputError:
    """An error of the hidden folder of a row, told of the folder that its files are for."""
    if isinstance(error, DiskFull) and not is_shared:
        return WorkerDiskFull(
            Message("The folder {0} of a worker", tempfile.gettempdir()),
            Message("its disk is full, and results that are sent back lie there first"),
            Message("Free some space there, or mount the output folder on it under the same path."),
        )
    what, why = (told_of(text, out, place) for text in (error.what, error.why))
    return type(error)(what, why, error.remedy)


@contextmanager
def _place(folder: SharedFolder) -> Iterator[tuple[Path, bool]]:
    """A new folder for a row, and whether it is shared; one that is not is removed at the end."""
    place = folder.new_place() if folder.is_here() else None
    if place is None:
        with tempfile.TemporaryDirectory(prefix="unifusion-") as name:
            yield Path(name), False
        return
    try:
        yield place, True
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


_opening = threading.Lock()


def _engine(method: str) -> CheckedEngine:
    """The engine of this process for ``method``; it stays."""
    with _opening:
        return _opened(method)


@cache
def _opened(method: str) -> CheckedEngine:
    return open_engine([method], os.environ.get(DEVICE_VARIABLE, "cpu"))


@cache
def _budget(alone: bool) -> RowBudget:
    """What the rows of this process may take together."""
    _one_core_each()
    slots = worker_slots()
    return RowBudget(slots, _memory(), cores=usable_cores(), alone=alone)


def _memory() -> int:
    from core.available_memory import available_bytes

    free = available_bytes(wanted=6 * 2**30)
    most = 2 * 2**30
    return most if free is None else max(1, min(most, free // 3))


def _one_core_each() -> None:
    """Let OpenCV run on the calling thread: its helpers would take cores from other rows."""
    import cv2

    cv2.setNumThreads(1)
