"""Forms: a name at the left of each field."""

from __future__ import annotations

from PySide6.QtWidgets import QFormLayout, QLayoutItem

_ONE_LINE = 36
"""Most pixels a field of one line is high; of higher ones the name stays at the top."""


def centre_labels(form: QFormLayout) -> None:
    """Put each name at half the height of its field: Qt keeps it near the top of higher ones."""
    for row in range(form.rowCount()):
        name = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        label = name.widget() if name is not None else None
        if label is not None and field is not None:
            label.setMinimumHeight(min(_height(field), _ONE_LINE))


def _height(field: QLayoutItem) -> int:
    """What a field will take; an item whose widget is not shown yet would say nothing."""
    control, parts = field.widget(), field.layout()
    if control is not None:
        control.ensurePolished()  # the style sheet makes it higher
        return control.sizeHint().height()
    if parts is None:
        return 0
    within = (parts.itemAt(place) for place in range(parts.count()))
    return max((_height(item) for item in within if item is not None), default=0)
