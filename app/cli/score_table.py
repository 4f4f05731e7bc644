"""The table of scores by method, as plain text or Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from app.cli.text_table import TableStyle, laid_out, marked_best, printed
from core.errors import InputError
from core.metrics.evaluation import TRUTH_METRICS, MethodScore, common_images, direction_of
from core.printable import one_line


def render_table(scores: Sequence[MethodScore], style: TableStyle = "plain") -> str:
    """Mean scores of every method as a text table, best bold and second best underlined.

    Only images that every method has count, so that all means are over the same pairs; what is
    missing is listed below. Scores equal as printed share a place.

    Args:
        style: "ansi" for a terminal, "markdown", or "plain" (best with ``*``, second with ``_``).

    Raises:
        InputError: no method, two of one name, or not one image that all have.
    """
    names = [score.method for score in scores]
    if not scores or len(set(names)) != len(names):
        raise InputError("The table", "every method needs a name of its own", "Use NAME=DIR.")
    common = common_images(scores)
    if not common:
        raise InputError(
            "The table",
            "there is no pair that every method has a result for",
            "Compare fewer methods, or add the missing results.",
        )
    means = [score.means(common) for score in scores]
    columns = [column for column in means[0] if all(column in row for row in means)]
    cells = [[printed(row[column]) for column in columns] for row in means]
    higher = [direction_of(column) == "higher" for column in columns]
    marked = marked_best(cells, higher, style)
    arrows = {"higher": "↑", "lower": "↓"}
    header = ["Method", *(f"{column} {arrows[direction_of(column)]}" for column in columns)]
    plain = [one_line(name) for name in names]
    body = [[(name, name), *row] for name, row in zip(plain, marked, strict=True)]
    lines = laid_out(header, body, style)
    return "\n".join([*lines, "", *map(one_line, _notes(scores, common))])


def _notes(scores: Sequence[MethodScore], common: frozenset[str]) -> list[str]:
    notes = [f"Means over {len(common)} pair{'s' if len(common) != 1 else ''}."]
    truths = sum(
        image.name in common and TRUTH_METRICS[0] in image.values for image in scores[0].images
    )
    if 0 < truths < len(common):
        notes.append(f"Ground truth is there for {truths} of them.")
    for score in scores:
        if score.missing:
            notes.append(f"{score.method} has no result for: {', '.join(score.missing)}.")
        if score.ignored:
            notes.append(f"{score.method}, belongs to no pair: {', '.join(score.ignored)}.")
    return [*notes, *dict.fromkeys(problem for score in scores for problem in score.problems)]
