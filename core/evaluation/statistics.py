"""Paired comparison of the methods of an evaluation: is one better, and by how much?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from math import isnan, nan

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.evaluation.result import EvaluationResult

CONFIDENCE = 0.95
"""Of the bootstrap intervals."""
RESAMPLES = 5000
_SEED = 20261130
_CHUNK = 500

_Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairedComparison:
    """A method against the reference on one metric.

    Attributes:
        method: name of the method.
        metric: name of the metric.
        pairs: number of common pairs on which the metric is defined for all methods, as for means.
        difference: mean of method − reference over these pairs.
        low, high: percentile bootstrap interval of ``difference``, 95 %.
        p: two-sided Wilcoxon signed-rank test.
        p_holm: ``p`` after Holm's correction for all methods compared on this metric.

    Numbers are NaN where there are no such pairs.
    """

    method: str
    metric: str
    _: KW_ONLY
    pairs: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


def compare(result: EvaluationResult, reference: str = "") -> tuple[PairedComparison, ...]:
    """All methods against ``reference`` on all metrics, by metric, then in the order of methods.

    Args:
        reference: name of a method; the first one if empty.

    Raises:
        InputError: there is no method of this name.
    """
    names = [scores.method.name for scores in result.methods]
    check_reference(names, reference)
    base = names.index(reference) if reference else 0
    found: list[PairedComparison] = []
    for metric in result.metrics:
        values = result.compared(metric)
        others = [index for index in range(len(names)) if index != base]
        differences = [_defined(values[index] - values[base]) for index in others]
        tests = [signed_rank_test(difference) for difference in differences]
        for index, difference, p, corrected in zip(
            others, differences, tests, holm(tests), strict=True
        ):
            low, high = bootstrap_interval(difference)
            mean = float(difference.mean()) if difference.size else nan
            found.append(
                PairedComparison(
                    names[index],
                    metric,
                    pairs=difference.size,
                    difference=mean,
                    low=low,
                    high=high,
                    p=p,
                    p_holm=corrected,
                )
            )
    return tuple(found)


def check_reference(names: Sequence[str], reference: str) -> None:
    """Check that ``reference`` is one of the ``names`` of the methods, or empty.

    Raises:
        InputError: it is not.
    """
    if reference and reference not in names:
        raise InputError(
            Message("Reference “{0}”", reference),
            Message("no method of the evaluation has this name"),
            Message("Choose from: {0}.", ", ".join(names)),
        )


def signed_rank_test(differences: Sequence[float] | _Vector) -> float:
    """Two-sided p of Wilcoxon's signed-rank test that ``differences`` are symmetric about zero.

    Zero differences are left out (Wilcoxon 1945); 1 if all are zero, NaN if there are none. Exact
    for up to 50 differences without ties.
    """
    values = np.asarray(differences, dtype=np.float64)
    moved = values[values != 0]
    if not moved.size:
        return 1.0 if values.size else nan
    from scipy.stats import wilcoxon

    return float(wilcoxon(moved).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """``p_values`` adjusted by Holm's step-down method (Scand. J. Statist. 1979); NaN stays NaN."""
    order = sorted((p, index) for index, p in enumerate(p_values) if not isnan(p))
    adjusted = [nan] * len(p_values)
    largest = 0.0
    for place, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * p))
        adjusted[index] = largest
    return adjusted


def bootstrap_interval(differences: Sequence[float] | _Vector) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean; (NaN, NaN) if there are no values.

    The same values give the same interval.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not values.size:
        return nan, nan
    means = np.concatenate([values[chunk].mean(axis=1) for chunk in _resamples(values.size)])
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(means, (tail, 100.0 - tail))
    return float(low), float(high)


@lru_cache(maxsize=2)
def _resamples(count: int) -> tuple[npt.NDArray[np.int32], ...]:
    """Indices drawn with replacement, in chunks of samples × ``count``."""
    generator = np.random.default_rng(_SEED)
    return tuple(
        generator.integers(0, count, (_CHUNK, count), dtype=np.int32)
        for _ in range(RESAMPLES // _CHUNK)
    )


def _defined(values: _Vector) -> _Vector:
    defined: _Vector = values[~np.isnan(values)]
    return defined
