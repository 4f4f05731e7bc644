"""The dialog that asks what a report on a study shows, and where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QWidget

from app.fuse.export_target import ExportTargetDialog
from app.fuse.slice_view import SliceView
from app.fuse.study_tasks import ReportPlan
from app.i18n.translate import plural

if TYPE_CHECKING:
    from core.geometry.planes import PlaneName
    from core.regions import Annotation

_NAME, _SUFFIX = "report", ".pdf"


class ReportDialog(ExportTargetDialog):
    """Does not block the caller."""

    chosen = Signal(object)
    """A :class:`app.fuse.study_tasks.ReportPlan`."""

    def __init__(
        self,
        view: SliceView,
        marks: tuple[tuple[PlaneName, int], ...],
        regions: tuple[Annotation, ...],
        folder: str,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            view: the slice on show.
            marks: the key images of the study, by plane and index.
            regions: of the study, whose figures can be written.
            folder: to begin with; "" for that of pictures.
        """
        super().__init__(self.tr("Report on the study"), self.tr("Write"), folder, _NAME, parent)
        self.setMinimumWidth(520)
        self.slices = QComboBox()
        if marks:
            text = plural("{0} key image", "{0} key images", len(marks)).format(len(marks))
            self.slices.addItem(text, marks)
        self.slices.addItem(self.tr("Three slices that A and B both show"), ())
        self.slices.addItem(self.tr("The slice on show"), ((view.plane, view.index),))
        self.slices.setAccessibleName(self.tr("Slices"))
        self._regions = regions
        text = plural("Figures of {0} region", "Figures of {0} regions", len(regions))
        self.figures = QCheckBox(text.format(len(regions)))
        self.figures.setChecked(bool(regions))
        self.figures.setVisible(bool(regions))
        self.identity = QCheckBox(self.tr("Name the patient, with ID and dates"))
        is_dicom = any(one.kind == "DICOM" for one in view.volumes.series)
        self.identity.setEnabled(is_dicom and not view.volumes.are_of_two_patients)
        self.privacy = QLabel()
        self.privacy.setWordWrap(True)
        self.form.addRow(self.tr("Slices"), self.slices)
        self.form.addRow("", self.figures)
        self.form.addRow("", self.identity)
        self.lay_out([], [self.privacy])
        self.identity.toggled.connect(self.update_state)
        self.update_state()

    @property
    def plan(self) -> ReportPlan:
        """The current choices."""
        return ReportPlan(
            self.chosen_folder / f"{self.stem.removesuffix(_SUFFIX)}{_SUFFIX}",
            self.slices.currentData(),
            regions=self._regions if self.figures.isChecked() else (),
            keep_identity=self.identity.isChecked(),
        )

    def update_state(self) -> None:
        """Show what is possible with what is chosen."""
        named = self.is_named()
        self.go.setEnabled(named and self.folder_exists)
        self.show_folder()
        if self.identity.isChecked():
            privacy = self.tr("The patient's name, ID and dates will be in the report.")
        else:
            privacy = self.tr("No name, ID or date of the patient will be in the report.")
        face = self.tr("A face may be seen in slices of a head.")
        self.privacy.setText(f"{privacy} {face}")
        path = self.plan.path
        usual = self.tr(
            "A, B and the fused picture of each slice as they are shown, with sources, geometry, "
            "settings and versions."
        )
        old = [path.name] if named and path.is_file() else []
        self.note.setText(self.trouble(named=named) or self.replaced(old) or usual)

    def accept_plan(self) -> None:
        """Tell what was chosen, and close."""
        self.accept()
        self.chosen.emit(self.plan)
