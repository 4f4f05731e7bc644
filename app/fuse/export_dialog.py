"""The dialog that selects what to export, where to and in which format."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.fuse.export import FORMATS, ITEMS, ExportPlan, available, burns_by_default, carries_tags
from app.fuse.file_dialogs import pictures_folder, suggested_name
from app.fuse.results import Outcome
from app.widgets.forms import centre_labels


class ExportDialog(QDialog):
    """Does not block the caller; emits the plan by ``chosen``."""

    chosen = Signal(object)
    """An :class:`app.fuse.export.ExportPlan`."""

    def __init__(self, outcome: Outcome, folder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export"))
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
        self.folder = QLineEdit(folder or pictures_folder())
        self.folder.setAccessibleName(self.tr("Folder"))
        self.name = QLineEdit(Path(suggested_name(outcome)).stem)
        self.name.setAccessibleName(self.tr("Name"))
        self.create_ = QPushButton(self.tr("Create folder"))
        self.create_.setAutoDefault(False)
        self.create_.clicked.connect(self._create_folder)
        self.browse = QPushButton(self.tr("Choose…"))
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._choose_folder)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        for box in self.items.values():
            box.toggled.connect(self._update)
        self.format.currentIndexChanged.connect(self._format_chosen)
        self.burn.toggled.connect(self._update)
        self.folder.textChanged.connect(self._update)
        self.name.textChanged.connect(self._update)
        self._update()

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

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self.create_)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(self.tr("Format"), self.format)
        form.addRow("", self.burn)
        form.addRow("", self.tags)
        form.addRow(self.tr("Folder"), where)
        form.addRow(self.tr("Name"), self.name)
        centre_labels(form)
        layout = QVBoxLayout(self)
        for box in self.items.values():
            layout.addWidget(box)
        layout.addSpacing(6)
        layout.addLayout(form)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)

    @property
    def plan(self) -> ExportPlan:
        """The current choices."""
        items = tuple(item for item, box in self.items.items() if box.isChecked())
        folder = Path(self.folder.text().strip()).expanduser()
        suffix = self.format.currentData()
        burn = self.burn.isChecked()
        tags = self.tags.isChecked() and carries_tags(self._task)
        return ExportPlan(items, folder, self.name.text().strip(), suffix, burn=burn, tags=tags)

    def _format_chosen(self) -> None:
        self.burn.setChecked(burns_by_default(self._task, self.format.currentData()))
        self._update()

    def _update(self) -> None:
        plan = self.plan
        named = bool(plan.stem) and not set(plan.stem) & set('/\\:*?"<>|')
        exists = bool(self.folder.text().strip()) and plan.folder.is_dir()
        self.go.setEnabled(bool(plan.items) and named and exists)
        self.create_.setVisible(bool(self.folder.text().strip()) and not exists)
        old = [plan.target(item).name for item in plan.items if named and exists]
        old = [name for name in old if (plan.folder / name).exists()]
        if not exists:
            self.note.setText(self.tr("There is no such folder."))
        elif not named:
            self.note.setText(self.tr("The name is empty or has signs files cannot have."))
        elif old:
            self.note.setText(self.tr("Will be replaced: {0}").format(", ".join(old)))
        else:
            self.note.setText(
                self.tr(
                    "How each picture was made, and the notice, are written into its file. "
                    "Sources are never touched."
                )
            )

    def _create_folder(self) -> None:
        folder = self.plan.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = self.tr("{0} cannot be created: {1}")
            self.note.setText(text.format(folder, error.strerror or error))
        else:
            self._update()

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder to export to"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def _accept(self) -> None:
        self.chosen.emit(self.plan)
        self.accept()
