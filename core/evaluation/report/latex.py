"""The table of an evaluation in LaTeX."""

from __future__ import annotations

import re
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

    Methods are rows, metrics columns; the best of each is bold, the second best underlined. Needs
    the package booktabs. Written atomically.

    Raises:
        OutputError: it cannot be written.
    """
    summary = summarize(result)
    names = (*summary.metrics, *summary.set_metrics)
    columns = [*(f"{_heading(name)} {_ARROWS[arrow_of(name)]}" for name in names),
               r"Mean rank $\downarrow$"]  # fmt: skip
    quoted = quoted_for(result, "")
    of_groups = [one for one in result.quoted if one not in quoted]
    pairs = f"{summary.pairs} pair{'' if summary.pairs == 1 else 's'}"
    lines = [
        r"% Needs \usepackage{booktabs}.",
        *(f"% {name}: {one_line(valid(text))}" for name, text in result.versions.items()),
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{Means over {pairs}. Best in bold, second best underlined.}}",
        rf"\begin{{tabular}}{{l{'c' * len(columns)}}}",
        r"\toprule",
        rf"Method & {' & '.join(columns)} \\",
        r"\midrule",
        *(_row(row, summary) for row in summary.rows),
        *([r"\midrule"] if quoted else []),
        *(_quoted_row(one, summary.metrics, len(columns)) for one in quoted),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        *(_group_lines(result) if has_groups(result) else ()),
        *(f"% {one_line(valid(note))}" for note in (*set_notes(result), *quoted_notes(of_groups))),
    ]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def _group_lines(result: EvaluationResult) -> list[str]:
    """A second table: the means of every group, with intervals below them."""
    groups = grouped_summary(result)
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        r"\caption{Means by group, with 95\,\% bootstrap intervals over the pairs.}",
        rf"\begin{{tabular}}{{l{'c' * len(result.metrics)}}}",
    ]
    titles = (f"{_heading(name)} {_ARROWS[arrow_of(name)]}" for name in result.metrics)
    lines += [r"\toprule", rf"Method & {' & '.join(titles)} \\"]
    for found in groups:
        group = f"{found.group or 'all'} ({found.pairs})"
        width = len(result.metrics) + 1
        lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{\emph{{{_escaped(group)}}}}} \\"]
        for row in found.rows:
            cells = [row.cells[name] for name in result.metrics]
            means = " & ".join(map(_cell, cells))
            lows = " & ".join(rf"{{\scriptsize {_escaped(cell.interval)}}}" for cell in cells)
            lines += [rf"{_escaped(row.method.name)} & {means} \\", rf" & {lows} \\"]
        lines += [
            _quoted_row(one, result.metrics, len(result.metrics))
            for one in quoted_for(result, found.group)
        ]
    return [*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]


def _heading(metric: str) -> str:
    """Heading of a column; what follows an underscore becomes an index."""
    symbol, _, index = heading_of(metric).partition("_")
    return rf"${_escaped(symbol)}_{{\mathrm{{{_escaped(index)}}}}}$" if index else _escaped(symbol)


def _quoted_row(quoted: QuotedMeans, metrics: tuple[str, ...], width: int) -> str:
    cells = [_escaped(quoted_text(quoted, name)) for name in metrics]
    cells += ["--"] * (width - len(cells))
    return rf"{_escaped(quoted_name(quoted))} & {' & '.join(cells)} \\"


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
