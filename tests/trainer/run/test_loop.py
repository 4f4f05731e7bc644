"""A run from first picture to finished pack: events, resuming to the bit, and mishaps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import (
    BackboneMissing,
    Cancelled,
    DeviceMemoryError,
    InputError,
    OutputError,
    PackError,
)
from core.fusion.engine import FusionEngine
from core.io import read_pair
from core.models.backbone import file_sha256
from core.packs.format import read_manifest, read_pack
from core.packs.registry import Catalogue
from core.progress import NullProgress
from core.types import FusionRequest
from tests.tiny import backbone_file, tiny_compact, tiny_pack, tiny_paper
from tests.trainer.runs import CONFIG, make_pairs
from trainer.data.dataset import read_dataset
from trainer.data.sampler import Batch
from trainer.events import Finished, Saved, Started, Stepped, TrainEvent, Validated
from trainer.optimization.bilevel import BilevelStep
from trainer.run.loop import Diverged, RunPlan, train

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Hash of the weights of a run nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run.safetensors"
    list(train(CONFIG, RunPlan(data, out, device="cpu")))
    return read_manifest(out).weights_sha256


class _StopAfter(NullProgress):
    """Says stop at the ``count``-th step (pictures are read without being asked about)."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.reading = True

    def report(self, done: float, total: float, stage: str) -> None:
        self.reading = stage == "reading pairs" and done + 1 < total

    def check(self) -> None:
        if self.reading:
            return
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def _steps(events: list[TrainEvent], kind: type) -> list[int]:
    return [event.step for event in events if isinstance(event, kind)]


def test_events_come_in_order_and_the_pack_works(data: Path, plan: RunPlan) -> None:
    words = {"title": "A title", "licence": "Apache-2.0", "data_used": ("made up",)}
    plan = replace(plan, validation=data, keep="last", **words)
    events = list(train(CONFIG, plan))
    assert isinstance(events[0], Started)
    assert (events[0].step, events[0].steps, events[0].pairs) == (0, 12, 3)
    assert events[0].problems == ()
    assert _steps(events, Stepped) == [2, 4, 6, 8, 10, 12]
    assert _steps(events, Saved) == [4, 8, 12]
    assert _steps(events, Validated) == [0, 6, 12]
    assert isinstance(events[-1], Finished)
    assert [type(e) for e in events[-4:]] == [Stepped, Saved, Validated, Finished]

    stepped = [e for e in events if isinstance(e, Stepped)]
    assert set(stepped[0].losses) == {"intensity", "gradient", "ssim", "edge", "upper", "lower"}
    assert (stepped[-1].lr_lower, stepped[-1].lr_upper) == CONFIG.learning_rates(11)
    assert all(e.seconds_per_step > 0 for e in stepped)

    validated = [e for e in events if isinstance(e, Validated)]
    assert validated[-1].strip.now.shape == (48, 48, 1)
    assert {"Qabf", "reconstruction_psnr"} <= set(validated[-1].scores)
    assert all(np.isfinite(v) for v in validated[-1].scores.values())

    manifest = read_manifest(plan.out)
    assert (manifest.name, manifest.title, manifest.task) == ("run", "A title", "mif")
    assert (manifest.licence, manifest.data) == ("Apache-2.0", ("made up",))
    assert (manifest.training.steps, manifest.training.pairs) == (12, 3)
    assert manifest.training.scores == pytest.approx(dict(validated[-1].scores))
    assert str(data) not in repr(manifest.training.config)
    engine = FusionEngine("cpu", Catalogue([plan.out.parent]))
    sources = read_pair(data / "a" / "pair0.png", data / "b" / "pair0.png")
    result = engine.fuse(FusionRequest(sources, "mif", str(plan.out), reconstructions=True))
    # What the run showed of its first pair is what the shipped pack makes of it.
    np.testing.assert_allclose(result.fused, validated[-1].strip.now, atol=2e-3)


