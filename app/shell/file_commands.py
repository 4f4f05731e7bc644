"""Opening, saving and exporting files, with the dialogs that ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.fuse.controller import Controller
from app.fuse.drop_sorting import DroppedPaths, ordered
from app.fuse.export import ExportPlan
from app.fuse.export_dialog import ExportDialog
from app.fuse.file_dialogs import open_dialog, pictures_folder, save_dialog
from app.fuse.pairs import Pairs
from app.fuse.report_dialog import ReportDialog
from app.fuse.state import FuseState, Outcome, Side
from app.fuse.study_tasks import ReportPlan, VolumeExportPlan
from app.fuse.volume_export_dialog import VolumeExportDialog
from app.i18n.translate import translate
from app.preferences.scan_names import may_be_scan
from app.preferences.settings import Settings
from core.regions import Annotation


class FileCommands(QObject):
    """The commands of the File menu that concern images; no dialog blocks the window."""

    def __init__(
        self,
        window: QWidget,
        *,
        session: FuseState,
        controller: Controller,
        pairs: Pairs,
        settings: Settings,
    ) -> None:
        """
        Args:
            window: parent of the dialogs.
            settings: hold the folder of the last export.
        """
        super().__init__(window)
        self._window = window
        self._session = session
        self._controller = controller
        self._pairs = pairs
        self._settings = settings
        self._folder = ""
        """Folder of the files that were opened last; "" before the first ones."""
        self._scan_folder = ""
        """Folder of the last save or export, if of scans."""
        self.dialog: QFileDialog | None = None
        self.export_dialog: ExportDialog | None = None
        self.volume_dialog: VolumeExportDialog | None = None
        self.report_dialog: ReportDialog | None = None
        self.regions: Callable[[], tuple[Annotation, ...]] = tuple
        """The regions on what is on show."""

    # --- dropped files ---------------------------------------------------------------------

    def take(self, paths: list[Path]) -> None:
        """Open one file, two files, or a list of pairs from more files or from folders."""
        dropped = DroppedPaths.of(paths)
        if dropped.folders or len(dropped.files) > 2:
            self._pairs.add(paths)
        elif len(dropped.files) == 2:
            pair = ordered(*dropped.files, self._session.task)
            self._open(dropped.files, lambda: self._controller.open_pair(*pair))
        elif len(dropped.files) == 1:
            self._open_side(self._missing_side(), dropped.files[0])

    def _open(self, files: Sequence[Path], as_images: Callable[[], None]) -> None:
        """Open files as series where they are volumes, which a worker finds out, else as images."""
        if any(may_be_scan(path) for path in files):
            self._pairs.add(list(files), as_images)
        else:
            as_images()

    def _open_side(self, side: Side, path: Path) -> None:
        self._open((path,), lambda: self._controller.replace_side(side, path))

    def _missing_side(self) -> Side:
        sources = self._session.sources
        first, second = sources.paths
        missing_b = second is None and first is not None and not sources.sample
        return "b" if missing_b else "a"

    def take_side(self, side: Side, paths: list[Path]) -> None:
        """Open a single file as image A or B; several as :meth:`take` does."""
        dropped = DroppedPaths.of(paths)
        if len(dropped.files) == 1 and not dropped.folders:
            self._open_side(side, dropped.files[0])
        else:
            self.take(paths)

    # --- opening ---------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask for two files; if only one is chosen, ask for the other."""
        task = self._session.task
        title = self.tr("Open A ({0}) and B ({1})").format(
            translate(task.label_a), translate(task.label_b)
        )
        self._ask_files(title, self._chosen)

    def _ask_files(self, title: str, then: Callable[[list[str]], None]) -> None:
        # Without a folder the dialog would start in that of the last one, even of an export.
        sources = self._session.sources
        shown = next((path for path in sources.paths if path is not None), None)
        own = str(shown.parent) if shown is not None and not sources.sample else ""
        folder = self._folder or own or pictures_folder()
        self.dialog = open_dialog(self._window, title, folder, self._controller.suffixes)
        self.dialog.filesSelected.connect(then)
        self.dialog.open()

    def _chosen(self, names: list[str]) -> None:
        paths = [Path(name) for name in names]
        self._folder = str(paths[0].parent) if paths else ""
        if len(paths) != 1:
            self.take(paths)
            return
        label = translate(self._session.task.label_b)
        title = self.tr("Open B ({0}) for {1}").format(label, paths[0].name)
        first = paths[0]
        self._ask_files(title, lambda more: self._chosen_second(first, more))
        if self.dialog is not None:
            self.dialog.rejected.connect(lambda: self._open_side("a", first))

    def _chosen_second(self, first: Path, names: list[str]) -> None:
        if len(names) == 1:
            second = Path(names[0])
            self._open((first, second), lambda: self._controller.open_pair(first, second))
        else:
            self.take([Path(name) for name in names])

    # --- saving ----------------------------------------------------------------------------

    @property
    def _export_folder(self) -> str:
        return self._scan_folder or self._settings.export_folder

    def _remember_export(self, folder: Path) -> None:
        """Until the program ends for scans: the folder may be named after a patient."""
        if self._session.sources.slice is not None:
            self._scan_folder = str(folder)
        else:
            self._scan_folder = ""
            self._settings.set_export_folder(str(folder))

    def ask_save(self) -> None:
        """Ask where to save the fused image; nothing happens without one."""
        outcome = self._session.outcome
        if outcome is None:
            return
        self.dialog = save_dialog(self._window, outcome, self._export_folder)
        self.dialog.fileSelected.connect(lambda name: self._save(Path(name), outcome))
        self.dialog.open()

    def _save(self, path: Path, outcome: Outcome) -> None:
        self._remember_export(path.parent)
        self._controller.save(path, outcome)

    def ask_export(self) -> None:
        """Ask what to export: of a study all slices or the one on show, else the fused image."""
        view = self._session.sources.slice
        if view is None or view.volumes.are_apart or self._controller.volume_export.running:
            self.ask_export_picture()
            return
        has_picture = self._session.outcome is not None
        dialog = self.volume_dialog = VolumeExportDialog(
            view, self._export_folder, has_picture=has_picture, parent=self._window
        )
        dialog.chosen.connect(self._export_volume)
        dialog.picture_wanted.connect(self.ask_export_picture)
        dialog.open()

    def ask_report(self) -> None:
        """Ask what a report on the open study shows; nothing happens without one."""
        view, controller = self._session.sources.slice, self._controller
        if view is None or view.volumes.are_apart or controller.volume_export.running:
            return
        marks = controller.key_images.of(view.volumes)
        dialog = self.report_dialog = ReportDialog(
            view, marks, self.regions(), self._export_folder, parent=self._window
        )
        dialog.chosen.connect(self._write_report)
        dialog.open()

    def _write_report(self, plan: ReportPlan) -> None:
        self._remember_export(plan.path.parent)
        self._controller.volume_export.report(plan)

    def _export_volume(self, plan: VolumeExportPlan) -> None:
        self._remember_export(plan.path.parent)
        self._controller.volume_export.export(plan)

    def ask_export_picture(self) -> None:
        """Ask what to export of the fused image; nothing happens without one."""
        outcome = self._session.outcome
        if outcome is None:
            return
        self.export_dialog = ExportDialog(outcome, self._export_folder, self._window)
        self.export_dialog.chosen.connect(lambda plan: self._export(plan, outcome))
        self.export_dialog.open()

    def _export(self, plan: ExportPlan, outcome: Outcome) -> None:
        self._remember_export(plan.folder)
        self._controller.export(plan, outcome)
