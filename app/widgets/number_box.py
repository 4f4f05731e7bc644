"""A box for a number, into which either decimal sign may be typed."""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox


class NumberBox(QDoubleSpinBox):
    """Shows the decimal sign of the program's language, and takes point and comma for it.

    Qt would drop the other one as a sign between groups, so that 0.5 or 0,5 became 5. A comma meant
    for thousands turns into the decimal sign as it is typed, where one sees it.
    """

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Judge what is typed, either sign read as the decimal one."""
        sign = self.locale().decimalPoint()
        return super().validate(text.replace(".", sign).replace(",", sign), position)
