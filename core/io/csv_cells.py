"""Tables for spreadsheets: every CSV and TSV the program writes is made here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from core.printable import valid

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")


def cell(value: object) -> str:
    """``value`` as a cell that no spreadsheet takes for a formula.

    A text that begins with one of ``= + - @`` (also in their wide forms), a tab or a line end gets
    an apostrophe before it, as spreadsheets mark plain text. Numbers stay numbers, also negative
    ones, and also those that come as a text.
    """
    text = valid(str(value))
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_text(rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> str:
    """``rows`` as lines of cells, each as :func:`cell` makes it, quoted where it must be."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()
