"""What a metric means, in words: direction, range, definition, and where it has no value."""

from __future__ import annotations

from math import isinf

from app.i18n.numbers import number
from app.i18n.translate import tr, translate
from core.evaluation.set_scores import SET_METRICS
from core.metrics import METRICS
from core.metrics.metric import DEFINITIONS


def describe(name: str) -> str:
    """Sentences about the metric ``name``, of pairs or of sets; only the name of any other."""
    metric = METRICS.get(name)
    if metric is None:
        return _describe_set(name)
    low, high = (_bound(bound) for bound in metric.bounds)
    better = tr("higher is better") if metric.direction == "higher" else tr("lower is better")
    lines = [
        f"{translate(metric.title)} ({better})",
        translate(metric.explanation),
        tr("Range: {0} to {1}").format(low, high),
        tr("Computed {0}").format(translate(DEFINITIONS[metric.definition])),
        tr("Reference: {0}").format(metric.reference),
    ]
    if metric.undefined_when:
        lines.append(translate(metric.undefined_when))
    return "\n".join(lines)


def _describe_set(name: str) -> str:
    metric = SET_METRICS.get(name)
    if metric is None:
        return name
    title = f"{translate(metric.title)} ({tr('higher is better')})"
    return f"{title}\n{translate(metric.explanation)}"


def _bound(value: float) -> str:
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    return number(value, "g")
