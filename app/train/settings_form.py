"""The form of all settings of a run, built from the trainer's field descriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from app.i18n.translate import translate
from app.train.field_row import FieldRow
from app.train.view_models import FieldSpec, TrainSettings, get
from app.widgets.forms import centre_labels

FIELDS_WITH_OWN_CONTROL: frozenset[str] = frozenset(("init", "backbone", "device"))
"""Settings whose control is outside this form."""


class SettingsForm(QWidget):
    """A column of group boxes with one row per setting; values are set from outside."""

    edited = Signal(str, object)

    def __init__(self, fields: Sequence[FieldSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, FieldRow] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        groups: dict[str, list[FieldSpec]] = {}
        for field in fields:
            if field.name not in FIELDS_WITH_OWN_CONTROL:
                groups.setdefault(field.group, []).append(field)
        for group, members in groups.items():
            heading = QLabel(translate(group))
            heading.setObjectName("paneTitle")
            layout.addWidget(heading)
            layout.addLayout(self._form(members))
        layout.addStretch(1)

    def _form(self, fields: Sequence[FieldSpec]) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(6)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        for field in fields:
            row = self.rows[field.name] = FieldRow(field)
            row.edited.connect(self.edited)
            label = QLabel(translate(field.title))
            label.setMinimumWidth(190)
            label.setToolTip(translate(field.help))
            label.setBuddy(row.control)
            form.addRow(label, row)
        centre_labels(form)
        return form

    def show_settings(self, settings: TrainSettings, faults: Mapping[str, str]) -> None:
        """Show values and their errors."""
        for name, row in self.rows.items():
            row.show_value(get(settings, name))
            row.show_fault(faults.get(name, ""))

    def set_network_fixed(self, fixed: bool, why: str) -> None:
        """Disable the settings of the network, which is fixed when training starts from a pack."""
        for name, row in self.rows.items():
            if name.startswith("network."):
                row.control.setEnabled(not fixed)
                row.control.setToolTip(why if fixed else translate(row.field.help))
