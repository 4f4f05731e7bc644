"""``unifusion evaluate``."""

from __future__ import annotations

import csv
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from tests.core.evaluation.test_folders import noise, write


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Two pairs."""
    folder = tmp_path / "sources"
    for index, name in enumerate(("eins", "zwei")):
        write(folder / "a" / f"{name}.png", noise(index))
        write(folder / "b" / f"{name}.png", noise(index + 10))
    return folder


def run(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", *options])
    return result.exit_code, result.output


def test_all_kinds_of_methods_and_reports(sources: Path, tmp_path: Path) -> None:
    for name in ("eins", "zwei"):
        write(tmp_path / "mine" / f"{name}.png", noise(30))
        write(tmp_path / "flat" / f"{name}_GFF.png", noise(31))
    copy = tmp_path / "copy.py"
    copy.write_text("import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[3])\n", encoding="utf-8")
    files = {suffix: tmp_path / f"r.{suffix}" for suffix in ("csv", "html", "pdf", "tex")}
    code, said = run(
        f"--sources={sources}", f"--method=ours={tmp_path / 'mine'}", "--method=average",
        f"--collection={tmp_path / 'flat'}", "--task=mif", "--metrics=CC,Qmi",
        f"--command=theirs={shlex.quote(sys.executable)} '{copy}' {{a}} {{b}} {{out}}",
        f"--cache={tmp_path / 'cache'}", "--reference=average",
        *(f"--{suffix}={path}" for suffix, path in files.items()),
    )  # fmt: skip
    assert code == 0, said
    assert "Means over 2 pairs." in said
    with files["csv"].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["method"] for row in rows if row["picture"] == "mean"] == [
        "ours", "average", "GFF", "theirs",
    ]  # fmt: skip
    assert rows[0].keys() >= {"CC", "NMI_lit"}
    page = files["html"].read_text(encoding="utf-8")
    assert all(f">{name}<" in page for name in ("ours", "average", "GFF", "theirs"))
    assert files["pdf"].read_bytes().startswith(b"%PDF")
    assert "\\toprule" in files["tex"].read_text(encoding="utf-8")


def test_means_by_group(tmp_path: Path) -> None:
    for index, name in enumerate(("ct_1", "ct_2", "pet_1")):
        write(tmp_path / "in" / "a" / f"{name}.png", noise(index))
        write(tmp_path / "in" / "b" / f"{name}.png", noise(index + 10))
    code, said = run(
        f"--sources={tmp_path / 'in'}", "--method=average", "--task=mif", "--metrics=CC",
        f"--cache={tmp_path / 'cache'}", "--group-by=prefix",
    )  # fmt: skip
    assert code == 0, said
    lines = [line.split()[:3] for line in said.splitlines() if " average " in line]
    assert lines == [["all", "average", "3"], ["ct", "average", "2"], ["pet", "average", "1"]]


def test_columns_and_rows_that_were_measured_apart(sources: Path, tmp_path: Path) -> None:
    scores, peers = tmp_path / "map.csv", tmp_path / "peers.toml"
    scores.write_text("method,mAP50,mAP\naverage,0.5,0.25\n", encoding="utf-8")
    peers.write_text("[mif]\nNet = {CC = 0.875}\n", encoding="utf-8")
    options = (
        f"--sources={sources}", "--method=average", "--task=mif", "--metrics=CC,MI",
        f"--cache={tmp_path / 'cache'}",
    )  # fmt: skip
    code, said = run(*options, f"--downstream={scores}", f"--quote={peers}")
    assert code == 0, said
    lines = [line.split() for line in said.splitlines()]
    assert lines[0][5:9] == ["mAP50", "↑", "mAP", "↑"]
    assert next(line for line in lines if line[:1] == ["average"])[3:5] == ["0.5000", "0.2500"]
    quoted = next(line for line in lines if line[:1] == ["Net"])
    assert quoted[1:6] == ["(quoted)", "0.875", "–", "–", "–"]
    scores.write_text("method,mAP\nothers,0.25\n", encoding="utf-8")
    code, said = run(*options, f"--downstream={scores}")
    assert (code, "Name them alike: average" in said) == (2, True)


def test_a_data_set_brings_its_task_metrics_split_and_groups(tmp_path: Path) -> None:
    for split, name in (("test", "1N"), ("test", "2D"), ("train", "3D")):
        write(tmp_path / "MSRS" / split / "ir" / f"{name}.png", noise(1))
        write(tmp_path / "MSRS" / split / "vi" / f"{name}.png", noise(2))
    options = (f"--sources={tmp_path / 'MSRS'}", "--method=average", "--dataset=msrs")
    cache = f"--cache={tmp_path / 'cache'}"
    code, said = run(*options, cache)
    assert code == 0, said
    assert said.splitlines()[0].split()[:9] == [
        "Method", "MI", "↑", "VIF", "↑", "Qabf", "↑", "Qy", "↑",
    ]  # fmt: skip
    lines = [line.split()[:3] for line in said.splitlines() if " average " in line]
    assert lines == [["all", "average", "2"], ["day", "average", "1"], ["night", "average", "1"]]
    code, said = run(*options, cache, "--split=all", "--metrics=CC")
    assert "Means over 3 pairs." in said
    code, said = run(*options, cache, "--split=val")
    assert (code, "Choose one of: test, train, all" in said) == (2, True)
    code, said = run(*options[:2], cache, "--task=ivif", "--split=test")
    assert (code, "Add --dataset NAME" in said) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--method=average",), "no task was given"),
        ((), "no method was chosen"),
        (("--method=average", "--task=mif", "--reference=nobody"), "nobody"),
        (("--command=prog {a} {b} {out}",), "it has no name"),
        (("--command=p=prog {a} {b}",), "where {out} goes"),
        (("--method=average", "--task=mif", "--metrics=Beauty"), "Unknown metric “Beauty”"),
        (("--method=nosuchpack", "--task=mif"), "nosuchpack"),
        (("--method=average", "--task=mif", "--group-by=nothing.csv"), "Give “prefix”"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    sources: Path, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    code, said = run(f"--sources={sources}", f"--cache={tmp_path / 'cache'}", *options)
    assert code == 2
    assert told in said


def test_a_report_never_replaces_a_source_or_another_report(sources: Path, tmp_path: Path) -> None:
    options = (f"--sources={sources}", "--method=average", "--task=mif", "--metrics=CC")
    source, cache = sources / "a" / "eins.png", f"--cache={tmp_path / 'cache'}"
    before = source.read_bytes()
    for suffix in ("csv", "html", "pdf", "tex"):
        code, said = run(*options, cache, f"--{suffix}={source}")
        assert (code, "one of the sources, which are never overwritten" in said) == (2, True)
    assert source.read_bytes() == before
    code, said = run(*options, cache, f"--csv={tmp_path / 'r'}", f"--html={tmp_path / 'r'}")
    assert (code, "another output has the same name" in said) == (2, True)
    assert not (tmp_path / "r").exists()


def test_a_method_that_fails_on_every_pair_is_an_exit_code(sources: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(1)\n", encoding="utf-8")
    options = (
        f"--sources={sources}", "--method=average", "--task=mif", "--metrics=CC",
        f"--cache={tmp_path / 'cache'}",
    )  # fmt: skip
    assert run(*options)[0] == 0
    line = f"--command=theirs={shlex.quote(sys.executable)} '{broken}' {{a}} {{b}} {{out}}"
    code, said = run(*options, line)
    assert (code, "theirs failed on eins" in said) == (3, True)
