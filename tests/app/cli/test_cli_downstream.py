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


def test_scores_never_replace_labels_or_pictures(folder: Path) -> None:
    words = ["--method", f"ours={folder / 'fused'}", "--steps", "1"]
    for name, why in (("labels/0.txt", "files that are read"), ("fused/0.png", "is a picture")):
        before = (folder / name).read_bytes()
        code, _, stderr = detect(folder, *words, "--csv", str(folder / name))
        assert (code, why in stderr) == (2, True), stderr
        assert (folder / name).read_bytes() == before


def test_boxes_of_a_data_set(folder: Path) -> None:
    """LLVIP keeps the boxes of all splits in one folder; those of the split count."""
    data = folder / "LLVIP"
    for name, split in (("0", "test"), ("1", "test"), ("9", "train")):
        for kind in ("infrared", "visible"):
            (data / kind / split).mkdir(parents=True, exist_ok=True)
            content = (folder / "fused" / "0.png").read_bytes()
            (data / kind / split / f"{name}.jpg").write_bytes(content)
        (data / "Annotations").mkdir(exist_ok=True)
        (data / "Annotations" / f"{name}.xml").write_text(
            "<annotation><size><width>32</width><height>32</height></size><object>"
            "<name>person</name><bndbox><xmin>8</xmin><ymin>8</ymin><xmax>24</xmax>"
            "<ymax>24</ymax></bndbox></object></annotation>"
        )
    short = ["--steps", "1", "--batch", "1", "--width", "64"]
    words = [f"--method=ours={folder / 'fused'}", "--dataset=llvip", f"--data={data}"]
    result = runner.invoke(app, ["downstream", "detect", *words, *short])
    assert result.exit_code == 0, result.stderr
    assert "scored on 1 pictures held out" in result.stderr
    result = runner.invoke(app, ["downstream", "detect", *words, *short, "--split=all"])
    assert result.exit_code == 2
    assert "for the labels “9”" in result.stderr


@pytest.fixture
def msrs(tmp_path: Path) -> Path:
    """Three pairs of MSRS for testing with masks, one for training without."""
    for split, names in (("test", "123"), ("train", "4")):
        for kind in ("ir", "vi", "Segmentation_labels"):
            (tmp_path / "MSRS" / split / kind).mkdir(parents=True)
        for name in names:
            mask = np.zeros((64, 72), np.uint8)
            mask[:, 30:] = 1
            for kind, pixels in (
                ("ir", 90 * mask),
                ("vi", 60 * mask),
                ("Segmentation_labels", mask),
            ):
                content = cv2.imencode(".png", pixels)[1].tobytes()
                (tmp_path / "MSRS" / split / kind / f"{name}.png").write_bytes(content)
    return tmp_path / "MSRS"


def segment(*words: str) -> tuple[int, str, str]:
    short = ["--steps", "12", "--batch", "2", "--width", "64"]
    result = runner.invoke(app, ["downstream", "segment", *short, *words])
    return result.exit_code, result.stdout, result.stderr


def test_segmentation_of_a_data_set(msrs: Path, tmp_path: Path) -> None:
    ours = f"--method=ours={msrs / 'test' / 'vi'}"
    of_the_set = ["--dataset=msrs", f"--data={msrs}"]
    code, stdout, stderr = segment(ours, *of_the_set, f"--csv={tmp_path / 'scores.csv'}")
    assert code == 0, stderr
    (row,) = csv.DictReader((tmp_path / "scores.csv").read_text().splitlines())
    assert list(row) == ["method", "mIoU", "accuracy", "IoU unlabelled", "IoU car"]
    mean = (float(row["IoU unlabelled"]) + float(row["IoU car"])) / 2
    assert float(row["mIoU"]) == pytest.approx(mean)
    assert f"{mean:.4f}" in stdout
    assert mean > 0
    labels = msrs / "test" / "Segmentation_labels"
    by_hand = segment(ours, f"--labels={labels}", "--names=unlabelled,car,a,b,c,d,e,f,g")
    assert by_hand[1].splitlines()[1] == stdout.splitlines()[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Give --labels and --names, or --dataset and --data"),
        (["--dataset=msrs"], "Add --data FOLDER"),
        (["--dataset=tno", "--data=."], "it has no labels for this"),
        (["--data=."], "Add --dataset NAME"),
        (["--dataset=msrs", "--data={msrs}", "--split=all"], "Choose one of: test, train"),
        (["--dataset=msrs", "--data={msrs}/test/ir"], "the labels of MSRS are not there"),
        (["--labels={msrs}/test/Segmentation_labels", "--names=x"], "it has the value 1"),
    ],
)
def test_labels_that_are_not_there(msrs: Path, words: list[str], told: str) -> None:
    filled = [word.format(msrs=msrs) for word in words]
    code, _, stderr = segment(f"--method=ours={msrs / 'test' / 'vi'}", *filled)
    assert code == 2
    assert told in stderr


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
