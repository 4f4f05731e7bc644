"""Choices of a cluster, and the workers of one: Dask is imported in the compute process only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.i18n.translate import tr
from core.cluster.choice import ClusterChoice
from core.progress import Progress

if TYPE_CHECKING:
    from core.cluster.survey import FoundWorker


def chosen_cluster(scheduler: str, certificates: str, rows: int = 0) -> ClusterChoice | None:
    """The cluster of these settings; None for this computer alone.

    Raises:
        ClusterError: they cannot be used.
    """
    if not scheduler.strip():
        return None
    folder = Path(certificates.strip()).expanduser() if certificates.strip() else None
    choice = ClusterChoice(scheduler.strip(), certificates=folder, rows_per_worker=rows)
    choice.check()
    return choice


def find_workers(
    choice: ClusterChoice, methods: Sequence[tuple[str, str]], progress: Progress
) -> tuple[FoundWorker, ...]:
    """As :func:`core.cluster.survey.survey`."""
    from core.cluster.survey import survey

    progress.report(0, 0, tr("Connecting to {0}").format(choice.scheduler))
    return survey(choice, methods, progress)
