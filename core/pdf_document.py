"""Documents on A4 as PDF: headings, sentences, tables and pictures.

The same content gives the same file. The font has Latin, Greek and Cyrillic letters.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from core.printable import one_line, valid

Mark = Literal["", "best", "second"]

FONT, BOLD = "ReportSans", "ReportSans-Bold"
_MARGIN = 42.0
_SMALL = 0.8
"""Size of what stands below a number, relative to it."""
_RULE = "#c3c3cc"


@dataclass(frozen=True)
class ReportCell:
    """A cell of a table.

    Attributes:
        text: what it shows.
        number: what it is sorted by; None to sort by the text.
        mark: best or second best of its column.
        hint: explanation to show on request; may be empty.
        after: text behind it, without the mark; may be empty.
    """

    text: str
    number: float | None = None
    _: KW_ONLY
    mark: Mark = ""
    hint: str = ""
    after: str = ""


@dataclass(frozen=True)
class ReportTable:
    """A table with its heading and the sentences below it.

    Attributes:
        title: heading.
        columns: heads of the columns.
        rows: cells, as many as there are columns.
        introduction: sentences above.
        notes: sentences below.
        words: number of columns, from the left, that hold text.
    """

    title: str
    columns: tuple[ReportCell, ...]
    rows: tuple[tuple[ReportCell, ...], ...]
    _: KW_ONLY
    introduction: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    words: int = 1


@dataclass(frozen=True)
class Picture:
    """A picture of a document.

    Attributes:
        data: a JPEG or PNG file; empty if there is none.
        caption: below it.
        warning: below that, in red; may be empty.
        problem: why there is no picture.
    """

    data: bytes
    caption: str
    _: KW_ONLY
    warning: str = ""
    problem: str = ""


class PdfDocument:
    """Collects what a document holds, from the top to the bottom."""

    def __init__(self, title: str, *, footer: str = "") -> None:
        """
        Args:
            title: of the file; no heading is written.
            footer: at the foot of each page, beside its number.
        """
        from reportlab.lib.pagesizes import A4, landscape
        from reportlab.lib.styles import ParagraphStyle

        _register_fonts()
        self.title, self.footer = title, footer
        self.size = landscape(A4)
        self.width = self.size[0] - 2 * _MARGIN
        plain = ParagraphStyle("Plain", fontName=FONT, fontSize=8, leading=10.5, spaceAfter=3)
        self.styles = {
            "Plain": plain,
            "Number": ParagraphStyle("Number", plain, alignment=2, spaceAfter=0),
            "Word": ParagraphStyle("Word", plain, spaceAfter=0),
            "Title": ParagraphStyle("Title", fontName=BOLD, fontSize=17, leading=22),
            "Heading": ParagraphStyle(
                "Heading", fontName=BOLD, fontSize=11.5, leading=15, spaceBefore=12,
                spaceAfter=4, keepWithNext=True,
            ),
        }  # fmt: skip
        self.flow: list[Any] = []

    def heading(self, text: str, style: str = "Heading") -> None:
        """A heading; ``style`` may be "Title"."""
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

    def add(self, flowable: Any) -> None:
        """Anything else that reportlab can lay out."""
        self.flow.append(flowable)

    def pictures(
        self,
        pictures: Sequence[Picture],
        *,
        title: str,
        detail: str = "",
        heading: str = "",
        in_a_row: int,
    ) -> None:
        """Pictures with a title, kept together on a page.

        Args:
            pictures: in rows of ``in_a_row``, each as wide as its share of the page.
            title: in bold above; ``detail`` behind it.
            heading: above that, of the whole section; may be empty.
        """
        from reportlab.platypus import KeepTogether
        from reportlab.platypus import Table as PdfTable

        side = self.width / in_a_row
        cells: list[Any] = [self._picture(picture, side - 8) for picture in pictures]
        cells += [""] * (-len(cells) % in_a_row)
        rows = [cells[i : i + in_a_row] for i in range(0, len(cells), in_a_row)]
        head = self._paragraph(f"<b>{_safe(title)}</b>  {_safe(detail)}")
        grid = PdfTable(
            rows,
            colWidths=[side] * in_a_row,
            hAlign="LEFT",
            style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)],
        )
        above = [self._paragraph(_safe(heading), "Heading")] if heading else []
        self.flow.append(KeepTogether([*above, head, grid]))

    def _picture(self, picture: Picture, side: float) -> list[Any]:
        from reportlab.platypus import Image

        if picture.data:
            shown: Any = Image(io.BytesIO(picture.data))
            scale = side / max(shown.imageWidth, shown.imageHeight)
            shown.drawWidth, shown.drawHeight = (
                shown.imageWidth * scale, shown.imageHeight * scale,
            )  # fmt: skip
        else:
            shown = self._paragraph(_safe(picture.problem))
        caption = _safe(picture.caption)
        if picture.warning:
            warning = _safe(picture.warning)
            caption = f'<b>{caption}</b><br/><font color="#a3001b">{warning}</font>'
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
        template.build(self.flow, onFirstPage=self._foot, onLaterPages=self._foot)
        return buffer.getvalue()

    def _foot(self, canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 7)
        if self.footer:
            canvas.drawString(_MARGIN, _MARGIN / 2, one_line(valid(self.footer)))
        canvas.drawRightString(document.pagesize[0] - _MARGIN, _MARGIN / 2, str(document.page))
        canvas.restoreState()


def _register_fonts() -> None:
    """The fonts that matplotlib brings, which hold more letters than those every reader has."""
    import matplotlib as mpl
    from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    registerFont(TTFont(FONT, folder / "DejaVuSans.ttf"))
    registerFont(TTFont(BOLD, folder / "DejaVuSans-Bold.ttf"))
    registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)


def _widths(table: ReportTable, width: float) -> list[float]:
    """Widths of the columns by their longest texts, no wider than the page in sum."""
    lines = (table.columns, *table.rows)
    lengths = [
        max(max(len(row[place].text), _SMALL * len(row[place].after)) for row in lines)
        for place in range(len(table.columns))
    ]
    wanted = [min(5.2 * length + 16, 260.0) for length in lengths]
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
