"""Commands about what there is beside pictures: model packs, the backbone, and data sets."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.console import reported

packs_app = typer.Typer(help="Model packs: what there is, and what is in them.")
backbone_app = typer.Typer(help="DINOv3, which two of the three networks need: fetched on request.")


@packs_app.command("list")
def packs_list() -> None:
    """List the packs on this machine, and files in the pack folders that cannot be used."""
    with reported():
        from app.cli.packs import list_packs

        list_packs()


@packs_app.command("info")
def packs_info(name: Annotated[str, typer.Argument(help="pack name or file")]) -> None:
    """Show what a pack says about itself."""
    with reported():
        from app.cli.packs import show_pack

        show_pack(name)


@backbone_app.command("fetch")
def backbone_fetch(
    agree: Annotated[
        bool, typer.Option("--agree-to-licence", help="the licence was read and is agreed to")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="also where it is there already")] = False,
) -> None:
    """Show source, size and licence, ask, then fetch, check and keep the weights."""
    with reported():
        from app.cli.backbone import fetch_weights

        fetch_weights(agree, again)


@backbone_app.command("info")
def backbone_info() -> None:
    """Say whether the weights are there, where, and their hash."""
    with reported():
        from app.cli.backbone import show_weights

        show_weights()


def datasets() -> None:
    """List the data sets whose layout is known: batch and train take them by --dataset."""
    with reported():
        from app.cli.dataset_option import list_datasets

        list_datasets()
