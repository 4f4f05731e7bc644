"""Undo and redo of display settings: frozen states, one step per gesture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Signal

State = TypeVar("State")

_PAUSE = 0.5
"""Pause in s after which another change of the same fields is a new step."""

_DEEPEST = 200


class UndoHistory(QObject, Generic[State]):
    """History of the values of a state, a frozen dataclass.

    Of the values it only compares fields: changes of the same fields in quick succession are one
    gesture, and so one step.
    """

    changed = Signal()
    """The possible undo and redo steps have changed."""

    def __init__(
        self,
        present: State,
        apply: Callable[[State], object],
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            present: the current value.
            apply: sets a value.
            clock: time in s, to separate gestures.
        """
        super().__init__(parent)
        self._apply = apply
        self._clock = clock
        self._present = present
        self._past: list[State] = []
        self._future: list[State] = []
        self._gesture: frozenset[str] = frozenset()
        self._last = float("-inf")
        self._applying = False

    @property
    def can_undo(self) -> bool:
        """True when there is a step to undo."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True when a step was undone and nothing has changed since."""
        return bool(self._future)

    def note(self, value: State) -> None:
        """Record the state ``value``. Call after every change, including those of undo."""
        if self._applying or value == self._present:
            return
        now = self._clock()
        gesture = changed_fields(self._present, value)
        goes_on = gesture == self._gesture and now - self._last < _PAUSE and bool(self._past)
        if not goes_on:
            self._past.append(self._present)
            del self._past[:-_DEEPEST]
        elif self._past[-1] == value:
            # Dragged back to the initial value: no step.
            self._past.pop()
            gesture = frozenset()
        self._present, self._gesture, self._last = value, gesture, now
        self._future.clear()
        self.changed.emit()

    def end_gesture(self) -> None:
        """End the gesture, e.g. when a button is released: the next change is a new step."""
        self._gesture = frozenset()

    def undo(self) -> None:
        """Undo one step."""
        if self._past:
            self._future.append(self._present)
            self._go(self._past.pop())

    def redo(self) -> None:
        """Redo one step."""
        if self._future:
            self._past.append(self._present)
            self._go(self._future.pop())

    def clear(self, present: State) -> None:
        """Clear the history; ``present`` is the new initial value."""
        self._past.clear()
        self._future.clear()
        self._present = present
        self.end_gesture()
        self.changed.emit()

    def _go(self, value: State) -> None:
        self._present = value
        self.end_gesture()
        self._applying = True
        try:
            self._apply(value)
        finally:
            self._applying = False
        self.changed.emit()


def changed_fields(before: object, after: object) -> frozenset[str]:
    """Names of the fields in which two dataclass values differ; nested ones are dotted."""
    if type(before) is not type(after) or not is_dataclass(before):
        return frozenset({""}) if before != after else frozenset()
    found: set[str] = set()
    for field in fields(before):
        inner = changed_fields(getattr(before, field.name), getattr(after, field.name))
        found.update(f"{field.name}.{name}".rstrip(".") for name in inner)
    return frozenset(found)
