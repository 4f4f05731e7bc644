"""What a report says, as tables and sentences, for every format."""

from __future__ import annotations

from math import inf, isnan

from core.errors import InputError, Message
from core.evaluation.report.anonymous import without_names
from core.evaluation.result import EvaluationResult, MethodDescription
from core.evaluation.set_scores import SET_METRICS
from core.evaluation.statistics import check_reference
from core.evaluation.tables import (
    arrow_of,
    direction_of,
    format_milliseconds,
    heading_of,
    metric_milliseconds,
    summarize,
)
from core.metrics import DEFINITIONS, METRICS
from core.pdf_document import ReportCell, ReportTable
from core.tasks import TASKS
from core.types import RESEARCH_NOTICE

_KINDS = {
    "pack": "model pack",
    "classical": "classical method",
    "folder": "folder of results",
    "collection": "collection of results",
    "command": "external program",
}
_TRUTH_TITLES = {
    "PSNR_gt": "Peak signal-to-noise ratio (dB) to the ground truth",
    "SSIM_gt": "Structural similarity to the ground truth",
}


def prepared(result: EvaluationResult, reference: str, anonymous: bool) -> EvaluationResult:
    """``result`` as a report shows it, checked.

    Raises:
        InputError: there are no methods or metrics, or none of them is ``reference``.
    """
    names = [scores.method.name for scores in result.methods]
    if not names or not result.metrics:
        raise InputError(
            Message("The report"),
            Message("nothing was evaluated"),
            Message("Choose at least one method and one metric."),
        )
    check_reference(names, reference)
    return without_names(result) if anonymous else result


def methods_table(result: EvaluationResult) -> ReportTable:
    """How the images of each method came about, and how many there are."""
    columns = tuple(
        ReportCell(text) for text in ("Method", "Kind", "Details", "Scored", "Failed", "No result")
    )
    rows = tuple(
        (
            *(ReportCell(text) for text in _described(row.method)),
            *(ReportCell(str(n), n) for n in (row.scored, row.failed, row.missing)),
        )
        for row in summarize(result).rows
    )
    return ReportTable("Methods", columns, rows, words=3)


def _described(method: MethodDescription) -> tuple[str, str, str]:
    return method.name, _KINDS[method.kind], method.detail or "–"


def metrics_table(result: EvaluationResult) -> ReportTable:
    """What each metric measures, its range, whose definition it follows, and its time."""
    columns = tuple(
        ReportCell(text)
        for text in ("Metric", "Meaning", "Better", "Range", "Definition", "ms per pair")
    )
    times = metric_milliseconds(result)
    rows = [_metric_row(name, times[name]) for name in result.metrics]
    rows += [_set_row(column.metric) for column in result.set_columns]
    return ReportTable("Metrics", columns, tuple(rows), words=5)


def _set_row(name: str) -> tuple[ReportCell, ...]:
    metric = SET_METRICS[name]
    texts = (name, f"{metric.title}. {metric.explanation}", "higher ↑", "0 to 1", "–", "–")
    return tuple(map(ReportCell, texts))


def _metric_row(name: str, time: float) -> tuple[ReportCell, ...]:
    shown = ReportCell(format_milliseconds(time), inf if isnan(time) else time)
    better = ReportCell(f"{direction_of(name)} {arrow_of(name)}")
    metric = METRICS.get(name)
    if metric is None:
        return (
            ReportCell(heading_of(name)),
            ReportCell(f"{title_of(name)}, where there is one."),
            better,
            ReportCell("–"),
            ReportCell("–"),
            shown,
        )
    low, high = (_bound(bound) for bound in metric.bounds)
    return (
        ReportCell(metric.heading, hint=metric.name),
        ReportCell(f"{metric.title}. {metric.explanation} {metric.undefined_when}".strip()),
        better,
        ReportCell(f"{low} to {high}"),
        ReportCell(f"{metric.reference}; {DEFINITIONS[metric.definition]}"),
        shown,
    )


def _bound(value: float) -> str:
    return f"{'−' if value < 0 else ''}{'∞' if abs(value) == inf else f'{abs(value):.4g}'}"


def settings_table(result: EvaluationResult) -> ReportTable:
    """Settings and versions."""
    entries = [*result.settings.items(), *result.versions.items()]
    if result.created:
        entries.append(("evaluated", result.created))
    rows = tuple((ReportCell(name), ReportCell(text)) for name, text in entries)
    return ReportTable(
        "Settings and versions", (ReportCell("Name"), ReportCell("Value")), rows, words=2
    )


def values_by_method(result: EvaluationResult, metric: str) -> dict[str, list[float]]:
    """Values of ``metric`` on the common pairs, by name of the method, for charts.

    NaN for all methods where it is undefined for one: charts show the values that the means are of.
    """
    rows = result.compared(metric).tolist()
    return {s.method.name: row for s, row in zip(result.methods, rows, strict=True)}


def charted_pairs(result: EvaluationResult) -> str:
    """What the positions of a chart over the common pairs are."""
    return f"number of the pair, 1 to {len(result.common())}"


def title_of(metric: str) -> str:
    """The full name of a metric."""
    known = METRICS.get(metric) or SET_METRICS.get(metric)
    return _TRUTH_TITLES.get(metric, heading_of(metric)) if known is None else known.title


def column_title(metric: str) -> str:
    """Heading of a column with its arrow, not to be broken between them."""
    return f"{heading_of(metric)}\u00a0{arrow_of(metric)}"


def label_of(metric: str) -> str:
    """A metric as the axis of a chart names it."""
    return f"{title_of(metric)}, {heading_of(metric)} {arrow_of(metric)}"


def overview(result: EvaluationResult) -> str:
    """One sentence on what was evaluated."""
    methods, metrics = len(result.methods), len(result.metrics)
    return (
        f"{methods} method{'s' if methods != 1 else ''}, {pairs_in_words(len(result.pairs))}, "
        f"{metrics} metric{'s' if metrics != 1 else ''}"
        f"{f'; {result.created}' if result.created else ''}."
    )


def warning_of(result: EvaluationResult) -> str:
    """The remark that medical results carry, empty for other tasks.

    It names the packs; whether there is a network in a program or behind a folder is not known.
    """
    task = result.settings.get("task", "")
    if not any(t.medical and task in (t.name, str(t.title)) for t in TASKS.values()):
        return ""
    packs = [scores.method.name for scores in result.methods if scores.method.kind == "pack"]
    return (
        f"{RESEARCH_NOTICE} – AI-generated images: {', '.join(packs)}" if packs else RESEARCH_NOTICE
    )


def pairs_in_words(count: int) -> str:
    return f"{count} pair{'s' if count != 1 else ''}"
