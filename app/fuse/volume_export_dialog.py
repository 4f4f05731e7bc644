"""The dialog that asks what to write of a study: DICOM, NIfTI, or the slice on show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QWidget

from app.fuse.export_target import ExportTargetDialog
from app.fuse.slice_view import SliceView
from app.fuse.study_tasks import VolumeExportPlan

if TYPE_CHECKING:
    from core.io.dicom_output import NoticePlace

_FORMATS = ("multi", "single", "nifti", "key")
_NAME = "fused"


class VolumeExportDialog(ExportTargetDialog):
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
        super().__init__(self.tr("Export the study"), self.tr("Export"), folder, _NAME, parent)
        self.setMinimumWidth(520)
        unit = view.volumes.pair.a.unit
        self._has_map = bool(unit) and view.volumes.series[0].kind == "DICOM"
        self._size = view.axes.shape[1:]
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
        self.parametric = QCheckBox(
            self.tr("Also write A on the grid of B, in its unit (parametric map)")
        )
        self.parametric.setVisible(self._has_map)
        self.parametric.setToolTip(
            self.tr("Values in {0} that other systems can measure. A fused picture has no unit.")
            .format(unit)
        )  # fmt: skip
        self.privacy = QLabel()
        self.privacy.setWordWrap(True)
        self.form.addRow(self.tr("Format"), self.format)
        self.form.addRow(self.tr("Research-use notice"), self.notice)
        for box in (self.identity, self.uids, self.parametric):
            self.form.addRow("", box)
            box.toggled.connect(self.update_state)
        self.lay_out([], [self.privacy])
        self.format.currentIndexChanged.connect(self.update_state)
        self.update_state()

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

    @property
    def _format(self) -> str:
        return str(self.format.currentData())

    @property
    def plan(self) -> VolumeExportPlan:
        """The current choices."""
        suffix = {"multi": ".dcm", "single": "", "nifti": ".nii.gz"}.get(self._format, "")
        place: NoticePlace = self.notice.currentData()
        return VolumeExportPlan(
            self.chosen_folder / f"{self.stem}{suffix}",
            layout="single" if self._format == "single" else "multi",
            notice=place,
            keep_identity=self.identity.isChecked() and self.identity.isEnabled(),
            replace_uids=self.uids.isChecked() and self.uids.isEnabled(),
            parametric=self.parametric.isChecked() and self.parametric.isEnabled(),
        )

    def update_state(self) -> None:
        """Show what is possible with what is chosen."""
        is_key, is_dicom = self._format == "key", self._format in ("multi", "single")
        for widget in (self.folder, self.browse, self.name):
            widget.setEnabled(not is_key)
        self.notice.setEnabled(is_dicom)
        self.identity.setEnabled(is_dicom and self._is_dicom and not self._two_patients)
        self.uids.setEnabled(is_dicom and self._is_dicom)
        self.parametric.setEnabled(is_dicom and self._has_map)
        self.privacy.setText(self._privacy(is_dicom, is_key))
        # A folder whose name has a suffix would be taken for a file of another kind.
        named = self.is_named("." if self._format == "single" else "")
        taken = named and self.folder_exists and self._is_taken()
        self.go.setEnabled(is_key or (named and self.folder_exists and not taken))
        self.show_folder()
        self.create_.setVisible(self.create_.isVisibleTo(self) and not is_key)
        self.note.setText("" if is_key else self._hint(named=named, taken=taken))

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
        if self._has_room():
            parts.append(self.tr("The notice is burned into every slice."))
        else:
            parts.append(
                self.tr("The slices are too small for the notice; it is in the description alone.")
            )
        return " ".join(parts)

    def _has_room(self) -> bool:
        # Brings pydicom along, which start-up is not to wait for; the readers have it by now.
        from core.io.dicom_output.notice import has_room

        return has_room(self._size)

    def _hint(self, *, named: bool, taken: bool) -> str:
        if trouble := self.trouble(named=named):
            return trouble
        if taken:
            return self.tr("That folder holds other files: name another one.")
        plan = self.plan
        paths = [plan.path, *([plan.map_path] if plan.parametric else [])]
        usual = self.tr(
            "All slices of the plane on show are fused, beginning with the one on show."
        )
        return self.replaced([path.name for path in paths if path.is_file()]) or usual

    def accept_plan(self) -> None:
        """Tell what was chosen, and close."""
        self.accept()
        if self._format == "key":
            self.picture_wanted.emit()
        else:
            self.chosen.emit(self.plan)
