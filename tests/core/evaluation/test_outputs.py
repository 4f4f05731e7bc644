"""Reports never replace what an evaluation reads."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import OutputError
from core.evaluation.outputs import check_outputs, check_report
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationResult
from core.evaluation.run import evaluate_plan
from tests.core.evaluation.test_folders import noise, write


@pytest.fixture
def plan(tmp_path: Path) -> EvaluationPlan:
    """Pictures of one pair with its truth and a result, and tables."""
    for folder in ("in/a", "in/b", "in/gt", "out"):
        write(tmp_path / folder / "x.png", noise(len(folder)))
    write(tmp_path / "else.png", noise(1))
    (tmp_path / "map.csv").write_text("method,mAP\nout,0.5\n", encoding="utf-8")
    (tmp_path / "peers.toml").write_text("[mif]\nNet = {CC = 0.8}\n", encoding="utf-8")
    (tmp_path / "groups.csv").write_text("pair,group\nx,one\n", encoding="utf-8")
    return EvaluationPlan(
        tmp_path / "in",
        [MethodChoice("folder", str(tmp_path / "out"))],
        ("CC",),
        task="mif",
        downstream=[tmp_path / "map.csv"],
        quoted=tmp_path / "peers.toml",
        group_by=str(tmp_path / "groups.csv"),
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("in/a/x.png", "one of the sources"),
        ("in/b/../b/x.png", "one of the sources"),
        ("in/gt/x.png", "one of the sources"),
        ("out/x.png", "one of the files that are read"),
        ("map.csv", "one of the files that are read"),
        ("peers.toml", "one of the files that are read"),
        ("groups.csv", "one of the files that are read"),
        ("else.png", "it is a picture"),
    ],
)
def test_what_is_read_is_refused_before_the_run(
    plan: EvaluationPlan, tmp_path: Path, name: str, why: str
) -> None:
    with pytest.raises(OutputError, match=why):
        next(iter(evaluate_plan(replace(plan, outputs=[tmp_path / name]))))


def test_an_earlier_report_and_a_new_one_may_be_written(
    plan: EvaluationPlan, tmp_path: Path
) -> None:
    (tmp_path / "out" / "old.html").write_text("old", encoding="utf-8")
    outputs = [tmp_path / "out" / "old.html", tmp_path / "new.csv"]
    assert len(list(evaluate_plan(replace(plan, outputs=outputs)))) == 2


def test_two_outputs_are_not_the_same_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="another output has the same name"):
        check_outputs([tmp_path / "r.html", tmp_path / "x" / ".." / "r.html"], ())


def test_a_link_to_what_a_report_is_about_is_refused(
    result: EvaluationResult, pictures: Path, tmp_path: Path
) -> None:
    for name, why in (("a.png", "one of the sources"), ("fused.png", "are read for this")):
        os.link(pictures / name, tmp_path / f"{name}.csv")
        with pytest.raises(OutputError, match=why):
            check_report(result, tmp_path / f"{name}.csv")
    check_report(result, tmp_path / "new.csv")
