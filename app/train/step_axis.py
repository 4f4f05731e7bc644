"""The axis of steps below the charts of a run."""

from __future__ import annotations

from app.train.formatting import count
from app.widgets.chart_axes import ValueAxis


class StepAxis(ValueAxis):
    """An axis of steps, with ticks at integers only."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Ticks by level, without fractions of steps."""
        levels = super().tickValues(low, high, size)
        return [(spacing, values) for spacing, values in levels if spacing >= 1]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Labels of the ticks as integers."""
        return [count(round(value)) for value in values]
