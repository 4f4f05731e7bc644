"""The words of ``unifusion ablate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import TASK_NAMES, Device


def ablate(
    *,
    task: Annotated[str, typer.Option("--task", "-t", help=TASK_NAMES)],
    data: Annotated[
        Path, typer.Option(help="folder with train/TASK and val/TASK, or a folder of pairs")
    ],
    steps: Annotated[int, typer.Option(help="steps of every run")] = 1000,
    seeds: Annotated[int, typer.Option(help="seeds with which every variant is trained")] = 3,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="folder of runs and report; ablation_TASK")
    ] = None,
    variants: Annotated[
        str, typer.Option(help="comma-separated names; “all”; those of the paper's Table 2")
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="TOML or JSON with training settings, not the recipe")
    ] = None,
    val: Annotated[Path | None, typer.Option(help="folder of pairs to score on")] = None,
    batch: Annotated[int, typer.Option(help="crops per step")] = 4,
    crop: Annotated[int, typer.Option(help="side of the crops in pixels")] = 96,
    figure: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A B", help="pair of the feature figure; else one it is scored on"),
    ] = None,
    device: Device = "auto",
) -> None:
    """Train without one part at a time, over several seeds; goes on where it was interrupted."""
    with reported():
        from app.cli.ablate import AblateOptions, run_command

        options = AblateOptions(
            task, data, out or Path(f"ablation_{task}"), steps=steps, seeds=seeds,
            variants=variants, settings=config, val=val, batch=batch, crop=crop, device=device,
            figure=figure,
        )  # fmt: skip
        run_command(options)
