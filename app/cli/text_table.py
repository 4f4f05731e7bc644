"""Tables of scores as text: for terminals, for files, and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

TableStyle = Literal["plain", "ansi", "markdown"]

Cell = tuple[str, str]
"""Visible text (for the width), and text with markup."""


def printed(value: float) -> str:
    """A score as tables show it."""
    return f"{value:.3f}" if abs(value) >= 10 else f"{value:.4f}"


def marked_best(
    cells: Sequence[Sequence[str]], higher: Sequence[bool], style: TableStyle
) -> list[list[Cell]]:
    """Rows of scores with the best and the second best of each column marked.

    Args:
        higher: whether more is better, for each column.
    """
    marked: list[list[Cell]] = [[] for _ in cells]
    for index, more in enumerate(higher):
        scores = [float(row[index]) for row in cells]
        ranked = sorted(set(scores), reverse=more)
        for row, cell, score in zip(marked, cells, scores, strict=True):
            place = ranked.index(score) if len(ranked) > 1 else 2
            row.append(_mark(cell[index], place, style))
    return marked


def _mark(text: str, place: int, style: TableStyle) -> Cell:
    if place > 1:
        return text, text
    if style == "ansi":
        return text, f"\x1b[{(1, 4)[place]}m{text}\x1b[0m"
    if style == "markdown":
        written = f"**{text}**" if place == 0 else f"<u>{text}</u>"
        return written, written
    written = f"*{text}*" if place == 0 else f"_{text}_"
    return written, written


def laid_out(header: list[str], body: list[list[Cell]], style: TableStyle) -> list[str]:
    """Lines of equal visible width: names to the left, scores to the right."""
    widths = [
        max(len(title), *(len(row[index][0]) for row in body)) for index, title in enumerate(header)
    ]

    def line(cells: Sequence[Cell]) -> str:
        padded = []
        for index, ((seen, written), width) in enumerate(zip(cells, widths, strict=True)):
            blank = " " * (width - len(seen))
            padded.append(written + blank if index == 0 else blank + written)
        return f"| {' | '.join(padded)} |" if style == "markdown" else "  ".join(padded).rstrip()

    rows = [line([(title, title) for title in header])]
    if style == "markdown":
        rules = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        rows.append(f"| {' | '.join(rules)} |")
    else:
        rows.append("  ".join("─" * width for width in widths))
    return [*rows, *(line(row) for row in body)]
