"""A box for a number, into which either decimal sign may be typed."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox


class NumberBox(QDoubleSpinBox):
    """Shows the decimal sign of the program's language, and takes the point as well.

    Qt would drop the point as a sign between groups, so that 0.5 became 5.
    """

    def validate(self, text: str, position: int) -> object:
        """Judge what is typed, the point read as the decimal sign."""
        return super().validate(text.replace(".", self.locale().decimalPoint()), position)
