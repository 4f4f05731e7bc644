"""Form layouts: vertical alignment of labels with fields."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFormLayout, QLabel, QLayout, QLayoutItem

_ONE_LINE = 36
"""Maximum height of a single-line field in px; labels of higher ones stay at the top."""
_MIN_ROW = 28
"""Minimum row height in px, that of a line edit, so that rows are evenly spaced."""


def centre_labels(form: QFormLayout) -> None:
    """Centre each label on the first line of its field.

    Qt centres a label on the height of the whole field, which is below the first line of a higher
    one.
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
            label.setFixedHeight(max(_MIN_ROW, min(_height(field), _ONE_LINE)))


def _is_text(field: QLayoutItem) -> bool:
    """Whether a field is a word-wrapped label."""
    shown = field.widget()
    return isinstance(shown, QLabel) and shown.wordWrap()


def _height(field: QLayoutItem) -> int:
    """Height of a field's first line in px; layout items of hidden widgets have no size hint."""
    control, parts = field.widget(), field.layout()
    if control is not None:
        control.ensurePolished()  # enlarged by the style sheet
        parts = control.layout()
        if parts is None or not _is_vertical(parts):
            return control.sizeHint().height()
    return 0 if parts is None else _maximum_height(parts)


def _is_vertical(parts: QLayout | None) -> bool:
    """Whether a layout is vertical, such as a control with a note below it."""
    down = QBoxLayout.Direction.TopToBottom
    return isinstance(parts, QBoxLayout) and parts.direction() == down


def _maximum_height(parts: QLayout) -> int:
    """Maximum height of parts beside each other; for vertical layouts that of the first part."""
    places = range(min(1, parts.count()) if _is_vertical(parts) else parts.count())
    within = (parts.itemAt(place) for place in places)
    return max((_height(item) for item in within if item is not None), default=0)
