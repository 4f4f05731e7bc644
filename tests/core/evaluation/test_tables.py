"""Means, marks and ranks of the summary."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest

from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)
from core.evaluation.statistics import compare
from core.evaluation.tables import (
    format_count,
    format_seconds,
    format_value,
    summarize,
    truth_notes,
    undefined_notes,
)

NAN = float("nan")


def _evaluation(values: dict[str, dict[str, list[float]]]) -> EvaluationResult:
    """Of values by method and metric; pairs are called 0, 1 …"""
    metrics = tuple(next(iter(values.values())))
    count = len(next(iter(values.values()))[metrics[0]])
    methods = tuple(
        MethodScores(
            MethodDescription(name, "classical"),
            tuple(PairScore(str(i), {m: columns[m][i] for m in metrics}) for i in range(count)),
        )
        for name, columns in values.items()
    )
    pairs = tuple(PairDescription(str(i), Path("a"), Path("b")) for i in range(count))
    return EvaluationResult(methods, pairs, metrics)


def test_best_and_second_follow_the_direction_of_the_metric() -> None:
    summary = summarize(
        _evaluation(
            {
                "x": {"MI": [1.0, 3.0], "Nabf": [0.1, 0.3]},
                "y": {"MI": [4.0, 4.0], "Nabf": [0.3, 0.3]},
                "z": {"MI": [2.0, 0.0], "Nabf": [0.0, 0.1]},
            }
        )
    )
    marks = [[row.cells[m].mark for m in ("MI", "Nabf")] for row in summary.rows]
    assert marks == [["second", "second"], ["best", ""], ["", "best"]]
    # MI ranks: pair 0 y z x, pair 1 y x z; Nabf (lower is better): z x y; z, then x and y at 2.5.
    assert [row.mean_rank for row in summary.rows] == [(3 + 2 + 2 + 2.5) / 4, (1 + 1 + 3 + 2.5) / 4,
                                                       (2 + 3 + 1 + 1) / 4]  # fmt: skip


def test_equal_as_printed_shares_a_place_and_all_equal_has_none() -> None:
    def evaluate(*means: float) -> list[str]:
        rows = summarize(_evaluation({str(i): {"MI": [m]} for i, m in enumerate(means)})).rows
        return [row.cells["MI"].mark for row in rows]

    assert evaluate(1.00001, 1.00002, 0.5, 0.2) == ["best", "best", "second", ""]
    assert evaluate(1.0, 1.0) == ["", ""]
    assert evaluate(float("nan"), 1.0, 2.0) == ["", "second", "best"]


def test_undefined_is_left_out_of_means_and_counted(result: EvaluationResult) -> None:
    third = summarize(result).rows[2]
    assert third.cells["MI"].mean == pytest.approx((1.5 + 1.0 + 3.5) / 3)
    assert third.cells["MI"].undefined == 1
    assert (third.scored, third.failed, third.missing) == (4, 1, 0)
    assert third.seconds == 0.5
    assert third.peak_bytes == 3 * 2**20


def test_means_of_a_metric_are_over_the_same_pairs_for_all_methods() -> None:
    evaluation = _evaluation(
        {
            "steady": {"CC": [0.9, 0.2, 0.4], "MI": [1.0, 2.0, 6.0]},
            "lucky": {"CC": [0.8, NAN, 0.3], "MI": [1.0, 2.0, 3.0]},
            "blank": {"CC": [NAN, NAN, NAN], "MI": [0.0, 0.0, 0.0]},
        }
    )
    summary = summarize(evaluation)
    cells = [row.cells["CC"] for row in summary.rows]
    # Pair 1 is left out for “steady”, too: (0.9 + 0.4) / 2 against (0.8 + 0.3) / 2, not 0.5.
    assert [cell.mean for cell in cells[:2]] == pytest.approx([0.65, 0.55])
    assert [cell.mark for cell in cells] == ["best", "second", ""]
    assert [cell.undefined for cell in cells] == [0, 1, 3]
    assert [cell.pairs for cell in cells] == [2, 2, 0]
    assert isnan(cells[2].mean)
    assert [row.cells["MI"].mean for row in summary.rows] == [3.0, 2.0, 0.0]
    assert undefined_notes(evaluation, summary)[:2] == [
        "lucky: CC is undefined on 1 of 3 pairs.", "blank: CC is undefined on 3 of 3 pairs.",
    ]  # fmt: skip
    averaged, mi = undefined_notes(evaluation, summary)[2:], compare(evaluation)[1]
    assert averaged[0].startswith("CC is averaged for every method over the same 2 of 3 pairs.")
    lucky = compare(evaluation)[0]
    assert (lucky.pairs, lucky.difference) == (2, pytest.approx(-0.1))
    assert (mi.method, mi.pairs) == ("blank", 0)


def test_a_method_without_any_score_takes_no_pair_from_the_others() -> None:
    one = MethodScores(MethodDescription("x", "folder"), (), missing=("0",))
    evaluation = _evaluation({"y": {"MI": [1.0]}, "z": {"MI": [2.0]}})
    summary = summarize(
        EvaluationResult((one, *evaluation.methods), evaluation.pairs, evaluation.metrics)
    )
    assert summary.pairs == 1
    assert [row.cells["MI"].text for row in summary.rows] == ["–", "1.0000", "2.0000"]
    assert [row.cells["MI"].undefined for row in summary.rows] == [0, 0, 0]
    assert isnan(summary.rows[0].mean_rank)
    assert [row.mean_rank for row in summary.rows[1:]] == [2.0, 1.0]


def test_without_a_common_pair_nothing_is_ranked() -> None:
    other = PairScore("1", {"MI": 3.0})
    one = MethodScores(MethodDescription("x", "folder"), (other,), missing=("0",))
    evaluation = _evaluation({"y": {"MI": [1.0]}})
    summary = summarize(
        EvaluationResult((one, *evaluation.methods), evaluation.pairs, evaluation.metrics)
    )
    assert summary.pairs == 0
    assert all(isnan(row.mean_rank) and isnan(row.cells["MI"].mean) for row in summary.rows)
    assert [row.cells["MI"].text for row in summary.rows] == ["–", "–"]


def test_formats() -> None:
    assert [format_value(v) for v in (0.12345, 12.3456, float("nan"))] == ["0.1235", "12.346", "–"]
    assert [format_count(v) for v in (None, 834, 12_345, 85_700_000)] == [
        "–", "834", "12.3 k", "85.7 M",
    ]  # fmt: skip
    assert [format_seconds(v) for v in (float("nan"), 0.0123, 2.345)] == ["–", "0.012", "2.35"]


def test_ground_truth_of_some_pairs_is_said_once() -> None:
    evaluation = _evaluation({name: {"MI": [1.0, 2.0], "PSNR_gt": [30.0, 40.0]} for name in "xy"})
    one, other = evaluation.pairs
    some = replace(evaluation, pairs=(replace(one, truth=Path("gt")), other))
    (said,) = truth_notes(some, summarize(some))
    assert "ground truth for 1 of these pairs, over which PSNR-gt" in said
    every = replace(some, pairs=tuple(replace(pair, truth=Path("gt")) for pair in some.pairs))
    assert not truth_notes(every, summarize(every))
