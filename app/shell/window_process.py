"""The surroundings of a window in its process: the compute process, and turns that end soon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.compute import remote
from app.workers.background_import import shorten_switch_interval
from app.workers.garbage_collector import GarbageCollector


@contextmanager
def window_process(language: str) -> Iterator[None]:
    """Compute in another process, and let the calling thread have the GIL soon, within the block.

    Args:
        language: of texts that are made in the compute process.
    """
    shorten_switch_interval()
    with remote.computing(language):
        collector = GarbageCollector()
        try:
            yield
        finally:
            collector.stop()
