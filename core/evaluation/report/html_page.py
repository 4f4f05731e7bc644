"""The report as one HTML file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from math import isinf, isnan
from pathlib import Path

from core.evaluation.report.atlas import AtlasEntry, Thumbnail, atlas
from core.evaluation.report.charts import lines_chart, scatter_chart, svg_of
from core.evaluation.report.comparisons import comparison_tables
from core.evaluation.report.content import (
    charted_pairs,
    label_of,
    methods_table,
    metrics_table,
    overview,
    prepared,
    settings_table,
    title_of,
    values_by_method,
    warning_of,
)
from core.evaluation.report.distributions import distribution_charts, distribution_words
from core.evaluation.report.groups import group_tables
from core.evaluation.report.html_parts import SORTING, STYLE
from core.evaluation.report.summary import summary_table
from core.evaluation.result import EvaluationResult
from core.evaluation.tables import heading_of
from core.io.atomic import atomic_write
from core.pdf_document import ReportCell, ReportTable
from core.printable import one_line, valid
from core.progress import Progress

_LONG = 40


def write_html(
    result: EvaluationResult,
    path: Path,
    *,
    reference: str = "",
    title: str = "Evaluation of image fusion",
    anonymous: bool = False,
    worst: int = 3,
    progress: Progress | None = None,
) -> None:
    """Write the report as one HTML file with all charts and pictures in it.

    It needs no network and can be read without scripts, which only sort tables. The same result
    gives the same file. Written atomically.

    Args:
        reference: name of the method that others are compared with; the first one if empty.
        anonymous: call pairs “Pair 1”, … and leave out the names of files.
        worst: pairs per metric in the failure atlas; 0 for none.
        progress: reported to for every pair of the atlas; may cancel.

    Raises:
        InputError: nothing was evaluated, or there is no method called ``reference``.
        OutputError: the file cannot be written.
        Cancelled: ``progress`` asked to stop.
    """
    result = prepared(result, reference, anonymous)
    name = _safe(title)
    parts = [
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>{name}</title><style>{STYLE}</style></head><body>",
        f"<h1>{name}</h1><p><small>{_safe(overview(result))}</small></p>",
    ]
    if warning := warning_of(result):
        parts.append(f"<p><strong>{_safe(warning)}</strong></p>")
    parts.append(_table(summary_table(result)))
    parts += map(_table, group_tables(result))
    parts += map(_table, comparison_tables(result, reference))
    parts += _charts(result)
    if worst > 0:
        parts.append(
            "<h2>Failure atlas</h2><p class=note>The pairs with the worst values of each metric, "
            "with the results of all methods; the worst one is framed. Pairs have the numbers of "
            "the charts.</p>"
        )
        parts += (_entry(entry) for entry in atlas(result, worst, progress))
    parts += map(_table, (metrics_table(result), methods_table(result), settings_table(result)))
    parts.append(f"<script>{SORTING}</script></body></html>\n")
    atomic_write(path, "\n".join(parts).encode())


def _table(table: ReportTable) -> str:
    heads = "".join(
        f"<th scope=col{' class=w' if index < table.words else ''}{_hint(cell)}>"
        f"{_safe(cell.text)}</th>"
        for index, cell in enumerate(table.columns)
    )
    rows = "\n".join(
        f"<tr>{''.join(_cell(cell, index < table.words) for index, cell in enumerate(row))}</tr>"
        for row in table.rows
    )
    above = "".join(f"<p>{_safe(sentence)}</p>" for sentence in table.introduction)
    notes = "".join(f"<p class=note>{_safe(note)}</p>" for note in table.notes)
    return (
        f"<h2>{_safe(table.title)}</h2>{above}<div class=wide><table class=sortable>"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>{notes}"
    )


def _cell(cell: ReportCell, is_word: bool) -> str:
    classes = [*(["w"] if is_word else []), *(["long"] if len(cell.text) > _LONG else [])]
    attributes = f' class="{" ".join(classes)}"' if classes else ""
    if cell.number is not None:
        attributes += f' data-n="{_number(cell.number)}"'
    text = _safe(cell.text)
    if cell.mark:
        text = f"<b>{text}</b>" if cell.mark == "best" else f"<u>{text}</u>"
    if cell.after:
        text += f" <small class=after>{_safe(cell.after)}</small>"
    return f"<td{attributes}{_hint(cell)}>{text}</td>"


def _number(value: float) -> str:
    """As JavaScript reads it."""
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if isnan(value) else repr(float(value))


def _hint(cell: ReportCell) -> str:
    return f' title="{_safe(cell.hint)}"' if cell.hint else ""


def _charts(result: EvaluationResult) -> Iterator[str]:
    yield "<h2>Distribution over the pairs</h2>"
    yield f"<p class=note>{_safe(distribution_words(result))}</p><div class=charts>"
    for label, chart in distribution_charts(result):
        yield _figure(svg_of(chart, f"Distribution of {label}"))
    yield "</div>"
    values = {metric: values_by_method(result, metric) for metric in result.metrics}
    if len(result.metrics) > 1:
        first, second = result.metrics[:2]
        names = f"{heading_of(first)} and {heading_of(second)}"
        yield f"<h2>{_safe(names)} in comparison</h2>"
        points = {name: (values[first][name], values[second][name]) for name in values[first]}
        chart = scatter_chart(points, label_x=label_of(first), label_y=label_of(second))
        yield f"<div class=half>{_figure(svg_of(chart, f'Scatter of {names}'))}</div>"
        yield "<p class=note>Small dots: pairs. Large markers: means.</p>"
    yield "<h2>Pair by pair</h2><div class=charts>"
    for metric in result.metrics:
        chart = lines_chart(values[metric], label=heading_of(metric), label_x=charted_pairs(result))
        yield f"<div><h3>{_safe(title_of(metric))}</h3>"
        yield f"{_figure(svg_of(chart, f'{label_of(metric)}, pair by pair'))}</div>"
    yield "</div>"


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>"


def _entry(entry: AtlasEntry) -> str:
    reasons = "; ".join(worst.reason for worst in entry.reasons)
    pictures = "".join(map(_picture, entry.thumbnails))
    return (
        f"<div class=pair><h3>{entry.number}. {_safe(entry.pair)}</h3>"
        f"<small>{_safe(reasons)}</small><div class=pictures>{pictures}</div></div>"
    )


def _picture(thumbnail: Thumbnail) -> str:
    label = _safe(thumbnail.label)
    if thumbnail.jpeg:
        data = b64encode(thumbnail.jpeg).decode("ascii")
        shown = f'<img alt="{label}" src="data:image/jpeg;base64,{data}">'
    else:
        shown = f"<div class=gone>{_safe(thumbnail.problem)}</div>"
    metrics = ", ".join(map(heading_of, thumbnail.worst))
    caption = f"{label}<br><span class=bad>worst in {_safe(metrics)}</span>" if metrics else label
    kind = " class=worst" if metrics else ""
    return f"<figure{kind}>{shown}<figcaption>{caption}</figcaption></figure>"


def _safe(text: str) -> str:
    return escape(one_line(valid(str(text))))
