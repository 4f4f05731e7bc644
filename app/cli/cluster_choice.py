"""The options of commands that may work on a cluster."""

from __future__ import annotations

from pathlib import Path

from core.cluster.choice import ClusterChoice
from core.errors import InputError


def chosen_cluster(
    scheduler: str, jobs: Path | None, certificates: Path | None, rows_per_worker: int = 0
) -> ClusterChoice | None:
    """The cluster that the options name; None for this computer.

    Raises:
        FusionError: they name none that can be used, or contradict each other.
    """
    if not scheduler and jobs is None:
        if certificates is not None or rows_per_worker:
            raise InputError(
                "--certificates and --rows-per-worker",
                "they are of work on other computers",
                "Give --scheduler ADDRESS or --cluster FILE, too.",
            )
        return None
    choice = ClusterChoice(
        scheduler, certificates=certificates, jobs=jobs, rows_per_worker=rows_per_worker
    )
    choice.check()
    return choice
