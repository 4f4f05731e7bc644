"""The last validation pictures outlive the process that made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.runs import CONFIG
from trainer.events import PreviewImages, Saved, Validated
from trainer.run.loop import RunPlan, train
from trainer.run_folder.preview import read_strip, write_strip
from trainer.run_folder.registry import discard


def test_pictures_come_back_within_half_a_step_of_8_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.uniform(-0.2, 1.2, (5, 7, c)).astype(np.float32) for c in (1, 3, 1, 3)]
    parts[0][0, 0, 0] = np.nan
    write_strip(tmp_path / "s.safetensors", PreviewImages(*parts), 40)
    found = read_strip(tmp_path / "s.safetensors")
    assert found is not None
    step, strip = found
    assert step == 40
    assert strip.a[0, 0, 0] == 0
    for wanted, got in zip(parts, (strip.a, strip.b, strip.now, strip.start), strict=True):
        assert got.dtype == np.float32
        distance = np.abs(np.clip(np.nan_to_num(wanted), 0, 1) - got)
        assert distance.max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("content", [b"", b"no pictures", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_strip_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.safetensors"
    path.write_bytes(content)
    assert read_strip(path) is None
    assert read_strip(tmp_path / "none") is None


def test_a_run_keeps_the_newest_and_a_new_one_forgets_the_old(data: Path, plan: RunPlan) -> None:
    plan = replace(plan, validation=data)
    config = replace(CONFIG, validate_every=2, checkpoint_every=3)
    run = train(config, plan)
    seen: PreviewImages | None = None
    for event in run:
        if isinstance(event, Validated):
            seen = event.strip
            found = read_strip(plan.strip)
            assert found is not None
            assert found[0] == event.step
        if isinstance(event, Saved):
            break
    run.close()  # type: ignore[attr-defined]
    assert seen is not None
    kept = read_strip(plan.strip)
    assert kept is not None
    assert kept[0] == 2
    assert np.abs(kept[1].now - seen.now).max() <= 0.5 / 255 + 1e-6
    plan.checkpoint.unlink()
    again = train(config, plan)
    next(again)
    assert not plan.strip.exists(), "of another attempt nothing stays"
    again.close()  # type: ignore[attr-defined]
    write_strip(plan.strip, seen, 1)
    discard(plan.run_folder)
    assert not plan.run_folder.exists()


def test_a_disk_that_takes_no_strip_does_not_stop_the_run(data: Path, plan: RunPlan) -> None:
    plan = replace(plan, validation=data)
    run = train(replace(CONFIG, steps=2, validate_every=1), plan)
    next(run)
    plan.strip.mkdir()  # a folder is in its way
    events = list(run)
    assert [e.step for e in events if isinstance(e, Validated)] == [0, 1, 2]
