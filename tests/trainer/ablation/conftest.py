"""A finished ablation: two variants with two seeds, two steps each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.runs import CONFIG, make_pairs
from trainer.ablation.plan import AblationPlan, ablation_config, pair_folders_of
from trainer.ablation.run import run_ablation
from trainer.config.settings_file import save_config


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    save_config(replace(CONFIG, log_every=1), path)
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, settings: Path) -> AblationPlan:
    folder = tmp_path_factory.mktemp("ablation")
    make_pairs(folder / "data" / "train" / "mif")
    make_pairs(folder / "data" / "val" / "mif", 2)
    for path in (folder / "data" / "val" / "mif").rglob("*.png"):
        path.rename(path.with_stem(f"val{path.stem}"))
    data, validation = pair_folders_of(folder / "data", "mif")
    base = ablation_config("mif", 2, settings=settings, batch=1, crop=32)
    plan = AblationPlan(
        base,
        data,
        folder / "out",
        validation,
        variants=("full", "no-reconstruction"),
        seeds=2,
        device="cpu",
    )
    for _ in run_ablation(plan):
        pass
    return plan
