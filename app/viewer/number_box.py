"""Boxes for numbers: with room about their text; of fractions, either decimal sign may be typed."""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox, QWidget


def padded(box: QAbstractSpinBox, left: int = 6) -> None:
    """Keep the text of a box off its edge: Qt asks the style sheet for the other three only."""
    box.lineEdit().setTextMargins(left, 0, 0, 0)


class CountBox(QSpinBox):
    """A whole number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        padded(self)


class NumberBox(QDoubleSpinBox):
    """Shows the decimal sign of the program's language, and takes point and comma for it.

    Qt would drop the other one as a sign between groups, so that 0.5 or 0,5 became 5. A comma meant
    for thousands turns into the decimal sign as it is typed, where one sees it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        padded(self)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Judge what is typed, either sign read as the decimal one."""
        sign = self.locale().decimalPoint()
        return super().validate(text.replace(".", sign).replace(",", sign), position)
