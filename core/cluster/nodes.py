"""Dask's scheduler and worker without the web server that each would open beside its own port.

Import this module only where Dask is there (:mod:`core.cluster.extra`).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from distributed import Scheduler, Worker

from core.available_memory import retain_freed_memory

_NO_PAGES = SimpleNamespace(applications=())


class PlainScheduler(Scheduler):
    """A scheduler that listens on its own port only."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Open none: it is not encrypted, and anyone may ask it."""
        vars(self).update(http_application=_NO_PAGES, http_server=None)


class PlainWorker(Worker):
    """A worker that listens on its own port only, and computes as fast as the program elsewhere."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # Dask lets a worker return every freed block to the system: twice the processor time.
        retain_freed_memory()
        super().__init__(*args, **options)

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Open none: it is not encrypted, and anyone may ask it."""
        vars(self).update(http_application=_NO_PAGES, http_server=None)
