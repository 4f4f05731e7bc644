"""Commands about other computers: a scheduler, workers, certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import CertificateFolder

cluster_app = typer.Typer(help="Other computers: certificates for a scheduler and its workers.")


@cluster_app.command("certificates")
def cluster_certificates(
    folder: Annotated[Path, typer.Argument(help="new folder for the certificates")],
) -> None:
    """Make an authority and certificates for scheduler, workers and clients; replaces nothing."""
    with reported():
        from app.cli.cluster import print_certificates

        print_certificates(folder)


def run_scheduler(
    *,
    host: Annotated[
        str, typer.Option(help="address of this computer to listen at; others need certificates")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free")] = 8786,
    certificates: CertificateFolder = None,
    frozen_after: Annotated[
        float, typer.Option(help="seconds without a sign of life after which a worker is given up")
    ] = 30.0,
) -> None:
    """Run a scheduler, to which workers and batches connect, until Ctrl-C."""
    with reported():
        from app.cli.cluster import serve_scheduler_at

        serve_scheduler_at(host, port, certificates, frozen_after)


def run_worker(
    address: Annotated[str, typer.Argument(help="tls://HOST:8786, as the scheduler tells it")],
    *,
    certificates: CertificateFolder = None,
    device: Annotated[
        str, typer.Option(help="auto (all GPUs, else the CPU), cpu, cuda, cuda:1, …")
    ] = "auto",
    rows: Annotated[int, typer.Option(help="CPU: rows at once; 0 for one on each core")] = 0,
    memory: Annotated[
        float, typer.Option(help="GB for all workers of this computer; 0 for all there is")
    ] = 0.0,
    host: Annotated[
        str, typer.Option(help="address of this computer, as the others reach it")
    ] = "",
) -> None:
    """Work for the scheduler at ADDRESS until Ctrl-C or until it ends."""
    with reported():
        from app.cli.cluster import serve_workers_of

        serve_workers_of(address, certificates, device=device, rows=rows, memory=memory, host=host)
