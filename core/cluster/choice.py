"""Which cluster is to be used, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.cluster.address import ClusterAddress
from core.cluster.errors import ClusterError
from core.messages import Message

if TYPE_CHECKING:
    from core.cluster.client import ClusterClient
    from core.cluster.jobs import ClusterJobs

MOST_ROWS = 1000


@dataclass(frozen=True)
class ClusterChoice:
    """A scheduler that is running, or jobs of a queueing system with one of their own.

    Attributes:
        scheduler: its address; "" where ``jobs`` starts one.
        certificates: their folder; None for the loopback address.
        jobs: file that describes the jobs (:mod:`core.cluster.jobs`).
        rows_per_worker: rows that a worker is given at once; 0 for as many as take two seconds.
        patience: seconds to wait for a worker that can be used.
    """

    scheduler: str = ""
    _: KW_ONLY
    certificates: Path | None = None
    jobs: Path | None = None
    rows_per_worker: int = 0
    patience: float = 60.0

    def check(self) -> None:
        """Check all choices, without connecting to anything.

        Raises:
            ClusterError: one cannot be used, or two contradict each other.
        """
        if bool(self.scheduler) == (self.jobs is not None):
            raise ClusterError(
                Message("A cluster"),
                Message("it is either a scheduler that is running, or a file that describes jobs"),
                Message("Give one of --scheduler and --cluster."),
            )
        if not 0 <= self.rows_per_worker <= MOST_ROWS:
            raise ClusterError(
                Message("{0} rows per worker", self.rows_per_worker),
                remedy=Message("Choose 1 to {0}, or 0 for as many as take two seconds.", MOST_ROWS),
            )
        if self.scheduler:
            ClusterAddress.parse(self.scheduler).check(self.certificates)
            return
        if self.certificates is not None:
            raise ClusterError(
                Message("The certificates in {0}", self.certificates),
                Message("those of jobs are named in the file that describes them"),
                Message("Leave --certificates out."),
            )
        self._described.check(Message("The description of jobs {0}", self.jobs))

    @contextmanager
    def opened(self) -> Iterator[ClusterClient]:
        """A connection to it; jobs that it needs are submitted, and ended afterwards.

        Raises:
            ClusterMissing: Dask is not installed. ClusterError: it cannot be used.
        """
        from core.cluster.client import ClusterClient

        self.check()
        with ExitStack() as stack:
            if self.jobs is None:
                address, folder = ClusterAddress.parse(self.scheduler), self.certificates
            else:
                jobs = self._described
                address, folder = stack.enter_context(jobs.submitted()), jobs.folder
            yield stack.enter_context(ClusterClient(address, folder))

    @property
    def _described(self) -> ClusterJobs:
        from core.cluster.jobs import ClusterJobs

        assert self.jobs is not None
        return ClusterJobs.read(self.jobs)

    @property
    def waiting_seconds(self) -> float:
        """Seconds to wait for a worker that can be used: jobs may stand in a queue for long.

        Raises:
            ClusterError: the jobs are not described well.
        """
        return self.patience if self.jobs is None else self._described.patience