def test_the_pack_ships_the_average_and_leaves_the_run_alone(data: Path, plan: RunPlan) -> None:
    plan = replace(plan, validation=data, keep="last")
    list(train(replace(CONFIG, ema=0.9), plan))
    network, _ = read_pack(plan.out)
    checkpoint = load_file(plan.checkpoint)
    for name, tensor in network.own_state().items():
        prefix = "ema." if name.startswith("fusion.") else "network."
        key = prefix + (name.removeprefix("fusion.") if prefix == "ema." else name)
        assert torch.equal(tensor, checkpoint[key]), name
    name = "fusion.merge.weight"
    assert not torch.equal(checkpoint[f"network.{name}"], network.own_state()[name])


def test_a_run_that_only_gets_worse_keeps_its_start_and_says_so(data: Path, plan: RunPlan) -> None:
    plan = replace(plan, validation=data)
    wild = replace(CONFIG, lr_lower=0.9, lr_upper=0.8, ema=0.0, checkpoint_every=0)
    parent = plan.out.with_name("parent.safetensors")
    tiny_pack(parent)
    events = list(train(replace(wild, init=str(parent)), plan))
    scores = {e.step: e.score for e in events if isinstance(e, Validated)}
    assert scores[0] == pytest.approx(1)
    assert max(scores[6], scores[12]) < 1
    assert [e.step for e in events if isinstance(e, Validated) and e.best] == [0]
    done = events[-1]
    assert isinstance(done, Finished)
    assert (done.kept, done.best_step, done.step) == ("best", 0, 12)
    assert done.score == pytest.approx(1)
    before, after = (read_pack(path)[0].own_state() for path in (parent, plan.out))
    assert all(torch.equal(before[name], after[name]) for name in before)
    card = plan.card.read_text(encoding="utf-8")
    assert "No state of 12 steps scored higher than the start: the start was kept." in card
    assert "the start was better than this pack" not in card


@pytest.mark.long
def test_both_losses_fall(plan: RunPlan) -> None:
    config = replace(CONFIG, steps=60, batch=2, log_every=10, checkpoint_every=0, validate_every=0)
    stepped = [e for e in train(config, plan) if isinstance(e, Stepped)]
    first, last = stepped[0].losses, stepped[-1].losses
    assert last["lower"] < 0.6 * first["lower"]
    assert last["upper"] < 0.8 * first["upper"]
    assert not plan.checkpoint.exists()


