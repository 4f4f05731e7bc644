"""Ablations: short runs from scratch that differ in one setting, scored on the validation data.

    python benchmarks/ablation.py --task mif --data DIR --out benchmarks/results/ablation_mif.md

DIR holds train/TASK and val/TASK. Every run has the recipe of the embedded pack, shortened to
``--steps`` steps of four crops of 96 pixels, and one change. Runs this short do not reach the
scores of the packs; they are for comparing with each other. On one CPU core a task takes about a
quarter of an hour.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from core.io import atomic_write
from core.models.config import NetworkConfig
from core.tasks import TASKS, get_task
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.settings_file import load_config
from trainer.events import Finished
from trainer.run.loop import RunPlan, train

Change = Callable[[TrainConfig], TrainConfig]
_COLUMNS = ("Qabf", "MI", "VIF", "reconstruction_psnr")
_TITLES = {"reconstruction_psnr": "reconstruction PSNR, dB"}
_DIGITS = {"reconstruction_psnr": 1, "MI": 2}


def network(**switches: object) -> Change:
    """A change of the network configuration."""

    def change(config: TrainConfig) -> TrainConfig:
        changed: NetworkConfig = replace(config.network, **switches)  # type: ignore[arg-type]
        return replace(config, network=changed)

    return change


def settings(**values: object) -> Change:
    """A change of the training configuration."""
    return lambda config: replace(config, **values)  # type: ignore[arg-type]


def release(config: TrainConfig) -> TrainConfig:
    """The losses of the paper's release only."""
    losses = get_task(config.task).losses
    return replace(config, losses=losses, edge=0.0, artefact=0.0, information=0.0, consistency=0.0)


CHANGES: Mapping[str, Change] = {
    "as embedded": lambda config: config,
    "w/o bilevel (joint)": settings(bilevel=False),
    "w/o reconstruction": network(reconstruction=False),
    "w/o adapter": network(adapter=False),
    "direct head": network(head="direct"),
    "losses of the release": release,
    "w/o edge term": settings(edge=0.0),
    "w/o artefact term": settings(artefact=0.0),
    "w/o information term": settings(information=0.0),
    "w/o consistency term": settings(consistency=0.0),
    "w/o swap and jitter": settings(swap=False, jitter=0.0),
    "w/o truth": settings(truth=False, refocus=0.0),
}


def run(config: TrainConfig, data: Path) -> Mapping[str, float]:
    """Validation scores at the end of one run."""
    with tempfile.TemporaryDirectory() as folder:
        plan = RunPlan(
            data / "train" / config.task,
            Path(folder) / "ablation.safetensors",
            data / "val" / config.task,
            device="cpu",
        )
        for event in train(config, plan):
            if isinstance(event, Finished):
                return event.scores
    raise RuntimeError("the run did not finish")


def report(base: TrainConfig, results: Mapping[str, Mapping[str, float]]) -> str:
    """Scores by change as a Markdown page."""
    columns = [c for c in _COLUMNS if any(c in scores for scores in results.values())]
    lines = [
        f"# Ablation, {TASKS[base.task].title} ({base.task})",
        "",
        f"{base.steps} bilevel steps from scratch, {base.batch} crops of {base.crop} pixels, seed "
        f"{base.seed}; means over the validation pairs.",
        f"Made by `python benchmarks/ablation.py --task {base.task} --data DIR --out FILE "
        f"--steps {base.steps}`.",
        "",
        "| change | " + " | ".join(f"{_TITLES.get(name, name)} ↑" for name in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for change, scores in results.items():
        cells = (f"{scores[c]:.{_DIGITS.get(c, 3)}f}" if c in scores else "" for c in columns)
        lines.append(f"| {change} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train, score and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--task", choices=tuple(TASKS), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    path = recipes.path_of(options.task)
    if path is None:
        parser.error(f"no recipe for {options.task}")
    base = replace(
        load_config(path),
        steps=options.steps,
        batch=4,
        crop=96,
        init="",
        validate_every=0,
        checkpoint_every=0,
        log_every=100,
    )
    results: dict[str, Mapping[str, float]] = {}
    for name, change in CHANGES.items():
        config = change(base)
        if results and config == base:
            continue  # the recipe does not use this
        results[name] = run(config, options.data)
        print(name, {key: round(value, 4) for key, value in results[name].items()}, flush=True)
    text = report(base, results)
    atomic_write(options.out, text.encode())
    print(text)


if __name__ == "__main__":
    main()
