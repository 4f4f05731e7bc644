"""The small data set, read once a module, and a plan that trains on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.runs import make_pairs
from trainer.config.run_plan import RunPlan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pairs(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture
def plan(data: Path, tmp_path: Path) -> RunPlan:
    return RunPlan(data, tmp_path / "run.safetensors", device="cpu")
