"""A run that an earlier version began is gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from core.packs.format import read_manifest
from tests.earlier import old_files
from trainer.events import Started, Stepped
from trainer.run.loop import train
from trainer.run_folder.initial_scores import (
    InitialScores,
    kept_start,
    read_start,
    write_start,
)
from trainer.run_folder.registry import read_record, unfinished


def test_a_run_is_listed_and_ends(tmp_path: Path) -> None:
    root = old_files(tmp_path / "earlier")
    (listed,) = unfinished(root)
    assert (listed.name, listed.step, listed.steps) == ("mif-run", 10, 12)
    record = read_record(root / "mif-run.run")
    assert record.plan.data == (root / "data",)
    events = list(train(record.config, record.plan))
    assert [event.step for event in events if isinstance(event, Started)] == [10]
    assert [event.step for event in events if isinstance(event, Stepped)] == [12]
    manifest = read_manifest(root / "mif-run.safetensors")
    assert (manifest.training.steps, manifest.task) == (12, "mif")
    log = (root / "mif-run.run" / "log.jsonl").read_text("utf-8").splitlines()
    steps = [json.loads(line)["step"] for line in log]
    assert sorted(set(steps)) == [2, 4, 6, 8, 10, 12]


def test_the_scores_before_training_are_read_by_either_key(tmp_path: Path) -> None:
    path, fused = tmp_path / "start.safetensors", np.full((2, 3, 1), 0.5, np.float32)
    header = json.dumps({"figures": {"Qabf": 0.25}, "judged_sha256": "1f"})
    save_file({"fused": fused}, path, metadata={"unifusion_start": header})
    earlier = read_start(path, "1f")
    assert earlier is not None
    assert (earlier.scores, earlier.step) == ({"Qabf": 0.25}, 0)
    write_start(path, InitialScores({"Qabf": 0.75}, fused, 4), "1f")
    now = read_start(path, "1f")
    assert now is not None
    assert (now.scores, now.step) == ({"Qabf": 0.75}, 4)
    assert read_start(path, "2f") is None
    kept = kept_start(path)
    assert kept is not None
    assert kept.scores == now.scores
    assert np.array_equal(now.fused, fused)
