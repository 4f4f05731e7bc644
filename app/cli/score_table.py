"""The table of an evaluation, as plain text or Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from app.cli.text_table import Cell, TableStyle, laid_out, mark
from core.errors import InputError
from core.evaluation.groups import ALL, group_notes, grouped_summary, has_groups
from core.evaluation.result import EvaluationResult
from core.evaluation.set_scores import (
    quoted_for,
    quoted_name,
    quoted_notes,
    quoted_text,
    set_notes,
)
from core.evaluation.statistics import PairedComparison, compare
from core.evaluation.tables import (
    Summary,
    SummaryCell,
    SummaryRow,
    arrow_of,
    cost_notes,
    format_bytes,
    format_count,
    format_milliseconds,
    format_seconds,
    format_value,
    metric_milliseconds,
    missing_notes,
    summarize,
    truth_notes,
    undefined_notes,
)
from core.printable import one_line

_PLACES = {"best": 0, "second": 1, "": 2}
_SIGNIFICANT = 0.05


def render_table(
    result: EvaluationResult,
    style: TableStyle = "plain",
    *,
    reference: str = "",
    full: bool = False,
) -> str:
    """Mean scores of every method as a text table, best bold and second best underlined.

    Only pairs that every method was scored on count, so that all means are over the same pairs;
    what is missing is listed below. Scores equal as printed share a place.

    Args:
        style: "ansi" for a terminal, "markdown", or "plain" (best with ``*``, second with ``_``).
        reference: method to compare the others with; ``†`` marks means that differ from its own
            by Wilcoxon's test with Holm's correction, p < 0.05. "" for no comparison.
        full: also mean rank, weights, seconds and memory, and the time of each metric.

    Raises:
        InputError: no method, two of one name, not one pair that all have, or no such reference.
    """
    _check(result)
    summary = summarize(result)
    differs = {
        (found.method, found.metric): found
        for found in (compare(result, reference) if reference else ())
        if found.p_holm < _SIGNIFICANT
    }
    columns = [
        metric
        for metric in summary.metrics
        if any(not isnan(row.cells[metric].mean) for row in summary.rows)
    ]
    header = ["Method", *(f"{name} {arrow_of(name)}" for name in (*columns, *summary.set_metrics))]
    body: list[list[Cell]] = []
    for row in summary.rows:
        name = one_line(row.method.name)
        cells = [_cell(row, metric, row.cells[metric], style, differs) for metric in columns]
        cells += [
            _cell(row, metric, row.set_cells[metric], style, {}) for metric in summary.set_metrics
        ]
        body.append([(name, name), *cells])
    if full:
        on_gpu = any(row.device_peak_bytes is not None for row in summary.rows)
        header += ["Mean rank ↓", "Weights", "s a pair", "Memory", *(["GPU"] if on_gpu else [])]
        for line, row in zip(body, summary.rows, strict=True):
            line += [(text, text) for text in _costs(row, on_gpu)]
        times = metric_milliseconds(result)
        if any(not isnan(times[name]) for name in columns):
            texts = ["ms a pair", *(format_milliseconds(times[name]) for name in columns)]
            body.append(_filled(texts, "", len(header)))
    for quoted in quoted_for(result, ""):
        texts = [quoted_name(quoted), *(quoted_text(quoted, name) for name in columns)]
        body.append(_filled(texts, "–", len(header)))
    lines = [*_notes(result, summary), *set_notes(result)]
    if full:
        lines += cost_notes(summary)
    if reference:
        lines.append(
            f"† differs from {reference}: p < {_SIGNIFICANT} in Wilcoxon's signed-rank test, with "
            "Holm's correction for the methods of a column."
        )
    return "\n".join([*laid_out(header, body, style), "", *map(one_line, lines)])


def _filled(texts: list[str], blank: str, width: int) -> list[Cell]:
    return [(text, text) for text in (*texts, *[blank] * (width - len(texts)))]


def render_groups(result: EvaluationResult, style: TableStyle = "plain") -> str:
    """The means of every group beside those of all pairs, with intervals; "" without groups."""
    if not has_groups(result):
        return ""
    groups = grouped_summary(result)
    header = ["Group", "Method", "Pairs", *(f"{name} {arrow_of(name)}" for name in result.metrics)]
    body: list[list[Cell]] = []
    lines = group_notes(groups)
    for found in groups:
        for row in found.rows:
            words = (one_line(found.group or ALL), one_line(row.method.name), str(found.pairs))
            cells: list[Cell] = [(word, word) for word in words]
            for name in result.metrics:
                cell = row.cells[name]
                shown, marked = mark(cell.text, _PLACES[cell.mark], style)
                interval = f" {cell.interval}" if cell.interval else ""
                cells.append((shown + interval, marked + interval))
            body.append(cells)
        for quoted in quoted_for(result, found.group):
            texts = [one_line(found.group or ALL), quoted_name(quoted), "–"]
            texts += [quoted_text(quoted, name) for name in result.metrics]
            body.append(_filled(texts, "–", len(header)))
        lines += quoted_notes(quoted_for(result, found.group)) if found.group else []
    return "\n".join([*laid_out(header, body, style, words=2), "", *map(one_line, lines)])


def _check(result: EvaluationResult) -> None:
    names = [scores.method.name for scores in result.methods]
    if not names or len(set(names)) != len(names):
        raise InputError("The table", "every method needs a name of its own", "Use NAME=DIR.")
    if result.common():
        return
    errors = [score.error for scores in result.methods for score in scores.pairs if score.error]
    if errors and not any(scores.scored() for scores in result.methods):
        raise InputError(
            "The table",
            f"no pair could be scored: {errors[0]}",
            "Check files and methods; the reason is that of the first pair.",
        )
    raise InputError(
        "The table",
        "there is no pair that every method has a result for",
        "Compare fewer methods, or add the missing results.",
    )


def _cell(
    row: SummaryRow,
    metric: str,
    cell: SummaryCell,
    style: TableStyle,
    differs: Mapping[tuple[str, str], PairedComparison],
) -> Cell:
    shown, marked = mark(format_value(cell.mean), _PLACES[cell.mark], style)
    dagger = "†" if (row.method.name, metric) in differs else ""
    return shown + dagger, marked + dagger


def _costs(row: SummaryRow, on_gpu: bool) -> list[str]:
    rank = "–" if isnan(row.mean_rank) else f"{row.mean_rank:.2f}"
    return [
        rank,
        format_count(row.method.parameters),
        format_seconds(row.seconds),
        format_bytes(row.peak_bytes),
        *([format_bytes(row.device_peak_bytes)] if on_gpu else []),
    ]


def _notes(result: EvaluationResult, summary: Summary) -> list[str]:
    count = summary.pairs
    lines = [f"Means over {count} pair{'s' if count != 1 else ''}."]
    lines += truth_notes(result, summary)
    lines += undefined_notes(result, summary)
    for scores in result.methods:
        lines += missing_notes(scores)
    return list(dict.fromkeys(lines))
