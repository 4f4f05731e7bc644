"""The means of every group of pairs beside those of all pairs, as a table."""

from __future__ import annotations

from core.evaluation.groups import ALL, GroupCell, group_notes, grouped_summary, has_groups
from core.evaluation.report.content import column_title, title_of
from core.evaluation.report.summary import quoted_cell
from core.evaluation.result import EvaluationResult
from core.evaluation.set_scores import quoted_for, quoted_name, quoted_notes
from core.pdf_document import ReportCell, ReportTable


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
    rows: list[tuple[ReportCell, ...]] = []
    for found in groups:
        group = ReportCell(found.group or ALL)
        count = ReportCell(str(found.pairs), found.pairs)
        rows += [
            (
                group,
                ReportCell(row.method.name),
                count,
                *(_cell(row.cells[name]) for name in result.metrics),
            )
            for row in found.rows
        ]
        rows += [
            (
                group,
                ReportCell(quoted_name(quoted)),
                ReportCell("–", 0),
                *(quoted_cell(quoted, name) for name in result.metrics),
            )
            for quoted in quoted_for(result, found.group)
        ]
    of_groups = [one for found in groups if found.group for one in quoted_for(result, found.group)]
    notes = (*group_notes(groups), *quoted_notes(of_groups))
    return [ReportTable("Means by group", columns, tuple(rows), notes=notes, words=2)]


def _cell(cell: GroupCell) -> ReportCell:
    return ReportCell(cell.text, cell.mean, mark=cell.mark, after=cell.interval)
