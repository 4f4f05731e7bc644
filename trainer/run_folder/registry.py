"""The folder of a run: what is in it, which runs were left unfinished, and clearing up.

``run.json`` holds settings, paths and state; ``checkpoint.safetensors`` where to go on, and
``checkpoint.previous.safetensors`` the one before; ``log.jsonl`` the curves; ``best.safetensors`` a
pack of the best state; ``start.safetensors`` what the network made of the first validation pair
before training, and ``strip.safetensors`` the images of the last judgement. All but the log are
replaced atomically.
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
_MOST_BYTES = 4_000_000
"""Of a record: a real one takes some thousand."""

_STALE = 600.0
"""Seconds after which a part of a file beside the pack belongs to nobody who still writes it."""


_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class RunRecord:
    """What ``run.json`` says.

    Attributes:
        config, plan: how the run was begun.
        state: ``running`` is also what a killed process leaves behind.
        step, seconds: of the last checkpoint.
        pairs, validation: how many were used. why: of a failure, in words.
        when: of the last change, UTC.
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
        folder: of the run. name: of the pack it makes. task: its task.
        step, steps: done and planned. seconds: trained so far. when: last saved, UTC.
        state, why: how it ended, and why if it failed.
        running: it is going on right now, here or in another process.
        resumable: there is a checkpoint to go on from.
        config, plan: to go on with.
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
    """A folder of a run whose record cannot be used.

    ``name``: of the pack it was to make. ``why``: in words.
    """

    folder: Path
    name: str
    why: str


def write_record(record: RunRecord) -> None:
    """Write ``run.json``, atomically, with the present time.

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
    """The plan as plain data; a run is gone on with from wherever the program is started."""
    plain = asdict(plan)
    plain["data"] = [str(path.absolute()) for path in plan.sources]
    plain["out"] = str(plan.out.absolute())
    plain["validation"] = str(plan.validation.absolute()) if plan.validation else None
    return plain


def read_record(folder: Path) -> RunRecord:
    """What ``folder`` says about its run; the output is looked for beside the folder.

    Raises:
        InputError: it holds no run, or one this program does not understand.
    """
    path = folder / RECORD
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(Message("run.json is too large to be a record"))
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != _FORMAT:
            raise ValueError(Message("another version of this program wrote it"))
        why = from_data(raw.pop("why", ""))
        record = _record_adapter.validate_python(raw)
        # The folder may have been moved or renamed since, with the pack it belongs to.
        name = folder.name.removesuffix(FOLDER_SUFFIX) + record.plan.out.suffix
        plan = replace(record.plan, out=folder.absolute().with_name(name))
        when = record.when if record.when.tzinfo else record.when.replace(tzinfo=UTC)
        return replace(record, plan=plan, when=when, why=why)
    except _DAMAGE as error:
        why = Message("it holds no run that can be gone on with ({0})", _reason(error))
        raise InputError(str(folder), why) from error


_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def _reason(error: Exception) -> str:
    """What is wrong with a record, in few words."""
    if isinstance(error, ValidationError):
        where, why = first_message(error)
        return Message("{0}: {1}", where, why)
    if isinstance(error, OSError):
        return error.strerror or Message("it cannot be read")
    own = error.args[0] if error.args else None
    return own if isinstance(own, Message) else Message("run.json is damaged")


def unfinished(folder: Path) -> tuple[RunSummary, ...]:
    """Runs below ``folder`` that were begun and not finished, the latest first."""
    return scan_runs(folder)[0]


def scan_runs(folder: Path) -> tuple[tuple[RunSummary, ...], tuple[DamagedRun, ...]]:
    """Runs below ``folder``: those begun and not finished, the latest first, and the unreadable."""
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
    """Folders that look like runs; one that may not be looked into counts as well."""
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
    except OSError:  # no record in it, no folder, a loop of links
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
    """Remove half-written files of earlier attempts. Only while the run's folder is locked."""
    remove_parts(plan.run_folder)
    # Beside the pack other runs and imports may be writing now.
    remove_parts(plan.out.parent, older_than=_STALE)


def discard(run: RunSummary | DamagedRun | Path) -> None:
    """Delete the folder of a run; the pack, if there is one, stays. Other files in it stay, too.

    Raises:
        InputError: it is no folder of a run, or the run is going on.
        OutputError: a file cannot be deleted.
    """
    folder = run if isinstance(run, Path) else run.folder
    if folder.suffix != FOLDER_SUFFIX or not (folder / RECORD).is_file():
        raise InputError(str(folder), Message("it is no folder of a training run"))
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
