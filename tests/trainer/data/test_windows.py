"""Black and white of training pictures by hand, and pixels without data in judging."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from typer.testing import CliRunner

from app.cli.main import app
from app.cli.train import TrainOptions, configure
from core.errors import InputError
from core.models.network import UniFusionNet
from core.packs.format import read_manifest
from core.progress import NullProgress
from tests.tiny import smooth, tiny_compact
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.form import validate, values_of
from trainer.config.run_plan import RunPairs, RunPlan
from trainer.config.settings_file import load_config, save_config
from trainer.data.pairs import find_pairs
from trainer.data.preflight import run_preflight
from trainer.data.sampler import TrainingPair, read_pairs
from trainer.run.loop import train
from trainer.run.validation import validate as judged
from trainer.run_folder.registry import scan_runs

runner = CliRunner()
SIDE = 48


def counts(folder: Path, number: int = 2) -> Path:
    """Infrared in hundredths of a kelvin, 29000 to 31000, beside 8-bit pictures."""
    made = make_pairs(folder, number)
    for index in range(number):
        (made / "a" / f"pair{index}.png").unlink()
        ramp = np.linspace(29000, 31000, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16)
        tifffile.imwrite(made / "a" / f"pair{index}.tif", ramp)
    return made


@pytest.mark.parametrize("value", [None, (29300, 30900), [-1.5, 2]])
def test_a_window_is_two_numbers_or_none(value: object) -> None:
    config = train_adapter.validate_python({"task": "ivif", "window_a": value})
    wanted = None if value is None else tuple(float(end) for end in value)  # type: ignore[attr-defined]
    assert config.windows == (wanted, None)


@pytest.mark.parametrize(
    "value",
    [
        (2, 1), (1, 1), [1], [1, 2, 3], [], "1 2", 5, True, [True, 2], ["1", "2"], {"low": 1},
        [1, float("nan")], [0, float("inf")], [10**400, 10**401], [1, None], [3e7, 3e7 + 1e-9],
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_window_is_told_at_its_field(value: object) -> None:
    for name in ("window_a", "window_b"):
        found = validate({**values_of(TrainConfig("ivif")), name: value})
        assert found == {name: "must be two numbers, the lower one first"}


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_windows_are_kept_in_files_and_older_files_have_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run.{suffix}"
    config = TrainConfig("ivif", window_a=(29300.0, 30900.5))
    save_config(config, path)
    assert load_config(path) == config
    save_config(TrainConfig("ivif"), path)
    assert "window" not in path.read_text(encoding="utf-8")
    assert load_config(path).windows == (None, None)


def test_pictures_are_trained_on_as_the_window_says(tmp_path: Path) -> None:
    data = counts(tmp_path / "set")
    matches = find_pairs(data, "ivif").matches
    config = replace(CONFIG, task="ivif", window_a=(29500.0, 30500.0))
    read = read_pairs(matches, config.colour, task="ivif", windows=config.windows).pairs[0]
    stored = tifffile.imread(data / "a" / "pair0.tif").astype(np.float64)
    wanted = np.clip((stored - 29500) / 1000, 0, 1) * 65535
    assert np.abs(read.a[..., 0] - wanted).max() <= 1
    by_itself = read_pairs(matches, config.colour, task="ivif").pairs[0]
    assert not np.array_equal(read.a, by_itself.a)
    np.testing.assert_array_equal(read.b, by_itself.b)


def test_a_window_beside_all_values_costs_its_pairs_and_says_why(tmp_path: Path) -> None:
    config = replace(CONFIG, task="ivif", window_a=(1.0, 2.0))
    with pytest.raises(InputError, match="not one pair can be used") as caught:
        run_preflight(RunPairs(counts(tmp_path / "set"), share=0.2), config)
    assert "window" in str(caught.value).lower()


def test_run_record_pack_and_card_tell_the_windows(tmp_path: Path) -> None:
    data, out = counts(tmp_path / "set"), tmp_path / "x.safetensors"
    config = replace(CONFIG, task="ivif", window_a=(29500.0, 30500.0))
    plan = RunPlan(data, out, device="cpu")
    part = train(config, plan)
    while not plan.record.is_file():
        next(part)
    part.close()
    assert scan_runs(tmp_path)[0][0].config.window_a == (29500.0, 30500.0)
    list(train(config, plan))
    assert read_manifest(out).training.config["window_a"] == [29500.0, 30500.0]
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert "| values of A that are black and white | 29500 to 30500 |" in card
    assert "values of B" not in card


def test_a_run_of_before_there_were_windows_goes_on(tmp_path: Path) -> None:
    """Its record and checkpoint do not name them."""
    plan = RunPlan(make_pairs(tmp_path / "set"), tmp_path / "x.safetensors", device="cpu")
    events = train(replace(CONFIG, steps=8), plan)
    while not plan.checkpoint.is_file():
        next(events)
    events.close()
    content = plan.checkpoint.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["unifusion_checkpoint"])
    for name in ("window_a", "window_b"):
        assert inner["config"].pop(name) is None
    header["__metadata__"]["unifusion_checkpoint"] = json.dumps(inner)
    text = json.dumps(header).encode()
    plan.checkpoint.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    record = json.loads(plan.record.read_text())
    for name in ("window_a", "window_b"):
        record["config"].pop(name)
    plan.record.write_text(json.dumps(record))
    run = scan_runs(tmp_path)[0][0]
    assert run.resumable
    list(train(run.config, plan))
    assert read_manifest(plan.out).training.steps > 0
    with pytest.raises(InputError, match="other settings"):
        list(train(replace(run.config, window_a=(0.0, 200.0)), plan))


def test_the_command_takes_windows(tmp_path: Path) -> None:
    options = TrainOptions((tmp_path,), tmp_path / "x", task="ivif", window_b=(1.0, 9.0))
    assert configure(options).windows == (None, (1.0, 9.0))
    line = f"train --task ivif --data {counts(tmp_path / 'set')} --out {tmp_path / 'p.safetensors'}"
    end = ["--init=ivif-compact", "--steps=1", "--batch=1", "--device=cpu", "--share=0"]
    done = runner.invoke(app, [*line.split(), *end, "--window-a", "29300", "30900"])
    assert done.exit_code == 0, done.output
    config = read_manifest(tmp_path / "p.safetensors").training.config
    assert config["window_a"] == [29300.0, 30900.0]
    wrong = runner.invoke(app, [*line.split(), *end, "--window-a", "2", "1"])
    assert wrong.exit_code == 2
    assert "window_a" in wrong.output
    assert "two numbers" in wrong.output


# --- no data -----------------------------------------------------------------------------------


def _packed(seed: int) -> np.ndarray:
    return np.round(smooth(SIDE, SIDE, 1, seed) * 65535).astype(np.uint16)


def test_what_a_source_does_not_hold_is_not_judged() -> None:
    """The right third of A is B's (as read_pairs fills it): scores are those of the rest."""
    torch.manual_seed(1)
    network = UniFusionNet(tiny_compact()).eval()
    a, b = _packed(1), _packed(2)
    valid = np.ones((SIDE, SIDE), np.bool_)
    valid[:, 32:] = False
    filled = np.where(valid[..., None], a, b)
    holed = TrainingPair("x", filled, b, valid=valid)
    equal = TrainingPair("x", filled, b)
    with_holes = judged(network, [holed], "cpu", NullProgress())
    counted = judged(network, [equal], "cpu", NullProgress())
    np.testing.assert_array_equal(with_holes.fused, counted.fused)
    assert with_holes.scores["Qabf"] != counted.scores["Qabf"]
    # The cut is a rectangle here, so the right scores can be had without any filling.
    from core.metrics import evaluate, to_luma8

    lumas = [to_luma8((p[:, :32] / 65535).astype(np.float32)) for p in (filled, b)]
    wanted = evaluate(*lumas, to_luma8(with_holes.fused[:, :32]), ("Qabf", "MI", "VIF"))
    for name, value in wanted.items():
        assert with_holes.scores[name] == pytest.approx(value, abs=1e-9)


