"""Axes of charts: numbers as they are, written as the person does."""

from __future__ import annotations

import pyqtgraph as pg

from app.i18n.numbers import localised
from app.train.formatting import count

_SMALL = 0.01
"""Below it zeros after the point would take more room than there is beside the title."""


class ValueAxis(pg.AxisItem):  # type: ignore[misc]  # the library has no types
    """Writes its numbers as the person does."""

    def updateAutoSIPrefix(self) -> None:
        """Leave the numbers as they are.

        The library multiplies those below 1 by a thousand or a million for a unit's prefix, even
        where it was told not to: rates of 0.0004 were called 400.
        """

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Texts of the ticks; small numbers all alike, as 3.5e-4."""
        if not self.logMode and max(map(abs, values), default=_SMALL) < _SMALL:
            texts = [_with_exponent(value) for value in values]
        else:
            texts = super().tickStrings(values, scale, spacing)
        return [localised(text) for text in texts]


def _with_exponent(value: float) -> str:
    mantissa, exponent = f"{value:.5e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if value else "0"


class StepAxis(ValueAxis):
    """Steps are whole: no tick between two of them."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Ticks by level, those between steps left out."""
        levels = super().tickValues(low, high, size)
        return [(spacing, values) for spacing, values in levels if spacing >= 1]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Whole numbers."""
        return [count(round(value)) for value in values]
