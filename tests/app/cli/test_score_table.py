"""The table that ``unifusion evaluate`` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli.score_table import render_table
from core.errors import InputError
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)


def method(name: str, missing: tuple[str, ...] = (), /, **values: float) -> MethodScores:
    return MethodScores(
        MethodDescription(name, "folder"), (PairScore("p", values),), missing=missing
    )


def table(*methods: MethodScores) -> EvaluationResult:
    metrics = tuple(dict.fromkeys(n for m in methods for s in m.pairs for n in s.values))
    names = sorted({s.pair for m in methods for s in m.pairs})
    pairs = tuple(PairDescription(name, Path("a"), Path("b")) for name in names)
    return EvaluationResult(methods, pairs, metrics)


def test_best_is_bold_and_second_underlined() -> None:
    scores = table(
        method("first", MI=3.0, MSE=0.3),
        method("second", MI=2.0, MSE=0.2),
        method("third", MI=1.0, MSE=0.1),
    )
    lines = render_table(scores, "markdown").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:5]]
    assert cells[0] == ["Method", "MI ↑", "MSE ↓"]
    assert cells[2] == ["first", "**3.0000**", "0.3000"]
    assert cells[3] == ["second", "<u>2.0000</u>", "<u>0.2000</u>"]
    assert cells[4] == ["third", "1.0000", "**0.1000**"]
    assert len({len(line) for line in lines[:5]}) == 1


def test_ansi_marks_take_no_room() -> None:
    scores = table(method("one", MI=3.0, PSNR=31.25), method("longer name", MI=12.0, PSNR=9.5))
    ansi = render_table(scores, "ansi")
    assert "\x1b[1m12.000\x1b[0m" in ansi
    assert "\x1b[4m3.0000\x1b[0m" in ansi
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in ansi.splitlines()[:4]]
    assert len({len(line) for line in lines}) == 1


def test_equal_scores_share_a_place_and_a_lone_method_wins_nothing() -> None:
    scores = [method("a", MI=2.00001), method("b", MI=2.00002), method("c", MI=1.0)]
    text = render_table(table(*scores))
    assert text.count("*2.0000*") == 2
    assert "_1.0000_" in text
    assert "*" not in render_table(table(scores[0]))


def test_means_compare_the_same_pairs_and_say_what_is_missing() -> None:
    both = MethodScores(
        MethodDescription("both", "folder"),
        (PairScore("p", {"MI": 5.0}), PairScore("q", {"MI": 1.0})),
    )
    text = render_table(table(both, method("easy", ("q",), MI=5.0)))
    assert "3.0000" not in text
    assert "Means over 1 pair." in text
    assert "easy has no result for: q." in text


def test_a_method_that_failed_everywhere_is_told_and_costs_the_others_nothing() -> None:
    failed = MethodScores(
        MethodDescription("theirs", "command"),
        tuple(PairScore(name, {}, error="it ended with code 1") for name in "pqrst"),  # type: ignore[arg-type]
    )
    text = render_table(table(method("ours", MI=5.0), failed), full=True)
    assert "5.0000" in text
    assert "theirs failed on p: it ended with code 1" in text
    assert "theirs failed on 5 pairs in all." in text
    assert "undefined" not in text


def test_a_metric_that_is_undefined_on_some_pairs_says_so() -> None:
    nan = float("nan")
    pairs = (PairScore("p", {"CC": nan}), PairScore("q", {"CC": 0.5}))
    text = render_table(table(MethodScores(MethodDescription("m", "folder"), pairs)))
    assert "0.5000" in text
    assert "CC is averaged for every method over the same 1 of 2 pairs." in text


def test_means_that_differ_from_the_reference_are_marked() -> None:
    def many(name: str, offset: float) -> MethodScores:
        pairs = tuple(PairScore(str(i), {"MI": i + offset + i / 100}) for i in range(12))
        return MethodScores(MethodDescription(name, "folder"), pairs)

    result = table(many("base", 0.0), many("more", 0.5), many("same", 0.0))
    text = render_table(result, reference="base")
    assert re.search(r"more +\*[\d.]+\*†", text)
    assert not re.search(r"same.*†", text)
    with pytest.raises(InputError, match="nobody"):
        render_table(result, reference="nobody")


def test_costs_say_what_was_measured() -> None:
    costly = (
        PairScore("p", {"MI": 1.0}, seconds=9.0, is_first=True, milliseconds={"MI": 1.5}),
        PairScore("q", {"MI": 1.0}, seconds=2.0, peak_bytes=2**20, milliseconds={"MI": 2.5},
                  device_peak_bytes=7 * 2**20),
    )  # fmt: skip
    result = table(MethodScores(MethodDescription("m", "pack"), costly))
    lines = render_table(result, full=True).splitlines()
    assert lines[0].split()[-5:] == ["s", "a", "pair", "Memory", "GPU"]
    assert lines[2].split() == ["m", "1.0000", "1.00", "–", "2.00", "1", "7"]
    assert lines[3].split() == ["ms", "a", "pair", "2.0"]
    assert "without the first fusion" in lines[6]
    assert "ms a pair" not in render_table(result)


def test_tables_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="name of its own"):
        render_table(table(method("a", MI=1.0), method("a", MI=2.0)))
    with pytest.raises(InputError, match="name of its own"):
        render_table(table())
    other = MethodScores(MethodDescription("b", "folder"), (PairScore("q", {"MI": 1.0}),))
    with pytest.raises(InputError, match="no pair that every method"):
        render_table(table(method("a", MI=1.0), other))
