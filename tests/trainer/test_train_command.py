"""``unifusion train`` with what a form saves and what a cluster needs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from core.models.pack import read_manifest
from tests.tiny import tiny_pack
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config import save_config
from trainer.curves import read_curves

runner = CliRunner()


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    data = make_pairs(tmp_path / "one", 4)
    flat = tmp_path / "two"
    flat.mkdir()
    for side, word in (("a", "pet"), ("b", "mri")):
        for path in (data / side).iterdir():
            shutil.copy(path, flat / f"{path.stem}x_{word}.png")
    settings = tmp_path / "run.toml"
    save_config(replace(CONFIG, steps=4, validate_every=2), settings)
    return ["train", f"--out={tmp_path / 'mine.safetensors'}", "--device=cpu",
            f"--data={data}", f"--data={flat}", f"--config={settings}"]  # fmt: skip


def test_several_folders_are_paired_divided_and_trained_on(
    words: list[str], tmp_path: Path
) -> None:
    result = runner.invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "to judge by, starting at step 0 of 4 on cpu: the CPU was asked for" in result.stdout
    assert "validation" in result.stdout
    assert "score" in result.stdout
    assert read_manifest(tmp_path / "mine.safetensors").training.figures
    assert (tmp_path / "mine.md").is_file()


def test_two_devices_write_one_run(words: list[str], tmp_path: Path) -> None:
    result = runner.invoke(app, [*words, "--devices=2", "--batch=2", "--share=0"])
    assert result.exit_code == 0, result.output
    assert read_curves(tmp_path / "mine.run").steps.tolist() == [2, 4]
    assert read_manifest(tmp_path / "mine.safetensors").training.pairs == 8


def test_a_preset_learns_from_its_parent(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "one", 3)
    parent = tmp_path / "parent.safetensors"
    manifest = tiny_pack(parent)
    result = runner.invoke(
        app,
        ["train", f"--data={data}", f"--out={tmp_path / 'p.safetensors'}", "--task=mif"]
        + ["--preset=quick", f"--init={parent}", "--steps=1", "--batch=1", "--device=cpu"],
    )
    assert result.exit_code == 0, result.output
    child = read_manifest(tmp_path / "p.safetensors")
    assert child.network == manifest.network
    assert child.training.parent.startswith("parent ")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--preset=quick"], "without --config"),
        (["--share=1.5"], "--share"),
        (["--keep=all"], "best or last"),
        (["--num-nodes=2", "--batch=2"], "NODE_RANK"),
        (["--devices=2"], "multiple of 2"),
        (["--data=/nowhere/at/all"], "no such file or folder"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    words: list[str], more: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NODE_RANK", raising=False)
    result = runner.invoke(app, [*words, *more])
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
