"""The surroundings of a window in its process: the compute process, and turns that end soon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.compute import remote
from app.workers.background_import import shorten_switch_interval
from app.workers.garbage_collector import GarbageCollector
from app.workers.thread_priority import raise_priority


@contextmanager
def window_process(language: str) -> Iterator[None]:
    """Compute in another process, and prefer the calling thread to all others, within the block.

    Args:
        language: of texts that are made in the compute process.
    """
    shorten_switch_interval()
    with remote.computing(language):
        raise_priority()  # not before: the compute process would inherit it
        collector = GarbageCollector()
        try:
            yield
        finally:
            collector.stop()
