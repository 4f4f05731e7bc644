"""A person's hand on a run: pause, other rates, stop, and answers when memory runs out."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import Cancelled, DeviceMemoryError, InputError
from core.packs.format import read_manifest
from core.progress import NullProgress
from tests.trainer.runs import CONFIG
from trainer.data.sampler import Batch
from trainer.events import (
    Finished,
    MemoryRanOut,
    Paused,
    RatesChanged,
    Reduced,
    Resumed,
    Saved,
    Stepped,
    TrainEvent,
    Validated,
)
from trainer.optimization.bilevel import BilevelStep
from trainer.run.control import RunControl
from trainer.run.loop import RunPlan, train
from trainer.run_folder.history import read_curves, read_entries
from trainer.run_folder.registry import read_record

EVERY = replace(CONFIG, log_every=1, checkpoint_every=0, validate_every=0)


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("whole") / "run.safetensors"
    list(train(EVERY, RunPlan(data, out, device="cpu")))
    return read_manifest(out).weights_sha256


def test_a_pause_saves_waits_and_changes_no_bit(plan: RunPlan, uninterrupted: str) -> None:
    control = RunControl()
    events: list[TrainEvent] = []
    for event in train(EVERY, plan, control=control):
        events.append(event)
        if isinstance(event, Stepped) and event.step == 5:
            control.pause()
        if isinstance(event, Paused):
            assert read_record(plan.run_folder).state == "paused"
            assert plan.checkpoint.is_file()
            # Resumed from another thread while the run waits.
            threading.Thread(target=control.resume).start()
    kinds = [type(e) for e in events]
    where = kinds.index(Paused)
    assert kinds[where - 1 : where + 3] == [Saved, Paused, Resumed, Stepped]
    assert events[where].step == 5  # type: ignore[union-attr]
    assert events[where + 2].step == 6  # type: ignore[union-attr]
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def _with_rates(plan: RunPlan, close_at: int = 0) -> list[TrainEvent]:
    """Pauses after step 4 and halves the lower rate; may be closed at a later step."""
    control, events = RunControl(), []
    run = train(EVERY, plan, control=control)
    for event in run:
        events.append(event)
        if isinstance(event, Stepped) and event.step == 4:
            control.pause()
        if isinstance(event, Paused):
            lower, upper = EVERY.learning_rates(4)
            control.set_rates(0.75 * lower, 0.5 * upper)
            control.resume()
        if close_at and isinstance(event, Stepped) and event.step == close_at:
            run.close()  # type: ignore[attr-defined]
            break
    return events


def test_rates_set_while_paused_are_those_of_the_next_step_and_decay_goes_on(
    plan: RunPlan, uninterrupted: str
) -> None:
    events = _with_rates(plan)
    (changed,) = [e for e in events if isinstance(e, RatesChanged)]
    assert (changed.step, changed.lower) == (4, pytest.approx(0.75 * EVERY.learning_rates(4)[0]))
    for event in events:
        if isinstance(event, Stepped):
            lower, upper = EVERY.learning_rates(event.step - 1)
            if event.step > 4:
                lower, upper = 0.75 * lower, 0.5 * upper
            assert (event.lr_lower, event.lr_upper) == pytest.approx((lower, upper))
    assert read_manifest(plan.out).weights_sha256 != uninterrupted
    assert [step for step, _ in read_curves(plan.run_folder).marks] == [4]


@pytest.mark.parametrize("close_at", [5, 9])
def test_a_run_with_changed_rates_is_resumed_to_the_same_bits(
    plan: RunPlan, data: Path, tmp_path: Path, close_at: int
) -> None:
    _with_rates(plan)
    other = replace(plan, out=tmp_path / "other.safetensors")
    _with_rates(other, close_at)
    assert not other.out.exists()
    list(train(EVERY, other))
    assert read_manifest(other.out).weights_sha256 == read_manifest(plan.out).weights_sha256


def test_rates_are_refused_when_they_cannot_be() -> None:
    control = RunControl()
    with pytest.raises(InputError, match="Pause first"):
        control.set_rates(2e-3, 1e-3)
    control.pause()
    for lower, upper in ((0.0, 1e-3), (float("nan"), 1e-3), (1e-3, float("inf")), (1e-3, 2e-3)):
        with pytest.raises(InputError):
            control.set_rates(lower, upper)
    assert not control.has_rates
    control.alternating = False
    control.set_rates(1e-3, 2e-3)
    assert control.take_rates() == (1e-3, 2e-3)
    assert control.take_rates() is None


class _Stop(NullProgress):
    stopped = False

    def check(self) -> None:
        if self.stopped:
            raise Cancelled


def test_cancelling_a_paused_run_ends_it_with_a_checkpoint_and_no_pack(plan: RunPlan) -> None:
    control, progress = RunControl(), _Stop()
    control.pause()

    def cancelled_once_paused() -> None:
        for event in train(EVERY, plan, progress, control):
            progress.stopped = isinstance(event, Paused)

    with pytest.raises(Cancelled):
        cancelled_once_paused()
    assert read_record(plan.run_folder).state == "stopped"
    assert plan.checkpoint.is_file()
    assert not plan.out.exists()


def test_stop_keeps_the_state_that_scored_best(data: Path, plan: RunPlan) -> None:
    """Rates far too high after step 6 make later states worse."""
    control = RunControl()
    config = replace(CONFIG, steps=200, validate_every=2, log_every=0, ema=0.0)
    plan = replace(plan, validation=data)
    scores: dict[int, float] = {}
    hashes: dict[int, str] = {}
    events: list[TrainEvent] = []
    for event in train(config, plan, control=control):
        events.append(event)
        if isinstance(event, Validated):
            scores[event.step] = event.score
            if event.best:
                hashes[event.step] = read_manifest(plan.best).weights_sha256
            if event.step == 6:
                control.pause()
            if event.step == 12:
                control.stop()
        if isinstance(event, Paused):
            control.set_rates(0.9, 0.8)
            control.resume()
    done = events[-1]
    assert isinstance(done, Finished)
    best = max(scores, key=lambda step: scores[step])
    assert scores[0] == pytest.approx(1)
    assert best < 12
    assert (done.kept, done.best_step, done.step) == ("best", best, 12)
    assert done.score == pytest.approx(scores[best])
    manifest = read_manifest(plan.out)
    assert manifest.weights_sha256 == hashes[best]
    assert (manifest.name, manifest.training.steps) == ("run", best)
    assert read_record(plan.run_folder).state == "finished"
    assert str(best) in done.report.read_text(encoding="utf-8")


def test_stop_before_the_first_step_keeps_nothing(plan: RunPlan) -> None:
    control = RunControl()
    control.stop()
    with pytest.raises(Cancelled):
        list(train(EVERY, plan, control=control))
    assert not plan.out.exists()


def _short_of_memory(monkeypatch: pytest.MonkeyPatch, most: int, since: int) -> None:
    """From step ``since`` on, more than ``most`` crops do not fit; the lower level has moved."""
    descend, call = BilevelStep._update, BilevelStep.__call__
    now = {"step": 0, "crops": 0}

    def called(self: BilevelStep, batch: Batch, step: int) -> dict[str, float]:
        now.update(step=step, crops=len(batch.a))
        return call(self, batch, step)

    def descended(self: BilevelStep, optimiser: torch.optim.Optimizer, *args: object) -> None:
        if optimiser is self.upper and now["step"] >= since and now["crops"] > most:
            raise torch.OutOfMemoryError("out of memory")
        descend(self, optimiser, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(BilevelStep, "__call__", called)
    monkeypatch.setattr(BilevelStep, "_update", descended)


def test_memory_that_runs_out_asks_and_goes_on_with_half_the_batch(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    _short_of_memory(monkeypatch, most=1, since=6)
    config = replace(CONFIG, batch=4, log_every=1)
    control = RunControl()
    events: list[TrainEvent] = []
    for event in train(config, plan, control=control):
        events.append(event)
        if isinstance(event, MemoryRanOut):
            threading.Thread(target=control.allow_smaller_batch).start()
    asked = [e for e in events if isinstance(e, MemoryRanOut)]
    # Back to the checkpoint of step 4 each time: the torn step is no state of the run.
    assert [(e.step, e.batch, e.smaller) for e in asked] == [(4, 4, 2), (4, 2, 1)]
    assert [(e.step, e.batch) for e in events if isinstance(e, Reduced)] == [(4, 2), (4, 1)]
    rates = {e.step: (e.lr_lower, e.lr_upper) for e in events if isinstance(e, Stepped)}
    assert rates[12] == config.learning_rates(11)
    steps = [e["step"] for e in read_entries(plan.log) if "upper" in e]
    assert steps == list(range(1, 13))
    assert isinstance(events[-1], Finished)


def test_a_reduced_run_stays_reduced_when_resumed(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _short_of_memory(monkeypatch, most=2, since=0)
    config = replace(CONFIG, batch=4, log_every=1)
    hashes = []
    for name, close_at in (("one", 0), ("two", 6)):
        control = RunControl()
        control.allow_smaller_batch()  # beforehand, as the command line does
        chosen = replace(plan, out=tmp_path / f"{name}.safetensors")
        run = train(config, chosen, control=control)
        for event in run:
            if isinstance(event, Stepped) and event.step == close_at:
                run.close()  # type: ignore[attr-defined]
                break
        if close_at:
            list(train(config, chosen))
        hashes.append(read_manifest(chosen.out).weights_sha256)
    assert hashes[0] == hashes[1]


def test_without_anyone_to_answer_the_error_is_told(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    _short_of_memory(monkeypatch, most=0, since=0)
    config = replace(CONFIG, batch=2)
    with pytest.raises(DeviceMemoryError, match="2 crops of 32×32"):
        list(train(config, plan))


def test_a_no_is_heeded_and_a_single_crop_cannot_be_halved(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    _short_of_memory(monkeypatch, most=0, since=0)
    config, control = replace(CONFIG, batch=2), RunControl()

    def refused() -> None:
        for event in train(config, plan, control=control):
            if isinstance(event, MemoryRanOut):
                control.stop()

    with pytest.raises(DeviceMemoryError, match="2 crops"):
        refused()
    control = RunControl()
    control.allow_smaller_batch()
    with pytest.raises(DeviceMemoryError, match="1 crop of"):
        list(train(config, plan, control=control))
