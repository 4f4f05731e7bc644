"""The number format of a run: chosen by a measurement, said, and kept when the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.packs.format import read_manifest
from tests.tiny import tiny_network
from tests.trainer.runs import CONFIG
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.settings_file import load_config
from trainer.events import Saved, Started
from trainer.optimization import precision
from trainer.optimization.bilevel import BilevelStep
from trainer.optimization.distributed import DistributedContext
from trainer.optimization.precision import Timings, choose_precision, measured
from trainer.run.loop import RunPlan, train
from trainer.run.trainer import _precision_of
from trainer.run_folder.checkpoint import saved_precision
from trainer.run_folder.history import read_curves, read_entries
from trainer.run_folder.registry import read_record

AUTO = replace(CONFIG, precision="auto", device="cpu", validate_every=0)


def _timer(fp32: float, bf16: float) -> Callable[[str], Timings]:
    return lambda device: (fp32, bf16)


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Sets what the measurement finds: seconds in fp32 and in bf16."""

    def found(fp32: float, bf16: float) -> None:
        monkeypatch.setattr(precision, "measured", _timer(fp32, bf16))

    return found


@pytest.mark.parametrize(
    ("fp32", "bf16", "name", "reason"),
    [
        (0.010, 0.130, "fp32", "in a test fp32 was 13.0 times as fast as bf16"),
        (0.020, 0.010, "bf16", "in a test bf16 was 2.0 times as fast as fp32"),
        (0.0111, 0.0100, "bf16", "in a test bf16 was 1.1 times as fast as fp32"),
        (0.0109, 0.0100, "fp32", "in a test bf16 was no faster"),
        (0.010, 0.010, "fp32", "in a test bf16 was no faster"),
    ],
)
def test_the_faster_format_is_taken(fp32: float, bf16: float, name: str, reason: str) -> None:
    chosen = choose_precision("auto", "cpu", measure=_timer(fp32, bf16))
    assert (chosen.name, str(chosen.reason)) == (name, reason)


def test_what_is_asked_for_or_begun_is_not_measured() -> None:
    def never(device: str) -> Timings:
        raise AssertionError("measured")

    assert choose_precision("bf16", "cpu", measure=never).name == "bf16"
    assert choose_precision("fp32", "cpu", "bf16", measure=never).name == "fp32"
    assert choose_precision("auto", "cpu", "bf16", measure=never).name == "bf16"


