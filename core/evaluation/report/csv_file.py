"""All values of an evaluation as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path

from core.evaluation.groups import grouped_summary, has_groups
from core.evaluation.report.anonymous import without_names
from core.evaluation.result import EvaluationResult, MethodScores, PairScore
from core.evaluation.tables import Summary, SummaryRow, summarize
from core.io.atomic import atomic_write
from core.io.csv_cells import csv_text
from core.metrics import mean_defined

_COSTS = ("seconds", "first", "peak_bytes", "device_peak_bytes")


def write_csv(result: EvaluationResult, path: Path, *, anonymous: bool = False) -> None:
    """Write a row per method and pair, and a row ``mean`` per method, over the common pairs.

    Where pairs are in groups, rows ``mean``, ``low`` and ``high`` (95 % interval) of every method
    and group follow, and rows ``quoted`` of means that were measured elsewhere. Set-level columns
    have values in the rows ``mean`` only. Columns: method, picture, group, the metrics, set-level
    scores, seconds, first (1 for the first fusion of a method in a run, which the mean leaves out),
    peak_bytes and device_peak_bytes of the fusion, error, and the milliseconds that each metric
    took (``MI_ms``). UTF-8, six decimals; cells are empty where a value is undefined or was not
    measured. Written atomically.

    Args:
        anonymous: call pairs “Pair 1”, … instead of by the names of their files.

    Raises:
        OutputError: it cannot be written.
    """
    if anonymous:
        result = without_names(result)
    names = result.metrics
    groups = {pair.name: pair.group for pair in result.pairs}
    summary = summarize(result)
    header = ["method", "picture", "group", *names, *summary.set_metrics, *_COSTS, "error"]
    rows: list[list[str]] = [[*header, *(f"{name}_ms" for name in names)]]
    for scores, row in zip(result.methods, summary.rows, strict=True):
        rows += _rows(scores, row, summary, groups)
    more = [*_group_rows(result), *_quoted_rows(result)]
    rows += [[*row, *[""] * (len(rows[0]) - len(row))] for row in more]
    atomic_write(path, csv_text(rows).encode())


def _quoted_rows(result: EvaluationResult) -> Iterator[list[str]]:
    for quoted in result.quoted:
        means = [_number(quoted.means.get(name)) for name in result.metrics]
        yield [quoted.name, "quoted", quoted.group, *means]


def _group_rows(result: EvaluationResult) -> Iterator[list[str]]:
    for found in grouped_summary(result) if has_groups(result) else ():
        for row in found.rows if found.group else ():
            cells = [row.cells[name] for name in result.metrics]
            for what, values in (
                ("mean", [cell.mean for cell in cells]),
                ("low", [cell.low for cell in cells]),
                ("high", [cell.high for cell in cells]),
            ):
                yield [row.method.name, what, found.group, *map(_number, values)]


def _rows(
    scores: MethodScores, mean: SummaryRow, summary: Summary, groups: Mapping[str, str]
) -> Iterator[list[str]]:
    names, blank = summary.metrics, [""] * len(summary.set_metrics)
    for pair in scores.pairs:
        values = [_number(pair.values.get(name)) for name in names]
        times = [_number(pair.milliseconds.get(name), 3) for name in names]
        start = [scores.method.name, pair.pair, groups.get(pair.pair, "")]
        yield [*start, *values, *blank, *_cost(pair), *times]
    means = [_number(mean.cells[name].mean) for name in names]
    mean_times = (
        mean_defined(p.milliseconds[name] for p in scores.pairs if name in p.milliseconds).mean
        for name in names
    )
    yield [
        scores.method.name,
        "mean",
        "",
        *means,
        *(_number(mean.set_cells[name].mean) for name in summary.set_metrics),
        _number(mean.seconds),
        "",
        _whole(mean.peak_bytes),
        _whole(mean.device_peak_bytes),
        "",
        *(_number(time, 3) for time in mean_times),
    ]


def _cost(pair: PairScore) -> list[str]:
    return [
        _number(pair.seconds),
        "1" if pair.is_first else "",
        _whole(pair.peak_bytes),
        _whole(pair.device_peak_bytes),
        str(pair.error or ""),
    ]


def _whole(value: int | None) -> str:
    return "" if value is None else str(value)


def _number(value: float | None, decimals: int = 6) -> str:
    return "" if value is None or isnan(value) else f"{value:.{decimals}f}"