@pytest.mark.parametrize("stop_at", [1, 6, 8, 12])
def test_a_run_closed_anywhere_and_resumed_ends_in_the_same_bits(
    plan: RunPlan, uninterrupted: str, stop_at: int
) -> None:
    run = train(replace(CONFIG, log_every=1), plan)
    for event in run:
        if isinstance(event, Stepped) and event.step == stop_at:
            break
    run.close()  # type: ignore[attr-defined]
    assert not plan.out.exists()
    events = list(train(CONFIG, plan))
    assert isinstance(events[0], Started)
    assert events[0].step == stop_at
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def test_validating_and_logging_change_no_bit(
    data: Path, plan: RunPlan, uninterrupted: str
) -> None:
    config = replace(CONFIG, log_every=0, validate_every=4, checkpoint_every=3)
    list(train(config, replace(plan, validation=data, keep="last")))
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def test_cancelling_keeps_what_was_done(plan: RunPlan, uninterrupted: str) -> None:
    events: list[TrainEvent] = []
    with pytest.raises(Cancelled):
        events.extend(train(CONFIG, plan, _StopAfter(6)))
    assert _steps(events, Saved) == [4]
    started = next(train(CONFIG, plan))
    assert isinstance(started, Started)
    assert 4 < started.step < 8
    list(train(CONFIG, plan))
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("a mistake")])
def test_a_step_torn_in_the_middle_is_not_saved(
    plan: RunPlan, uninterrupted: str, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """φ of the next step with θ of this one must never pass for a state of the run."""
    descend = BilevelStep._update
    calls = 0

    def fails_midway(self: BilevelStep, *args: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2 * 7:  # the upper level of the seventh step
            raise error
        descend(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(BilevelStep, "_update", fails_midway)
    with pytest.raises((KeyboardInterrupt, RuntimeError)):
        list(train(CONFIG, plan))
    monkeypatch.undo()
    events = list(train(CONFIG, plan))
    assert isinstance(events[0], Started)
    assert events[0].step == 4
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def _process(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    script = ROOT / "tests" / "trainer" / "kill_me.py"
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_process_is_resumed_to_the_same_bits(
    data: Path, plan: RunPlan, uninterrupted: str
) -> None:
    killed = _process(data, plan.out, 6)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.splitlines() == ["Started 0", "Saved 4"]
    assert not plan.out.exists()
    again = _process(data, plan.out)
    assert again.returncode == 0
    lines = again.stdout.splitlines()
    assert lines == ["Started 4", "Saved 8", "Saved 12", "Finished 12", uninterrupted]


def test_a_finished_run_is_exported_again_without_training(
    plan: RunPlan, uninterrupted: str
) -> None:
    list(train(CONFIG, plan))
    plan.out.unlink()
    events = list(train(CONFIG, plan))
    assert [type(e) for e in events] == [Started, Finished]
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def _poison(monkeypatch: pytest.MonkeyPatch, at: int, what: str) -> None:
    call = BilevelStep.__call__

    def poisoned(self: BilevelStep, batch: Batch, step: int) -> dict[str, float]:
        losses = call(self, batch, step)
        if step == at and what == "loss":
            return losses | {"ssim": float("nan")}
        if step == at:
            with torch.no_grad():
                self.phi[0].fill_(float("nan"))
        return losses

    monkeypatch.setattr(BilevelStep, "__call__", poisoned)


@pytest.mark.parametrize(("what", "at"), [("loss", 5), ("weights", 7), ("weights", 11)])
def test_a_diverged_run_stops_and_keeps_the_last_good_checkpoint(
    plan: RunPlan, uninterrupted: str, monkeypatch: pytest.MonkeyPatch, what: str, at: int
) -> None:
    """Weights may be ruined by the very step after which a checkpoint or the pack is due."""
    _poison(monkeypatch, at, what)
    with pytest.raises(Diverged, match="no longer a number") as caught:
        list(train(CONFIG, plan))
    assert "learning rates" in caught.value.remedy
    assert not plan.out.exists()
    monkeypatch.undo()
    started = next(train(CONFIG, plan))
    assert isinstance(started, Started)
    assert started.step == at // 4 * 4
    list(train(CONFIG, plan))
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def test_ruined_weights_are_not_shipped(plan: RunPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    _poison(monkeypatch, 11, "weights")
    with pytest.raises(Diverged):
        list(train(replace(CONFIG, checkpoint_every=0), plan))
    assert not plan.out.exists()


def test_cancelling_with_ruined_weights_does_not_save_them(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    _poison(monkeypatch, 5, "weights")
    run = train(replace(CONFIG, log_every=1), plan)
    for event in run:
        if isinstance(event, Stepped) and event.step == 6:
            break
    run.close()  # type: ignore[attr-defined]
    started = next(train(CONFIG, plan))
    assert isinstance(started, Started)
    assert started.step == 4


def test_out_of_memory_is_told(plan: RunPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> dict[str, float]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(BilevelStep, "__call__", full)
    with pytest.raises(DeviceMemoryError, match="1 crop of 32×32") as caught:
        list(train(CONFIG, plan))
    assert "smaller batch" in caught.value.remedy


def test_a_bad_picture_is_a_problem_not_the_end(tmp_path: Path) -> None:
    data, validation = make_pairs(tmp_path / "d"), make_pairs(tmp_path / "v", 2)
    (data / "a" / "pair1.png").write_bytes(b"no picture")
    (validation / "b" / "pair0.png").write_bytes(b"")
    plan = RunPlan(data, tmp_path / "p.safetensors", validation=validation, device="cpu")
    started = next(train(CONFIG, plan))
    assert isinstance(started, Started)
    assert started.pairs == 2
    assert len(started.problems) == 2
    assert "pair1.png" in started.problems[0]
    assert "pair0.png" in started.problems[1]


def test_resuming_with_other_settings_is_refused(plan: RunPlan) -> None:
    _leave_checkpoint(train(replace(CONFIG, checkpoint_every=1), plan))
    with pytest.raises(InputError, match=r"edge was 3\.0, now 4\.0"):
        next(train(replace(CONFIG, edge=4.0), plan))


def _leave_checkpoint(run: Iterator[TrainEvent]) -> None:
    for event in run:
        if isinstance(event, Saved):
            break
    run.close()  # type: ignore[attr-defined]


def test_a_damaged_checkpoint_is_refused(plan: RunPlan) -> None:
    plan.run_folder.mkdir()
    plan.checkpoint.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        next(train(CONFIG, plan))


def test_a_run_may_start_from_a_pack_and_says_so(plan: RunPlan, tmp_path: Path) -> None:
    parent = tmp_path / "parent.safetensors"
    manifest = tiny_pack(parent, seed=3)
    config = replace(CONFIG, init=str(parent), steps=1)
    with pytest.raises(InputError, match="another network"):
        next(train(replace(config, network=tiny_compact(channels=4)), plan))
    list(train(config, plan))
    child = read_manifest(plan.out)
    assert child.training.parent == f"parent {manifest.weights_sha256[:12]}"
    assert child.training.config["init"] == "parent.safetensors"
    before, after = (read_pack(p)[0].own_state() for p in (parent, plan.out))
    largest = max(float((after[n] - before[n]).abs().max()) for n in before)
    assert largest < 2 * CONFIG.lr_lower
    # A resumed run has no need of its parent, and still knows its name.
    parent.unlink()
    plan.out.unlink()
    assert [type(e) for e in train(config, plan)] == [Started, Finished]
    assert read_manifest(plan.out).training.parent == child.training.parent


def test_a_layered_head_may_start_from_a_pack_without_one(plan: RunPlan, tmp_path: Path) -> None:
    parent = tmp_path / "parent.safetensors"
    tiny_pack(parent, seed=3)
    network = replace(CONFIG.network, head="layered")
    list(train(replace(CONFIG, init=str(parent), steps=1, network=network), plan))
    child, manifest = read_pack(plan.out)
    before, after = read_pack(parent)[0].own_state(), child.own_state()
    assert manifest.network.head == "layered"
    assert {name for name in after if name not in before} == {
        "fusion.head.base.weight",
        "fusion.head.base.bias",
    }
    largest = max(float((after[n] - before[n]).abs().max()) for n in before)
    assert largest < 2 * CONFIG.lr_lower


def test_learned_mixing_takes_over_what_attention_has_for_it(plan: RunPlan, tmp_path: Path) -> None:
    parent = tmp_path / "parent.safetensors"
    tiny_pack(parent, seed=3)
    network = replace(CONFIG.network, learned_mixing=("ask_x.0",))
    list(train(replace(CONFIG, init=str(parent), steps=1, network=network), plan))
    child, _ = read_pack(plan.out)
    before, after = read_pack(parent)[0].own_state(), child.own_state()
    block = "fusion.ask_x.0.attention"
    width = before[f"{block}.project.bias"].numel()
    for part in ("value.weight", "value.bias", "value_local.weight", "value_local.bias"):
        before[f"{block}.{part}"] = before[f"{block}.key_{part}"][width:]
    assert {name for name in after if name not in before} == {f"{block}.scores"}
    largest = max(float((after[n] - before[n]).abs().max()) for n in after if n in before)
    assert largest < 2 * CONFIG.lr_lower
    # And on from there, but not back: what attention asks with has never been learnt.
    config = replace(CONFIG, init=str(plan.out), steps=1)
    onward, back = (replace(plan, out=tmp_path / f"{n}.safetensors") for n in ("on", "back"))
    list(train(replace(config, network=network), onward))
    assert read_manifest(onward.out).network == network
    with pytest.raises(InputError, match="another network"):
        next(train(config, back))


def test_outputs_that_cannot_be_are_refused_before_training(
    data: Path, plan: RunPlan, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="ends in"):
        next(train(CONFIG, replace(plan, out=tmp_path / "p.pth")))
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        next(train(CONFIG, replace(plan, out=tmp_path / "file" / "p.safetensors")))
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(OutputError, match="folder"):
        next(train(CONFIG, replace(plan, out=tmp_path / "folder.safetensors")))
    parent = tmp_path / "parent.safetensors"
    tiny_pack(parent)
    before = parent.read_bytes()
    with pytest.raises(InputError, match="is an input"):
        next(train(replace(CONFIG, init=str(parent)), replace(plan, out=parent)))
    assert parent.read_bytes() == before
    with pytest.raises(InputError, match="no such file or folder"):
        next(train(CONFIG, replace(plan, data=tmp_path / "none")))


def test_a_dinov3_run_needs_its_file_keeps_its_hash_and_will_not_take_another(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))  # where nothing was fetched
    config = replace(CONFIG, network=tiny_paper(in_channels=1), steps=2, checkpoint_every=1)
    with pytest.raises(BackboneMissing, match="--backbone"):
        next(train(config, plan))
    weights = backbone_file(tmp_path / "dino.safetensors")
    other = backbone_file(tmp_path / "other.safetensors", seed=8)
    config = replace(config, backbone=str(weights))
    _leave_checkpoint(train(config, plan))
    with pytest.raises(InputError, match="another DINOv3 file"):
        next(train(replace(config, backbone=str(other)), plan))
    list(train(config, plan))
    manifest = read_manifest(plan.out)
    assert manifest.backbone_sha256 == file_sha256(weights)
    assert manifest.training.config["backbone"] == "dino.safetensors"
    read_pack(plan.out, weights)


def test_a_network_of_three_channels_is_trained_on_rgb(plan: RunPlan) -> None:
    config = replace(CONFIG, network=tiny_compact(in_channels=3), steps=1)
    list(train(config, plan))
    assert read_manifest(plan.out).colour.mode == "rgb"
    read_pack(plan.out)


def test_engine_and_trainer_load_no_qt() -> None:
    code = (
        "import sys, core.fusion.engine, trainer.run.loop; "
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "('PySide6', 'shiboken6', 'pyqtgraph', 'superqt', 'qtpy', 'qtawesome', 'app')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["foreign", "int8", "truncated", "nan"])
def test_a_file_that_is_no_dinov3_ends_a_run_before_its_first_step(
    kind: str, plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its header, before a picture is read; NaN, which no header tells, when it is loaded."""
    path = backbone_file(tmp_path / "dino.safetensors")
    state = load_file(path)
    if kind == "foreign":
        tiny_pack(path)
    elif kind == "int8":
        save_file({name: tensor.to(torch.int8) for name, tensor in state.items()}, path)
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        state["norm.bias"][0] = float("nan")
        save_file(state, path)
    read: list[object] = []
    monkeypatch.setattr(
        "trainer.run.trainer.read_dataset", lambda *a: read.append(a) or read_dataset(*a)
    )
    config = replace(CONFIG, network=tiny_paper(), backbone=str(path))
    with pytest.raises(PackError, match="dino"):
        next(train(config, plan))
    assert bool(read) is (kind == "nan")
    assert not plan.out.exists()
