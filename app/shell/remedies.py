"""Problems of the Fuse workspace: files that change on disk, and the buttons of the error card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from app.fuse import error_report
from app.fuse.controller import Controller
from app.fuse.page import FusePage
from app.fuse.pairs import Pairs
from app.fuse.state import FuseState, Problem
from app.registration.commands import Aligning
from app.shell.file_commands import FileCommands
from app.widgets.file_manager import distinct_name, show_in_folder
from core.errors import InputError


class Remedies(QObject):
    """Carries out remedies by name, and reports sources that were changed or removed."""

    def __init__(
        self,
        view: FusePage,
        *,
        session: FuseState,
        controller: Controller,
        pairs: Pairs,
        files: FileCommands,
        aligning: Aligning,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._session = session
        self._controller = controller
        self._pairs = pairs
        self._remedies: dict[str, Callable[[], None]] = {
            "resample": controller.resample_pending,
            "open": files.ask_open,
            "retry": self._retry,
            "tiles": controller.fuse_in_tiles,
            "cpu": controller.use_cpu,
            "save": files.ask_save,
            "reload": controller.reload,
            "damaged": controller.show_damaged,
            "gap": controller.volumes.accept,
            "uneven": controller.volumes.accept,
            "patients": controller.volumes.accept,
            "switch_task": controller.switch_task,
            "keep_task": controller.keep_task,
            "export": files.ask_export,
            "align": aligning.begin,
            "register": aligning.register,
            "undo_alignment": aligning.align.undo_accepted,
            "undo_rig": aligning.rigs.undo_all,
        }
        view.remedy_requested.connect(self._apply)
        view.copy_requested.connect(self._copy_details)
        view.file_requested.connect(self._show_file)
        view.problem_dismissed.connect(controller.dismiss_problem)

    def _apply(self, remedy: str) -> None:
        self._remedies[remedy]()

    def _retry(self) -> None:
        if self._session.engine is None:
            self._controller.dismiss_problem()
            self._controller.start()
        if self._session.sources.pair is not None:
            self._controller.fuse(preview=self._session.outcome is None)

    def _copy_details(self) -> None:
        self._view.copy_text(error_report.describe(self._session))

    def _show_file(self) -> None:
        problem = self._session.problem
        if problem is not None and problem.path is not None and not show_in_folder(problem.path):
            text = self.tr("No file manager could be opened. The file is {0}")
            self._session.set_message(text.format(problem.path))

    def report_changed_source(self, path: Path) -> None:
        """Show the problem of a source file that was changed after it was read."""
        error = InputError(
            distinct_name(path, self._session.sources.requested),
            self.tr("the file was changed on disk since it was read"),
            self.tr("What is shown is the picture as it was."),
        )
        self._session.set_problem(Problem(error, "reload"))

    def report_missing_source(self, path: Path) -> None:
        """Show a message about a source file that was deleted or moved after it was read."""
        text = self.tr("{0} is not on disk any more. What is shown is the picture as it was read.")
        named = distinct_name(path, self._session.sources.requested)
        self._session.set_message(text.format(named))
        self._pairs.check_files()
