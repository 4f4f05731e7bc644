"""The folder of a run: what is in it, which runs were left unfinished, and clearing up.

``run.json`` holds settings, paths and state; ``checkpoint.safetensors`` where to go on;
``log.jsonl`` the curves; ``best.safetensors`` a pack of the best state; ``start.safetensors`` what
the network made of the first validation pair before training, and ``strip.safetensors`` the
pictures of the last judgement. All but the log are replaced atomically.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from core.errors import InputError, Said
from core.io.atomic import atomic_write, output_error
from core.said import from_data, to_data
from trainer.config import TrainConfig, train_adapter
from trainer.curves import Curves, read_curves
from trainer.lock import is_locked, locked
from trainer.plan import (
    BEST,
    BOARD,
    CHECKPOINT,
    FOLDER_SUFFIX,
    LOG,
    RECORD,
    START,
    STRIP,
    RunPlan,
)

__all__ = [
    "Curves",
    "RunRecord",
    "RunSummary",
    "discard",
    "read_curves",
    "read_record",
    "unfinished",
]

State = Literal["running", "paused", "stopped", "failed", "finished"]
_FORMAT = 1
_NEVER = datetime.fromtimestamp(0, UTC)
_plan_adapter = TypeAdapter(RunPlan)


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
    state: State = "running"
    step: int = 0
    seconds: float = 0.0
    pairs: int = 0
    validation: int = 0
    why: str = ""
    when: datetime = _NEVER


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
    task: str
    step: int
    steps: int
    seconds: float
    when: datetime
    state: State
    why: str
    running: bool
    resumable: bool
    config: TrainConfig
    plan: RunPlan


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
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != _FORMAT:
            raise ValueError("another version of this program wrote it")
        config = train_adapter.validate_python(raw.pop("config"))
        plan = _plan_adapter.validate_python(raw.pop("plan"))
        # The folder may have been moved since, with the pack it belongs to.
        plan = replace(plan, out=folder.absolute().with_name(plan.out.name))
        when = datetime.fromisoformat(raw.pop("when"))
        why = from_data(raw.pop("why", ""))
        return RunRecord(config, plan, when=when, why=why, **raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        why = Said("it holds no run that can be gone on with ({0})", reason)
        raise InputError(str(folder), why) from error


def unfinished(folder: Path) -> tuple[RunSummary, ...]:
    """Runs below ``folder`` that were begun and not finished, the latest first."""
    found: list[RunSummary] = []
    for run in sorted(folder.glob(f"*{FOLDER_SUFFIX}")) if folder.is_dir() else ():
        try:
            record = read_record(run)
        except InputError:
            continue  # no run, or one of another version: nothing to offer
        if record.state != "finished":
            found.append(_summary(run, record))
    return tuple(sorted(found, key=lambda item: item.when, reverse=True))


def _summary(run: Path, record: RunRecord) -> RunSummary:
    return RunSummary(
        run,
        record.plan.out.stem,
        record.config.task,
        record.step,
        record.config.steps,
        record.seconds,
        record.when,
        record.state,
        record.why,
        is_locked(run),
        (run / CHECKPOINT).is_file(),
        record.config,
        record.plan,
    )


def discard(run: RunSummary | Path) -> None:
    """Delete the folder of a run; the pack, if there is one, stays. Other files in it stay, too.

    Raises:
        InputError: it is no folder of a run, or the run is going on.
        OutputError: a file cannot be deleted.
    """
    folder = run.folder if isinstance(run, RunSummary) else run
    if folder.suffix != FOLDER_SUFFIX or not (folder / RECORD).is_file():
        raise InputError(str(folder), "it is no folder of a training run")
    with locked(folder):
        pass
    try:
        for name in (CHECKPOINT, BEST, START, STRIP, LOG, "lock", RECORD):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / BOARD, ignore_errors=True)
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise output_error(folder, error) from error
