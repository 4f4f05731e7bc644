"""Where a run trains: its plan says so, else its configuration; and whether several GPUs fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.models.backbone import file_sha256
from core.packs.format import read_manifest, read_pack
from core.packs.paths import backbone_file
from tests.core.test_device import _cuda
from tests.tiny import backbone_file as random_backbone
from tests.tiny import tiny_paper
from tests.trainer.runs import CONFIG
from trainer.config.config import TrainConfig
from trainer.config.form import validate, values_of
from trainer.events import Saved, Started
from trainer.run import launcher
from trainer.run.launcher import process_group
from trainer.run.loop import RunPlan, train


def test_the_plan_comes_first_then_the_configuration(data: Path, tmp_path: Path) -> None:
    plan = RunPlan(data, tmp_path / "p.safetensors")
    on_gpu = replace(CONFIG, device="cuda:1")
    assert plan.device_of(CONFIG) == "auto"
    assert plan.device_of(on_gpu) == "cuda:1"
    assert replace(plan, device="cpu").device_of(on_gpu) == "cpu"
    run = train(replace(CONFIG, device="cpu", steps=1), plan)
    started = next(run)
    assert isinstance(started, Started)
    assert started.device_reason == "the CPU was asked for"
    run.close()  # type: ignore[attr-defined]


def test_a_run_may_go_on_elsewhere(data: Path, tmp_path: Path) -> None:
    plan = RunPlan(data, tmp_path / "p.safetensors")
    run = train(replace(CONFIG, device="cpu"), plan)
    step = next(event.step for event in run if isinstance(event, Saved))
    run.close()  # type: ignore[attr-defined]
    again = train(CONFIG, replace(plan, device="cpu"))
    started = next(again)
    assert isinstance(started, Started)
    assert started.step == step
    again.close()  # type: ignore[attr-defined]


def test_names_of_devices_are_checked() -> None:
    for name in ("auto", "cpu", "cuda", "cuda:12"):
        assert validate({**values_of(TrainConfig("mif")), "device": name}) == {}
    for name in ("gpu", "cuda:", "cuda:x", "CPU "):
        found = validate({**values_of(TrainConfig("mif")), "device": name})
        assert found == {"device": "must be auto, cpu, cuda or cuda:N"}


def test_more_processes_than_gpus_is_one_clear_error(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cuda(monkeypatch, 2)
    config = replace(CONFIG, batch=6)
    plan = RunPlan(data, tmp_path / "p.safetensors")
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(InputError, match="this machine has 2") as caught,
        process_group(config, plan, 3),
    ):
        pass
    assert "--device cpu" in caught.value.remedy
    single = replace(plan, device="cuda:1")
    with pytest.raises(InputError, match="names a single one"), process_group(config, single, 2):
        pass
    for name, value in {"RANK": "0", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="this machine has 2"), process_group(config, plan):
        pass


def test_each_process_has_a_gpu_of_its_own_and_gpus_speak_nccl(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _cuda(monkeypatch, 4)
    taken: list[object] = []
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    assert [launcher._device("cuda", local, 3) for local in range(3)] == [
        "cuda:0",
        "cuda:1",
        "cuda:2",
    ]
    assert launcher._device("cuda:3", 0, 1) == "cuda:3"
    assert taken == ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]
    assert launcher._device("cpu", 2, 3) == "cpu"
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: True)
    assert (launcher._backend("cuda:1"), launcher._backend("cpu")) == ("nccl", "gloo")
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: False)
    assert launcher._backend("cuda:1") == "gloo"


def test_a_fetched_backbone_is_taken_where_none_is_named(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    fetched = backbone_file()
    fetched.parent.mkdir(parents=True)
    random_backbone(fetched)
    config = replace(CONFIG, network=tiny_paper(in_channels=1), steps=1)
    list(train(config, plan))
    assert read_manifest(plan.out).backbone_sha256 == file_sha256(fetched)
    read_pack(plan.out)
