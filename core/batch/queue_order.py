"""The order of queued rows, which can be changed during a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

_T = TypeVar("_T")


class QueueOrder:
    """Keys of rows, the next one first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ranks: Mapping[str, int] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Increases with every change."""
        return self._version

    def set(self, keys: Sequence[str]) -> None:
        """Take queued rows in the order of ``keys`` from now on, and all others after them."""
        with self._lock:
            self._ranks = {key: place for place, key in enumerate(keys)}
            self._version += 1

    def arranged(self, items: Sequence[_T], key: Callable[[_T], str]) -> list[_T]:
        """``items`` sorted by their keys; items without a rank come last, in their own order."""
        with self._lock:
            ranks = self._ranks
        last = len(ranks)
        return sorted(items, key=lambda item: ranks.get(key(item), last))
