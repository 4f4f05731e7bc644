"""Memory that the check of training data foretells, compared with what the run takes.

    python benchmarks/train_memory.py --data ../shared/data/val

Every case is checked and estimated in a process that has trained before, as in the window, and then
run for a few steps in one of its own, with a validation at the end. Memory is the rise of the
resident peak over what a process holds that has loaded the trainer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import app  # noqa: F401  (the allocator and OpenMP as in the program)
from core.evaluation.peak_memory import PeakMeter
from core.tasks import TASKS
from trainer.config.config import TrainConfig
from trainer.config.recipes import path_of
from trainer.config.run_plan import RunPairs, RunPlan
from trainer.config.settings_file import load_settings
from trainer.data.preflight import run_preflight
from trainer.run.estimate import estimate
from trainer.run.loop import train
from trainer.run.network import new_network

CASES = (("mif", 96, 4), ("mff", 128, 2), ("ivif", 160, 4))
"""Task, whose recipe is taken, crop in pixels and crops per step."""
_STEPS = 3


def configured(task: str, crop: int, batch: int) -> TrainConfig:
    """The recipe of a task with other crops, for a few steps."""
    path = path_of(task)
    if path is None:
        raise SystemExit(f"there is no recipe for {task}")
    return replace(
        load_settings(path)[0],
        crop=crop,
        batch=batch,
        steps=_STEPS,
        validate_every=0,
        checkpoint_every=0,
        precision="fp32",
        init="",
    )


def run(task: str, crop: int, batch: int, data: Path) -> int:
    """Train for a few steps; returns the rise of the peak in bytes."""
    config = configured(task, crop, batch)
    new_network(config)
    with tempfile.TemporaryDirectory() as folder, PeakMeter() as meter:
        plan = RunPlan(data / task, Path(folder) / "x.safetensors", share=0.2, device="cpu")
        for _ in train(config, plan):
            pass
    return meter.rise or 0


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder per task")
    parser.add_argument("--case", nargs=3, metavar=("TASK", "CROP", "BATCH"))
    options = parser.parse_args()
    if options.case:
        task, crop, batch = options.case
        print(json.dumps(run(task, int(crop), int(batch), options.data)))
        return
    for task, crop, batch in CASES:
        config = configured(task, crop, batch)
        survey = run_preflight(RunPairs(options.data / task, share=0.2), config)
        said = estimate(config, survey, "cpu").peak_bytes
        words = [sys.executable, __file__, "--data", options.data, "--case", task, crop, batch]
        done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True)
        taken = json.loads(done.stdout)
        print(
            f"{TASKS[task].name}, {batch} crops of {crop}: said {said / 1e6:.0f} MB, taken "
            f"{taken / 1e6:.0f} MB, {said / taken:.2f} times",
            flush=True,
        )


if __name__ == "__main__":
    main()
