"""``unifusion backbone``: DINOv3, which the paper's network needs, fetched on request."""

from __future__ import annotations

import sys

import typer

from app.cli.console import FAILED, TerminalProgress, note, say
from core.models.backbone import file_sha256
from core.models.config import DINOV3_TIMM_NAME
from core.packs import download
from core.packs.paths import backbone_file, stored_backbone


def fetch_weights(agreed: bool, again: bool) -> None:
    """Show source, size and licence, ask, fetch, check and keep.

    Args:
        agreed: the licence was agreed to on the command line. again: also where it is there.

    Raises:
        FusionError: no connection, a refusal, another file than the pinned one, a full disk.
    """
    stored = stored_backbone()
    if stored is not None and not again:
        say(f"{stored} is there already; --again fetches it anew.")
        return
    describe()
    if not agreed and not _agrees():
        say("Nothing was fetched.")
        raise typer.Exit(FAILED)
    with TerminalProgress() as progress:
        done = download.fetch_backbone(progress)
    say(f"{done.path}")
    say(
        f"{done.bytes} bytes, sha256 {done.sha256}: the file this program knows, every tensor fits."
    )


def describe() -> None:
    """Print where it comes from, what is sent, and what the licence asks for."""
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
    """Print whether the weights are there, where, and their hash."""
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


def _agrees() -> bool:
    if not sys.stdin.isatty():
        note("nobody is there to ask: read the licence, then add --agree-to-licence")
        return False
    return typer.confirm("Have you read the licence, and do you agree to it?")
