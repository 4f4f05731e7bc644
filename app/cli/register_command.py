"""Options of ``unifusion register``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import TASK_NAMES, AcceptGap, AcceptUneven


def register(
    fixed: Annotated[Path, typer.Argument(help="picture, or series, that stays")],
    moving: Annotated[Path, typer.Argument(help="the one that is moved onto it")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=".tfm (ITK) or .json: maps points of FIXED to MOVING"),
    ] = None,
    task: Annotated[str, typer.Option("--task", "-t", help=f"what the two are: {TASK_NAMES}")] = "",
    kind: Annotated[
        str,
        typer.Option(help="translation, rigid, similarity, affine or homography; else the usual"),
    ] = "",
    mask: Annotated[
        Path | None, typer.Option(help="picture that is black where FIXED does not count")
    ] = None,
    series_fixed: Annotated[str, typer.Option(metavar="KEY", help="series of FIXED")] = "",
    series_moving: Annotated[str, typer.Option(metavar="KEY", help="series of MOVING")] = "",
    accept_gap: AcceptGap = False,
    accept_uneven: AcceptUneven = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Find out how two pictures or series lie on each other; exit code 1 where that fails."""
    with reported():
        from app.cli.register import RegisterOptions, register_files

        options = RegisterOptions(
            fixed, moving, out=out, task=task, kind=kind, mask=mask,
            series=(series_fixed, series_moving), gap=accept_gap, uneven=accept_uneven,
            as_json=as_json,
        )  # fmt: skip
        code = register_files(options)
    raise typer.Exit(code)
