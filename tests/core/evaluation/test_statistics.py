"""Wilcoxon, Holm and bootstrap against values worked out by hand."""

from __future__ import annotations

from itertools import product
from math import isnan

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation.result import EvaluationResult
from core.evaluation.statistics import bootstrap_interval, compare, holm, signed_rank_test


def _by_enumeration(differences: list[float]) -> float:
    """Exact two-sided p: all assignments of signs to the ranks are equally likely."""
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    middle = ranks.sum() / 2
    seen = abs(sum(r for r, d in zip(ranks, differences, strict=True) if d > 0) - middle)
    sums = [sum(r for r, s in zip(ranks, signs, strict=True) if s)
            for signs in product((0, 1), repeat=len(ranks))]  # fmt: skip
    return sum(abs(total - middle) >= seen for total in sums) / len(sums)


def test_the_test_is_exact_for_few_differences() -> None:
    for differences in ([0.3, -0.1, 0.7, 1.1, 0.2, -0.4, 0.9], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]):
        assert signed_rank_test(differences) == pytest.approx(_by_enumeration(differences))
    assert signed_rank_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == pytest.approx(2 / 64)


def test_zero_differences_say_nothing() -> None:
    assert signed_rank_test([0.0, 0.0]) == 1.0
    assert isnan(signed_rank_test([]))
    assert signed_rank_test([0.0, 1.0, 2.0, 3.0]) == signed_rank_test([1.0, 2.0, 3.0])


def test_holm_steps_down_and_leaves_out_what_was_not_tested() -> None:
    adjusted = holm([0.01, 0.04, 0.03, float("nan"), 0.5])
    assert adjusted[:3] == pytest.approx([0.04, 0.09, 0.09])
    assert isnan(adjusted[3])
    assert adjusted[4] == 0.5
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_the_interval_of_a_normal_sample_is_that_of_theory() -> None:
    sample = np.random.default_rng(0).normal(1.0, 2.0, 400)
    half = 1.96 * sample.std() / 20
    low, high = bootstrap_interval(sample)
    assert (low, high) == pytest.approx((sample.mean() - half, sample.mean() + half), abs=0.02)
    assert bootstrap_interval(sample) == (low, high)
    assert bootstrap_interval([3.0]) == (3.0, 3.0)
    assert all(map(isnan, bootstrap_interval([])))


def test_comparison_with_a_reference(result: EvaluationResult) -> None:
    found = {(c.method, c.metric): c for c in compare(result, "first")}
    assert len(found) == 4
    second = found["se<c>ond & co_1", "MI"]
    assert (second.pairs, second.difference, second.low, second.high) == (3, 1.0, 1.0, 1.0)
    third = found["third", "MI"]  # undefined on one of the four
    assert third.pairs == 3
    assert third.difference == pytest.approx((0.5 - 1.0 + 0.5) / 3)
    assert third.low <= third.difference <= third.high
    assert compare(result, "third")[0].difference == pytest.approx(-third.difference)
    with pytest.raises(InputError, match=r"nobody.*first"):
        compare(result, "nobody")
