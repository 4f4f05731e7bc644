"""Spin boxes with padding, which accept point and comma as the decimal separator."""

from __future__ import annotations

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSpinBox, QWidget


def padded(box: QAbstractSpinBox, left: int = 6) -> None:
    """Set the left padding of a box, which Qt does not take from the style sheet."""
    box.lineEdit().setTextMargins(left, 0, 0, 0)


class CountBox(QSpinBox):
    """A spin box for integers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        padded(self)


class NumberBox(QDoubleSpinBox):
    """Shows the decimal separator of the language, and accepts both point and comma.

    Qt would drop the other one as a group separator, so that 0.5 or 0,5 became 5. A comma meant
    as a group separator visibly becomes the decimal separator while typing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        padded(self)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Validate the text, with either separator read as the decimal one."""
        sign = self.locale().decimalPoint()
        return super().validate(text.replace(".", sign).replace(",", sign), position)