def test_a_pair_on_which_a_metric_is_not_defined_does_not_count_for_it() -> None:
    torch.manual_seed(1)
    network = UniFusionNet(tiny_compact()).eval()
    flat = np.full((SIDE, SIDE, 1), 30_000, np.uint16)
    pair, without = TrainingPair("x", _packed(1), _packed(2)), TrainingPair("flat", flat, flat)
    alone, both, nothing = (
        judged(network, pairs, "cpu", NullProgress()).scores
        for pairs in ([pair], [without, pair], [without])
    )
    assert (both["Qabf"], both["VIF"]) == (alone["Qabf"], alone["VIF"])
    assert both["MI"] == pytest.approx(alone["MI"] / 2)
    assert nothing.keys() == {"MI", "reconstruction_psnr"}


def test_a_large_picture_with_data_only_in_a_corner_is_judged_there() -> None:
    network = UniFusionNet(tiny_compact()).eval()
    rng = np.random.default_rng(3)
    a, b = (rng.integers(0, 65535, (40, 200_000, 1), np.uint16) for _ in range(2))
    valid = np.zeros(a.shape[:2], np.bool_)
    valid[4:36, 5:45] = True
    found = judged(network, [TrainingPair("x", a, b, valid=valid)], "cpu", NullProgress())
    assert all(np.isfinite(value) for value in found.scores.values())
    assert found.a.shape[1] < 60_000


def test_pairs_bring_where_both_hold_data(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "set", 1)
    (data / "a" / "pair0.png").unlink()
    plane = smooth(SIDE, SIDE, 1, 4)[..., 0].astype(np.float32)
    plane[:, :7] = np.nan
    tifffile.imwrite(data / "a" / "pair0.tif", plane)
    pair = read_pairs(find_pairs(data, "ivif").matches, CONFIG.colour, task="ivif").pairs[0]
    assert pair.valid is not None
    assert not pair.valid[:, :7].any()
    assert pair.valid[:, 7:].all()
    np.testing.assert_array_equal(pair.a[:, :7], pair.b[:, :7])
