"""How many rows may be in memory, and how many of them may fuse, at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LARGE, _LARGE_AT_ONCE = 24 * 2**20, 3
"""Pairs of more bytes than this keep the processor busier than the disk: one in each step is
enough, and more would only wear out caches and page tables."""
_NETWORK = 14
"""A compact network takes this many times the bytes of a pair while it fuses."""
_CHECK_EVERY = 0.1
"""Seconds between two checks of a waiting thread."""


class Budget:
    """Limits what is in use at once, by number and by bytes.

    A pair larger than the whole budget is admitted when nothing else is in use, so that no image is
    refused for its size.
    """

    def __init__(self, most: int, memory: int) -> None:
        """
        Args:
            most: pairs at once. memory: bytes at once.
        """
        self._most, self._memory = most, memory
        self._count = self._bytes = 0
        self.peak = 0
        """The most pairs that were in use at once."""
        self._changed = threading.Condition()

    def acquire(self, size: int, check: Callable[[], None]) -> None:
        """Wait until a pair of ``size`` bytes fits; ``check`` may raise to end the wait."""
        with self._changed:
            while self._count and (self._count >= self._most or self._bytes + size > self._memory):
                self._changed.wait(_CHECK_EVERY)
                check()
            self._count += 1
            self._bytes += size
            self.peak = max(self.peak, self._count)

    def release(self, size: int) -> None:
        """Release a pair of ``size`` bytes."""
        with self._changed:
            self._count -= 1
            self._bytes -= size
            self._changed.notify_all()


class RowBudget:
    """Admits rows to memory and to fusion: small ones side by side, large ones one at a time."""

    def __init__(self, most: int, memory: int, *, cores: int, alone: bool) -> None:
        """
        Args:
            most: rows in memory at once.
            memory: bytes for decoded images, and as many for the networks of small ones.
            cores: small rows that fuse at once, at most.
            alone: fuse one row at a time, whatever its size.
        """
        self._rows = Budget(most, memory)
        self._large = Budget(min(most, _LARGE_AT_ONCE), memory)
        self._small_fusing, self._fusing = Budget(cores, memory), threading.Lock()
        self._alone = alone

    def is_large(self, size: int) -> bool:
        """Whether a row of ``size`` bytes is fused alone, on all cores."""
        return size > LARGE

    @contextmanager
    def row(self, size: int, check: Callable[[], None]) -> Iterator[None]:
        """Hold memory for a row of ``size`` bytes; ``check`` may raise to end the wait for it."""
        budgets = (self._large, self._rows) if self.is_large(size) else (self._rows,)
        for budget in budgets:
            budget.acquire(size, check)
        try:
            yield
        finally:
            for budget in budgets:
                budget.release(size)

    @contextmanager
    def fusing(self, size: int, check: Callable[[], None]) -> Iterator[bool]:
        """Wait until a row of ``size`` bytes may be fused; yields whether others may be as well."""
        beside_others = not self._alone and not self.is_large(size)
        if beside_others:
            self._small_fusing.acquire(_NETWORK * size, check)
        else:
            while not self._fusing.acquire(timeout=_CHECK_EVERY):
                check()
        try:
            yield beside_others
        finally:
            if beside_others:
                self._small_fusing.release(_NETWORK * size)
            else:
                self._fusing.release()
