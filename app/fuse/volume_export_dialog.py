"""The dialog that asks what to write of a study: DICOM, NIfTI, or the slice on show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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

from app.fuse.file_dialogs import pictures_folder
from app.fuse.slice_view import SliceView
from app.fuse.volume_export import VolumeExportPlan
from app.widgets.forms import centre_labels

if TYPE_CHECKING:
    from core.io.dicom_output import NoticePlace

_FORMATS = ("multi", "single", "nifti", "key")
_NAME = "fused"


class VolumeExportDialog(QDialog):
    """Does not block the caller."""

    chosen = Signal(object)
    """A :class:`app.fuse.volume_export.VolumeExportPlan`."""
    picture_wanted = Signal()
    """Only the slice on show is to be exported."""

    def __init__(
        self, view: SliceView, folder: str, *, has_picture: bool, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            view: the slice on show.
            folder: to begin with; "" for that of pictures.
            has_picture: the slice on show is fused.
        """
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export the study"))
        self.setMinimumWidth(520)
        self._two_patients = view.volumes.are_of_two_patients
        self._is_dicom = any(one.kind == "DICOM" for one in view.volumes.series)
        self.format = QComboBox()
        for name, text in zip(_FORMATS, self._titles(view.count), strict=True):
            if name != "key" or has_picture:
                self.format.addItem(text, name)
        self.format.setAccessibleName(self.tr("Format"))
        self.notice = QComboBox()
        for place, text in self._places():
            self.notice.addItem(text, place)
        self.notice.setAccessibleName(self.tr("Corner of the notice"))
        self.identity = QCheckBox(self.tr("Write the patient's name, ID and dates into the files"))
        self.uids = QCheckBox(self.tr("Hide the UIDs of the sources"))
        self.uids.setToolTip(
            self.tr("Other systems cannot lay the series on the original ones then.")
        )
        self.folder = QLineEdit(folder or pictures_folder())
        self.folder.setAccessibleName(self.tr("Folder"))
        self.name = QLineEdit(_NAME)
        self.name.setAccessibleName(self.tr("Name"))
        self.browse = QPushButton(self.tr("Choose…"))
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._choose_folder)
        self.privacy = QLabel()
        self.note = QLabel()
        for label in (self.privacy, self.note):
            label.setWordWrap(True)
        self.note.setObjectName("hint")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        for box in (self.identity, self.uids):
            box.toggled.connect(self._update)
        self.format.currentIndexChanged.connect(self._update)
        self.folder.textChanged.connect(self._update)
        self.name.textChanged.connect(self._update)
        self._update()

    def _titles(self, count: int) -> tuple[str, ...]:
        return (
            self.tr("DICOM: all {0} slices in one file").format(count),
            self.tr("DICOM: a file for each of {0} slices").format(count),
            self.tr("NIfTI volume (.nii.gz)"),
            self.tr("Key image: the slice on show as a picture…"),
        )

    def _places(self) -> tuple[tuple[str, str], ...]:
        return (
            ("auto", self.tr("In the corner where it covers least")),
            ("below", self.tr("Below each slice, where it covers nothing")),
            ("top-left", self.tr("Top left")),
            ("top-right", self.tr("Top right")),
            ("bottom-left", self.tr("Bottom left")),
            ("bottom-right", self.tr("Bottom right")),
        )

    def _lay_out(self) -> None:
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("Research-use notice"), self.notice)
        form.addRow("", self.identity)
        form.addRow("", self.uids)
        form.addRow(self.tr("Folder"), where)
        form.addRow(self.tr("Name"), self.name)
        centre_labels(form)
        self._form = form
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.privacy)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)

    @property
    def _format(self) -> str:
        return str(self.format.currentData())

    @property
    def plan(self) -> VolumeExportPlan:
        """The current choices."""
        suffix = {"multi": ".dcm", "single": "", "nifti": ".nii.gz"}.get(self._format, "")
        folder = Path(self.folder.text().strip()).expanduser()
        place: NoticePlace = self.notice.currentData()
        return VolumeExportPlan(
            folder / f"{self.name.text().strip()}{suffix}",
            layout="single" if self._format == "single" else "multi",
            notice=place,
            keep_identity=self.identity.isChecked() and self.identity.isEnabled(),
            replace_uids=self.uids.isChecked() and self.uids.isEnabled(),
        )

    def _update(self) -> None:
        is_key, is_dicom = self._format == "key", self._format in ("multi", "single")
        for widget in (self.folder, self.browse, self.name):
            widget.setEnabled(not is_key)
        self.notice.setEnabled(is_dicom)
        self.identity.setEnabled(is_dicom and self._is_dicom and not self._two_patients)
        self.uids.setEnabled(is_dicom and self._is_dicom)
        self.privacy.setText(self._privacy(is_dicom, is_key))
        stem = self.name.text().strip()
        # A folder whose name has a suffix would be taken for a file of another kind.
        bad = set('/\\:*?"<>|') | (set(".") if self._format == "single" else set())
        named = bool(stem.strip(".")) and not set(stem) & bad
        exists = bool(self.folder.text().strip()) and self.plan.path.parent.is_dir()
        taken = named and exists and self._is_taken()
        self.go.setEnabled(is_key or (named and exists and not taken))
        self.note.setText(self._hint(is_key=is_key, exists=exists, named=named, taken=taken))

    def _is_taken(self) -> bool:
        """Whether a folder for single files is there and holds something."""
        path = self.plan.path
        if self._format != "single" or not path.exists():
            return False
        return not path.is_dir() or any(path.iterdir())

    def _privacy(self, is_dicom: bool, is_key: bool) -> str:
        if is_key:
            return self.tr("The slice on show, with reconstructions or a figure if you like.")
        if not is_dicom:
            return self.tr("No name, ID or date is in the file. A face can be rebuilt from a head.")
        parts = []
        if self.identity.isChecked() and self.identity.isEnabled():
            parts.append(self.tr("The patient's name, ID and dates will be in the files."))
        else:
            parts.append(
                self.tr("Name, ID and dates are left out (basic profile of DICOM PS3.15).")
            )
            if not (self.uids.isChecked() or not self._is_dicom):
                parts.append(
                    self.tr("UIDs of the sources stay, so that other systems find the originals.")
                )
        parts.append(self.tr("A face can be rebuilt from slices of a head."))
        parts.append(self.tr("The notice is burned into every slice."))
        return " ".join(parts)

    def _hint(self, *, is_key: bool, exists: bool, named: bool, taken: bool) -> str:
        if is_key:
            return ""
        if not exists:
            return self.tr("There is no such folder.")
        if not named:
            return self.tr("The name is empty or has signs files cannot have.")
        if taken:
            return self.tr("That folder holds other files: name another one.")
        path = self.plan.path
        if path.is_file():
            return self.tr("Will be replaced: {0}").format(path.name)
        return self.tr("All slices of the plane on show are fused, beginning with the one on show.")

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder to export to"), self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def _accept(self) -> None:
        self.accept()
        if self._format == "key":
            self.picture_wanted.emit()
        else:
            self.chosen.emit(self.plan)