@pytest.mark.parametrize(("able", "name"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_computes_in_bf16_where_it_can(
    monkeypatch: pytest.MonkeyPatch, able: bool, name: str
) -> None:
    asked: list[object] = []

    def supported(including_emulation: bool = True) -> bool:
        asked.append(including_emulation)
        return able

    monkeypatch.setattr(torch.cuda, "device", lambda name: nullcontext(asked.append(name)))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert choose_precision("auto", "cuda:1", measure=_timer(1, 9)).name == name
    assert asked == ["cuda:1", False]


def test_the_measurement_times_both_and_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    fp32, bf16 = measured("cpu")
    assert fp32 > 0
    assert bf16 > 0
    assert measured("cpu") == (fp32, bf16)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_without_a_choice_is_refused() -> None:
    network = tiny_network()
    step = BilevelStep(network, replace(AUTO, network=network.config))
    with pytest.raises(ValueError, match="not been chosen"):
        step._autocast(torch.zeros(1))


def test_every_recipe_leaves_it_to_the_machine() -> None:
    assert {load_config(path).precision for name in recipes.names()
            if (path := recipes.path_of(name))} == {"auto"}  # fmt: skip
    assert TrainConfig("mif").precision == "fp32"  # settings files of before say nothing


@pytest.mark.parametrize(("bf16", "name"), [(0.1, "bf16"), (9.0, "fp32")])
def test_the_choice_is_said_and_written_into_the_run(
    data: Path, tmp_path: Path, times: Callable[[float, float], None], bf16: float, name: str
) -> None:
    times(1.0, bf16)
    plan = RunPlan(data, tmp_path / "auto.safetensors")
    events = list(train(AUTO, plan))
    assert isinstance(events[0], Started)
    assert events[0].precision == name
    assert "times as fast" in events[0].precision_reason
    assert read_record(plan.run_folder).config.precision == name
    assert read_manifest(plan.out).training.config["precision"] == name
    first = read_entries(plan.log)[0]
    assert (first["precision"], first["reason"]) == (name, str(events[0].precision_reason))
    assert list(read_curves(plan.log).steps) == [2, 4, 6, 8, 10, 12]
    # Exactly the run that asks for that format.
    fixed = replace(plan, out=tmp_path / "fixed.safetensors")
    list(train(replace(AUTO, precision=name), fixed))
    assert _weights(plan) == _weights(fixed)


def test_a_resumed_run_keeps_its_bits_on_another_machine(
    data: Path, tmp_path: Path, times: Callable[[float, float], None]
) -> None:
    times(2.0, 1.0)
    whole = RunPlan(data, tmp_path / "whole.safetensors")
    list(train(AUTO, whole))
    cut = replace(whole, out=tmp_path / "cut.safetensors")
    _until_saved(train(AUTO, cut))
    assert saved_precision(cut.checkpoint) == "bf16"
    times(1.0, 13.0)
    events = list(train(AUTO, cut))
    assert isinstance(events[0], Started)
    assert (events[0].step, events[0].precision) == (4, "bf16")
    assert str(events[0].precision_reason) == "this run was started with it"
    assert _weights(cut) == _weights(whole)
    assert _without_pace(cut) == _without_pace(whole)


def test_a_run_begun_with_a_fixed_format_goes_on_with_a_recipe_of_today(
    data: Path, tmp_path: Path, times: Callable[[float, float], None]
) -> None:
    times(1.0, 13.0)
    plan = RunPlan(data, tmp_path / "old.safetensors")
    _until_saved(train(replace(AUTO, precision="bf16"), plan))
    started = next(iter(train(AUTO, plan)))
    assert isinstance(started, Started)
    assert started.precision == "bf16"
    with pytest.raises(InputError, match="precision was bf16, now fp32"):
        next(iter(train(replace(AUTO, precision="fp32"), plan)))


def test_a_new_run_in_the_place_of_an_old_one_is_measured(
    data: Path, tmp_path: Path, times: Callable[[float, float], None]
) -> None:
    plan = RunPlan(data, tmp_path / "again.safetensors")
    list(train(replace(AUTO, precision="bf16"), plan))
    assert saved_precision(plan.previous) == "bf16"
    plan.checkpoint.unlink()
    times(1.0, 13.0)
    started = next(iter(train(AUTO, plan)))
    assert isinstance(started, Started)
    assert started.precision == "fp32"


@dataclass(frozen=True)
class _SecondProcess(DistributedContext):
    """Rank 1 of 2, whose leader has chosen the second format."""

    rank: int = 1
    size: int = 2

    def of_leader(self, number: int, device: str) -> int:
        return 1


def test_processes_take_the_format_of_the_first(
    tmp_path: Path, times: Callable[[float, float], None]
) -> None:
    times(1.0, 13.0)
    plan = RunPlan(tmp_path, tmp_path / "p.safetensors")
    assert _precision_of(AUTO, plan, "cpu", _SecondProcess()).name == "bf16"
    assert _precision_of(AUTO, plan, "cpu", DistributedContext()).name == "fp32"


def test_no_checkpoint_has_no_format(tmp_path: Path) -> None:
    assert saved_precision(tmp_path / "none") is None
    (tmp_path / "torn").write_bytes(b"\x08\0\0\0\0\0\0\0{")
    assert saved_precision(tmp_path / "torn") is None


def _until_saved(run: object) -> None:
    for event in run:  # type: ignore[attr-defined]
        if isinstance(event, Saved):
            break
    run.close()  # type: ignore[attr-defined]


def _weights(plan: RunPlan) -> str:
    return read_manifest(plan.out).weights_sha256


def _without_pace(plan: RunPlan) -> list[str]:
    entries = read_entries(plan.log)
    return [json.dumps({k: v for k, v in e.items() if k != "seconds_per_step"}) for e in entries]
