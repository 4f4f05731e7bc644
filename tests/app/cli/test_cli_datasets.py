"""``--dataset`` and ``unifusion datasets`` as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.train import TrainOptions, planned
from core.pairing.dataset_descriptor import get_descriptor
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.data.division import divide_pairs
from trainer.data.pairs import find_pairs
from trainer.run_folder.registry import RunRecord, read_record, write_record

runner = CliRunner()
OWN = """name = "mine"
title = "Mine"
task = "ivif"
[[layouts]]
a = "{split}/x/{name}"
b = "{split}/y/{name}"
[splits]
test = ["late"]
train = ["early"]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder with a descriptor, and a data set in ``data``."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.toml").write_text(OWN)
    for split, count in (("late", 1), ("early", 2)):
        for side in ("x", "y"):
            folder = tmp_path / "data" / split / side
            folder.mkdir(parents=True)
            for index in range(count):
                (folder / f"{split}{index}.png").touch()
    return tmp_path


def batch(home: Path, *words: str) -> tuple[int, str, str]:
    line = ["batch", str(home / "data"), "-t", "ivif", "--pack", "average", "--dry-run"]
    result = runner.invoke(app, [*line, "-o", str(home / "out"), *words])
    return result.exit_code, result.stdout, result.stderr


def test_known_data_sets_are_listed(home: Path) -> None:
    result = runner.invoke(app, ["datasets"])
    assert result.exit_code == 0
    assert "ivif  mine          Mine  splits: test, train" in result.stdout
    assert "cropinfrared/{name} and crop_LR_visible/{name}" in result.stdout
    assert f"go into {home / 'datasets'}" in result.stdout


def test_batch_of_a_data_set(home: Path) -> None:
    code, stdout, stderr = batch(home, "--dataset", "mine")
    assert code == 0
    assert "late0" in stdout
    assert "early" not in stdout
    assert "3 pictures" not in stdout
    assert "4 pictures are in no folder of Mine" in stderr
    stdout = batch(home, "--dataset", str(home / "datasets" / "mine.toml"), "--split", "all")[1]
    assert stdout.count("laid out as Mine") == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset", "lenna"], "Unknown data set “lenna”"),
        (["--dataset", "mine", "--split", "val"], "Choose one of: test, train, all"),
        (["--split", "test"], "Add --dataset NAME"),
        (["--dataset", "llvip"], "it is not laid out as LLVIP"),
    ],
)
def test_what_does_not_fit_is_said(home: Path, words: list[str], said: str) -> None:
    code, _, stderr = batch(home, *words)
    assert code == 2
    assert said in stderr


def test_several_sources_are_refused(home: Path) -> None:
    code, _, stderr = batch(home, str(home / "datasets"), "--dataset", "mine")
    assert code == 2
    assert "several sources were given" in stderr


def test_training_takes_the_training_split_and_keeps_it(home: Path) -> None:
    options = TrainOptions((home / "data",), home / "p.safetensors", task="ivif", dataset="mine")
    plan = planned(options)
    assert plan.split == "train"
    found = find_pairs(plan.sources, "ivif", dataset=plan.dataset, split=plan.split)
    assert [match.name for match in found.matches] == ["early0", "early1"]
    plan.run_folder.mkdir()
    write_record(RunRecord(TrainConfig("ivif"), plan))
    again = read_record(plan.run_folder).plan
    assert (again.dataset, again.split) == (
        get_descriptor(str(home / "datasets/mine.toml")),
        "train",
    )


def test_a_plan_without_a_data_set(home: Path) -> None:
    plan = planned(TrainOptions((home / "data",), home / "p.safetensors", task="ivif"))
    assert plan == RunPlan((home / "data",), home / "p.safetensors", share=0.2)


def test_the_folder_to_check_with_is_laid_out_as_the_training_data(home: Path) -> None:
    data = (home / "data",)
    options = TrainOptions(
        data, home / "p.safetensors", task="ivif", dataset="mine", val=home / "data"
    )
    plan = planned(options)
    assert (plan.validation_dataset, plan.validation_split) == (plan.dataset, "test")
    divided = divide_pairs(plan, TrainConfig("ivif")).split
    assert [match.name for match in divided.train] == ["early0", "early1"]
    assert [match.name for match in divided.validation] == ["late0"]
    plan.run_folder.mkdir()
    write_record(RunRecord(TrainConfig("ivif"), plan))
    again = read_record(plan.run_folder).plan
    assert (again.validation_dataset, again.validation_split) == (plan.dataset, "test")


def test_a_folder_to_check_with_of_another_layout_is_paired_by_names(home: Path) -> None:
    for side in "ab":
        (home / "plain" / side).mkdir(parents=True)
        (home / "plain" / side / "1.png").touch()
    options = TrainOptions(
        (home / "data",), home / "p.safetensors", task="ivif", dataset="mine", val=home / "plain"
    )
    plan = planned(options)
    assert (plan.validation_dataset, plan.validation_split) == (None, "")
    validation = divide_pairs(plan, TrainConfig("ivif")).split.validation
    assert [match.name for match in validation] == ["1"]
