"""The summary of an evaluation that all tables of it show: a row per method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from math import isnan, nan
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.errors import Message
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    SetColumn,
)
from core.metrics import METRICS, Direction, mean_defined
from core.pdf_document import Mark

MeasuredAt = Literal["here", "cluster"]
_NAMED, _NAMED_ERRORS = 20, 3
"""Numbers of pairs and of errors that notes name; of more they give the number."""


@dataclass(frozen=True)
class SummaryCell:
    """Mean of a metric over the common pairs.

    Attributes:
        mean: over the pairs on which the metric is defined for every method for which it is
            defined at all; NaN if there are none.
        undefined: number of common pairs on which it is undefined for this method.
        mark: best or second best of the column; equal as printed share a place.
        pairs: number of pairs that the mean is over.
    """

    mean: float
    undefined: int = 0
    mark: Mark = ""
    pairs: int = 0

    @property
    def text(self) -> str:
        """The mean as tables print it."""
        return format_value(self.mean)


@dataclass(frozen=True)
class SummaryRow:
    """A method in the summary.

    Attributes:
        method: the method.
        cells: by metric.
        set_cells: by name of a set-level column.
        mean_rank: see :func:`mean_ranks`; NaN if there is nothing to rank.
        seconds: mean time of a fusion without the first one of a run; NaN if none was measured.
        peak_bytes: largest of those of its pairs; None if not measured.
        device_peak_bytes: as ``peak_bytes``, on the GPU.
        scored, failed, missing: numbers of pairs.
    """

    method: MethodDescription
    cells: Mapping[str, SummaryCell]
    _: KW_ONLY
    mean_rank: float
    seconds: float
    peak_bytes: int | None
    device_peak_bytes: int | None
    scored: int
    failed: int
    missing: int
    set_cells: Mapping[str, SummaryCell] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """Means of all methods over the pairs that every method was scored on.

    Attributes:
        metrics: names of the columns, in order.
        set_metrics: names of the set-level columns, in order.
        pairs: number of common pairs.
        rows: one per method, in the order of the result.
        places: where the fusions ran whose times are in the rows.
    """

    metrics: tuple[str, ...]
    pairs: int
    rows: tuple[SummaryRow, ...]
    set_metrics: tuple[str, ...] = ()
    places: frozenset[MeasuredAt] = frozenset()


def summarize(result: EvaluationResult) -> Summary:
    """Summary of ``result``: means over the common pairs, best and second best, mean ranks."""
    common = result.common()
    columns = {metric: _column(result, metric) for metric in result.metrics}
    set_columns = {column.metric: _set_column(result, column) for column in result.set_columns}
    ranks = mean_ranks(result)
    rows = tuple(
        SummaryRow(
            scores.method,
            {metric: column[index] for metric, column in columns.items()},
            mean_rank=ranks[index],
            seconds=_mean_seconds(scores),
            peak_bytes=_largest(p.peak_bytes for p in scores.pairs),
            device_peak_bytes=_largest(p.device_peak_bytes for p in scores.pairs),
            scored=len(scores.scored()),
            failed=sum(score.error is not None for score in scores.pairs),
            missing=len(scores.missing),
            set_cells={metric: column[index] for metric, column in set_columns.items()},
        )
        for index, scores in enumerate(result.methods)
    )
    places: set[MeasuredAt] = {
        "cluster" if score.elsewhere else "here"
        for scores in result.methods
        for score in scores.pairs
        if score.seconds is not None
    }
    return Summary(result.metrics, len(common), rows, tuple(set_columns), frozenset(places))


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _mean_seconds(scores: MethodScores) -> float:
    times = (p.seconds for p in scores.pairs if p.seconds is not None and not p.is_first)
    return mean_defined(times).mean


def metric_milliseconds(result: EvaluationResult) -> dict[str, float]:
    """Mean time of each column per pair over all methods; NaN where it was not measured."""
    scored = [score for scores in result.methods for score in scores.pairs]
    return {
        name: mean_defined(
            score.milliseconds[name] for score in scored if name in score.milliseconds
        ).mean
        for name in result.metrics
    }


_WHERE: Mapping[frozenset[MeasuredAt], str] = {
    frozenset({"cluster"}): "on workers of a cluster, which need not be alike",
    frozenset({"here", "cluster"}): "on this machine, and of some pairs on workers of a cluster",
}


def cost_notes(summary: Summary) -> list[str]:
    """What the costs in a table are, one sentence each; [] if none was measured."""
    lines = []
    if any(not isnan(row.seconds) for row in summary.rows):
        where = _WHERE.get(summary.places, "on this machine")
        lines.append(
            f"Seconds a pair: mean time of a fusion {where}, without reading, and without the "
            "first fusion of a method in a run, in which networks are loaded and programs come "
            "from the disk."
        )
    if any(row.peak_bytes is not None for row in summary.rows):
        lines.append(
            "Memory: of packs and classical methods the largest rise during a fusion, of external "
            "programs the peak of the program and what it started; in MiB."
        )
    if any(row.device_peak_bytes is not None for row in summary.rows):
        lines.append("GPU memory: the peak of all tensors during a fusion, in MiB.")
    return lines


def truth_notes(result: EvaluationResult, summary: Summary) -> list[str]:
    """On how many of the common pairs there is ground truth, if not on all or none of them."""
    common = frozenset(result.common())
    truths = sum(pair.truth is not None and pair.name in common for pair in result.pairs)
    names = [heading_of(name) for name in summary.metrics if name not in METRICS]
    if not names or not 0 < truths < summary.pairs:
        return []
    return [
        f"There is ground truth for {truths} of these pairs, over which {' and '.join(names)} are "
        "averaged."
    ]


def undefined_notes(result: EvaluationResult, summary: Summary) -> list[str]:
    """On how many pairs a metric is undefined for a method, and how many its means are over."""
    lines = []
    for name in (name for name in summary.metrics if name in METRICS):
        cells = [(row.method.name, row.cells[name]) for row in summary.rows]
        gaps = [(method, cell.undefined) for method, cell in cells if cell.undefined]
        heading, used = heading_of(name), max((cell.pairs for _, cell in cells), default=0)
        lines += [
            f"{method}: {heading} is undefined on {count} of {summary.pairs} pairs."
            for method, count in gaps
        ]
        if any(count < summary.pairs for _, count in gaps):
            lines.append(
                f"{heading} is averaged for every method over the same {used} of {summary.pairs} "
                f"pairs. {METRICS[name].undefined_when}".strip()
            )
    return lines


def _column(result: EvaluationResult, metric: str) -> list[SummaryCell]:
    means = [mean_defined(row) for row in result.compared(metric).tolist()]
    places = _marks([mean.mean for mean in means], direction_of(metric))
    return [
        SummaryCell(mean.mean, undefined, mark, mean.defined)
        for mean, undefined, mark in zip(means, result.undefined(metric), places, strict=True)
    ]


def _set_column(result: EvaluationResult, column: SetColumn) -> list[SummaryCell]:
    values = [column.values.get(scores.method.name, nan) for scores in result.methods]
    places = _marks(values, direction_of(column.metric))
    return [SummaryCell(value, 0, place) for value, place in zip(values, places, strict=True)]


def _marks(means: Sequence[float], direction: Direction) -> list[Mark]:
    """Best and second best of a column; none if all are the same as printed."""
    shown = [nan if isnan(mean) else float(format_value(mean)) for mean in means]
    places = sorted({mean for mean in shown if not isnan(mean)}, reverse=direction == "higher")
    if len(places) < 2:
        return [""] * len(means)
    names: dict[float, Mark] = {places[0]: "best", places[1]: "second"}
    return [names.get(mean, "") for mean in shown]


def mean_ranks(result: EvaluationResult) -> list[float]:
    """Per method, its mean rank over all metrics and common pairs; 1 is best.

    Methods with equal values share the mean of their ranks. Values that are undefined for any
    method on a pair are not ranked on that pair. NaN for methods that were scored on no pair.
    """
    ranked = [bool(scores.scored()) for scores in result.methods]
    columns = [
        _ranks(-values if direction_of(metric) == "higher" else values)
        for metric in result.metrics
        for values in result.values(metric)[ranked].T
        if not np.isnan(values).any()
    ]
    if not columns:
        return [nan] * len(result.methods)
    ranks = np.mean(columns, axis=0).tolist()
    return [float(ranks.pop(0)) if scored else nan for scored in ranked]


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1 for the smallest; equal values share their mean."""
    smaller = (values[np.newaxis, :] < values[:, np.newaxis]).sum(axis=1)
    equal = (values[np.newaxis, :] == values[:, np.newaxis]).sum(axis=1)
    ranks: npt.NDArray[np.float64] = smaller + (equal + 1) / 2.0
    return ranks


