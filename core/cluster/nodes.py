"""Dask's scheduler and worker without the web server that each would open beside its own port.

Import this module only where Dask is there (:mod:`core.cluster.extra`).
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from distributed import Scheduler, Worker
from distributed.scheduler import heartbeat_interval

from core.available_memory import retain_freed_memory
from core.cluster.errors import ClusterError
from core.messages import Message

_RESTART_SECONDS = 3.0
"""Seconds that the parent of a frozen worker has to end it before its rows go to others anyway."""
_MISSED = 4
"""Signs of life that have to be missing, however short the time for them is."""
_NO_PAGES = SimpleNamespace(applications=())


class PlainScheduler(Scheduler):
    """A scheduler that listens on its own port only."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Open none: it is not encrypted, and anyone may ask it."""
        vars(self).update(http_application=_NO_PAGES, http_server=None)

    async def check_worker_ttl(self) -> None:
        """Give up workers without a sign of life; Dask would wait for half a minute more."""
        now = time.time()
        ttl = max(self.worker_ttl or 0.0, _MISSED * heartbeat_interval(len(self.workers)))
        frozen = [one.address for one in self.workers.values() if now - one.last_seen > ttl]
        if frozen:
            await self.restart_workers(
                frozen, timeout=_RESTART_SECONDS, wait_for_workers=False, on_error="return",
                stimulus_id=f"frozen-{now}",
            )  # fmt: skip


async def started(node: Any, what: str, remedy: str) -> Any:
    """``node``, a scheduler or the parent of a worker, once it listens.

    Raises:
        ClusterError: about ``what``, with ``remedy``: it cannot listen where it should.
    """
    try:
        return await node
    except (OSError, ValueError, RuntimeError) as error:
        # Dask only says that it failed to start, and since when it does.
        reason: BaseException = error
        while isinstance(reason, RuntimeError) and reason.__cause__ is not None:
            reason = reason.__cause__
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise ClusterError(what, Message("it cannot listen there ({0})", said), remedy) from error


class PlainWorker(Worker):
    """A worker that listens on its own port only, and computes as fast as the program elsewhere."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Dask lets a worker return every freed block to the system: twice the processor time.
        retain_freed_memory()
        super().__init__(*args, **options)

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Open none: it is not encrypted, and anyone may ask it."""
        vars(self).update(http_application=_NO_PAGES, http_server=None)
