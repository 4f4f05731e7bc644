"""Forms: a name at the left of each field."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFormLayout, QLabel, QLayout, QLayoutItem

_ONE_LINE = 36
"""Most pixels a field of one line is high; of higher ones the name stays at the top."""
_LEAST = 28
"""Pixels from name to name at least: as high as a line to write in, so that rows are even."""


def centre_labels(form: QFormLayout) -> None:
    """Put each name at half the height of the first line of its field.

    Qt gives a name more height than it asks for beside a higher field, and centres it there: lower
    than the line it belongs to.
    """
    for row in range(form.rowCount()):
        name = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        label = name.widget() if name is not None else None
        if label is None or field is None:
            continue
        if isinstance(label, QLabel) and _is_text(field):
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        else:
            label.setFixedHeight(max(_LEAST, min(_height(field), _ONE_LINE)))


def _is_text(field: QLayoutItem) -> bool:
    """Whether it is text that may take several lines."""
    shown = field.widget()
    return isinstance(shown, QLabel) and shown.wordWrap()


def _height(field: QLayoutItem) -> int:
    """What a field's first line will take; an item whose widget is not shown yet says nothing."""
    control, parts = field.widget(), field.layout()
    if control is not None:
        control.ensurePolished()  # the style sheet makes it higher
        parts = control.layout()
        if parts is None or not _falls(parts):
            return control.sizeHint().height()
    return 0 if parts is None else _tallest(parts)


def _falls(parts: QLayout | None) -> bool:
    """Whether it puts lines below each other: a control, and what is said of it."""
    down = QBoxLayout.Direction.TopToBottom
    return isinstance(parts, QBoxLayout) and parts.direction() == down


def _tallest(parts: QLayout) -> int:
    """Height of parts that lie beside each other; of parts below each other that of the first."""
    places = range(min(1, parts.count()) if _falls(parts) else parts.count())
    within = (parts.itemAt(place) for place in places)
    return max((_height(item) for item in within if item is not None), default=0)
