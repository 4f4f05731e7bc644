"""Commands about rigs: transforms kept under a name, for two cameras fixed to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported

rigs_app = typer.Typer(help="Rigs: transforms of two cameras fixed to each other, under a name.")


@rigs_app.command("list")
def rigs_list() -> None:
    """List the rigs, and files in their folder that are none."""
    with reported():
        from app.cli.rigs import print_rigs

        print_rigs()


@rigs_app.command("add")
def rigs_add(
    name: Annotated[str, typer.Argument(help="what the rig is called")],
    transform: Annotated[Path, typer.Argument(help="what register A B wrote")],
    a: Annotated[Path, typer.Argument(help="a picture of camera A, of which the size is taken")],
    b: Annotated[Path, typer.Argument(help="a picture of camera B")],
    *,
    onto: Annotated[str, typer.Option(help="picture whose pixels are kept: a or b")] = "a",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace the rig of that name")
    ] = False,
) -> None:
    """Keep a transform under a name, for pictures of these sizes and of scaled ones."""
    with reported():
        from app.cli.rigs import keep_rig

        keep_rig(name, transform, a, b, onto=onto, overwrite=overwrite)


@rigs_app.command("rename")
def rigs_rename(
    name: Annotated[str, typer.Argument(help="rig")],
    new_name: Annotated[str, typer.Argument(help="its new name")],
) -> None:
    """Give a rig another name."""
    with reported():
        from app.cli.console import say
        from core.alignment.rigs import rename_rig

        say(f"{name} is now called {rename_rig(name, new_name).name}")


@rigs_app.command("remove")
def rigs_remove(name: Annotated[str, typer.Argument(help="rig")]) -> None:
    """Delete a rig."""
    with reported():
        from app.cli.console import say
        from core.alignment.rigs import remove_rig

        remove_rig(name)
        say(f"{name} is removed")
