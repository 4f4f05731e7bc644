"""What an earlier version wrote still opens: packs, and batches begun with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.batch import BatchOptions, RowEvent, find_run, plan_batch, run_batch
from core.fusion.engine import FusionEngine
from core.io import read_image, read_pair
from core.packs.format import read_manifest
from core.packs.registry import Catalogue
from core.pairing.folders import pair_paths
from core.types import FusionRequest
from tests.earlier import old_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return old_files(tmp_path / "earlier")


def test_a_pack_fuses_what_it_fused(root: Path) -> None:
    engine = FusionEngine("cpu", Catalogue([root / "packs"]))
    pair = read_pair(root / "data" / "a" / "pair0.png", root / "data" / "b" / "pair0.png")
    fused = engine.fuse(FusionRequest(pair, "mif", "mif-old")).fused
    then = read_image(root / "out" / "pair0.png")  # written with 8 bits by that version
    assert np.abs(fused * 255 - then.data).max() <= 1


def test_a_pack_has_the_scores_it_was_written_with(root: Path) -> None:
    assert read_manifest(root / "packs" / "mif-old.safetensors").training.scores == {"Qabf": 0.5}


def test_a_batch_is_gone_on_with(root: Path) -> None:
    out = root / "out"
    engine = FusionEngine("cpu", Catalogue([root / "packs"]))
    options = BatchOptions("mif", "mif-old", out=out, resume=True)
    found = find_run(options)
    assert found is not None
    assert (found.total, found.done, found.failed, found.differences) == (3, 2, 0, ())
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    states = {}
    for event in run_batch(plan_batch(pair_paths([root / "data"], "mif"), options), engine):
        if isinstance(event, RowEvent):
            states[event.row.match.name] = event.record.state
    assert states == {"pair0": "skipped", "pair1": "skipped", "pair2": "done"}
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before
