"""Means by group beside the whole, against values worked out by hand."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.groups import group_notes, grouped_summary, with_groups
from core.evaluation.report import write_csv, write_html, write_pdf, write_tex
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)
from core.evaluation.statistics import bootstrap_interval

VALUES = {
    "one": {"ct_1": 1.0, "ct_2": 3.0, "x/pet_1": 10.0, "alone": 6.0},
    "two": {"ct_1": 2.0, "ct_2": 2.5, "x/pet_1": 9.0, "alone": 6.5},
}


def pairs_of(*names: str) -> tuple[PairDescription, ...]:
    return tuple(PairDescription(name, Path("a"), Path("b")) for name in names)


@pytest.fixture
def result() -> EvaluationResult:
    """Two methods on two pairs of CT, one of PET in a folder, and one of no group."""
    methods = tuple(
        MethodScores(
            MethodDescription(name, "classical"),
            tuple(PairScore(pair, {"MI": value}) for pair, value in values.items()),
        )
        for name, values in VALUES.items()
    )
    pairs = with_groups(pairs_of(*VALUES["one"]), "prefix")
    return EvaluationResult(methods, pairs, ("MI",))


def test_every_group_stands_beside_the_whole(result: EvaluationResult) -> None:
    whole, ct, pet = grouped_summary(result)
    assert [(found.group, found.pairs) for found in (whole, ct, pet)] == [
        ("", 4), ("ct", 2), ("pet", 1),
    ]  # fmt: skip
    means = [[row.cells["MI"].mean for row in found.rows] for found in (whole, ct, pet)]
    assert means == [[5.0, 5.0], [2.0, 2.25], [10.0, 9.0]]
    marks = [[row.cells["MI"].mark for row in found.rows] for found in (whole, ct, pet)]
    assert marks == [["", ""], ["second", "best"], ["best", "second"]]
    cell = ct.rows[0].cells["MI"]
    assert (cell.low, cell.high) == bootstrap_interval([1.0, 3.0]) == (1.0, 3.0)
    assert cell.interval == "(1.0000 to 3.0000)"
    lone = pet.rows[0].cells["MI"]
    assert isnan(lone.low)
    assert lone.interval == ""


def test_a_method_without_scores_in_a_group_takes_nothing_from_the_others(
    result: EvaluationResult,
) -> None:
    one, two = result.methods
    half = replace(two, pairs=two.pairs[:2], missing=("x/pet_1", "alone"))
    whole, ct, pet = grouped_summary(replace(result, methods=(one, half)))
    assert (whole.pairs, ct.pairs, pet.pairs) == (2, 2, 1)
    assert [row.cells["MI"].text for row in pet.rows] == ["10.000", "–"]


def test_undefined_values_are_left_out(result: EvaluationResult) -> None:
    one, two = result.methods
    gap = replace(one, pairs=(PairScore("ct_1", {"MI": float("nan")}), *one.pairs[1:]))
    groups = grouped_summary(replace(result, methods=(gap, two)))
    cells = [row.cells["MI"] for row in groups[1].rows]
    assert [(cell.mean, cell.pairs) for cell in cells] == [(3.0, 1), (2.5, 1)]
    assert group_notes(groups)[-1].endswith(
        "for all methods: MI over 3 of 4 (all), MI over 1 of 2 (ct)."
    )


def test_small_groups_are_said(result: EvaluationResult) -> None:
    assert ": all (4), ct (2), pet (1)." in group_notes(grouped_summary(result))[1]


def test_groups_by_a_table(tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("pair,group\nct_1,bone\nalone, soft \n", encoding="utf-8-sig")
    pairs = with_groups(pairs_of("ct_1", "ct_2", "alone"), str(table))
    assert [pair.group for pair in pairs] == ["bone", "", "soft"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("pair,group\nct_9,bone\n", "“ct_9”, which is not there. Name pairs as"),
        ("name,group\nct_1,bone\n", "columns pair and group"),
        ("", "columns pair and group"),
        (None, "no such file. Give “prefix”"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, content: str | None, told: str) -> None:
    table = tmp_path / "groups.csv"
    if content is not None:
        table.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(told)):
        with_groups(pairs_of("ct_1"), str(table))


def test_groups_are_in_every_report(result: EvaluationResult, tmp_path: Path) -> None:
    files = {suffix: tmp_path / f"r.{suffix}" for suffix in ("csv", "html", "pdf", "tex")}
    write_csv(result, files["csv"])
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text("utf-8"))))
    assert [row["group"] for row in rows[:4]] == ["ct", "ct", "pet", ""]
    kept = {(row["method"], row["picture"], row["group"]): row["MI"] for row in rows}
    assert kept["one", "mean", ""] == "5.000000"
    assert [kept["two", what, "ct"] for what in ("mean", "low", "high")] == [
        "2.250000", "2.000000", "2.500000",
    ]  # fmt: skip
    write_html(result, files["html"], worst=0)
    page = files["html"].read_text("utf-8")
    assert "Means by group" in page
    assert "<b>2.2500</b> <small class=after>(2.0000 to 2.5000)</small>" in page
    write_tex(result, files["tex"])
    tex = files["tex"].read_text("utf-8")
    assert r"\caption{Means over the 2 pairs of ct, with 95\,\% bootstrap intervals.}" in tex
    assert r" & {\scriptsize [2.000, 2.500]} \\" in tex
    assert r"two & \textbf{2.2500} \\" in tex
    write_pdf(result, files["pdf"], worst=0)
    assert files["pdf"].read_bytes().startswith(b"%PDF")
    write_html(result, files["html"], worst=0, anonymous=True)
    page = files["html"].read_text("utf-8")
    assert "Group 1" in page
    assert "pet" not in page
