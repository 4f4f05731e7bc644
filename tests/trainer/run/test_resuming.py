"""A run that is resumed where something around it has changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InputError
from core.progress import NullProgress
from tests.tiny import backbone_file, tiny_paper
from tests.trainer.runs import CONFIG, make_pairs
from trainer.config.run_plan import RunPlan
from trainer.events import Finished, Saved, Started, Stepped, Validated
from trainer.optimization.distributed import DistributedContext
from trainer.run.control import RunControl
from trainer.run.export import package
from trainer.run.loop import train
from trainer.run.trainer import Trainer, open_trainer
from trainer.run_folder.checkpoint import save_checkpoint
from trainer.run_folder.history import read_curves

EVERY = replace(CONFIG, steps=6, log_every=2, checkpoint_every=2, validate_every=2)


def _until(config: object, plan: RunPlan, step: int, kind: type = Validated) -> None:
    """Train until an event of a kind at a step, and close the run."""
    run = train(config, plan)  # type: ignore[arg-type]
    for event in run:
        if isinstance(event, kind) and event.step == step:
            break
    run.close()  # type: ignore[attr-defined]


def test_validation_pairs_that_changed_are_compared_with_the_step_they_are_first_judged_at(
    data: Path, tmp_path: Path
) -> None:
    judged = make_pairs(tmp_path / "judged", 1)
    plan = RunPlan(data, tmp_path / "run.safetensors", device="cpu", validation=judged, keep="last")
    _until(EVERY, plan, 2)
    picture = judged / "a" / "pair0.png"
    picture.write_bytes((data / "a" / "pair2.png").read_bytes())
    _until(EVERY, plan, 2)  # the last checkpoint, judged again by the other pairs
    events = list(train(EVERY, plan))
    validated = [event for event in events if isinstance(event, Validated)]
    assert [(event.step, event.since) for event in validated] == [(4, 2), (6, 2)]
    done = events[-1]
    assert isinstance(done, Finished)
    assert done.since == 2
    lines = [json.loads(line) for line in plan.log.read_text("utf-8").splitlines()]
    scores = [line for line in lines if "validation" in line]
    first = next(line for line in scores if line.get("since"))
    assert (first["step"], first["score"]) == (2, 1.0)
    assert [line["step"] for line in scores if not line.get("since")] == [0, 2]
    curves = read_curves(plan.log)
    assert curves.validation_steps.tolist() == [2, 4, 6], "scores of two sets are not one curve"
    assert curves.marks == ((2, "other pairs to judge by"),)
    assert set(curves.validation) == {"Qabf", "MI", "VIF", "reconstruction_psnr", "score"}
    card = plan.card.read_text("utf-8")
    assert "| metric | step 2 | this pack | change |" in card
    assert "scores are compared with those of step 2, not with those before training" in card


def test_other_validation_pairs_are_said_when_the_run_goes_on(data: Path, tmp_path: Path) -> None:
    judged = make_pairs(tmp_path / "judged", 2)
    plan = RunPlan(data, tmp_path / "run.safetensors", device="cpu", validation=judged)
    _until(EVERY, plan, 2)
    run = train(replace(EVERY, validate_pairs=1), plan)
    started, validated = next(run), next(run)
    run.close()  # type: ignore[attr-defined]
    assert isinstance(started, Started)
    assert any("compared with step 2" in note for note in started.notes)
    assert isinstance(validated, Validated)
    assert (validated.step, validated.since, validated.score) == (2, 2, 1.0)
    (same,) = (e for e in list(train(replace(EVERY, validate_pairs=1), plan)) if e.step == 2)
    assert isinstance(same, Started)
    assert not any("compared" in note for note in same.notes)


def test_without_an_interval_the_start_and_the_end_are_judged(data: Path, plan: RunPlan) -> None:
    events = list(train(replace(EVERY, validate_every=0), replace(plan, validation=data)))
    assert [event.step for event in events if isinstance(event, Validated)] == [0, 6]


def _opened(plan: RunPlan, world: DistributedContext | None = None) -> Trainer:
    config = replace(CONFIG, batch=4, log_every=4, validate_every=0)
    return open_trainer(
        config, plan, NullProgress(), RunControl(answers=False), world or DistributedContext()
    )


@pytest.mark.parametrize("batch", [1, 3])
def test_a_reduced_batch_that_cannot_be_divided_is_refused(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    plan.run_folder.mkdir()
    run = _opened(plan)
    state = replace(run.state, step=1, batch=batch)
    save_checkpoint(plan.checkpoint, run.config, run.step, state, plan.previous)
    assert _opened(plan).batch == batch
    # Both processes are this one: nothing is sent before the batch is looked at.
    monkeypatch.setattr(DistributedContext, "of_all", lambda _, texts, __: [tuple(texts)] * 2)
    monkeypatch.setattr(DistributedContext, "of_leader", lambda _, number, __: number)
    with pytest.raises(InputError, match=f"goes on with batch {batch}, .* 2 processes") as caught:
        _opened(plan, DistributedContext(0, 2, "cpu"))
    assert str(batch) in caught.value.remedy


def test_the_pace_after_resuming_is_that_of_the_steps_that_were_timed(plan: RunPlan) -> None:
    plan.run_folder.mkdir()
    run = _opened(plan)
    for _ in range(3):
        run.advance()
    run.save()
    again = _opened(plan)
    assert again.state.counted == 3
    again.advance()
    seconds = again.elapsed
    event = again.stepped()
    assert isinstance(event, Stepped)
    assert event.seconds_per_step == seconds
    again.advance()
    assert again.stepped().seconds_per_step == pytest.approx(again.state.seconds, rel=1)


def test_a_pack_is_never_made_of_the_weights_of_one_and_the_backbone_of_another_file(
    plan: RunPlan, tmp_path: Path
) -> None:
    backbone = backbone_file(tmp_path / "dino.safetensors")
    config = replace(CONFIG, network=tiny_paper(), backbone=str(backbone), batch=1)
    _until(config, plan, 4, kind=Saved)
    kept = backbone.read_bytes()
    backbone_file(backbone, seed=2)
    with pytest.raises(InputError, match=r"another DINOv3 file.*Put that file back"):
        package(plan.run_folder, keep="last")
    assert not plan.out.exists()
    backbone.write_bytes(kept)
    assert package(plan.run_folder, keep="last").pack == plan.out
