"""Several processes that train one network are one process with the whole batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.packs.format import read_pack
from tests.trainer.runs import CONFIG, load_pairs, make_pairs
from trainer.config.config import TrainConfig
from trainer.data.sampler import CropSampler
from trainer.events import Finished, Started, Stepped, TrainEvent
from trainer.optimization.distributed import DistributedContext
from trainer.run.launcher import process_group
from trainer.run.loop import RunPlan, train
from trainer.run_folder.history import read_curves

BOTH = replace(CONFIG, batch=4, steps=6, log_every=1, checkpoint_every=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pairs(tmp_path_factory.mktemp("data") / "set")


def _trained(config: TrainConfig, plan: RunPlan, devices: int) -> list[TrainEvent]:
    with process_group(config, plan, devices) as world:
        return list(train(config, plan, world=world))


def assert_same_run(one: RunPlan, other: RunPlan) -> None:
    """Losses and weights but for rounding: sums are taken in another order."""
    first, second = read_curves(one.run_folder), read_curves(other.run_folder)
    assert first.steps.tolist() == second.steps.tolist() == [1, 2, 3, 4, 5, 6]
    for name in ("lower", "upper", "intensity", "gradient", "ssim", "edge", "lr_upper"):
        if name in first.series:
            assert second.series[name] == pytest.approx(first.series[name], rel=1e-4), name
    ours, theirs = (read_pack(p.out)[0].own_state() for p in (one, other))
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=2e-4, msg=name)


@pytest.mark.long
@pytest.mark.parametrize("bilevel", [True, False])
def test_two_processes_are_one_with_the_doubled_batch(
    data: Path, tmp_path: Path, bilevel: bool
) -> None:
    config = replace(BOTH, bilevel=bilevel, clip=0.5)
    one = RunPlan(data, tmp_path / "one.safetensors", validation=data, device="cpu")
    two = replace(one, out=tmp_path / "two.safetensors")
    list(train(config, one))
    events = _trained(config, two, devices=2)
    assert isinstance(events[-1], Finished)
    assert_same_run(one, two)
    # The doubled batch matters: half of it is another run.
    half = replace(one, out=tmp_path / "half.safetensors", validation=None)
    losses = [e.losses["upper"] for e in train(replace(config, batch=2), half)
              if isinstance(e, Stepped)]  # fmt: skip
    assert losses[0] != pytest.approx(read_curves(one.run_folder).series["upper"][0], rel=3e-4)


@pytest.mark.long
def test_a_run_begun_by_one_process_is_gone_on_with_by_two(data: Path, tmp_path: Path) -> None:
    one = RunPlan(data, tmp_path / "one.safetensors", device="cpu")
    two = replace(one, out=tmp_path / "two.safetensors")
    list(train(BOTH, one))
    run = train(BOTH, two)
    for event in run:
        if isinstance(event, Stepped) and event.step == 3:
            break
    run.close()  # type: ignore[attr-defined]
    events = _trained(BOTH, two, devices=2)
    assert isinstance(events[0], Started)
    assert events[0].step == 3
    assert_same_run(one, two)


def test_shares_of_a_batch_are_its_parts(data: Path) -> None:
    pairs = load_pairs(data, CONFIG.colour).pairs
    sampler = CropSampler(pairs, 6, 32, seed=3)
    whole = sampler(5)
    parts = [sampler(5, DistributedContext(rank, 3).part(6)) for rank in range(3)]
    for place, tensor in enumerate(whole):
        assert torch.equal(torch.cat([part[place] for part in parts]), tensor)


def test_what_cannot_be_gathered_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = RunPlan(data, tmp_path / "p.safetensors", device="cpu")
    with pytest.raises(InputError, match="multiple of 2"):
        next(train(replace(CONFIG, batch=3), plan, world=DistributedContext(0, 2)))
    with pytest.raises(InputError, match="at least one"), process_group(CONFIG, plan, 0):
        pass
    for name in ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="NODE_RANK") as caught, process_group(BOTH, plan, 1, 2):
        pass
    assert "torchrun" in caught.value.remedy
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    for name, text, limits in (
        ("NODE_RANK", "x", "0 to 1"),
        ("NODE_RANK", "-1", "0 to 1"),
        ("NODE_RANK", "2", "0 to 1"),
        ("MASTER_PORT", "a port", "1 to 65535"),
    ):
        monkeypatch.setenv("NODE_RANK", "0")
        monkeypatch.setenv(name, text)
        words = f"{name} is “{text}”, not a number from {limits}"
        with pytest.raises(InputError, match=words), process_group(BOTH, plan, 1, 2):
            pass
