"""Options of ``unifusion train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import (
    TASK_NAMES,
    BackboneOption,
    Crop,
    DatasetOption,
    Kind,
    Onto,
    Register,
    RigName,
    SplitOption,
    TransformFile,
    WindowA,
    WindowB,
)


def train(
    *,
    data: Annotated[
        list[Path], typer.Option(help="folder of pairs, paired as in batch; repeatable")
    ],
    out: Annotated[Path, typer.Option(help="pack to write (.safetensors)")],
    task: Annotated[str | None, typer.Option("--task", "-t", help=TASK_NAMES)] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML or JSON with training settings, or a recipe's name")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="quick, fine or paper")] = None,
    network: Annotated[str | None, typer.Option(help="compact, dinov3-compact or paper")] = None,
    steps: Annotated[int | None, typer.Option(help="bilevel steps")] = None,
    batch: Annotated[int | None, typer.Option(help="crops per step, of all devices")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of everything random")] = None,
    init: Annotated[str | None, typer.Option(help="pack (name or file) to start from")] = None,
    val: Annotated[Path | None, typer.Option(help="folder of pairs to judge by")] = None,
    share: Annotated[
        float, typer.Option(help="held back to judge by without --val, whole groups; 0: none")
    ] = 0.2,
    keep: Annotated[str, typer.Option(help="best (by validation) or last state")] = "best",
    title: Annotated[str, typer.Option(help="title of the pack")] = "",
    licence: Annotated[str, typer.Option(help="licence of the weights")] = "",
    data_used: Annotated[
        list[str] | None, typer.Option(help="a line about the data, for the pack; repeatable")
    ] = None,
    swap_sides: Annotated[bool, typer.Option("--swap-sides", help="A is B in every pair")] = False,
    smaller_batch: Annotated[
        bool, typer.Option("--smaller-batch", help="halve the batch when memory runs out")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="write a TensorBoard log too")
    ] = False,
    devices: Annotated[int, typer.Option(help="devices (processes) on this machine")] = 1,
    num_nodes: Annotated[int, typer.Option(help="machines; see also torchrun")] = 1,
    dataset: DatasetOption = "",
    split: SplitOption = "",
    device: Annotated[
        str, typer.Option(help="auto (or what --config says), cpu, cuda or cuda:N")
    ] = "auto",
    backbone: BackboneOption = None,
    window_a: WindowA = None,
    window_b: WindowB = None,
    register: Register = False,
    kind: Kind = "",
    transform: TransformFile = None,
    rig: RigName = "",
    onto: Onto = "a",
    crop: Crop = False,
) -> None:
    """Train a pack; goes on where an interrupted run of the same settings stopped."""
    with reported():
        from app.cli.align_options import align_choice
        from app.cli.train import TrainOptions, run_training

        align = align_choice(
            register, kind, None if transform is None else transform.absolute(), rig,
            onto=onto, crop=crop, keep_failed=False,
        )  # fmt: skip
        options = TrainOptions(
            tuple(data), out, task=task, config=config, network=network, steps=steps, batch=batch,
            seed=seed, init=init, val=val, title=title, licence=licence,
            data_used=tuple(data_used or ()), device=device, backbone=backbone, preset=preset,
            share=share, keep=keep, swap_sides=swap_sides, smaller_batch=smaller_batch,
            tensorboard=tensorboard, devices=devices, nodes=num_nodes, window_a=window_a,
            window_b=window_b, dataset=dataset, split=split, align=align,
        )  # fmt: skip
        run_training(options)
