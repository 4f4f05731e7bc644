"""Asks where to, and writes figures and regions; nothing here blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from app.fuse.file_dialogs import pictures_folder
from app.fuse.state import FuseState
from app.i18n.translate import translate_all
from app.regions.file_tasks import RegionsRequest, table_text, write_segments, write_table
from app.regions.measurements import RegionMeasurements
from app.regions.tasks import Asked
from core.errors import FusionError
from core.progress import Progress
from core.types import SourceSide

_SIDES: tuple[SourceSide, SourceSide] = ("a", "b")


class RegionsExport(QObject):
    """Carries out the commands of the panel that leave the window."""

    announced = Signal(str)
    """A sentence for the status bar."""

    def __init__(
        self, window: QWidget, session: FuseState, measurements: RegionMeasurements
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._measurements = measurements
        self._folder = ""
        """Until the program ends: it may be named after a patient."""
        self.dialog: QFileDialog | None = None

    @property
    def dicom_sides(self) -> list[SourceSide]:
        """The sources on screen that are DICOM series, on whose voxels masks can be written."""
        view = self._session.sources.slice
        if view is None:
            return []
        both = zip(_SIDES, view.volumes.series, strict=True)
        return [side for side, series in both if series.kind == "DICOM"]

    def copy_table(self) -> None:
        """Put the figures of all regions on the clipboard, in columns that a spreadsheet takes."""
        request = self._measurements.request()
        if request is not None:
            job = self._measurements.run(table_text, request)
            job.finished.connect(self._copied)
            job.failed.connect(self._fail)

    def _copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.announced.emit(self.tr("The table of figures was copied."))

    def ask_table(self) -> None:
        """Ask for a CSV file."""
        request = self._measurements.request()
        if request is None:
            return
        dialog = self._ask(self.tr("Export figures"), ["CSV (*.csv)"], "figures.csv")
        dialog.fileSelected.connect(lambda name: self._write(write_table, request, Path(name)))
        dialog.open()

    def ask_segments(self) -> None:
        """Ask for a DICOM file, and on which source's voxels."""
        request, sides = self._measurements.request(), self.dicom_sides
        if request is None or not sides:
            return
        text = self.tr("DICOM SEG on the voxels of {0}")
        filters = {f"{text.format(side.upper())} (*.dcm)": side for side in sides}
        dialog = self._ask(self.tr("Export regions"), list(filters), "regions.dcm")

        def write(name: str) -> None:
            side = filters.get(dialog.selectedNameFilter(), sides[0])
            self._write(write_segments, replace(request, side=side), Path(name))

        dialog.fileSelected.connect(write)
        dialog.open()

    def _ask(self, title: str, filters: list[str], name: str) -> QFileDialog:
        dialog = QFileDialog(self._window, title, self._folder or pictures_folder())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setNameFilters(filters)
        dialog.setDefaultSuffix(name.rpartition(".")[2])
        dialog.selectFile(name)
        # It holds what it was opened for, volumes too.
        dialog.finished.connect(dialog.deleteLater)
        dialog.finished.connect(self._forget)
        self.dialog = dialog
        return dialog

    def _forget(self) -> None:
        self.dialog = None

    def _write(
        self,
        work: Callable[[RegionsRequest, Asked, Progress], tuple[str, ...]],
        request: RegionsRequest,
        path: Path,
    ) -> None:
        self._folder = str(path.parent)
        job = self._measurements.run(work, replace(request, path=path))
        job.finished.connect(partial(self._written, path))
        job.failed.connect(self._fail)

    def _written(self, path: Path, notes: tuple[str, ...]) -> None:
        self.announced.emit(self.tr("Written: {0}").format(path))
        if notes:
            self._session.set_message(" ".join(translate_all(notes)))

    def _fail(self, error: FusionError) -> None:
        self._session.show_error(error)
