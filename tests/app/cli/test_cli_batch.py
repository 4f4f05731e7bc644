"""``unifusion batch`` as a person types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.main import app
from tests.junk import GOOD, UNPAIRED, make_junk

ROOT = Path(__file__).resolve().parents[3]
runner = CliRunner()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    folder = tmp_path / "größe"
    for side in ("ir", "vis"):
        (folder / side).mkdir(parents=True)
        for index in range(4):
            pixels = rng.integers(0, 256, (10, 14), dtype=np.uint8)
            content = cv2.imencode(".png", pixels)[1].tobytes()
            (folder / side / f"s{index}.png").write_bytes(content)
    return folder


def batch(*words: str | Path) -> tuple[int, str, str]:
    line = ["batch", *map(str, words), "-t", "ivif", "--pack", "average"]
    result = runner.invoke(app, line)
    return result.exit_code, result.stdout, result.stderr


def test_all_done(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, stdout, stderr = batch(source, "-o", out, "--template", "{a_stem}_{task}.png")
    assert (code, stderr) == (0, "")
    assert "4 fused, 0 failed, of 4" in stdout
    assert sorted(p.name for p in out.glob("*.png")) == [f"s{i}_ivif.png" for i in range(4)]
    assert batch(source, "-o", out)[0] == 2, "a run is there and nothing was said about it"
    code, stdout, _ = batch(source, "-o", out, "--template", "{a_stem}_{task}.png", "--resume")
    assert code == 0
    assert "0 fused, 4 done before" in stdout


def test_a_dry_run_shows_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    (source / "vis" / "extra.png").write_bytes(b"x")
    code, stdout, stderr = batch(source, "-o", tmp_path / "out", "--dry-run")
    assert code == 0
    assert "same name in ir/ and vis/" in stdout
    assert "-> s3.png" in stdout
    assert "4 pairs; nothing was written" in stdout
    assert "extra.png" in stderr
    assert not (tmp_path / "out").exists()
    _, stdout, _ = batch(source, "-o", tmp_path / "out", "--dry-run", "--json-progress")
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert [line["target"] for line in lines] == [f"s{i}.png" for i in range(4)]


def test_some_failed(source: Path, tmp_path: Path) -> None:
    (source / "vis" / "s2.png").write_bytes(b"")
    code, stdout, stderr = batch(source, "-o", tmp_path / "out")
    assert code == 3
    assert "3 fused, 1 failed" in stdout
    assert "failed: s2:" in stderr
    assert "empty" in stderr
    assert "Traceback" not in stderr


def test_a_folder_of_junk_ends_with_3_and_lists_every_file(tmp_path: Path) -> None:
    yard, out = tmp_path / "yard", tmp_path / "out"
    faults = make_junk(yard)
    code, stdout, stderr = batch(yard, "-o", out)
    assert code == 3
    assert f"3 fused, {len(faults)} failed, of {3 + len(faults)}" in stdout
    failed = [line for line in stderr.splitlines() if line.startswith("failed: ")]
    assert len(failed) == len(faults)
    for name, reason in faults.items():
        (line,) = (line for line in failed if line.startswith(f"failed: {name}:"))
        assert reason in line
    notes = [line for line in stderr.splitlines() if line.startswith("note: ")]
    for name, reason in UNPAIRED.items():
        lines = [line for line in notes if f"{name}: " in line and reason in line]
        assert len(lines) == (2 if name == "twice.png" else 1)
    assert "Traceback" not in stderr
    assert sorted(path.stem for path in out.glob("*.png")) == list(GOOD)
    assert not list(out.glob(".*"))
    code, stdout, stderr = batch(yard, "-o", out, "--resume", "--json-progress")
    assert code == 3
    ends = {row["name"]: row for row in map(json.loads, stdout.splitlines()[:-1])}
    assert {name for name, row in ends.items() if row["state"] == "skipped"} == set(GOOD)
    assert all(faults[name] in row["text"] for name, row in ends.items() if name in faults)
    last = json.loads(stdout.splitlines()[-1])
    assert {item["name"] for item in last["failures"]} == set(faults)


@pytest.mark.parametrize(
    "words",
    [
        ("nowhere", "-o", "out"),
        (".", "-o", "out"),
        (".", "-o", "out", "--template", "{what}"),
        (".", "-o", "out", "--format", "psd"),
        (".", "-o", "out", "--depth", "32"),
    ],
)
def test_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = batch(*words)
    assert code == 2
    assert stdout == ""
    assert stderr.startswith("unifusion: ")
    assert not (tmp_path / "out").exists()


def test_every_event_is_a_line_of_json(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, stdout, _ = batch(
        source, "-o", out, "--json-progress", "--metrics", "--contact-sheet", "--figures"
    )
    assert code == 0
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert {line["event"] for line in lines[:-1]} == {"row"}
    assert lines[-1]["event"] == "finished"
    assert (lines[-1]["done"], lines[-1]["total"]) == (4, 4)
    assert [Path(path).name for path in lines[-1]["files"]] == ["metrics.csv", "contact-sheet.html"]
    done = [line for line in lines if line.get("state") == "done"]
    assert sorted(Path(line["output"]).name for line in done) == [f"s{i}.png" for i in range(4)]
    assert all(line["a"].endswith(f"ir/{line['name']}.png") for line in done)


def test_results_inside_the_source_are_no_sources(source: Path) -> None:
    out = source / "results"
    assert batch(source, "-o", out)[0] == 0
    code, stdout, _ = batch(source, "-o", out, "--resume")
    assert code == 0
    assert "4 done before, 0 failed, of 4" in stdout


def test_ctrl_c(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    source, out = tmp_path / "in", tmp_path / "out"
    for side in ("a", "b"):
        (source / side).mkdir(parents=True)
        for index in range(400):
            content = cv2.imencode(".png", rng.integers(0, 256, (16, 16), dtype=np.uint8))[1]
            (source / side / f"{index}.png").write_bytes(content.tobytes())
    words = ["batch", source, "-o", out, "-t", "mff", "--pack", "average", "--json-progress"]
    child = subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert child.stdout is not None
    for line in child.stdout:
        if json.loads(line).get("state") == "done":
            break
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "cancelled" in stderr
    assert "Traceback" not in stderr
    assert 0 < len(list(out.glob("[!.]*.png"))) < 400
    assert not list(out.glob(".*"))