def heading_of(metric: str) -> str:
    """Short heading of a column, without its arrow."""
    return METRICS[metric].heading if metric in METRICS else metric.replace("_", "-")


def arrow_of(metric: str) -> str:
    """↑ if higher values are better, ↓ if lower ones are."""
    return "↑" if direction_of(metric) == "higher" else "↓"


def direction_of(metric: str) -> Direction:
    """The better direction of a column; higher for those that are no metric of pairs."""
    return METRICS[metric].direction if metric in METRICS else "higher"


def format_value(value: float) -> str:
    """A score as tables print it; “–” if it is undefined."""
    if isnan(value):
        return "–"
    return f"{value:.3f}" if abs(value) >= 10 else f"{value:.4f}"


def format_count(value: int | None) -> str:
    """A number of parameters: 834, 12.3 k, 85.7 M; “–” if unknown."""
    if value is None:
        return "–"
    if value < 1000:
        return str(value)
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.1f} k"


def format_seconds(value: float) -> str:
    """A time in seconds with two significant digits at least; “–” if it was not measured."""
    if isnan(value):
        return "–"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def format_milliseconds(value: float) -> str:
    """A time in milliseconds; “–” if it was not measured."""
    return "–" if isnan(value) else f"{value:.1f}"


def format_bytes(value: int | None) -> str:
    """Memory in MiB; “–” if it was not measured."""
    return "–" if value is None else f"{value / 2**20:.0f}"


def missing_notes(scores: MethodScores) -> list[str]:
    """What is not in the means of a method, one translatable sentence each."""
    name = scores.method.name
    failed = [(score.pair, score.error) for score in scores.pairs if score.error is not None]
    lines: list[str] = [
        Message("{0} failed on {1}: {2}", name, pair, error)
        for pair, error in failed[:_NAMED_ERRORS]
    ]
    if len(failed) > _NAMED_ERRORS:
        lines.append(Message("{0} failed on {1} pairs in all.", name, len(failed)))
    if scores.missing:
        lines.append(Message("{0} has no result for: {1}.", name, _listed(scores.missing)))
    if scores.ignored:
        lines.append(Message("{0}, belongs to no pair: {1}.", name, _listed(scores.ignored)))
    return [*lines, *scores.problems]


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    left = len(names) - _NAMED
    return listed if left <= 0 else Message("{0} and {1} more", listed, left)
