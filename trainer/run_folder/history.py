"""The log of a run: every point of every curve, written by the loop, read by whoever draws."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.io.atomic import atomic_write, output_error
from core.io.readers.decoding import file_error
from trainer.events import RatesChanged, Reduced, Stepped, TrainEvent, Validated

Points = npt.NDArray[np.float64]

_BEYOND = 2**53
"""Steps that no run has, nor can a float tell from their neighbours."""


@dataclass(frozen=True, eq=False)
class History:
    """What a log holds, in order of steps.

    Attributes:
        steps: where the losses were taken. series: values by name, as long as ``steps`` each, NaN
            where one is missing: the loss terms, ``lower``, ``upper``, ``lr_lower``, ``lr_upper``,
            ``seconds_per_step``.
        validation_steps, validation: the same for the validation figures and ``score``.
        marks: (step, what happened) for changed rates and batches.
    """

    steps: Points
    series: Mapping[str, Points]
    validation_steps: Points
    validation: Mapping[str, Points]
    marks: tuple[tuple[int, str], ...] = ()


@dataclass
class RunLog:
    """Appends events to a log, flushed at once.

    Raises:
        OutputError: it cannot be written, for instance because the disk is full.
    """

    path: Path
    validated: set[int] = field(default_factory=set)
    """Steps whose figures are in the log."""

    def cut(self, step: int) -> None:
        """Forget what lies after ``step``, where a run goes on: it will be written again."""
        entries = [e for e in read_entries(self.path) if e["step"] <= step]
        self.validated = {int(e["step"]) for e in entries if "validation" in e}
        if self.path.is_file():
            text = "".join(json.dumps(entry) + "\n" for entry in entries)
            atomic_write(self.path, text.encode())

    def add(self, event: TrainEvent) -> None:
        """Write ``event``, if it has a place in the log."""
        entry = _entry(event)
        if entry is None:
            return
        if "validation" in entry:
            self.validated.add(int(entry["step"]))
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise output_error(self.path, error) from error


def _entry(event: TrainEvent) -> dict[str, Any] | None:
    match event:
        case Stepped():
            losses = {name: _short(value) for name, value in event.losses.items()}
            rates = {"lr_lower": _short(event.lr_lower), "lr_upper": _short(event.lr_upper)}
            pace = {"seconds_per_step": round(event.seconds_per_step, 4)}
            return {"step": event.step, **losses, **rates, **pace}
        case Validated():
            figures = {name: _short(value) for name, value in event.figures.items()}
            return {"step": event.step, "validation": figures, "score": _short(event.score)}
        case RatesChanged():
            rates = {"lower": event.lower, "upper": event.upper}
            return {"step": event.step, "rates": rates}
        case Reduced():
            return {"step": event.step, "batch": event.batch}
        case _:
            return None


def _short(value: float) -> float:
    """Seven digits: more than a curve needs, and as many as a float32 has."""
    return float(f"{value:.7g}")


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The lines of a log as dictionaries; torn and foreign lines are passed over.

    Raises:
        InputError: the file is there and cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise file_error(path, error) from error
    entries = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue  # the last line of a killed process may be half a line
        step = entry.get("step") if isinstance(entry, dict) else None
        if isinstance(step, int) and 0 <= step < _BEYOND:
            entries.append(entry)
    return entries


def read_curves(path: Path) -> History:
    """The curves of a run, given its folder or its log.

    Raises:
        InputError: there is no log, or it cannot be read.
    """
    if path.is_dir():
        path = path / "log.jsonl"
    if not path.is_file():
        raise InputError(
            str(path), Message("there is no such log"), Message("The run has not begun.")
        )
    losses: list[dict[str, Any]] = []
    figures: list[dict[str, Any]] = []
    marks: list[tuple[int, str]] = []
    for entry in read_entries(path):
        if isinstance(entry.get("validation"), dict):
            score = {"score": entry["score"]} if "score" in entry else {}
            figures.append({"step": entry["step"], **entry["validation"], **score})
        elif isinstance(entry.get("rates"), dict):
            lower, upper = (_number(entry["rates"].get(level)) for level in ("lower", "upper"))
            text = Message("learning rates {0:g}, {1:g}", lower, upper)
            marks.append((entry["step"], text))
        elif "upper" not in entry and "batch" in entry:
            marks.append((entry["step"], Message("batch {0}", entry["batch"])))
        else:
            losses.append(entry)
    return History(*_columns(losses), *_columns(figures), tuple(marks))


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[Points, dict[str, Points]]:
    rows = sorted(rows, key=lambda row: int(row["step"]))
    names = dict.fromkeys(name for row in rows for name in row if name != "step")
    steps = np.array([row["step"] for row in rows], np.float64)
    return steps, {
        name: np.array([_number(row.get(name)) for row in rows], np.float64) for name in names
    }


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) else float("nan")
    except OverflowError:  # of a foreign or damaged log
        return float("nan")
