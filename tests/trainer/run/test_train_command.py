"""``unifusion train`` with what a form saves and what a cluster needs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.train import TrainOptions, configure
from core.errors import InputError
from core.models.backbone import file_sha256
from core.models.config import BackboneConfig, compact_config, dinov3_compact_config
from core.packs.format import read_manifest
from core.tasks import TASKS
from resources import PACKS
from tests.tiny import backbone_file, tiny_pack
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.settings_file import load_config, save_config
from trainer.run_folder.history import read_curves

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
    assert read_manifest(tmp_path / "mine.safetensors").training.scores
    assert (tmp_path / "mine.md").is_file()


@pytest.mark.long
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


@pytest.mark.parametrize("task", [name for name in TASKS if recipes.path_of(name)])
def test_the_readme_s_recipe_starts_from_every_embedded_pack(task: str, tmp_path: Path) -> None:
    """The command as README has it, with fewer and smaller steps, in full and from a file."""
    for name in ("MY_PAIRS", "MY_OTHER_PAIRS"):
        make_pairs(tmp_path / name, 1)
    out = tmp_path / "my-pack.safetensors"
    line = (
        f"train --task {task} --data {tmp_path}/MY_PAIRS --val {tmp_path}/MY_OTHER_PAIRS "
        f"--out {out} --init {task}-compact --steps 1"
    )
    result = runner.invoke(app, [*line.split(), "--batch=1", "--device=cpu"])
    assert result.exit_code == 0, result.output
    parent = read_manifest(PACKS / f"{task}-compact.safetensors")
    assert read_manifest(out).network == parent.network
    assert read_manifest(out).training.parent.startswith(f"{task}-compact ")


@pytest.mark.parametrize("task", ["mif", "mff"])
def test_a_recipe_with_dinov3_needs_nothing_but_its_file(task: str, tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "one", 2)
    backbone = backbone_file(tmp_path / "vit.safetensors", BackboneConfig())
    out = tmp_path / "p.safetensors"
    options = [f"--data={data}", f"--val={data}", f"--out={out}", f"--backbone={backbone}"]
    small = tmp_path / "small.toml"
    recipe = load_config(cast(Path, recipes.path_of(f"dinov3_{task}")))
    save_config(replace(recipe, steps=1, batch=1, crop=32, validate_every=0), small)
    result = runner.invoke(app, ["train", f"--config={small}", "--device=cpu", *options])
    assert result.exit_code == 0, result.output
    manifest = read_manifest(out)
    assert manifest.backbone_sha256 == file_sha256(backbone)
    assert manifest.network == recipe.network
    assert out.stat().st_size < 25e6  # the 86 MB of DINOv3 stay in their file


def test_the_compact_network_with_dinov3_is_asked_for_by_name(tmp_path: Path) -> None:
    config = _configured(tmp_path, task="mif", network="dinov3-compact")
    assert config.network == dinov3_compact_config()
    with pytest.raises(InputError, match="another network"):
        _configured(tmp_path, task="mif", init="mif-compact", network="dinov3-compact")


def _configured(tmp_path: Path, **options: Any) -> TrainConfig:
    return configure(TrainOptions((tmp_path,), tmp_path / "x.safetensors", **options))


def test_the_network_is_the_pack_s_unless_a_file_describes_one(tmp_path: Path) -> None:
    pack = str(PACKS / "ivif-compact.safetensors")
    network = read_manifest(Path(pack)).network
    assert network != compact_config()
    bare, full = tmp_path / "bare.toml", tmp_path / "full.toml"
    bare.write_text(f'task = "ivif"\ninit = "{pack}"\n')
    save_config(TrainConfig("ivif", init=pack), full)
    assert _configured(tmp_path, task="ivif", init="ivif-compact").network == network
    assert _configured(tmp_path, task="mef", init=pack, network="compact").network == network
    assert _configured(tmp_path, task="ivif", preset="quick", init=pack).network == network
    assert _configured(tmp_path, config=bare).network == network
    assert _configured(tmp_path, config=bare, init="mif-compact").network.head == "bounded_blend"
    assert _configured(tmp_path, config=full).network == compact_config()
    assert _configured(tmp_path, config=full, network="compact").network == network
    for options in ({"task": "ivif"}, {"task": "ivif", "preset": "fine"}, {"config": full}):
        with pytest.raises(InputError, match="another network") as caught:
            _configured(tmp_path, init=pack, network="paper", **options)
        assert "--network" in caught.value.remedy


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


def test_names_that_speak_of_another_task_are_a_warning_before_the_first_step(
    tmp_path: Path,
) -> None:
    pairs = make_pairs(tmp_path / "set", 2)
    folder = tmp_path / "PET-MRI-folder"
    folder.mkdir()
    for side, word in (("a", "pet"), ("b", "mri")):
        for path in (pairs / side).iterdir():
            shutil.copy(path, folder / f"{path.stem}_{word}.png")
    line = ["train", f"--data={folder}", f"--out={tmp_path / 'x.safetensors'}", "--batch=1",
            "--init=ivif-compact", "--steps=1", "--share=0", "--device=cpu"]  # fmt: skip
    result = runner.invoke(app, [*line, "--task=ivif"])
    assert result.exit_code == 0, result.output
    warnings = [text for text in result.stderr.splitlines() if text.startswith("note: ")]
    assert any("another kind" in text and "mif" in text and "ivif" in text for text in warnings)
    result = runner.invoke(app, [*line[:-4], "--init=mif-compact", *line[-3:], "--task=mif",
                                 f"--out={tmp_path / 'y.safetensors'}"])  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "another kind" not in result.stderr
