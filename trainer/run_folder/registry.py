"""The folder of a run: its record, the list of unfinished runs, and deletion.

``run.json`` holds settings, paths and status; ``checkpoint.safetensors`` the state to resume from,
and ``checkpoint.previous.safetensors`` the one before; ``log.jsonl`` the curves;
``best.safetensors`` a pack of the best state; ``start.safetensors`` the fusion of the first
validation pair before training; ``strip.safetensors`` the images of the last validation. All files
but the log are replaced atomically.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import KW_ONLY, asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from core.errors import InputError, Message
from core.io.atomic import atomic_write, output_error, remove_parts
from core.messages import from_data, to_data
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.run_plan import (
    BEST,
    BOARD,
    CHECKPOINT,
    FOLDER_SUFFIX,
    LOG,
    PREVIOUS,
    RECORD,
    START,
    STRIP,
    RunPlan,
)
from trainer.config.validation_messages import first_message
from trainer.run_folder.history import History, read_curves
from trainer.run_folder.lock import is_locked, locked

__all__ = [
    "DamagedRun",
    "History",
    "RunRecord",
    "RunSummary",
    "discard",
    "read_curves",
    "read_record",
    "remove_leftovers",
    "scan_runs",
    "unfinished",
]

RunStatus = Literal["running", "paused", "stopped", "failed", "finished"]
_FORMAT = 1
_NEVER = datetime.fromtimestamp(0, UTC)
_MAX_RECORD_BYTES = 4_000_000
"""Largest size of a record; typical ones have a few thousand bytes."""

_STALE = 600.0
"""Seconds after which a partially written file beside the pack is considered abandoned."""


_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class RunRecord:
    """The contents of ``run.json``.

    Attributes:
        config, plan: with which the run was started.
        state: ``running`` may also be that of a killed process.
        step, seconds: of the last checkpoint.
        pairs, validation: number of training and of validation pairs.
        why: reason of a failure.
        when: time of the last change, UTC.
    """

    config: TrainConfig
    plan: RunPlan
    _: KW_ONLY
    state: RunStatus = "running"
    step: _Count = 0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    pairs: _Count = 0
    validation: _Count = 0
    why: str = ""
    when: datetime = _NEVER


_record_adapter = TypeAdapter(RunRecord)


@dataclass(frozen=True)
class RunSummary:
    """An unfinished run, for a list.

    Attributes:
        folder: folder of the run.
        name: name of the pack it produces.
        task: its task.
        step, steps: steps done and planned.
        seconds: training time so far.
        when: time of the last save, UTC.
        state, why: how it ended, and the reason of a failure.
        running: whether it is in progress, in this or another process.
        resumable: whether there is a checkpoint.
        config, plan: needed to resume it.
    """

    folder: Path
    name: str
    _: KW_ONLY
    task: str
    step: int
    steps: int
    seconds: float
    when: datetime
    state: RunStatus
    why: str
    running: bool
    resumable: bool
    config: TrainConfig
    plan: RunPlan


@dataclass(frozen=True)
class DamagedRun:
    """The folder of a run whose record cannot be used.

    ``name``: name of the pack it was to produce. ``why``: reason, for the user.
    """

    folder: Path
    name: str
    why: str


def write_record(record: RunRecord) -> None:
    """Write ``run.json`` atomically, with the present time.

    Raises:
        OutputError: it cannot be written.
    """
    record = replace(record, when=datetime.now(UTC))
    plain = {name: value for name, value in vars(record).items() if name not in ("config", "plan")}
    plain["why"] = to_data(record.why)
    plain["when"] = record.when.isoformat(timespec="seconds")
    plain["config"] = train_adapter.dump_python(record.config, mode="json")
    plain["plan"] = _absolute(record.plan)
    plain["format"] = _FORMAT
    atomic_write(record.plan.record, json.dumps(plain, indent=1).encode())


def _absolute(plan: RunPlan) -> dict[str, Any]:
    """The plan as plain data with absolute paths, independent of the working directory."""
    plain = asdict(plan)
    plain["data"] = [str(path.absolute()) for path in plan.sources]
    plain["out"] = str(plan.out.absolute())
    for name in ("dataset", "validation_dataset"):
        descriptor = getattr(plan, name)
        plain[name] = descriptor.model_dump(mode="json") if descriptor else None
    plain["validation"] = str(plan.validation.absolute()) if plan.validation else None
    return plain


def read_record(folder: Path) -> RunRecord:
    """Read the record of the run in ``folder``; its output is expected beside the folder.

    Raises:
        InputError: the folder holds no run, or one of an unknown format.
    """
    path = folder / RECORD
    try:
        if path.stat().st_size > _MAX_RECORD_BYTES:
            raise ValueError(Message("run.json is too large to be a record"))
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != _FORMAT:
            raise ValueError(Message("another version of this program wrote it"))
        why = from_data(raw.pop("why", ""))
        record = _record_adapter.validate_python(raw)
        # The folder may have been moved or renamed, together with its pack.
        name = folder.name.removesuffix(FOLDER_SUFFIX) + record.plan.out.suffix
        plan = replace(record.plan, out=folder.absolute().with_name(name))
        when = record.when if record.when.tzinfo else record.when.replace(tzinfo=UTC)
        return replace(record, plan=plan, when=when, why=why)
    except _DAMAGE_ERRORS as error:
        why = Message("it holds no run that can be gone on with ({0})", _reason(error))
        raise InputError(
            str(folder), why, Message("Begin the run anew, or choose another one.")
        ) from error


_DAMAGE_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def _reason(error: Exception) -> str:
    """A short description of what is wrong with a record."""
    if isinstance(error, ValidationError):
        where, why = first_message(error)
        return Message("{0}: {1}", where, why)
    if isinstance(error, OSError):
        return error.strerror or Message("it cannot be read")
    own = error.args[0] if error.args else None
    return own if isinstance(own, Message) else Message("run.json is damaged")


def unfinished(folder: Path) -> tuple[RunSummary, ...]:
    """Unfinished runs below ``folder``, the latest first."""
    return scan_runs(folder)[0]


def scan_runs(folder: Path) -> tuple[tuple[RunSummary, ...], tuple[DamagedRun, ...]]:
    """Unfinished runs below ``folder``, the latest first, and runs with unreadable records."""
    found: list[RunSummary] = []
    damaged: list[DamagedRun] = []
    for run in _run_folders(folder):
        try:
            record = read_record(run)
            if record.state != "finished":
                found.append(_summary(run, record))
        except (InputError, OSError) as error:
            why = error.why if isinstance(error, InputError) else _reason(error)
            damaged.append(DamagedRun(run, run.name.removesuffix(FOLDER_SUFFIX), why))
    return tuple(sorted(found, key=lambda item: item.when, reverse=True)), tuple(damaged)


def _run_folders(folder: Path) -> list[Path]:
    """Folders that look like runs, including those without read permission."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return []
    runs = [folder / name for name in names if name.endswith(FOLDER_SUFFIX)]
    return [run for run in runs if _may_be_run(run)]


