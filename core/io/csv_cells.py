"""Cells and rows of all CSV and TSV files that the program writes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from core.printable import valid

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)")


def cell(value: object) -> str:
    """``value`` as a cell that no spreadsheet interprets as a formula.

    A text that starts with one of ``= + - @`` (also in full-width form), a tab or a line break is
    prefixed with an apostrophe, with which spreadsheets mark plain text. Numbers remain numbers,
    including negative ones and those given as text.
    """
    text = valid(str(value))
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_text(rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> str:
    """``rows`` as lines of cells (see :func:`cell`), quoted where necessary."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return buffer.getvalue()
