"""The options that the commands of ``unifusion downstream`` share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DatasetOption, SplitOption


@dataclass(frozen=True, kw_only=True)
class DownstreamOptions:
    """Options of both commands, with the words and defaults that both have."""

    method: Annotated[list[str], typer.Option(help="NAME=FOLDER of fused pictures; repeatable")]
    names: Annotated[str, typer.Option(help="comma-separated names of the classes, in order")] = ""
    dataset: DatasetOption = ""
    data: Annotated[
        Path | None, typer.Option(help="folder of the data set, whose labels are then used")
    ] = None
    split: SplitOption = ""
    steps: Annotated[int, typer.Option(min=1, help="training steps for each method")] = 500
    seed: Annotated[int, typer.Option(min=0, help="seed of everything random")] = 0
    weights: Annotated[
        Path | None, typer.Option(help="weights of the network or its backbone; else random ones")
    ] = None
    state: Annotated[
        Path | None, typer.Option(help="folder of states, to go on with when interrupted")
    ] = None
    width: Annotated[int, typer.Option(min=64, help="short side in the network")] = 320
    table: Annotated[
        Path | None,
        typer.Option("--csv", help="write the scores there, for evaluate --downstream"),
    ] = None


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` for typer: its first argument is a :class:`DownstreamOptions`.

    On the command line it has the fields of that and its own other arguments.
    """
    _first, *own = inspect.signature(command, eval_str=True).parameters.values()
    shared = inspect.signature(DownstreamOptions, eval_str=True).parameters.values()

    def run(**values: object) -> None:
        others = {parameter.name: values.pop(parameter.name) for parameter in own}
        options: Callable[..., DownstreamOptions] = DownstreamOptions
        command(options(**values), **others)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__annotations__ = {}
    signature = inspect.Signature([*shared, *own])
    vars(run)["__signature__"] = signature
    return run
