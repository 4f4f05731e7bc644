"""How a pair is laid on each other, in words and as entries of a menu."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.i18n.translate import tr, translate
from core.types import KIND_NAMES

ASK_FILE = "file"
"""The choice of a transform file that has not been chosen yet."""


def way_text(align: str) -> str:
    """A way of laying pairs on each other, as :meth:`AlignChoice.text` writes it, in words."""
    way, _, rest = align.partition(" ")
    if way == "register":
        kinds = {str(kind): translate(name) for kind, name in KIND_NAMES.items()}
        return tr("Register ({0})").format(kinds[rest]) if rest in kinds else tr("Register")
    if way == "rig":
        return tr("Rig: {0}").format(rest)
    return tr("File: {0}").format(Path(rest).name) if way == "file" else tr("As it lies")


def transform_dialog(window: QWidget) -> QFileDialog:
    """A dialog that asks for a transform file."""
    dialog = QFileDialog(window, tr("Transform of A and B"))
    dialog.setNameFilter(f"{tr('Transforms')} (*.tfm *.txt *.json)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return dialog


class AlignMenu(QMenu):
    """The ways of laying single pairs on each other."""

    chosen = Signal(str)
    """A way as :meth:`AlignChoice.text` writes it, "" for that of all pairs, or ASK_FILE."""

    def __init__(self, rigs: Sequence[str], present: str | None, parent: QWidget) -> None:
        """
        Args:
            rigs: their names.
            present: the own choice of the pairs, "" for none; None where they differ.
        """
        super().__init__(self.tr("Registration of this row"), parent)
        ways = [("", self.tr("As chosen for all"))]
        ways += [(way, way_text(way)) for way in ("none", "register")]
        ways += [(f"rig {name}", way_text(f"rig {name}")) for name in rigs]
        if present is not None and present not in dict(ways):
            ways.append((present, way_text(present)))
        for way, text in (*ways, (ASK_FILE, self.tr("Transform file…"))):
            action = self.addAction(text.replace("&", "&&"))
            if way != ASK_FILE:
                action.setCheckable(True)
                action.setChecked(way == present)
            action.triggered.connect(lambda _=False, way=way: self.chosen.emit(way))
