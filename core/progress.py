"""How long work reports where it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """The only channel from a caller into running work."""

    def report(self, done: float, total: float, stage: str) -> None:
        """Say that ``done`` of ``total`` units are finished and ``stage`` is now under way."""

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` if the work should stop."""


class NullProgress:
    """Reports to nobody and never cancels."""

    def report(self, done: float, total: float, stage: str) -> None:
        """Ignore the report."""

    def check(self) -> None:
        """Never cancel."""
