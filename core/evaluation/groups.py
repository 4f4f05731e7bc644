"""Pairs in groups (modalities, places, day and night), and the means of each beside the whole."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.evaluation.result import EvaluationResult, MethodDescription, PairDescription
from core.evaluation.statistics import bootstrap_interval
from core.evaluation.tables import format_value, heading_of, summarize
from core.io.readers.decoding import file_error
from core.metrics import METRICS
from core.pdf_document import Mark

BY_PREFIX = "prefix"
"""Groups by what stands before the first underscore in the name of a pair."""
ALL = "all"
"""Of all pairs together, as tables call them."""
FEW_PAIRS = 6
"""In groups of fewer pairs, bootstrap intervals are too narrow to rely on."""


@dataclass(frozen=True)
class GroupCell:
    """Mean of a metric over the pairs of a group.

    Attributes:
        mean: over the ``pairs`` pairs on which the metric is defined for all methods; NaN if there
            are none.
        low, high: 95 % percentile bootstrap interval of the mean; NaN for fewer than two pairs.
        pairs: number of pairs that count.
        mark: best or second best of the group's column; equal as printed share a place.
    """

    mean: float
    low: float
    high: float
    pairs: int
    mark: Mark = ""

    @property
    def text(self) -> str:
        """The mean as tables print it."""
        return format_value(self.mean)

    @property
    def interval(self) -> str:
        """The interval as tables print it behind the mean; "" without one."""
        if isnan(self.low):
            return ""
        return f"({format_value(self.low)} to {format_value(self.high)})"


@dataclass(frozen=True)
class GroupRow:
    """A method in a group; ``cells`` by metric."""

    method: MethodDescription
    cells: Mapping[str, GroupCell]


@dataclass(frozen=True)
class GroupSummary:
    """Means of all methods over the pairs of a group that every method was scored on.

    Attributes:
        group: its name; "" for all pairs together.
        pairs: number of these pairs.
        rows: one per method, in the order of the result.
    """

    group: str
    pairs: int
    rows: tuple[GroupRow, ...]


def grouped_summary(result: EvaluationResult) -> tuple[GroupSummary, ...]:
    """The means over all pairs, then those of each group of ``result.pairs``, in order of name.

    A group is judged by itself: a method without a score in it takes no pair from the others there.
    Pairs without a group count in the whole alone.
    """
    names = group_names(result)
    return (_summary(result, ""), *(_summary(restricted_to(result, name), name) for name in names))


def group_names(result: EvaluationResult) -> list[str]:
    """Names of the groups that pairs belong to, in the order of tables."""
    return sorted({pair.group for pair in result.pairs if pair.group}, key=str.casefold)


def has_groups(result: EvaluationResult) -> bool:
    """Whether any pair belongs to a group."""
    return any(pair.group for pair in result.pairs)


def with_groups(pairs: Sequence[PairDescription], group_by: str) -> tuple[PairDescription, ...]:
    """``pairs`` in groups.

    Args:
        group_by: :data:`BY_PREFIX`; a CSV file with the columns ``pair`` and ``group``; or "" for
            the groups that the pairs have already.

    Raises:
        InputError: the file cannot be read, has other columns, or names a pair that is not there.
    """
    if not group_by:
        return tuple(pairs)
    if group_by == BY_PREFIX:
        return tuple(replace(pair, group=_prefix(pair.name)) for pair in pairs)
    groups = _read_groups(Path(group_by), [pair.name for pair in pairs])
    return tuple(replace(pair, group=groups.get(pair.name, "")) for pair in pairs)


def _prefix(name: str) -> str:
    beginning, underscore, _ = PurePosixPath(name).name.partition("_")
    return beginning if underscore else ""


def _read_groups(path: Path, names: Sequence[str]) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = set(reader.fieldnames or ())
            rows = [] if not {"pair", "group"} <= columns else list(reader)
    except FileNotFoundError as error:
        raise _no_groups(path, Message("there is no such file")) from error
    except OSError as error:
        raise file_error(path, error) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _no_groups(path) from error
    if not rows:
        raise _no_groups(path)
    groups = {str(row["pair"] or "").strip(): str(row["group"] or "").strip() for row in rows}
    unknown = [name for name in groups if name not in names]
    if unknown:
        raise InputError(
            str(path),
            Message("it names the pair “{0}”, which is not there", unknown[0]),
            Message("Name pairs as the report does, for instance “{0}”.", min(names)),
        )
    return groups


def _no_groups(path: Path, why: Message | None = None) -> InputError:
    return InputError(
        str(path),
        why or Message("it is no table of groups"),
        Message("Give “prefix”, or a CSV file with the columns pair and group."),
    )


def restricted_to(result: EvaluationResult, group: str) -> EvaluationResult:
    """``result`` with the pairs of ``group`` alone; all of it for ""."""
    if not group:
        return result
    pairs = tuple(pair for pair in result.pairs if pair.group == group)
    names = {pair.name for pair in pairs}
    methods = tuple(
        replace(scores, pairs=tuple(score for score in scores.pairs if score.pair in names))
        for scores in result.methods
    )
    return replace(result, pairs=pairs, methods=methods)


def _summary(result: EvaluationResult, group: str) -> GroupSummary:
    summary = summarize(result)
    values = {metric: result.compared(metric) for metric in result.metrics}
    rows = tuple(
        GroupRow(
            row.method,
            {
                metric: _cell(values[metric][index], row.cells[metric].mark)
                for metric in result.metrics
            },
        )
        for index, row in enumerate(summary.rows)
    )
    return GroupSummary(group, summary.pairs, rows)


def _cell(values: npt.NDArray[np.float64], mark: Mark) -> GroupCell:
    defined = values[~np.isnan(values)]
    mean = float(defined.mean()) if defined.size else nan
    low, high = bootstrap_interval(defined) if defined.size > 1 else (nan, nan)
    return GroupCell(mean, low, high, int(defined.size), mark)


def group_notes(groups: Sequence[GroupSummary]) -> list[str]:
    """What a reader of the table of groups must know, one translatable sentence each."""
    lines: list[str] = [
        Message(
            "Means with their 95 % bootstrap interval over the pairs of each group. The row of all "
            "pairs is a mean over pairs, in which large groups weigh more."
        )
    ]
    small = [
        f"{found.group or ALL} ({found.pairs})" for found in groups if 0 < found.pairs < FEW_PAIRS
    ]
    if small:
        lines.append(
            Message(
                "Groups of fewer than {0} pairs, whose intervals are too narrow to rely on: {1}.",
                FEW_PAIRS,
                ", ".join(small),
            )
        )
    left = [
        Message(
            "{0} over {1} of {2} ({3})",
            heading_of(name),
            row.cells[name].pairs,
            found.pairs,
            found.group or ALL,
        )
        for found in groups
        for row in found.rows
        for name in row.cells
        if name in METRICS and 0 < row.cells[name].pairs < found.pairs
    ]
    if left:
        lines.append(
            Message(
                "Pairs on which a metric is undefined for a method are left out of its means for "
                "all methods: {0}.",
                Message.joined(", ", dict.fromkeys(left)),
            )
        )
    return lines
