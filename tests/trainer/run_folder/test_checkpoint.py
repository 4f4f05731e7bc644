"""Checkpoints: everything comes back to the bit, and nothing foreign is taken."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from core.errors import InputError, OutputError
from core.models.network import UniFusionNet
from core.packs.format import tensors_sha256
from tests.tiny import tiny_compact, tiny_network
from trainer.config.config import TrainConfig
from trainer.data.sampler import Batch
from trainer.optimization.bilevel import BilevelStep
from trainer.run_folder.checkpoint import RunState, load_checkpoint, save_checkpoint

CONFIG = TrainConfig("mif", network=tiny_compact(), steps=8, edge=3.0)


def _batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = torch.rand(2, 2, 1, 32, 32, generator=torch.Generator().manual_seed(seed))
    return a, b


def _step(seed: int = 0, config: TrainConfig = CONFIG) -> BilevelStep:
    return BilevelStep(tiny_network(config.network, seed).train(), config)


def _run(step: BilevelStep, start: int, stop: int) -> None:
    for index in range(start, stop):
        step(Batch.of(*_batch(index)), index)


def _hash(step: BilevelStep) -> str:
    tensors = {f"n.{k}": v for k, v in step.network.own_state().items()}
    tensors |= {f"e.{k}": v for k, v in step.ema.module.state_dict().items()}
    for name, optimiser in (("l", step.lower), ("u", step.upper)):
        for index, entries in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{k}": v for k, v in entries.items()}
    return tensors_sha256(tensors)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    step = _step()
    _run(step, 0, 3)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, CONFIG, step, RunState(3, 12.25, "abc"))
    return path


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_restored_step_goes_on_bit_for_bit(tmp_path: Path, precision: Any) -> None:
    config = replace(CONFIG, precision=precision)
    path = tmp_path / "c.safetensors"
    step = _step(config=config)
    _run(step, 0, 3)
    save_checkpoint(path, config, step, RunState(3))
    other = _step(seed=1, config=config)
    assert _hash(other) != _hash(step)
    assert load_checkpoint(path, config, other) == RunState(3)
    assert _hash(other) == _hash(step)
    _run(step, 3, 8)
    _run(other, 3, 8)
    assert _hash(other) == _hash(step)


def test_progress_and_random_numbers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    torch.manual_seed(5)
    torch.rand(3)
    save_checkpoint(path, CONFIG, _step(), RunState(3, 12.25, "abc", "p 0"))
    wanted = torch.rand(4)
    assert load_checkpoint(path, CONFIG, _step()) == RunState(3, 12.25, "abc", "p 0")
    assert torch.equal(torch.rand(4), wanted)


def test_moments_lie_in_memory_as_their_parameters_do(saved: Path) -> None:
    step = _step(seed=1)
    load_checkpoint(saved, CONFIG, step)
    for optimiser in (step.lower, step.upper):
        for parameter, entries in optimiser.state.items():
            assert entries["exp_avg"].stride() == parameter.stride()
            assert not entries["exp_avg"].requires_grad


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"steps": 9}, "steps was 8, now 9"),
        ({"seed": 4}, "seed was 0, now 4"),
        ({"task": "mff"}, "task was mif, now mff"),
        ({"network": tiny_compact(channels=4)}, r"network\.channels was 8, now 4"),
        ({"exclude": ("x*",)}, "exclude"),
        ({"bilevel": False}, "bilevel was True, now False"),
    ],
)
def test_other_settings_are_refused_by_name(
    saved: Path, change: dict[str, Any], named: str
) -> None:
    config = replace(CONFIG, **change)
    with pytest.raises(InputError, match=named) as caught:
        load_checkpoint(saved, config, _step(config=config))
    assert str(saved) in str(caught.value)
    assert "Resume with the same settings" in caught.value.remedy


def test_settings_that_change_no_number_may_change(saved: Path) -> None:
    config = replace(CONFIG, log_every=1, validate_every=3, checkpoint_every=1, init="elsewhere")
    assert load_checkpoint(saved, config, _step()).step == 3


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_checkpoints_are_refused(saved: Path, share: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="cannot be read") as caught:
        load_checkpoint(saved, CONFIG, _step())
    assert "Delete it" in caught.value.remedy


def test_a_changed_number_is_noticed(saved: Path) -> None:
    damaged = bytearray(saved.read_bytes())
    damaged[-5] ^= 1
    saved.write_bytes(damaged)
    step = _step()
    before = _hash(step)
    with pytest.raises(InputError, match="have changed"):
        load_checkpoint(saved, CONFIG, step)
    assert _hash(step) == before


def test_foreign_files_are_refused(saved: Path) -> None:
    with safe_open(saved, framework="pt") as stream:
        metadata = stream.metadata()
    tensors = load_file(saved)
    del tensors["rng.cpu"]
    for header, content in (
        ({}, {"w": torch.zeros(1)}),
        ({"unifusion_checkpoint": "[]"}, {"w": torch.zeros(1)}),
        ({"unifusion_checkpoint": "{}"}, {"w": torch.zeros(1)}),
        (metadata, tensors),
    ):
        save_file(content, saved, metadata=header)
        with pytest.raises(InputError, match="cannot be read"):
            load_checkpoint(saved, CONFIG, _step())
    saved.write_text("hello")
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(saved, CONFIG, _step())


def test_a_full_disk_leaves_the_old_checkpoint(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        save_checkpoint(saved, CONFIG, _step(seed=4), RunState(5))
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert len(list(saved.parent.iterdir())) == 1


def test_a_fresh_run_without_moments_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    step = _step()
    save_checkpoint(path, CONFIG, step, RunState())
    other = _step(seed=2)
    load_checkpoint(path, CONFIG, other)
    assert isinstance(other.network, UniFusionNet)
    _run(step, 0, 2)
    _run(other, 0, 2)
    assert _hash(other) == _hash(step)
