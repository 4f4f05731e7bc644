"""The log of a run: all curves, written by the training loop and read by the charts."""

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
from trainer.config.run_plan import LOG
from trainer.events import RatesChanged, Reduced, Started, Stepped, TrainEvent, Validated

CurveValues = npt.NDArray[np.float64]

_SINCE = "since"
_MAX_STEP = 2**53
"""Larger step numbers are rejected: a float64 no longer represents every integer."""


@dataclass(frozen=True, eq=False)
class History:
    """The contents of a log in the order of steps.
    Attributes:
        steps: steps at which the losses were recorded.
        series: values by name, NaN where missing, each as long as ``steps``: the loss terms,
            ``lower``, ``upper``, ``lr_lower``, ``lr_upper``, ``seconds_per_step``.
        validation_steps, validation: the same for the validation scores and ``score``, of the pairs
            that were judged last: where they changed during the run, from then on.
        marks: (step, description) of changes of learning rates, batch size and validation pairs.
    """

    steps: CurveValues
    series: Mapping[str, CurveValues]
    validation_steps: CurveValues
    validation: Mapping[str, CurveValues]
    marks: tuple[tuple[int, str], ...] = ()


@dataclass
class RunLog:
    """Appends events to a log and flushes each.

    Raises:
        OutputError: the log cannot be written, for instance because the disk is full.
    """

    path: Path
    validated: set[int] = field(default_factory=set)
    """Steps whose scores are in the log."""

    def truncate(self, step: int) -> None:
        """Delete the entries after ``step``, from which a run resumes: they will be repeated."""
        entries = [e for e in read_entries(self.path) if e["step"] <= step]
        self.validated = {int(e["step"]) for e in entries if "validation" in e}
        if self.path.is_file():
            text = "".join(json.dumps(entry) + "\n" for entry in entries)
            atomic_write(self.path, text.encode())

    def add(self, event: TrainEvent) -> None:
        """Write ``event`` if it is one that the log contains."""
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
        case Started() if event.step == 0:
            # A resumed run computes as it did before: no second entry, so the log stays the same.
            how = {"device": event.device, "precision": event.precision}
            return {"step": 0, **how, "reason": event.precision_reason}
        case Stepped():
            losses = {name: _rounded(value) for name, value in event.losses.items()}
            rates = {"lr_lower": _rounded(event.lr_lower), "lr_upper": _rounded(event.lr_upper)}
            pace = {"seconds_per_step": round(event.seconds_per_step, 4)}
            return {"step": event.step, **losses, **rates, **pace}
        case Validated():
            scores = {name: _rounded(value) for name, value in event.scores.items()}
            since = {"since": event.since} if event.since else {}
            score = _rounded(event.score)
            return {"step": event.step, "validation": scores, "score": score, **since}
        case RatesChanged():
            rates = {"lower": event.lower, "upper": event.upper}
            return {"step": event.step, "rates": rates}
        case Reduced():
            return {"step": event.step, "batch": event.batch}
        case _:
            return None


def _rounded(value: float) -> float:
    """Seven significant digits: more than a chart needs, and the precision of float32."""
    return float(f"{value:.7g}")


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The lines of a log as dictionaries; incomplete and invalid lines are skipped.

    Raises:
        InputError: the file exists but cannot be read.
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
            continue  # the last line of a killed process may be incomplete
        step = entry.get("step") if isinstance(entry, dict) else None
        if isinstance(step, int) and 0 <= step < _MAX_STEP:
            entries.append(entry)
    return entries


def read_curves(path: Path) -> History:
    """The curves of a run, from its folder or its log.

    Raises:
        InputError: there is no log, or it cannot be read.
    """
    if path.is_dir():
        path = path / LOG
    if not path.is_file():
        raise InputError(
            str(path), Message("there is no such log"), Message("The run has not begun.")
        )
    losses: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    marks: list[tuple[int, str]] = []
    for entry in read_entries(path):
        if isinstance(entry.get("validation"), dict):
            score = {"score": entry["score"]} if "score" in entry else {}
            since = _number(entry.get(_SINCE, 0))
            since = int(since) if 0 < since < _MAX_STEP else 0
            scores.append({"step": entry["step"], **entry["validation"], **score, _SINCE: since})
        elif isinstance(entry.get("rates"), dict):
            lower, upper = (_number(entry["rates"].get(level)) for level in ("lower", "upper"))
            text = Message("learning rates {0:g}, {1:g}", lower, upper)
            marks.append((entry["step"], text))
        elif "upper" not in entry and "batch" in entry:
            marks.append((entry["step"], Message("batch {0}", entry["batch"])))
        elif "precision" not in entry:
            losses.append(entry)
    since = scores[-1][_SINCE] if scores else 0
    if since:
        marks.append((since, Message("other pairs to judge by")))
    comparable = [{k: v for k, v in one.items() if k != _SINCE} for one in scores
                  if one[_SINCE] == since]  # fmt: skip
    return History(*_columns(losses), *_columns(comparable), tuple(sorted(marks)))


def _columns(rows: Iterable[Mapping[str, Any]]) -> tuple[CurveValues, dict[str, CurveValues]]:
    rows = sorted(rows, key=lambda row: int(row["step"]))
    names = dict.fromkeys(name for row in rows for name in row if name != "step")
    steps = np.array([row["step"] for row in rows], np.float64)
    return steps, {
        name: np.array([_number(row.get(name)) for row in rows], np.float64) for name in names
    }


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) else float("nan")
    except OverflowError:  # a damaged log
        return float("nan")
