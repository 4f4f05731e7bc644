"""``unifusion backbone``: download of the DINOv3 weights for the paper's network."""

from __future__ import annotations

import sys

import typer

from app.cli.console import FAILED, TerminalProgress, note, say
from core.models.backbone import file_sha256
from core.models.config import DINOV3_TIMM_NAME
from core.packs import download
from core.packs.paths import backbone_file, stored_backbone


def fetch_weights(agreed: bool, again: bool) -> None:
    """Show source, size and licence, ask for agreement, then download, check and store.

    Args:
        agreed: whether the licence was accepted on the command line. again: download even if
            the file exists.

    Raises:
        FusionError: no connection, an HTTP error, an unexpected file, a full disk.
    """
    stored = stored_backbone()
    if stored is not None and not again:
        say(f"{stored} is there already; --again fetches it anew.")
        return
    describe()
    if not agreed and not _ask_agreement():
        say("Nothing was fetched.")
        raise typer.Exit(FAILED)
    with TerminalProgress() as progress:
        done = download.fetch_backbone(progress)
    say(f"{done.path}")
    say(
        f"{done.bytes} bytes, sha256 {done.sha256}: the file this program knows, every tensor fits."
    )


def describe() -> None:
    """Print the source, the data sent, and the terms of the licence."""
    say(f"weights   {DINOV3_TIMM_NAME}, about {download.RELEASE.bytes / 1e6:.0f} MB")
    say(f"from      {download.address()}")
    say(f"to        {backbone_file()}")
    say("sent      the request for this file with name and version of this program; the server")
    say("          sees your network address. No pictures, no names, no login.")
    say(f"licence   {download.LICENCE} (Meta), in our words:")
    for term in download.TERMS:
        say(f"          - {term}")
    say(f"          What counts is its text: {download.LICENCE_ADDRESS}")


def show_weights() -> None:
    """Print whether the weights exist, their path and hash."""
    stored = stored_backbone()
    if stored is None:
        say(f"{DINOV3_TIMM_NAME}: not fetched. It would be kept as {backbone_file()}")
        note("“unifusion backbone fetch” shows source, size and licence, and asks")
        return
    say(f"weights   {DINOV3_TIMM_NAME}")
    say(f"file      {stored}")
    say(f"size      {stored.stat().st_size} bytes")
    say(f"sha256    {file_sha256(stored)}")
    say(f"licence   {download.LICENCE}: {download.LICENCE_ADDRESS}")


def _ask_agreement() -> bool:
    if not sys.stdin.isatty():
        note("nobody is there to ask: read the licence, then add --agree-to-licence")
        return False
    return typer.confirm("Have you read the licence, and do you agree to it?")
