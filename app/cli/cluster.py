"""The scheduler and the workers as commands."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.console import say
from core.cluster.address import ClusterAddress
from core.cluster.certificates import make_certificates
from core.cluster.serving import SchedulerOptions, cuda_devices, serve_scheduler, serve_workers
from core.cluster.worker_plan import plan_workers
from core.device import usable_cores
from core.errors import InputError


def print_certificates(folder: Path) -> None:
    """Make certificates in ``folder``.

    Raises:
        FusionError: as :func:`core.cluster.certificates.make_certificates`.
    """
    for path in make_certificates(folder):
        say(str(path))
    say(
        "Whoever has one of the keys can run anything on the scheduler and its workers: give each "
        "computer ca.pem and the two files of its role only, and keep ca-key.pem away from all.",
        sys.stderr,
    )


def serve_scheduler_at(
    host: str, port: int, certificates: Path | None, frozen_after: float
) -> None:
    """Run a scheduler until it is told to stop.

    Raises:
        FusionError: it cannot listen, or may not without certificates.
    """
    if not 1 <= frozen_after <= 86400:
        raise InputError(f"--frozen-after {frozen_after:g}", remedy="Choose 1 to 86400 seconds.")
    options = SchedulerOptions(host, port, certificates=certificates, frozen_after=frozen_after)
    serve_scheduler(options, lambda address: say(f"scheduler at {address}"))


def serve_workers_of(
    address: str, certificates: Path | None, *, device: str, rows: int, memory: float, host: str
) -> None:
    """Run the workers of this computer until they are told to stop.

    Raises:
        FusionError: the scheduler cannot be used, or there is no such device.
    """
    if memory < 0:
        raise InputError(f"--memory {memory:g}", remedy="Choose gigabytes, or 0 for all there is.")
    place = ClusterAddress.parse(address)
    place.check(certificates)
    gpus = 0 if device.strip().lower() == "cpu" else cuda_devices()
    plans = plan_workers(device, rows, cores=usable_cores(), gpus=gpus)
    serve_workers(
        place, certificates, plans, host=host, memory=round(memory * 1e9),
        tell=lambda text: say(f"worker {text} works for {place}"),
    )  # fmt: skip
