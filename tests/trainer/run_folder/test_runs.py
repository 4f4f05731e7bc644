"""The folder of a run: curves without duplicates, changed data, full disks, leftovers, locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InputError, OutputError
from core.packs.format import read_manifest, read_pack
from tests.trainer.runs import CONFIG, make_pairs
from trainer.data.sampler import Batch
from trainer.events import Saved, Started, Stepped, Validated
from trainer.optimization.bilevel import BilevelStep
from trainer.run.export import package
from trainer.run.loop import Diverged, RunPlan, train
from trainer.run_folder.history import History, RunLog, read_curves, read_entries
from trainer.run_folder.lock import is_locked
from trainer.run_folder.registry import discard, read_record, unfinished

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunPlan:
    """A judged run nobody disturbed."""
    plan = RunPlan(
        data, tmp_path_factory.mktemp("whole") / "run.safetensors", validation=data, device="cpu"
    )
    list(train(CONFIG, plan))
    return plan


def _points(curves: History) -> dict[str, list[float]]:
    points = {name: values.tolist() for name, values in curves.series.items()}
    del points["seconds_per_step"]
    judged = {f"judged {name}": v.tolist() for name, v in curves.validation.items()}
    steps = {"": curves.steps.tolist(), "judged": curves.validation_steps.tolist()}
    return points | judged | steps


def _close_after(plan: RunPlan, kind: type, step: int) -> None:
    run = train(CONFIG, plan)
    for event in run:
        if isinstance(event, kind) and event.step == step:  # type: ignore[attr-defined]
            break
    run.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "step"), [(Stepped, 6), (Saved, 4), (Validated, 0), (Saved, 12)])
def test_curves_of_a_resumed_run_are_those_of_one_undisturbed(
    plan: RunPlan, whole: RunPlan, data: Path, kind: type, step: int
) -> None:
    plan = replace(plan, validation=data)
    _close_after(plan, kind, step)
    list(train(CONFIG, plan))
    assert _points(read_curves(plan.run_folder)) == _points(read_curves(whole.run_folder))
    assert read_manifest(plan.out).weights_sha256 == read_manifest(whole.out).weights_sha256


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_run_is_offered_and_its_curves_go_on(
    plan: RunPlan, whole: RunPlan, data: Path
) -> None:
    script = ROOT / "tests" / "trainer" / "kill_me.py"
    command = [sys.executable, str(script), str(data), str(plan.out), "7"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    assert killed.returncode == -signal.SIGKILL
    # Points lie beyond the checkpoint of step 4, and the last line may be torn.
    assert [e["step"] for e in read_entries(plan.log)] == [0, 2, 4, 6]
    with plan.log.open("a") as stream:
        stream.write('{"step": 8, "int')
    (left,) = unfinished(plan.out.parent)
    assert (left.name, left.task, left.step, left.steps) == ("run", "mif", 4, 12)
    assert (left.state, left.running, left.resumable) == ("running", False, True)
    assert left.config == CONFIG
    assert left.plan.sources == (data,)
    list(train(left.config, left.plan))
    curves, wanted = read_curves(left.folder), read_curves(whole.run_folder)
    assert curves.steps.tolist() == [2, 4, 6, 8, 10, 12]
    for name in ("lower", "upper", "ssim"):
        np.testing.assert_array_equal(curves.series[name], wanted.series[name])
    assert unfinished(plan.out.parent) == ()


def test_changed_pictures_are_refused_and_moved_ones_are_not(tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "d")
    plan = RunPlan(data, tmp_path / "run.safetensors", device="cpu")
    _close_after(plan, Saved, 4)
    moved = data.rename(tmp_path / "elsewhere")
    started = next(train(CONFIG, replace(plan, data=moved)))
    assert isinstance(started, Started)
    assert started.step == 4
    for other in (make_pairs(tmp_path / "other", 2), moved):
        (moved / "a" / "pair0.png").touch()
        with pytest.raises(InputError, match="not those this run was started with") as caught:
            next(train(CONFIG, replace(plan, data=other)))
        assert "new run" in caught.value.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_disk_that_takes_no_more_ends_the_run_with_the_old_checkpoint(
    plan: RunPlan, tmp_path: Path
) -> None:
    """A real limit of the system on what may be written, from the first checkpoint on."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def filling_up() -> None:
        for event in train(CONFIG, plan):
            if isinstance(event, Saved):
                assert event.step == 4
                resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))

    try:
        with pytest.raises(OutputError, match="Cannot write") as caught:
            filling_up()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.remedy
    record = read_record(plan.run_folder)
    assert (record.state, record.step) == ("failed", 4)
    assert "Cannot write" in record.why
    list(train(CONFIG, plan))
    undisturbed = replace(plan, out=tmp_path / "undisturbed.safetensors")
    list(train(CONFIG, undisturbed))
    assert read_manifest(plan.out).weights_sha256 == read_manifest(undisturbed.out).weights_sha256


