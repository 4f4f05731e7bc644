"""A setting in a form: its control, unit, help and error."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QRegularExpression, QSignalBlocker, Signal
from PySide6.QtGui import QRegularExpressionValidator, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import number, read
from app.i18n.translate import translate
from app.train.view_models import FieldSpec
from app.viewer.number_box import CountBox
from app.viewer.window_row import WindowRow

_INT32 = 2**31 - 1
_NARROW, _WIDE, _TWO = 110, 260, 340


class _IgnoresWheel:
    """Mix-in of controls whose value the mouse wheel does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ignore the event, so that the form scrolls."""
        event.ignore()


class _Spin(_IgnoresWheel, CountBox):
    pass


class _Combo(_IgnoresWheel, QComboBox):
    pass


class FieldRow(QWidget):
    """Emits what the user entered; the value is set from outside."""

    edited = Signal(str, object)
    """Dotted name and value, of the type used in settings files."""

    def __init__(self, field: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._value: Any = None
        title, help_ = translate(field.title), translate(field.help)
        self.control = self._make_control()
        self.control.setAccessibleName(title)
        self.control.setAccessibleDescription(help_)
        self.control.setToolTip(help_)
        self.fault = QLabel()
        self.fault.setProperty("warns", True)
        self.fault.setWordWrap(True)
        self.fault.hide()
        unit = QLabel(translate(field.unit))
        unit.setObjectName("hint")
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.control)
        line.addWidget(unit)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self.fault)

    @property
    def _range(self) -> tuple[int, int]:
        low, high = self.field.minimum, self.field.maximum
        return 0 if low is None else int(low), _INT32 if high is None else int(high)

    def _make_control(self) -> QWidget:
        field = self.field
        if field.kind == "bool":
            box = QCheckBox()
            box.clicked.connect(self._emit)
            return box
        if field.kind == "window":
            ends = WindowRow(field.name[-1].upper())
            ends.setFixedWidth(_TWO)
            ends.edited.connect(lambda: self._emit(ends.entered))
            return ends
        if field.kind == "choice":
            combo = _Combo()
            combo.setMinimumWidth(_NARROW)
            for choice in field.choices:
                combo.addItem(translate(choice), choice)
            combo.activated.connect(lambda _index: self._emit(combo.currentData()))
            return combo
        if field.kind == "int" and (field.maximum or 0) <= _INT32:
            spin = _Spin()
            spin.setRange(*self._range)
            spin.setSingleStep(max(1, int(field.step or 1)))
            spin.setKeyboardTracking(False)
            spin.setFixedWidth(_NARROW)
            spin.valueChanged.connect(self._emit)
            return spin
        edit = QLineEdit()
        numeric = field.kind in ("int", "float")
        edit.setFixedWidth(_NARROW if numeric else _WIDE)
        if numeric:
            pattern = QRegularExpression(r"[-+0-9.,eE]*")
            edit.setValidator(QRegularExpressionValidator(pattern, edit))
        edit.editingFinished.connect(self._text_entered)
        return edit

    # --- display ---------------------------------------------------------------------------

    def show_value(self, value: Any) -> None:
        """Show a value without emitting :attr:`edited`."""
        self._value = value
        with QSignalBlocker(self.control):
            if isinstance(self.control, QCheckBox):
                self.control.setChecked(bool(value))
            elif isinstance(self.control, WindowRow):
                self._show_window(self.control, value)
            elif isinstance(self.control, QComboBox):
                self.control.setCurrentIndex(self.control.findData(str(value)))
            elif isinstance(self.control, QSpinBox):
                self._show_number(self.control, int(value or 0))
            elif isinstance(self.control, QLineEdit) and self.control.text() != self._text(value):
                self.control.setText(self._text(value))

    def _show_number(self, spin: QSpinBox, value: int) -> None:
        """Show a number without clipping it to the limits; its error is shown below."""
        low, high = self._range
        spin.setRange(min(low, value), max(high, value))
        spin.setValue(value)

    def _show_window(self, row: WindowRow, value: Any) -> None:
        """Show both ends of a window, unless they are text that is being typed."""
        if value is None or not any(isinstance(end, str) for end in value):
            row.show_window(None if value is None else (value[0], value[1]))

    def show_fault(self, text: str) -> None:
        """Show an error; "" hides it."""
        self.fault.setText(translate(text)[:1].upper() + translate(text)[1:])
        self.fault.setVisible(bool(text))

    def _text(self, value: Any) -> str:
        if isinstance(value, (list, tuple)):
            return ", ".join(str(item) for item in value)
        if isinstance(value, float):
            return number(value, "g")
        return "" if value is None else str(value)

    # --- entering --------------------------------------------------------------------------

    def _text_entered(self) -> None:
        text = self.control.text().strip() if isinstance(self.control, QLineEdit) else ""
        if text != self._text(self._value):
            self._emit(self._parsed(text))

    def _parsed(self, text: str) -> Any:
        """The text as a value; invalid text is returned as it is, and rejected by the check."""
        try:
            if self.field.kind == "int":
                return int(text)
            if self.field.kind == "float":
                entered = read(text)
                return entered if math.isfinite(entered) else text
        except ValueError:
            return text
        if isinstance(self._value, (list, tuple)):
            parts = [part.strip() for part in text.split(",") if part.strip()]
            numbers = all(part.lstrip("-").isdigit() for part in parts)
            return [int(part) for part in parts] if parts and numbers else parts
        return text

    def _emit(self, value: Any) -> None:
        if isinstance(self._value, bool):
            value = bool(value)
        elif isinstance(self._value, int) and isinstance(value, str) and value.isdigit():
            value = int(value)
        self.edited.emit(self.field.name, value)
