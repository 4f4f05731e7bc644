"""``unifusion downstream detect`` as a person types it."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.main import app

runner = CliRunner()


def detect(folder: Path, *words: str) -> tuple[int, str, str]:
    line = ["downstream", "detect", "--labels", str(folder / "labels"), "--names", "square"]
    result = runner.invoke(app, [*line, *words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "labels").mkdir()
    (tmp_path / "fused").mkdir()
    for index in range(3):
        pixels = np.full((32, 32), 20 * index, dtype=np.uint8)
        pixels[8:24, 8:24] = 220
        content = cv2.imencode(".png", pixels)[1].tobytes()
        (tmp_path / "fused" / f"{index}.png").write_bytes(content)
        (tmp_path / "labels" / f"{index}.txt").write_text("0 0.5 0.5 0.5 0.5")
    return tmp_path


def test_scores_of_a_method(folder: Path) -> None:
    words = ["--method", f"ours={folder / 'fused'}", "--steps", "1", "--batch", "1"]
    table = folder / "scores.csv"
    code, stdout, stderr = detect(folder, *words, "--width", "64", "--csv", str(table))
    assert code == 0, stderr
    assert "scored on 1 pictures held out" in stderr
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert row["method"] == "ours"
    assert f"ours    {float(row['mAP50']):6.4f}  {float(row['mAP']):6.4f}" in stdout


@pytest.mark.parametrize("method", ["ours", "ours=nowhere", "=."])
def test_bad_method_is_explained(folder: Path, method: str) -> None:
    code, _, stderr = detect(folder, "--method", method)
    assert code == 2
    assert "NAME=FOLDER" in stderr


def test_name_twice(folder: Path) -> None:
    method = f"ours={folder / 'fused'}"
    code, _, stderr = detect(folder, "--method", method, "--method", method)
    assert code == 2
    assert "given twice" in stderr
