"""The table of means: a row per method, then the means that were measured elsewhere."""

from __future__ import annotations

from math import inf, isnan, nan

from core.evaluation.report.content import (
    column_title,
    pairs_in_words,
    title_of,
)
from core.evaluation.result import EvaluationResult, QuotedMeans
from core.evaluation.set_scores import quoted_for, quoted_name, quoted_text, set_notes
from core.evaluation.tables import (
    Summary,
    SummaryRow,
    cost_notes,
    format_bytes,
    format_count,
    format_seconds,
    missing_notes,
    summarize,
    truth_notes,
    undefined_notes,
)
from core.pdf_document import ReportCell, ReportTable


def summary_table(result: EvaluationResult) -> ReportTable:
    """Means of all methods with the best and the second best marked."""
    summary = summarize(result)
    on_gpu = any(row.device_peak_bytes is not None for row in summary.rows)
    columns = (
        ReportCell("Method"),
        *(ReportCell(column_title(n), hint=title_of(n)) for n in summary.metrics),
        *(ReportCell(column_title(n), hint=title_of(n)) for n in summary.set_metrics),
        ReportCell("Mean rank\u00a0↓", hint="1 is best; over all metrics and pairs"),
        ReportCell("Parameters"),
        ReportCell("s per pair"),
        ReportCell("Memory (MiB)"),
        *([ReportCell("GPU (MiB)")] if on_gpu else []),
    )
    notes = (
        f"Means over the {pairs_in_words(summary.pairs)} that every method was scored on, of "
        f"{pairs_in_words(len(result.pairs))} in all. Best in bold, second best underlined; equal "
        "as printed share a place. ↑ higher is better, ↓ lower is better.",
        *set_notes(result),
        *cost_notes(summary),
        *truth_notes(result, summary),
        *undefined_notes(result, summary),
        *(note for scores in result.methods for note in missing_notes(scores)),
    )
    rows = [_summary_row(row, summary, on_gpu) for row in summary.rows]
    rows += [_quoted_row(quoted, summary, len(columns)) for quoted in quoted_for(result, "")]
    return ReportTable("Comparison of the methods", columns, tuple(rows), notes=notes)


def _summary_row(row: SummaryRow, summary: Summary, on_gpu: bool) -> tuple[ReportCell, ...]:
    cells = [row.cells[name] for name in summary.metrics]
    cells += [row.set_cells[name] for name in summary.set_metrics]
    parameters = row.method.parameters
    peaks = (row.peak_bytes, row.device_peak_bytes) if on_gpu else (row.peak_bytes,)
    return (
        ReportCell(row.method.name),
        *(ReportCell(cell.text, cell.mean, mark=cell.mark) for cell in cells),
        ReportCell("–" if isnan(row.mean_rank) else f"{row.mean_rank:.2f}", row.mean_rank),
        ReportCell(format_count(parameters), inf if parameters is None else parameters),
        ReportCell(format_seconds(row.seconds), inf if isnan(row.seconds) else row.seconds),
        *(ReportCell(format_bytes(peak), inf if peak is None else peak) for peak in peaks),
    )


def _quoted_row(quoted: QuotedMeans, summary: Summary, width: int) -> tuple[ReportCell, ...]:
    cells = [quoted_cell(quoted, name) for name in summary.metrics]
    blank = ReportCell("–", inf)
    return (ReportCell(quoted_name(quoted)), *cells, *[blank] * (width - 1 - len(cells)))


def quoted_cell(quoted: QuotedMeans, metric: str) -> ReportCell:
    """A mean that was measured elsewhere."""
    return ReportCell(quoted_text(quoted, metric), quoted.means.get(metric, nan))
