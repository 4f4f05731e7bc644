"""Arguments that the compute process keeps from one job to the next.

What is on screen is asked about many times: a slice through another transform, the figures of a
region that is dragged. It is sent once, and kept there until nobody in the window has it.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.compute.channel import PipeFrame

T_co = TypeVar("T_co", covariant=True)

_keys = itertools.count(1)


class Held(Generic[T_co]):
    """A value for several jobs; the function that is called gets the value itself."""

    def __init__(self, value: T_co) -> None:
        self.value = value
        self.key = next(_keys)


@dataclass(frozen=True)
class HeldKey:
    """What is sent in the place of a :class:`Held`."""

    key: int


class HeldValues:
    """The compute process's side: what was sent, by its keys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: dict[int, PipeFrame] = {}
        self._values: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._frames) + len(self._values)

    def put(self, frame: PipeFrame) -> None:
        """Keep a value; it is decoded by the first job that needs it."""
        with self._lock:
            self._frames[frame.number] = frame

    def drop(self, key: int) -> None:
        """Forget a value; a job that has it goes on with it."""
        with self._lock:
            frame = self._frames.pop(key, None)
            self._values.pop(key, None)
        if frame is not None:
            frame.drop()

    def value(self, argument: Any) -> Any:
        """What an argument stands for: itself, unless it is a :class:`HeldKey`."""
        if not isinstance(argument, HeldKey):
            return argument
        with self._lock:
            frame = self._frames.pop(argument.key, None)
            if frame is not None:
                self._values[argument.key] = frame.value()
            return self._values[argument.key]


held_values = HeldValues()
"""Of this process, if it is the compute process."""
