"""The distribution charts of a report: a chart per column of the table of means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.evaluation.report.charts import distribution_chart
from core.evaluation.report.content import label_of, values_by_method
from core.evaluation.result import EvaluationResult
from core.evaluation.set_scores import quoted_for, quoted_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def distribution_charts(result: EvaluationResult) -> Iterator[tuple[str, Figure]]:
    """Label and chart of each metric, with means measured elsewhere, then of set-level columns."""
    for metric in result.metrics:
        single = {
            quoted_name(quoted): quoted.means[metric]
            for quoted in quoted_for(result, "")
            if metric in quoted.means
        }
        label = label_of(metric)
        values = values_by_method(result, metric)
        yield label, distribution_chart(values, label=label, single=single)
    for column in result.set_columns:
        label = label_of(column.metric)
        yield label, distribution_chart({}, label=label, single=column.values)


def distribution_words(result: EvaluationResult) -> str:
    """What the charts show, in words."""
    words = (
        "The violin shows how often values occur, the box holds the middle half of them. "
        "Line: median. Diamond: mean."
    )
    if quoted_for(result, "") or result.set_columns:
        words += " Hollow diamond: a single number, measured elsewhere or for the whole set."
    return words
