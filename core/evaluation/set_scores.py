"""Scores over a whole set that were measured apart from an evaluation, as columns and rows of it.

A column is the score of another task (detection, segmentation) on all results of a method; a row
holds means of a method that were measured elsewhere. Neither has values per pair, so that neither
takes part in ranks, tests and intervals.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.errors import InputError, Message
from core.evaluation.result import EvaluationResult, QuotedMeans, SetColumn
from core.io.readers.decoding import file_error
from core.metrics import METRIC_ALIASES, METRICS


@dataclass(frozen=True)
class SetMetric:
    """A score of a whole set, in which higher is better: title and one line for non-experts."""

    title: Message
    explanation: Message


SET_METRICS: Mapping[str, SetMetric] = MappingProxyType(
    {
        "mAP50": SetMetric(
            Message("Mean average precision at an IoU of .5"),
            Message("How well a detector trained on the fused pictures finds objects."),
        ),
        "mAP": SetMetric(
            Message("Mean average precision at IoUs of .5 to .95"),
            Message("As at .5, and how closely the boxes fit."),
        ),
        "mIoU": SetMetric(
            Message("Mean intersection over union"),
            Message("How well a network trained on the fused pictures tells classes of pixels."),
        ),
    }
)
"""The scores that ``unifusion downstream`` writes and an evaluation takes as columns."""


def read_set_columns(files: Sequence[Path], methods: Sequence[str]) -> tuple[SetColumn, ...]:
    """The columns of CSV files of ``unifusion downstream`` for the methods of an evaluation.

    Args:
        methods: names of the methods; others in the files are left out.

    Raises:
        InputError: a file cannot be read, has none of :data:`SET_METRICS` or of the methods, or a
            column is in two files.
    """
    columns: dict[str, SetColumn] = {}
    for path in files:
        for column in _columns_of(path, methods):
            if column.metric in columns:
                raise InputError(
                    str(path),
                    Message("another file has {0} already", column.metric),
                    Message("Give one file with it."),
                )
            columns[column.metric] = column
    return tuple(columns[name] for name in SET_METRICS if name in columns)


def _columns_of(path: Path, methods: Sequence[str]) -> list[SetColumn]:
    rows = _read_csv(path)
    named = {str(row.get("method") or ""): row for row in rows}
    names = [name for name in SET_METRICS if rows and name in rows[0]]
    if not names:
        raise InputError(
            str(path),
            Message("it has no column method, or none of {0}", ", ".join(SET_METRICS)),
            Message("Give a file that “unifusion downstream … --csv” has written."),
        )
    if not set(named) & set(methods):
        raise InputError(
            str(path),
            Message("none of its methods is in the evaluation: {0}", ", ".join(named)),
            Message("Name them alike: {0}.", ", ".join(methods)),
        )
    return [
        SetColumn(
            name,
            {
                method: _number(path, named[method][name])
                for method in methods
                if method in named and named[method][name]
            },
            path.name,
        )
        for name in names
    ]


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            return list(reader) if "method" in (reader.fieldnames or ()) else []
    except OSError as error:
        raise file_error(path, error) from error
    except (UnicodeDecodeError, csv.Error):
        return []


def _number(path: Path, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise InputError(
            str(path), Message("“{0}” is no number", value), Message("Correct the file.")
        )
    return number


def read_quoted(path: Path, task: str) -> tuple[QuotedMeans, ...]:
    """Means of methods that were measured elsewhere, from a TOML file.

    The file has a table per task with a table of means per method, as ``[mif]`` and
    ``U2Fusion = { MI = 2.383 }``; ``source`` at its top says where they are from, ``note`` and
    ``group`` in the table of a task what they are over.

    Raises:
        InputError: the file cannot be read, has nothing of ``task``, names an unknown metric, or an
            entry is no table of numbers by metric.
    """
    try:
        with path.open("rb") as stream:
            raw: Mapping[str, Any] = tomllib.load(stream)
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError as error:
        raise InputError(str(path), str(error), Message("Give a TOML file.")) from error
    table = raw.get(task)
    if not isinstance(table, dict):
        raise InputError(
            str(path),
            Message("it has no means for the task “{0}”", task),
            Message("Give the task (--task), or another file."),
        )
    entries = dict(table)
    words = [str(raw.get("source", "")).strip(), str(entries.pop("note", "")).strip()]
    group = str(entries.pop("group", ""))
    source = " ".join(word for word in (path.name + ":", *words) if word).rstrip(":")
    return tuple(
        QuotedMeans(name, _means(path, name, means), source, group)
        for name, means in entries.items()
    )


def _means(path: Path, method: str, means: object) -> dict[str, float]:
    if not isinstance(means, dict) or not means:
        raise _no_means(path, method)
    found: dict[str, float] = {}
    for metric, value in means.items():
        name = METRIC_ALIASES.get(metric, metric)
        if name not in METRICS:
            raise InputError(
                Message("{0}: {1}", path, method),
                Message("there is no metric “{0}”", metric),
                Message("Choose from: {0}.", ", ".join(METRICS)),
            )
        if not isinstance(value, int | float) or not isfinite(value):
            raise _no_means(path, f"{method}.{metric}")
        found[name] = float(value)
    return found


def _no_means(path: Path, key: str) -> InputError:
    return InputError(
        Message("{0}: {1}", path, key),
        Message("it is no table of numbers by metric"),
        Message("Write it as: {0}", "NAME = { MI = 2.4, SSIM = 0.7 }"),
    )


def quoted_for(result: EvaluationResult, group: str) -> tuple[QuotedMeans, ...]:
    """The quoted means to show with those of a group of the result; "" for all pairs.

    Means that are over a group stand with that group, or with all pairs if there is none such.
    """
    groups = {pair.group for pair in result.pairs}
    return tuple(
        quoted
        for quoted in result.quoted
        if (quoted.group if quoted.group in groups else "") == group
    )


def quoted_name(quoted: QuotedMeans) -> str:
    """The name of a method as tables show it."""
    return Message("{0} (quoted)", quoted.name)


def quoted_text(quoted: QuotedMeans, metric: str) -> str:
    """A mean with the digits that it is quoted with; “–” if there is none."""
    value = quoted.means.get(metric)
    return "–" if value is None else f"{value:.6g}"


def set_notes(result: EvaluationResult) -> list[str]:
    """What a reader of the table of all pairs must know of set-level columns and rows.

    One translatable sentence each.
    """
    lines: list[str] = []
    for source in dict.fromkeys(column.source for column in result.set_columns):
        names = ", ".join(c.metric for c in result.set_columns if c.source == source)
        where = f" ({source})" if source else ""
        lines.append(
            Message(
                "{0}: one value for the whole set, of a network trained on the results of each "
                "method{1}. Without values per pair there is no rank, interval or test.",
                names,
                where,
            )
        )
    return [*lines, *quoted_notes(quoted_for(result, ""))]


def quoted_notes(rows: Sequence[QuotedMeans]) -> list[str]:
    """What a reader of a table with these ``rows`` must know of them, translatable."""
    stated = Message(
        "(quoted): means that were measured elsewhere, not here; not ranked, marked or tested."
    )
    sources = dict.fromkeys(quoted.source for quoted in rows)
    return [Message.joined(" ", [stated, source]) if source else stated for source in sources]
