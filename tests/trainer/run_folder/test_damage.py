"""What kills, power cuts and foreign hands leave behind: cleaned, healed or told."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.io.atomic import remove_parts
from core.packs.format import read_manifest
from tests.trainer.runs import CONFIG
from trainer.config.run_plan import RunPlan
from trainer.events import Saved, Started
from trainer.run.export import package
from trainer.run.loop import train
from trainer.run_folder.history import read_curves
from trainer.run_folder.lock import is_locked
from trainer.run_folder.registry import discard, read_record, scan_runs, unfinished

PART = f".{'0123456789abcdef' * 2}.part.safetensors"


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("whole") / "run.safetensors"
    list(train(CONFIG, RunPlan(data, out, device="cpu")))
    return read_manifest(out).weights_sha256


def _close_after(plan: RunPlan, step: int) -> None:
    run = train(CONFIG, plan)
    for event in run:
        if isinstance(event, Saved) and event.step == step:
            break
    run.close()  # type: ignore[attr-defined]


# --- half-written files --------------------------------------------------------------------------


def test_parts_of_killed_attempts_go_at_the_next_start_and_those_of_others_stay(
    plan: RunPlan, data: Path
) -> None:
    _close_after(plan, 4)
    other = replace(plan, out=plan.out.with_name("other.safetensors"))
    alive = train(CONFIG, other)
    next(alive)
    mine, theirs, old = (
        folder / PART for folder in (plan.run_folder, other.run_folder, plan.out.parent)
    )
    fresh, kept = old.with_name(PART.replace("0", "1")), plan.run_folder / ".notes.part.txt"
    for path in (mine, theirs, old, fresh, kept):
        path.write_bytes(b"half")
    past = time.time() - 3600
    os.utime(old, (past, past))
    list(train(CONFIG, plan))
    assert not mine.exists()
    assert not old.exists()
    assert theirs.exists()
    assert fresh.exists()  # somebody may be writing it now
    assert kept.exists()  # not ours
    alive.close()  # type: ignore[attr-defined]


def test_a_discarded_run_takes_its_parts_with_it(plan: RunPlan) -> None:
    _close_after(plan, 8)
    (plan.run_folder / PART).write_bytes(b"half")
    discard(plan.run_folder)
    assert not plan.run_folder.exists()


def test_parts_are_looked_for_where_nothing_can_be_found(tmp_path: Path) -> None:
    assert remove_parts(tmp_path / "none") == 0
    assert remove_parts(tmp_path) == 0


def test_a_half_written_folder_goes_too(tmp_path: Path) -> None:
    (tmp_path / PART).mkdir()
    (tmp_path / PART / "slice.png").write_bytes(b"half")
    assert remove_parts(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


# --- locks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "999999999", "1", "\0" * 8, "{"])
def test_a_lock_file_says_nothing_once_its_process_is_gone(plan: RunPlan, content: str) -> None:
    """Empty after a power cut, or with the number of a dead process, or of one used again."""
    _close_after(plan, 4)
    (plan.run_folder / "lock").write_text(content)
    os.utime(plan.run_folder / "lock", (0, 0))
    assert not is_locked(plan.run_folder)
    started = next(train(CONFIG, plan))
    assert isinstance(started, Started)
    assert started.step == 4


# --- records -------------------------------------------------------------------------------------


def _changed(**changes: Any) -> Any:
    def change(text: str) -> str:
        return json.dumps({**json.loads(text), **changes})

    return change


DAMAGE = {
    "deep": lambda text: "[" * 200_000,
    "deep inside": lambda text: text.replace('"why": ""', '"why": ' + "[" * 100_000),
    "cut": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "no text": lambda text: "\udcff\udcfe",
    "huge": lambda text: text + " " * 5_000_000,
    "a list": lambda text: "[1]",
    "a number": lambda text: "12",
    "another version": _changed(format=99),
    "step": _changed(step="many"),
    "negative step": _changed(step=-4),
    "seconds": _changed(seconds=float("nan")),
    "state": _changed(state="asleep"),
    "when": _changed(when=[]),
    "plan": _changed(plan=3),
    "config": _changed(config={"task": "mif", "crop": 1}),
}


@pytest.mark.parametrize("kind", list(DAMAGE))
def test_one_damaged_record_is_listed_as_such_and_hides_no_other(plan: RunPlan, kind: str) -> None:
    _close_after(plan, 4)
    bad = plan.run_folder.with_name("bad.run")
    bad.mkdir()
    text = DAMAGE[kind](plan.record.read_text())
    (bad / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    runs, damaged = scan_runs(plan.out.parent)
    assert [run.name for run in runs] == ["run"]
    (found,) = damaged
    assert (found.name, found.folder) == ("bad", bad)
    assert 0 < len(found.why) < 200
    assert str(bad) not in found.why
    with pytest.raises(InputError, match="no run"):
        read_record(bad)
    discard(found)
    assert not bad.exists()


@pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX")
def test_loops_strangers_and_closed_folders_hide_no_other(plan: RunPlan) -> None:
    _close_after(plan, 4)
    beside = plan.out.parent
    (beside / "loop.run").symlink_to(beside / "loop.run")
    (beside / "file.run").write_text("no folder")
    (beside / "empty.run").mkdir()
    inside = beside / "inside.run"
    inside.mkdir()
    (inside / "run.json").symlink_to(inside / "run.json")
    closed = beside / "closed.run"
    closed.mkdir()
    (closed / "run.json").write_text("{}")
    closed.chmod(0)
    try:
        runs, damaged = scan_runs(beside)
    finally:
        closed.chmod(0o700)
    assert [run.name for run in runs] == ["run"]
    assert [run.name for run in damaged] == ["closed", "inside"]
    assert scan_runs(beside / "none") == ((), ())
    assert scan_runs(beside / "loop.run") == ((), ())


def test_a_time_without_its_zone_is_no_reason_to_fail(plan: RunPlan) -> None:
    _close_after(plan, 4)
    other = plan.run_folder.with_name("other.run")
    other.mkdir()
    text = _changed(when="2026-01-01T00:00:00")(plan.record.read_text())
    (other / "run.json").write_text(text)
    assert [run.name for run in unfinished(plan.out.parent)] == ["run", "other"]


def test_a_renamed_run_goes_on_in_its_own_folder(plan: RunPlan) -> None:
    _close_after(plan, 4)
    renamed = plan.run_folder.rename(plan.run_folder.with_name("new name.v2.run"))
    record = read_record(renamed)
    assert record.plan.run_folder == renamed
    assert record.plan.out.name == "new name.v2.safetensors"


# --- checkpoints and logs ------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    plan: RunPlan, uninterrupted: str, share: float
) -> None:
    _close_after(plan, 8)
    whole = plan.checkpoint.read_bytes()
    assert whole != plan.previous.read_bytes()
    plan.checkpoint.write_bytes(whole[: int(share * len(whole))])
    run = train(CONFIG, plan)
    started = next(run)
    assert isinstance(started, Started)
    assert started.step == 4
    assert any("damaged" in note and "step 4" in note for note in started.notes)
    list(run)
    assert read_manifest(plan.out).weights_sha256 == uninterrupted


def test_a_pack_can_be_made_of_the_one_before(plan: RunPlan) -> None:
    _close_after(plan, 8)
    plan.checkpoint.write_bytes(b"torn")
    assert package(plan.run_folder, "last").best_step == 4


def test_where_both_are_damaged_the_way_out_is_said_and_works(plan: RunPlan) -> None:
    _close_after(plan, 8)
    for path in (plan.checkpoint, plan.previous):
        path.write_bytes(b"torn")
    with pytest.raises(InputError, match="cannot be read") as caught:
        next(train(CONFIG, plan))
    assert "Delete it" in caught.value.remedy
    plan.checkpoint.unlink()
    run = train(CONFIG, plan)
    started = next(run)
    assert isinstance(started, Started)
    assert started.step == 0
    assert not plan.previous.exists()
    run.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    ["[" * 100_000, '{"step": 1e9999}', f'{{"step": {10**400}}}', '{"step": 3, "rates": {}}',
     f'{{"step": 3, "upper": {10**400}}}', '{"step": 3, "validation": {"Qabf": []}, "score": {}}',
     '{"step": -1, "upper": 2}', '{"step": 8, "int', "\x00\ufffd\u2028"],
)  # fmt: skip
def test_a_damaged_line_of_a_log_costs_itself(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log.jsonl"
    good = '{"step": 2, "upper": 5.0}\n'
    log.write_text(good + line + "\n" + good.replace("2", "4"), encoding="utf-8")
    curves = read_curves(log)
    assert {2, 4} <= set(curves.steps.tolist())
    assert set(curves.steps.tolist()) <= {2, 3, 4}
