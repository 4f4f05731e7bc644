"""The dialog that selects what to export, where to and in which format."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from app.fuse.export import FORMATS, ITEMS, ExportPlan, available, burns_by_default, carries_tags
from app.fuse.export_target import ExportTargetDialog
from app.fuse.file_dialogs import suggested_name
from app.fuse.results import Outcome


class ExportDialog(ExportTargetDialog):
    """Does not block the caller; emits the plan by ``chosen``."""

    chosen = Signal(object)
    """An :class:`app.fuse.export.ExportPlan`."""

    def __init__(self, outcome: Outcome, folder: str, parent: QWidget | None = None) -> None:
        name = Path(suggested_name(outcome)).stem
        super().__init__(self.tr("Export"), self.tr("Export"), folder, name, parent)
        self.setMinimumWidth(460)
        self.items = self._make_items(outcome)
        self.format = QComboBox()
        for suffix, text in zip(FORMATS, self._format_titles(), strict=True):
            self.format.addItem(text, suffix)
        self.format.setAccessibleName(self.tr("Format"))
        self._task = outcome.result.task
        self.burn = QCheckBox(self.tr("Add a strip with the notice below the picture"))
        self.burn.setToolTip(
            self.tr("A strip below each picture says “Research use only”; no pixel is covered.")
        )
        self.tags = QCheckBox(self.tr("Carry over camera, time and place (EXIF, GPS)"))
        self.tags.setToolTip(self.tr("Of the source whose colours the picture has."))
        self.tags.setVisible(carries_tags(self._task))
        self.burn.setChecked(burns_by_default(self._task, FORMATS[0]))
        self.form.addRow(self.tr("Format"), self.format)
        self.form.addRow("", self.burn)
        self.form.addRow("", self.tags)
        self.lay_out(list(self.items.values()), [])
        for box in self.items.values():
            box.toggled.connect(self.update_state)
        self.format.currentIndexChanged.connect(self._format_chosen)
        self.burn.toggled.connect(self.update_state)
        self.update_state()

    def _format_titles(self) -> tuple[str, ...]:
        return (
            self.tr("PNG (depth of the sources)"),
            self.tr("TIFF, 16 bit"),
            self.tr("JPEG (8 bit, lossy)"),
        )

    def _make_items(self, outcome: Outcome) -> dict[str, QCheckBox]:
        titles = (
            self.tr("Fused picture"),
            self.tr("Reconstruction of A"),
            self.tr("Reconstruction of B"),
            self.tr("Features of A, as shown"),
            self.tr("Features of B, as shown"),
            self.tr("Figure: side by side, with legend"),
        )
        present = available(outcome)
        boxes = {}
        missing = self.tr("Only models have these.")
        if outcome.is_model and outcome.is_stored:
            missing = self.tr("A result read from its file has none of these: fuse it anew.")
        for item, title in zip(ITEMS, titles, strict=True):
            boxes[item] = QCheckBox(title)
            boxes[item].setEnabled(item in present)
            if item not in present:
                boxes[item].setToolTip(missing)
        boxes["fused"].setChecked(True)
        return boxes

    @property
    def plan(self) -> ExportPlan:
        """The current choices."""
        items = tuple(item for item, box in self.items.items() if box.isChecked())
        suffix = self.format.currentData()
        burn = self.burn.isChecked()
        tags = self.tags.isChecked() and carries_tags(self._task)
        return ExportPlan(items, self.chosen_folder, self.stem, suffix, burn=burn, tags=tags)

    def _format_chosen(self) -> None:
        self.burn.setChecked(burns_by_default(self._task, self.format.currentData()))
        self.update_state()

    def update_state(self) -> None:
        """Show what is possible with what is chosen."""
        plan, named = self.plan, self.is_named()
        usable = named and self.folder_exists
        self.go.setEnabled(bool(plan.items) and usable)
        self.show_folder()
        old = [plan.target(item).name for item in plan.items if usable]
        old = [name for name in old if (plan.folder / name).exists()]
        usual = self.tr(
            "How each picture was made, and the notice, are written into its file. "
            "Sources are never touched."
        )
        self.note.setText(self.trouble(named=named) or self.replaced(old) or usual)

    def accept_plan(self) -> None:
        """Tell what was chosen, and close."""
        self.chosen.emit(self.plan)
        self.accept()
