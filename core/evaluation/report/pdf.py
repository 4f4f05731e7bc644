"""The report as PDF, on A4 in landscape."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any

from core.evaluation.report.atlas import AtlasEntry, Thumbnail, atlas
from core.evaluation.report.charts import lines_chart, scatter_chart
from core.evaluation.report.comparisons import comparison_tables
from core.evaluation.report.content import (
    charted_pairs,
    label_of,
    methods_table,
    metrics_table,
    overview,
    prepared,
    settings_table,
    values_by_method,
    warning_of,
)
from core.evaluation.report.distributions import distribution_charts, distribution_words
from core.evaluation.report.groups import group_tables
from core.evaluation.report.summary import summary_table
from core.evaluation.result import EvaluationResult
from core.evaluation.tables import heading_of
from core.io.atomic import atomic_write
from core.pdf_document import FONT, PdfDocument, Picture
from core.progress import Progress

_MOST_IN_A_ROW = 9


def write_pdf(
    result: EvaluationResult,
    path: Path,
    *,
    reference: str = "",
    title: str = "Evaluation of image fusion",
    anonymous: bool = False,
    worst: int = 3,
    progress: Progress | None = None,
) -> None:
    """Write the report as PDF, with charts as vectors; arguments and errors as for ``write_html``.

    Its font has Latin, Greek and Cyrillic letters.
    """
    result = prepared(result, reference, anonymous)
    document = PdfDocument(title)
    document.heading(title, "Title")
    document.sentence(overview(result))
    if warning := warning_of(result):
        document.sentence(warning, bold=True)
    document.table(summary_table(result))
    for table in (*group_tables(result), *comparison_tables(result, reference)):
        document.table(table)
    _add_charts(document, result)
    if worst > 0:
        for index, entry in enumerate(atlas(result, worst, progress)):
            _add_pictures(document, entry, "" if index else "Failure atlas")
    for table in (metrics_table(result), methods_table(result), settings_table(result)):
        document.table(table)
    atomic_write(path, document.render())


def _add_charts(document: PdfDocument, result: EvaluationResult) -> None:
    values = {metric: values_by_method(result, metric) for metric in result.metrics}
    document.heading("Distribution over the pairs")
    document.sentence(distribution_words(result), leads=True)
    _add_chart_rows(document, (chart for _label, chart in distribution_charts(result)))
    if len(result.metrics) > 1:
        first, second = result.metrics[:2]
        document.heading(f"{heading_of(first)} and {heading_of(second)} in comparison")
        points = {name: (values[first][name], values[second][name]) for name in values[first]}
        _add_chart_rows(
            document, [scatter_chart(points, label_x=label_of(first), label_y=label_of(second))]
        )
    document.heading("Pair by pair")
    _add_chart_rows(
        document,
        (
            lines_chart(values[metric], label=heading_of(metric), label_x=charted_pairs(result))
            for metric in result.metrics
        ),
    )


def _add_chart_rows(document: PdfDocument, figures: Iterable[Any]) -> None:
    """Charts, two in a row."""
    from reportlab.platypus import Table as PdfTable

    from core.evaluation.report.pdf_chart import ChartFlowable

    drawn = [ChartFlowable(figure, FONT) for figure in figures]
    rows = [[*drawn[i : i + 2], *[""] * (i + 2 - len(drawn))] for i in range(0, len(drawn), 2)]
    document.add(
        PdfTable(
            rows, colWidths=[document.width / 2] * 2, style=[("VALIGN", (0, 0), (-1, -1), "TOP")]
        )
    )


def _add_pictures(document: PdfDocument, entry: AtlasEntry, heading: str) -> None:
    """The pictures of a pair, after ``heading`` if it is not empty."""
    count = len(entry.thumbnails)
    document.pictures(
        [_picture(thumbnail) for thumbnail in entry.thumbnails],
        title=f"{entry.number}. {entry.pair}",
        detail="; ".join(worst.reason for worst in entry.reasons),
        heading=heading,
        in_a_row=max(5, ceil(count / ceil(count / _MOST_IN_A_ROW))),
    )


def _picture(thumbnail: Thumbnail) -> Picture:
    metrics = ", ".join(map(heading_of, thumbnail.worst))
    return Picture(
        thumbnail.jpeg,
        thumbnail.label,
        warning=f"worst in {metrics}" if metrics else "",
        problem=thumbnail.problem,
    )