def _may_be_run(run: Path) -> bool:
    try:
        (run / RECORD).lstat()
    except PermissionError:
        return True
    except OSError:  # no record, not a folder, or a loop of links
        return False
    return True


def _summary(run: Path, record: RunRecord) -> RunSummary:
    return RunSummary(
        run,
        record.plan.out.stem,
        task=record.config.task,
        step=record.step,
        steps=record.config.steps,
        seconds=record.seconds,
        when=record.when,
        state=record.state,
        why=record.why,
        running=is_locked(run),
        resumable=(run / CHECKPOINT).is_file(),
        config=record.config,
        plan=record.plan,
    )


def remove_leftovers(plan: RunPlan) -> None:
    """Delete partially written files of earlier attempts. Requires the lock of the run's folder."""
    remove_parts(plan.run_folder)
    # Other runs and imports may be writing beside the pack.
    remove_parts(plan.out.parent, older_than=_STALE)


def discard(run: RunSummary | DamagedRun | Path) -> None:
    """Delete the files of a run; its pack and other files in the folder are kept.

    Raises:
        InputError: not a folder of a run, or the run is in progress.
        OutputError: a file cannot be deleted.
    """
    folder = run if isinstance(run, Path) else run.folder
    if folder.suffix != FOLDER_SUFFIX or not (folder / RECORD).is_file():
        raise InputError(
            str(folder),
            Message("it is no folder of a training run"),
            Message("Choose a folder whose name ends in “.run”."),
        )
    with locked(folder):
        pass
    try:
        remove_parts(folder)
        for name in (CHECKPOINT, PREVIOUS, BEST, START, STRIP, LOG, "lock", RECORD):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / BOARD, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise output_error(folder, error) from error
