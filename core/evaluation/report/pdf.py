"""The report as PDF, on A4 in landscape."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from core.evaluation.report.atlas import AtlasEntry, Thumbnail, atlas
from core.evaluation.report.charts import lines_chart, scatter_chart
from core.evaluation.report.comparisons import comparison_tables
from core.evaluation.report.content import (
    ReportCell,
    ReportTable,
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
from core.printable import one_line, valid
from core.progress import Progress

_FONT, _BOLD = "ReportSans", "ReportSans-Bold"
_MARGIN = 42.0
_MOST_IN_A_ROW = 9
_SMALL = 0.8
"""Size of what stands below a number, relative to it."""
_RULE = "#c3c3cc"


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
    document = _Document(title)
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
            document.pictures(entry, "" if index else "Failure atlas")
    for table in (metrics_table(result), methods_table(result), settings_table(result)):
        document.table(table)
    atomic_write(path, document.render())


def _add_charts(document: _Document, result: EvaluationResult) -> None:
    values = {metric: values_by_method(result, metric) for metric in result.metrics}
    document.heading("Distribution over the pairs")
    document.sentence(distribution_words(result), leads=True)
    document.charts(chart for _label, chart in distribution_charts(result))
    if len(result.metrics) > 1:
        first, second = result.metrics[:2]
        document.heading(f"{heading_of(first)} and {heading_of(second)} in comparison")
        points = {name: (values[first][name], values[second][name]) for name in values[first]}
        document.charts([scatter_chart(points, label_x=label_of(first), label_y=label_of(second))])
    document.heading("Pair by pair")
    document.charts(
        lines_chart(values[metric], label=heading_of(metric), label_x=charted_pairs(result))
        for metric in result.metrics
    )


class _Document:
    """Collects what the PDF holds."""

    def __init__(self, title: str) -> None:
        from reportlab.lib.pagesizes import A4, landscape
        from reportlab.lib.styles import ParagraphStyle

        _register_fonts()
        self.title = title
        self.size = landscape(A4)
        self.width = self.size[0] - 2 * _MARGIN
        plain = ParagraphStyle("Plain", fontName=_FONT, fontSize=8, leading=10.5, spaceAfter=3)
        self.styles = {
            "Plain": plain,
            "Number": ParagraphStyle("Number", plain, alignment=2, spaceAfter=0),
            "Word": ParagraphStyle("Word", plain, spaceAfter=0),
            "Title": ParagraphStyle("Title", fontName=_BOLD, fontSize=17, leading=22),
            "Heading": ParagraphStyle(
                "Heading", fontName=_BOLD, fontSize=11.5, leading=15, spaceBefore=12,
                spaceAfter=4, keepWithNext=True,
            ),
        }  # fmt: skip
        self.flow: list[Any] = []

    def heading(self, text: str, style: str = "Heading") -> None:
        self.flow.append(self._paragraph(_safe(text), style))

    def sentence(self, text: str, *, bold: bool = False, leads: bool = False) -> None:
        """A paragraph; one that ``leads`` stays on the page of what follows."""
        shown = self._paragraph(f"<b>{_safe(text)}</b>" if bold else _safe(text))
        shown.keepWithNext = leads
        self.flow.append(shown)

    def table(self, table: ReportTable) -> None:
        """A table that continues on the next page under the same head; then its notes."""
        from reportlab.platypus import Table as PdfTable

        self.heading(table.title)
        for sentence in table.introduction:
            self.sentence(sentence)
        cells = [self._row(row, table.words) for row in (table.columns, *table.rows)]
        laid_out = PdfTable(
            cells,
            colWidths=_widths(table, self.width),
            repeatRows=1,
            hAlign="LEFT",
            style=[
                ("LINEBELOW", (0, 0), (-1, 0), 1.0, _RULE),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, _RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ],
        )
        self.flow.append(laid_out)
        for note in table.notes:
            self.sentence(note)

    def _row(self, row: Sequence[ReportCell], words: int) -> list[Any]:
        return [
            self._paragraph(_marked(cell), "Word" if index < words else "Number")
            for index, cell in enumerate(row)
        ]

    def charts(self, figures: Any) -> None:
        """Charts, two in a row."""
        from reportlab.platypus import Table as PdfTable

        from core.evaluation.report.pdf_chart import ChartFlowable

        drawn = [ChartFlowable(figure, _FONT) for figure in figures]
        rows = [[*drawn[i : i + 2], *[""] * (i + 2 - len(drawn))] for i in range(0, len(drawn), 2)]
        self.flow.append(
            PdfTable(
                rows, colWidths=[self.width / 2] * 2, style=[("VALIGN", (0, 0), (-1, -1), "TOP")]
            )
        )

    def pictures(self, entry: AtlasEntry, heading: str) -> None:
        """The pictures of a pair, kept together, after ``heading`` if it is not empty."""
        from reportlab.platypus import KeepTogether
        from reportlab.platypus import Table as PdfTable

        count = len(entry.thumbnails)
        in_a_row = max(5, ceil(count / ceil(count / _MOST_IN_A_ROW)))
        side = self.width / in_a_row
        cells: list[Any] = [self._picture(thumbnail, side - 8) for thumbnail in entry.thumbnails]
        cells += [""] * (-len(cells) % in_a_row)
        rows = [cells[i : i + in_a_row] for i in range(0, len(cells), in_a_row)]
        reasons = "; ".join(worst.reason for worst in entry.reasons)
        head = self._paragraph(f"<b>{entry.number}. {_safe(entry.pair)}</b>  {_safe(reasons)}")
        grid = PdfTable(
            rows,
            colWidths=[side] * in_a_row,
            hAlign="LEFT",
            style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)],
        )
        above = [self._paragraph(_safe(heading), "Heading")] if heading else []
        self.flow.append(KeepTogether([*above, head, grid]))

    def _picture(self, thumbnail: Thumbnail, side: float) -> list[Any]:
        from reportlab.platypus import Image

        if thumbnail.jpeg:
            shown: Any = Image(io.BytesIO(thumbnail.jpeg))
            scale = side / max(shown.imageWidth, shown.imageHeight)
            shown.drawWidth, shown.drawHeight = (
                shown.imageWidth * scale, shown.imageHeight * scale,
            )  # fmt: skip
        else:
            shown = self._paragraph(_safe(thumbnail.problem))
        caption = _safe(thumbnail.label)
        if thumbnail.worst:
            metrics = _safe(", ".join(map(heading_of, thumbnail.worst)))
            caption = f'<b>{caption}</b><br/><font color="#a3001b">worst in {metrics}</font>'
        return [shown, self._paragraph(caption)]

    def _paragraph(self, markup: str, style: str = "Plain") -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(markup, self.styles[style])

    def render(self) -> bytes:
        """The document, the same for the same content."""
        from reportlab.platypus import SimpleDocTemplate

        buffer = io.BytesIO()
        template = SimpleDocTemplate(
            buffer,
            pagesize=self.size,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=one_line(valid(self.title)),
            invariant=1,
        )
        template.build(self.flow, onFirstPage=_number_page, onLaterPages=_number_page)
        return buffer.getvalue()


def _number_page(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(_FONT, 7)
    canvas.drawRightString(document.pagesize[0] - _MARGIN, _MARGIN / 2, str(document.page))
    canvas.restoreState()


def _register_fonts() -> None:
    """The fonts that matplotlib brings, which hold more letters than those every reader has."""
    import matplotlib as mpl
    from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    registerFont(TTFont(_FONT, folder / "DejaVuSans.ttf"))
    registerFont(TTFont(_BOLD, folder / "DejaVuSans-Bold.ttf"))
    registerFontFamily(_FONT, normal=_FONT, bold=_BOLD, italic=_FONT, boldItalic=_BOLD)


def _widths(table: ReportTable, width: float) -> list[float]:
    """Widths of the columns by their longest texts, no wider than the page in sum."""
    lines = (table.columns, *table.rows)
    lengths = [
        max(max(len(row[place].text), _SMALL * len(row[place].after)) for row in lines)
        for place in range(len(table.columns))
    ]
    wanted = [min(5.2 * length + 10, 260.0) for length in lengths]
    scale = min(1.0, width / sum(wanted))
    return [scale * column for column in wanted]


def _marked(cell: ReportCell) -> str:
    text = _safe(cell.text)
    if cell.mark:
        text = f"<b>{text}</b>" if cell.mark == "best" else f"<u>{text}</u>"
    small = f'<br/><font size="{8 * _SMALL}">{_safe(cell.after)}</font>'
    return f"{text}{small}" if cell.after else text


def _safe(text: str) -> str:
    return escape(one_line(valid(str(text))))
