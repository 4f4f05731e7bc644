"""Tables of scores as text: for terminals, for files, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

TableStyle = Literal["plain", "ansi", "markdown"]

Cell = tuple[str, str]
"""Visible text (for the width), and text with markup."""


def mark(text: str, place: int, style: TableStyle) -> Cell:
    """``text`` marked as the best (0) or second best (1) of its column; other places unmarked."""
    if place > 1:
        return text, text
    if style == "ansi":
        return text, f"\x1b[{(1, 4)[place]}m{text}\x1b[0m"
    if style == "markdown":
        written = f"**{text}**" if place == 0 else f"<u>{text}</u>"
        return written, written
    written = f"*{text}*" if place == 0 else f"_{text}_"
    return written, written


def laid_out(
    header: list[str], body: list[list[Cell]], style: TableStyle, *, words: int = 1
) -> list[str]:
    """Lines of equal visible width: ``words`` columns of names to the left, scores to the right."""
    widths = [
        max(len(title), *(len(row[index][0]) for row in body)) for index, title in enumerate(header)
    ]

    def line(cells: Sequence[Cell]) -> str:
        padded = []
        for index, ((seen, written), width) in enumerate(zip(cells, widths, strict=True)):
            blank = " " * (width - len(seen))
            padded.append(written + blank if index < words else blank + written)
        return f"| {' | '.join(padded)} |" if style == "markdown" else "  ".join(padded).rstrip()

    rows = [line([(title, title) for title in header])]
    if style == "markdown":
        rules = ["-" * width for width in widths[:words]]
        rules += ["-" * (width - 1) + ":" for width in widths[words:]]
        rows.append(f"| {' | '.join(rules)} |")
    else:
        rows.append("  ".join("─" * width for width in widths))
    return [*rows, *(line(row) for row in body)]
