"""The statistical comparison with a reference, as a table and in words."""

from __future__ import annotations

from math import isnan

from core.errors import Message
from core.evaluation.report.content import column_title
from core.evaluation.result import EvaluationResult
from core.evaluation.statistics import RESAMPLES, PairedComparison, compare
from core.evaluation.tables import direction_of, format_value
from core.pdf_document import ReportCell, ReportTable

SIGNIFICANT = 0.05
_UNCLEAR = "unclear"

_FEW = 6
"""With fewer pairs the test cannot reach a p-value below 0.05, whatever the values are."""


def comparison_tables(result: EvaluationResult, reference: str) -> list[ReportTable]:
    """Differences of all methods from ``reference`` with intervals and p-values; [] if it is alone.

    Args:
        reference: name of the method; the first one if empty.
    """
    comparisons = compare(result, reference)
    if not comparisons:
        return []
    name = reference or result.methods[0].method.name
    columns = (
        ReportCell("Metric"),
        ReportCell("Method"),
        ReportCell("In words"),
        ReportCell("Mean difference"),
        ReportCell("95 % interval", hint="bootstrap over the pairs"),
        ReportCell("p", hint="Wilcoxon signed-rank test, two-sided"),
        ReportCell("p (Holm)", hint="corrected for the methods compared on this metric"),
        ReportCell("Pairs"),
    )
    rows = tuple(_row(comparison) for comparison in comparisons)
    lines = [_method_note()]
    if any(verdict(comparison) == _UNCLEAR for comparison in comparisons):
        lines.append(
            f"“{_UNCLEAR}”: the test finds a difference, but the interval of the mean includes "
            "zero, as when few pairs differ much in one direction and many a little in the other."
        )
    few = min(comparison.pairs for comparison in comparisons)
    if few < _FEW:
        lines.append(few_pairs(few))
    title = f"Is the difference from {name} more than chance?"
    introduction = explanation(name)
    return [
        ReportTable(title, columns, rows, introduction=introduction, notes=tuple(lines), words=3)
    ]


def explanation(reference: str) -> tuple[str, str]:
    """The test in two sentences for readers who are no statisticians."""
    return (
        Message(
            "Each method was compared with {0} on the same pairs; a corrected p-value below 0.05 "
            "means that a difference pointing the same way in so many pairs would rarely come "
            "about by chance if both methods were equally good.",
            reference,
        ),
        Message(
            "The interval shows how large the average difference plausibly is: one that excludes "
            "zero may still be too small to matter, and a better score is not proof of a better "
            "picture for diagnosis."
        ),
    )


def few_pairs(count: int) -> str:
    """What the test cannot show with ``count`` pairs, where these are too few; else ""."""
    if count >= _FEW:
        return ""
    return Message.plural(
        "With {0} pair the test cannot show a difference, however large it is; at least {1} are "
        "needed, more if several methods are compared.",
        "With {0} pairs the test cannot show a difference, however large it is; at least {1} are "
        "needed, more if several methods are compared.",
        count,
        _FEW,
    )


def _method_note() -> str:
    return (
        "Differences are method minus reference. Wilcoxon signed-rank test, two-sided, with Holm’s "
        f"correction over the methods of each metric; percentile bootstrap with {RESAMPLES} "
        "resamples of the pairs."
    )


def _row(comparison: PairedComparison) -> tuple[ReportCell, ...]:
    metric, difference = comparison.metric, comparison.difference
    low, high = (signed(bound) for bound in (comparison.low, comparison.high))
    interval = "–" if isnan(comparison.low) else f"{low} to {high}"
    return (
        ReportCell(column_title(metric)),
        ReportCell(comparison.method),
        ReportCell(verdict(comparison)),
        ReportCell(signed(difference), difference),
        ReportCell(interval, comparison.low),
        ReportCell(format_p(comparison.p), comparison.p),
        ReportCell(format_p(comparison.p_holm), comparison.p_holm),
        ReportCell(str(comparison.pairs), comparison.pairs),
    )


def verdict(comparison: PairedComparison) -> str:
    """The outcome in words.

    “better” or “worse” if the corrected p is below 0.05 and the interval excludes zero, “unclear”
    if only the former holds, otherwise “no difference shown”; “not comparable” without values.
    """
    if isnan(comparison.p_holm):
        return "not comparable"
    if comparison.p_holm >= SIGNIFICANT:
        return "no difference shown"
    if comparison.low <= 0 <= comparison.high:
        return _UNCLEAR
    gains = comparison.difference > 0
    return "better" if gains == (direction_of(comparison.metric) == "higher") else "worse"


def signed(value: float) -> str:
    """A difference with its sign."""
    if isnan(value):
        return "–"
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{format_value(abs(value))}"


def format_p(value: float) -> str:
    """A p-value with three decimals, or “< 0.001”."""
    if isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
