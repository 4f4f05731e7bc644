"""How many images may be in memory at once."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Budget:
    """Lets pairs in while there is room: by number and by bytes.

    A pair larger than the whole budget is let in when nothing else is there, so that no image is
    refused for its size.
    """

    def __init__(self, most: int, memory: int) -> None:
        """Args: ``most`` pairs and about ``memory`` bytes at once."""
        self._most, self._memory = most, memory
        self._count = self._bytes = 0
        self.peak = 0
        """Most pairs that were in at once."""
        self._changed = threading.Condition()

    def acquire(self, size: int, check: Callable[[], None]) -> None:
        """Wait until a pair of ``size`` bytes fits; ``check`` may raise to end the waiting."""
        with self._changed:
            while self._count and (self._count >= self._most or self._bytes + size > self._memory):
                self._changed.wait(0.1)
                check()
            self._count += 1
            self._bytes += size
            self.peak = max(self.peak, self._count)

    def release(self, size: int) -> None:
        """Give the room of one pair back."""
        with self._changed:
            self._count -= 1
            self._bytes -= size
            self._changed.notify_all()
