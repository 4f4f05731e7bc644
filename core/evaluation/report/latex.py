"""The table of an evaluation in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan
from pathlib import Path

from core.evaluation.groups import GroupCell, grouped_summary, has_groups
from core.evaluation.result import EvaluationResult, QuotedMeans
from core.evaluation.set_scores import (
    quoted_for,
    quoted_name,
    quoted_notes,
    quoted_text,
    set_notes,
)
from core.evaluation.tables import (
    Summary,
    SummaryCell,
    SummaryRow,
    arrow_of,
    heading_of,
    summarize,
    undefined_notes,
)
from core.io.atomic import atomic_write
from core.printable import one_line, valid

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
_SPECIAL_CHARACTER = re.compile("|".join(map(re.escape, _SPECIAL)))
_ARROWS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$"}


def write_tex(result: EvaluationResult, path: Path) -> None:
    r"""Write a table of means in the layout of the paper's Table 1, for ``\input``.

    Methods are rows, metrics columns; the best of each is bold, the second best underlined. Where
    pairs are in groups, a table of each group with intervals follows. Tables wider than a line are
    scaled down. Needs the packages booktabs and graphicx. Written atomically.

    Raises:
        OutputError: it cannot be written.
    """
    summary = summarize(result)
    names = (*summary.metrics, *summary.set_metrics)
    quoted = quoted_for(result, "")
    of_groups = [one for one in result.quoted if one not in quoted]
    notes = [*undefined_notes(result, summary), *set_notes(result), *quoted_notes(of_groups)]
    pairs = f"{summary.pairs} pair{'' if summary.pairs == 1 else 's'}"
    columns = [*map(_title, names), r"Mean rank $\downarrow$"]
    rows = [_row(row, summary) for row in summary.rows]
    lines = [
        r"% Needs \usepackage{booktabs,graphicx}.",
        *(f"% {name}: {one_line(valid(text))}" for name, text in result.versions.items()),
        *_table(
            f"Means over {pairs}. Best in bold, second best underlined.",
            columns,
            [*rows, *_quoted_rows(quoted, summary.metrics, len(columns))],
        ),
        *(_group_lines(result) if has_groups(result) else ()),
        *(f"% {one_line(valid(note))}" for note in notes),
    ]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def _table(caption: str, columns: Sequence[str], rows: Sequence[str]) -> list[str]:
    """A table of finished rows; no wider than a line."""
    return [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{caption}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'c' * len(columns)}}}",
        r"\toprule",
        rf"Method & {' & '.join(columns)} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]


def _group_lines(result: EvaluationResult) -> list[str]:
    """A table for all pairs and for every group: the means with intervals below them."""
    columns = [_title(name) for name in result.metrics]
    lines: list[str] = []
    for found in grouped_summary(result):
        rows: list[str] = []
        for row in found.rows:
            cells = [row.cells[name] for name in result.metrics]
            means = " & ".join(map(_cell, cells))
            intervals = " & ".join(map(_interval, cells))
            rows += [rf"{_escaped(row.method.name)} & {means} \\", rf" & {intervals} \\"]
        quoted = quoted_for(result, found.group)
        pairs = f"{found.pairs} pair{'' if found.pairs == 1 else 's'}"
        which = f"the {pairs} of {_escaped(found.group)}" if found.group else f"all {pairs}"
        lines += _table(
            rf"Means over {which}, with 95\,\% bootstrap intervals.",
            columns,
            [*rows, *_quoted_rows(quoted, result.metrics, len(columns))],
        )
    return lines


def _interval(cell: GroupCell) -> str:
    if isnan(cell.low):
        return ""
    low, high = (f"{v:.1f}" if abs(v) >= 10 else f"{v:.3f}" for v in (cell.low, cell.high))
    return rf"{{\scriptsize [{low}, {high}]}}"


def _title(metric: str) -> str:
    return f"{_heading(metric)} {_ARROWS[arrow_of(metric)]}"


def _heading(metric: str) -> str:
    """Heading of a column; what follows an underscore becomes an index."""
    symbol, _, index = heading_of(metric).partition("_")
    return rf"${_escaped(symbol)}_{{\mathrm{{{_escaped(index)}}}}}$" if index else _escaped(symbol)


def _quoted_rows(quoted: Sequence[QuotedMeans], metrics: tuple[str, ...], width: int) -> list[str]:
    rows = [r"\midrule"] if quoted else []
    for one in quoted:
        cells = [_escaped(quoted_text(one, name)) for name in metrics]
        cells += ["--"] * (width - len(cells))
        rows.append(rf"{_escaped(quoted_name(one))} & {' & '.join(cells)} \\")
    return rows


def _row(row: SummaryRow, summary: Summary) -> str:
    cells = [_cell(row.cells[name]) for name in summary.metrics]
    cells += [_cell(row.set_cells[name]) for name in summary.set_metrics]
    rank = "--" if isnan(row.mean_rank) else f"{row.mean_rank:.2f}"
    return rf"{_escaped(row.method.name)} & {' & '.join([*cells, rank])} \\"


def _cell(cell: SummaryCell | GroupCell) -> str:
    text = _escaped(cell.text)
    if cell.mark:
        return rf"\{'textbf' if cell.mark == 'best' else 'underline'}{{{text}}}"
    return text


def _escaped(text: str) -> str:
    return _SPECIAL_CHARACTER.sub(lambda found: _SPECIAL[found[0]], one_line(valid(text)))
