"""How the sources of the pairs of a batch are laid on each other, as two rows of a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFormLayout

from app.i18n.translate import translate
from app.pairs.align_menu import transform_dialog, way_text
from app.widgets.elided_label import ElidedComboBox
from core.types import KIND_NAMES

_TIP = Qt.ItemDataRole.ToolTipRole
_LEAST = 10
"""Minimum width of the combo boxes, in characters."""
_NONE, _REGISTER, _FILE = "none", "register", "file"


class AlignRows(QObject):
    """Shows how all pairs are laid on each other, and gives another choice."""

    edited = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ways, self.kinds, self.onto = (ElidedComboBox(_LEAST) for _ in range(3))
        self.ways.setAccessibleName(self.tr("Registration of the pairs"))
        self.ways.setToolTip(
            self.tr("Estimate how each pair lies, or lay all by one transform that is kept")
        )
        self.kinds.setAccessibleName(self.tr("Kind of transform"))
        self.kinds.setToolTip(self.tr("What may differ between the two pictures"))
        self.onto.setAccessibleName(self.tr("Picture that is kept"))
        self.onto.setToolTip(
            self.tr("The other one is resampled onto its pixels. Of volumes it is always B.")
        )
        self.kinds.addItem(self.tr("As usual"), "")
        for kind, name in KIND_NAMES.items():
            self.kinds.addItem(translate(name), kind)
        self.onto.addItem(self.tr("Onto A"), "a")
        self.onto.addItem(self.tr("Onto B"), "b")
        self.dialog: QFileDialog | None = None
        self._rigs: tuple[str, ...] = ()
        self._chosen = _NONE
        self._fill()
        self.ways.activated.connect(self._way_chosen)
        self.kinds.activated.connect(self.edited)
        self.onto.activated.connect(self.edited)

    def add_to(self, form: QFormLayout) -> None:
        """Add the rows to ``form``."""
        form.addRow(self.tr("Registration"), self.ways)
        form.addRow("", self.kinds)
        form.addRow("", self.onto)

    def _fill(self) -> None:
        """List the ways, the chosen one among them even where it is not there any more."""
        way, _, name = self._chosen.partition(" ")
        rigs = self._rigs
        if way == "rig" and name not in rigs:
            rigs = (*rigs, name)
        with QSignalBlocker(self.ways):
            self.ways.clear()
            self.ways.addItem(self.tr("Leave pairs as they are"), _NONE)
            self.ways.addItem(self.tr("Register each pair"), _REGISTER)
            for rig in rigs:
                self.ways.addItem(way_text(f"rig {rig}"), f"rig {rig}")
            if way == _FILE:
                self.ways.addItem(way_text(self._chosen), self._chosen)
                self.ways.setItemData(self.ways.count() - 1, name, _TIP)
            self.ways.addItem(self.tr("Transform file…"), _FILE)
            data = _REGISTER if way == _REGISTER else self._chosen
            self.ways.setCurrentIndex(max(0, self.ways.findData(data)))

    def show_rigs(self, names: Sequence[str]) -> None:
        """List the rigs that there are."""
        if tuple(names) != self._rigs:
            self._rigs = tuple(names)
            self._fill()

    def show_choice(self, align: str, onto: str) -> None:
        """Show a choice: way, kind and name as :meth:`AlignChoice.text` writes them, and side."""
        self._chosen = align
        self._fill()
        way, _, kind = align.partition(" ")
        self.kinds.setCurrentIndex(max(0, self.kinds.findData(kind if way == _REGISTER else "")))
        self.kinds.setVisible(way == _REGISTER)
        self.onto.setCurrentIndex(max(0, self.onto.findData(onto)))
        self.onto.setVisible(way != _NONE)

    def _way_chosen(self) -> None:
        if self.ways.currentData() == _FILE:
            self._fill()  # until a file has been chosen
            self._ask_file()
            return
        self._chosen = self.ways.currentData()
        self.edited.emit()

    def _ask_file(self) -> None:
        dialog = self.dialog = transform_dialog(self.ways.window())
        dialog.fileSelected.connect(self.choose_file)
        dialog.open()

    def choose_file(self, path: str) -> None:
        """Lay all pairs by the transform in a file."""
        self._chosen = f"{_FILE} {path}"
        self._fill()
        self.edited.emit()

    @property
    def settings(self) -> dict[str, Any]:
        """The choice by the names that settings of batches and of training have for it."""
        align = self._chosen
        if align.partition(" ")[0] == _REGISTER:
            align = f"{_REGISTER} {self.kinds.currentData()}".rstrip()
        return {"align": align, "align_onto": self.onto.currentData()}
