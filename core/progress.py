"""Progress reporting and cancellation of long-running work."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """The channel between a caller and running work."""

    def report(self, done: float, total: float, stage: str) -> None:
        """Report that ``done`` of ``total`` units are finished and ``stage`` has started."""

    def check(self) -> None:
        """Raise :class:`core.errors.Cancelled` if the work should stop."""


class NullProgress:
    """Ignores reports and never cancels."""

    def report(self, done: float, total: float, stage: str) -> None:
        """Ignore the report."""

    def check(self) -> None:
        """Never cancel."""
