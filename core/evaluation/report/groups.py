"""The means of every group of pairs beside those of all pairs, as a table."""

from __future__ import annotations

from core.evaluation.groups import GroupCell, group_notes, grouped_summary, has_groups
from core.evaluation.report.content import ReportCell, ReportTable, column_title, title_of
from core.evaluation.result import EvaluationResult

ALL_PAIRS = "all pairs"


def group_tables(result: EvaluationResult) -> list[ReportTable]:
    """A row per group and method, all pairs first; [] if no pair belongs to a group."""
    if not has_groups(result):
        return []
    groups = grouped_summary(result)
    columns = (
        ReportCell("Group"),
        ReportCell("Method"),
        ReportCell("Pairs"),
        *(ReportCell(column_title(name), hint=title_of(name)) for name in result.metrics),
    )
    rows = tuple(
        (
            ReportCell(found.group or ALL_PAIRS),
            ReportCell(row.method.name),
            ReportCell(str(found.pairs), found.pairs),
            *(_cell(row.cells[name]) for name in result.metrics),
        )
        for found in groups
        for row in found.rows
    )
    notes = tuple(group_notes(groups))
    return [ReportTable("Means by group", columns, rows, notes=notes, words=2)]


def _cell(cell: GroupCell) -> ReportCell:
    return ReportCell(cell.text, cell.mean, mark=cell.mark, after=cell.interval)
