"""Columns of other tasks and rows measured elsewhere: read, shown in every report, never ranked."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError
from core.evaluation.groups import with_groups
from core.evaluation.report import write_csv, write_html, write_pdf, write_tex
from core.evaluation.result import EvaluationResult, QuotedMeans, SetColumn
from core.evaluation.set_scores import quoted_for, read_quoted, read_set_columns, set_notes
from core.evaluation.tables import summarize
from tests.core.evaluation.test_groups import result

__all__ = ["result"]
PEERS = Path(__file__).parents[3] / "benchmarks" / "peers.toml"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_of_the_methods_that_are_evaluated(tmp_path: Path) -> None:
    boxes = write(tmp_path / "map.csv", "method,mAP50,mAP\none,0.5,0.25\nother,0.9,0.9\n")
    masks = write(tmp_path / "miou.csv", "method,mIoU,accuracy,IoU car\none,0.4,0.9,0.4\ntwo,,,\n")
    assert read_set_columns([masks, boxes], ["two", "one"]) == (
        SetColumn("mAP50", {"one": 0.5}, "map.csv"),
        SetColumn("mAP", {"one": 0.25}, "map.csv"),
        SetColumn("mIoU", {"one": 0.4}, "miou.csv"),
    )
    with pytest.raises(InputError, match="another file has mAP50 already"):
        read_set_columns([boxes, boxes], ["one"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("method,mAP\nnobody,0.5\n", "none of its methods is in the evaluation: nobody. Name them"),
        ("method,beauty\none,0.5\n", "or none of mAP50, mAP, mIoU"),
        ("name,mAP\none,0.5\n", "it has no column method"),
        ("", "it has no column method"),
        ("method,mAP\none,much\n", "“much” is no number"),
        ("method,mAP\none,inf\n", "“inf” is no number"),
    ],
)
def test_files_that_are_no_scores(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_set_columns([write(tmp_path / "x.csv", text)], ["one"])


def test_means_measured_elsewhere(tmp_path: Path) -> None:
    text = (
        'source = "Theirs."\n[mif]\nnote = "Over six."\ngroup = "ct"\nNet = {Qmi = 2, MI = 1.5}\n'
    )
    (net,) = read_quoted(write(tmp_path / "q.toml", text), "mif")
    assert net == QuotedMeans("Net", {"NMI_lit": 2.0, "MI": 1.5}, "q.toml: Theirs. Over six.", "ct")
    assert {one.name for one in read_quoted(PEERS, "mff")} == {"U2Fusion", "ReFusion", "GIFNet"}
    assert [one.group for one in read_quoted(PEERS, "ivif")] == ["roadscene", "roadscene"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[mef]\nNet = {MI = 1}\n", "no means for the task “mif”"),
        ("[mif]\nNet = {Beauty = 1}\n", "Net: there is no metric “Beauty”. Choose from: "),
        ("[mif]\nNet = {MI = 'much'}\n", "Net.MI: it is no table"),
        ("[mif]\nNet = 1\n", "Net: it is no table"),
        ("[mif\n", "Give a TOML file"),
    ],
)
def test_files_that_are_no_means(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_quoted(write(tmp_path / "q.toml", text), "mif")


@pytest.fixture
def extended(result: EvaluationResult) -> EvaluationResult:
    """With a column and two rows: one over all pairs, one over those of “ct”."""
    return replace(
        result,
        set_columns=(SetColumn("mAP", {"one": 0.25}, "map.csv"),),
        quoted=(QuotedMeans("Net", {"MI": 99.125}, "q.toml"), QuotedMeans("Part", {}, "", "ct")),
    )


def test_neither_is_ranked_and_quoted_rows_are_not_marked(
    result: EvaluationResult, extended: EvaluationResult
) -> None:
    plain, more = summarize(result), summarize(extended)
    assert [row.mean_rank for row in more.rows] == [row.mean_rank for row in plain.rows]
    assert [row.cells["MI"].mark for row in more.rows] == ["", ""]
    assert more.set_metrics == ("mAP",)
    assert [row.set_cells["mAP"].text for row in more.rows] == ["0.2500", "–"]
    both = replace(extended, set_columns=(SetColumn("mAP", {"one": 0.25, "two": 0.75}),))
    assert [row.set_cells["mAP"].mark for row in summarize(both).rows] == ["second", "best"]
    notes = set_notes(extended)
    assert len(notes) == 2
    assert "no rank, interval or test" in notes[0]
    assert "q.toml" in notes[1]


def test_rows_over_a_group_stand_with_it(extended: EvaluationResult) -> None:
    assert [one.name for one in quoted_for(extended, "")] == ["Net"]
    assert [one.name for one in quoted_for(extended, "ct")] == ["Part"]
    alone = replace(extended, pairs=with_groups(extended.pairs, ""))
    ungrouped = replace(alone, pairs=tuple(replace(p, group="") for p in alone.pairs))
    assert [one.name for one in quoted_for(ungrouped, "")] == ["Net", "Part"]


def test_both_are_in_every_report(extended: EvaluationResult, tmp_path: Path) -> None:
    write_html(extended, tmp_path / "r.html", worst=0)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "Mean average precision at IoUs" in page
    assert '<td data-n="0.25">0.2500</td>' in page
    assert '>Net (quoted)</td><td data-n="99.125">99.125</td>' in page
    assert "measured elsewhere, not here" in page
    write_tex(extended, tmp_path / "r.tex")
    tex = (tmp_path / "r.tex").read_text("utf-8")
    assert r"Net (quoted) & 99.125 & -- & -- \\" in tex
    assert r"Part (quoted) & -- \\" in tex
    write_csv(extended, tmp_path / "r.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text("utf-8"))))
    kept = {(row["method"], row["picture"], row["group"]): (row["MI"], row["mAP"]) for row in rows}
    assert kept["one", "mean", ""] == ("5.000000", "0.250000")
    assert kept["one", "ct_1", "ct"] == ("1.000000", "")
    assert kept["Net", "quoted", ""] == ("99.125000", "")
    write_pdf(extended, tmp_path / "r.pdf", worst=0)
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
    write_html(extended, tmp_path / "r.html", worst=0, anonymous=True)
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "map.csv" not in page
    assert "Part (quoted)" in page
