"""Axes of charts: numbers in the format of the language, without unit prefixes."""

from __future__ import annotations

import pyqtgraph as pg

from app.i18n.numbers import localised

_SMALL = 0.01
"""Smaller numbers are in scientific notation: with leading zeros they would be too wide."""


class ValueAxis(pg.AxisItem):  # type: ignore[misc]  # the library has no types
    """A value axis with numbers in the format of the language."""

    def updateAutoSIPrefix(self) -> None:
        """Do nothing: numbers are not scaled by an SI prefix.

        PyQtGraph scales values below 1 even where the prefix is disabled, so that a rate of
        0.0004 would be labelled 400.
        """

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Labels of the ticks; small numbers in scientific notation, such as 3.5e-4."""
        if not self.logMode and max(map(abs, values), default=_SMALL) < _SMALL:
            texts = [_with_exponent(value) for value in values]
        else:
            texts = super().tickStrings(values, scale, spacing)
        return [localised(text) for text in texts]


def _with_exponent(value: float) -> str:
    mantissa, exponent = f"{value:.5e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if value else "0"