def test_a_diverged_run_can_be_kept_as_its_last_good_state(
    data: Path, plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan, validation=data)
    call = BilevelStep.__call__

    def poisoned(self: BilevelStep, batch: Batch, step: int) -> dict[str, float]:
        losses = call(self, batch, step)
        return losses | {"ssim": float("nan")} if step == 9 else losses

    monkeypatch.setattr(BilevelStep, "__call__", poisoned)
    with pytest.raises(Diverged, match="step 9") as caught:
        list(train(CONFIG, plan))
    assert "last good state, of step 8" in caught.value.remedy
    assert read_record(plan.run_folder).state == "failed"
    best = package(plan.run_folder)
    scores = read_curves(plan.log).validation["score"]
    assert (best.kept, best.best_step) == ("best", 6 * int(np.argmax(scores)))
    assert best.scores == read_manifest(plan.best).training.scores
    last = package(plan.run_folder, "last")
    assert (last.kept, last.best_step, last.pack) == ("last", 8, plan.out)
    network, manifest = read_pack(plan.out)
    assert (manifest.training.steps, manifest.training.pairs) == (8, 3)
    assert all(torch.isfinite(t).all() for t in network.own_state().values())
    assert last.report.is_file()


def test_nothing_can_be_kept_where_nothing_was_saved(plan: RunPlan, tmp_path: Path) -> None:
    next(train(CONFIG, plan))
    with pytest.raises(InputError, match="no state was saved"):
        package(plan.run_folder)
    with pytest.raises(InputError, match="no run"):
        package(tmp_path)


def test_one_run_at_a_time_in_a_folder(plan: RunPlan) -> None:
    run = train(CONFIG, plan)
    next(run)
    assert is_locked(plan.run_folder)
    with pytest.raises(InputError, match="going on already"):
        next(train(CONFIG, plan))
    (left,) = unfinished(plan.out.parent)
    assert left.running
    with pytest.raises(InputError, match="going on already"):
        discard(left)
    run.close()  # type: ignore[attr-defined]
    assert not is_locked(plan.run_folder)


def test_discarding_deletes_the_run_and_nothing_else(plan: RunPlan) -> None:
    _close_after(plan, Saved, 4)
    (plan.run_folder / "notes.txt").write_text("mine")
    plan.out.write_bytes(b"an older pack")
    (left,) = unfinished(plan.out.parent)
    assert left.state == "stopped"
    discard(left)
    assert [path.name for path in plan.run_folder.iterdir()] == ["notes.txt"]
    assert plan.out.read_bytes() == b"an older pack"
    assert unfinished(plan.out.parent) == ()
    with pytest.raises(InputError, match="no folder of a training run"):
        discard(plan.out.parent)


def test_foreign_and_damaged_records_are_not_offered(plan: RunPlan) -> None:
    _close_after(plan, Saved, 4)
    for content in ("", "{}", '{"format": 99}', "[1]", '{"format": 1, "config": {}}'):
        plan.record.write_text(content)
        assert unfinished(plan.out.parent) == ()
        with pytest.raises(InputError, match="no run"):
            read_record(plan.run_folder)


def test_another_attempt_in_the_same_folder_inherits_nothing(plan: RunPlan, data: Path) -> None:
    plan = replace(plan, validation=data)
    _close_after(plan, Validated, 6)
    plan.checkpoint.unlink()
    run = train(replace(CONFIG, seed=5), plan)
    next(run)
    assert not plan.best.exists()
    assert [sorted(entry) for entry in read_entries(plan.log)] == [
        ["device", "precision", "reason", "step"]
    ]
    run.close()  # type: ignore[attr-defined]


def test_old_logs_and_gaps_are_read(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"step": 20, "upper": 5.0, "lower": 2.0}\nnot json\n[1]\n{"no": "step"}\n'
        '{"step": 20, "validation": {"Qabf": 0.5}}\n{"step": 40, "upper": 4.0, "edge": 1.0}\n'
    )
    curves = read_curves(log)
    assert curves.steps.tolist() == [20, 40]
    assert curves.series["upper"].tolist() == [5, 4]
    assert np.isnan(curves.series["edge"][0])
    assert np.isnan(curves.series["lower"][1])
    assert curves.validation["Qabf"].tolist() == [0.5]
    RunLog(log).truncate(20)
    assert read_curves(log).steps.tolist() == [20]
    with pytest.raises(InputError, match="no such log"):
        read_curves(tmp_path / "none")
