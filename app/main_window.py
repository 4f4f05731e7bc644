"""The window: top bar, Fuse workspace, status bar, and the keys that drive them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QVBoxLayout, QWidget

from app import details, jobs
from app.actions import Actions
from app.controller import Controller
from app.dialogs import open_dialog, save_dialog, shortcuts_dialog
from app.intake import Intake, ordered
from app.session import Session, Side
from app.views.fuse_view import FuseView
from app.widgets.drop import dropped_paths
from app.widgets.status import Status
from app.widgets.top_bar import TopBar


class MainWindow(QMainWindow):
    """Wires wishes to the controller and state to the widgets."""

    def __init__(
        self,
        factory: jobs.EngineFactory,
        samples: Path,
        task: str,
        method: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = Session(task, method, self)
        self.controller = Controller(self.session, factory, samples, self)
        self.view = FuseView(self.session)
        self.actions_ = Actions(self)
        self.top_bar = TopBar(self.session, self.actions_)
        self.status = Status(self.session)
        self._dialog: QFileDialog | None = None
        self._dialog_folder = ""
        self.setWindowTitle("UniFusion Studio")
        self.setAcceptDrops(True)
        self.setMinimumSize(920, 560)
        self._lay_out()
        self._connect()
        self._update_actions()

    def _lay_out(self) -> None:
        self.actions_.fill_menus(self.menuBar())
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar)
        layout.addWidget(self.view, 1)
        self.setCentralWidget(centre)
        self.setStatusBar(self.status)
        self.resize(1280, 820)

    def _connect(self) -> None:
        controller, session, actions = self.controller, self.session, self.actions_
        actions.open.triggered.connect(self.ask_open)
        actions.sample.triggered.connect(controller.open_sample)
        actions.save.triggered.connect(self.ask_save)
        actions.quit.triggered.connect(self.close)
        actions.fuse.triggered.connect(lambda: controller.fuse())
        actions.cancel.triggered.connect(self._escape)
        actions.swap.triggered.connect(controller.swap)
        actions.fit.triggered.connect(self.view.link.fit)
        actions.one_to_one.triggered.connect(self.view.one_to_one)
        actions.maximise.triggered.connect(self.view.maximise_current)
        actions.keys.triggered.connect(lambda: shortcuts_dialog(self, actions.all()).open())
        self.top_bar.task_chosen.connect(controller.set_task)
        self.top_bar.method_chosen.connect(session.set_method)
        self.status.cancel_requested.connect(controller.cancel)
        self.view.remedy_requested.connect(self._remedy)
        self.view.copy_requested.connect(self._copy_details)
        self.view.problem_dismissed.connect(controller.dismiss_problem)
        self.view.side_dropped.connect(self._take_side)
        self.view.link.pointer_changed.connect(self._show_pixel)
        controller.saved.connect(self.status.show_saved)
        for signal in (
            session.sources_changed,
            session.outcome_changed,
            session.running_changed,
            session.problem_changed,
        ):
            signal.connect(self._update_actions)

    def _update_actions(self) -> None:
        session, actions = self.session, self.actions_
        actions.fuse.setEnabled(session.sources.pair is not None)
        actions.save.setEnabled(session.outcome is not None)
        actions.swap.setEnabled(session.sources.a is not None or session.sources.b is not None)
        for action in (actions.fit, actions.one_to_one):
            action.setEnabled(session.sources.a is not None or session.sources.b is not None)

    # --- files -----------------------------------------------------------------------------

    def take(self, paths: list[Path]) -> None:
        """Open what was dropped on the window, or say in one line why not."""
        intake = Intake.of(paths)
        if intake.folders:
            self.session.set_message(
                self.tr(
                    "A folder was dropped. Pairs from folders come with the batch workspace; "
                    "for now drop two pictures."
                )
            )
        elif len(intake.files) == 2:
            self.controller.open_pair(*ordered(*intake.files, self.session.task))
        elif len(intake.files) == 1:
            self.controller.replace_side(self._missing_side(), intake.files[0])
        elif intake.files:
            self.session.set_message(
                self.tr("{0} files were dropped. Drop two pictures, A and B, or one.").format(
                    len(intake.files)
                )
            )

    def _missing_side(self) -> Side:
        sources = self.session.sources
        missing_b = sources.b is None and sources.a is not None and not sources.sample
        return "b" if missing_b else "a"

    def _take_side(self, side: Side, paths: list[Path]) -> None:
        intake = Intake.of(paths)
        if len(intake.files) == 1 and not intake.folders:
            self.controller.replace_side(side, intake.files[0])
        else:
            self.take(paths)

    def ask_open(self) -> None:
        """Ask for two files; after a single one, ask for the other."""
        task = self.session.task
        title = self.tr("Open A ({0}) and B ({1})").format(task.label_a, task.label_b)
        self._ask_files(title, self._chosen)

    def _ask_files(self, title: str, then: Callable[[list[str]], None]) -> None:
        self._dialog = open_dialog(self, title, self._dialog_folder, self.controller.suffixes)
        self._dialog.filesSelected.connect(then)
        self._dialog.open()

    def _chosen(self, names: list[str]) -> None:
        paths = [Path(name) for name in names]
        self._dialog_folder = str(paths[0].parent) if paths else ""
        if len(paths) != 1:
            self.take(paths)
            return
        title = self.tr("Open B ({0}) for {1}").format(self.session.task.label_b, paths[0].name)
        first = paths[0]
        self._ask_files(title, lambda more: self._chosen_second(first, more))
        if self._dialog is not None:
            self._dialog.rejected.connect(lambda: self.controller.replace_side("a", first))

    def _chosen_second(self, first: Path, names: list[str]) -> None:
        if len(names) == 1:
            self.controller.open_pair(first, Path(names[0]))
        else:
            self.take([Path(name) for name in names])

    def ask_save(self) -> None:
        """Ask where to save the fused picture."""
        outcome = self.session.outcome
        if outcome is None:
            return
        self._dialog = save_dialog(self, outcome, self._dialog_folder)
        self._dialog.fileSelected.connect(lambda name: self.controller.save(Path(name)))
        self._dialog.open()

    # --- remedies --------------------------------------------------------------------------

    def _remedy(self, remedy: str) -> None:
        doing = {
            "resample": self.controller.resample_pending,
            "open": self.ask_open,
            "retry": self._retry,
            "save": self.ask_save,
        }
        doing[remedy]()

    def _retry(self) -> None:
        if self.session.engine is None:
            self.controller.dismiss_problem()
            self.controller.start()
        if self.session.sources.pair is not None:
            self.controller.fuse(preview=self.session.outcome is None)

    def _copy_details(self) -> None:
        self.view.copy_text(details.describe(self.session))

    def _escape(self) -> None:
        if self.session.running is not None:
            self.controller.cancel()
        elif self.session.problem is not None:
            self.controller.dismiss_problem()
        elif self.view.maximised:
            self.view.maximise()

    # --- window ----------------------------------------------------------------------------

    def _show_pixel(self, pixel: QPoint | None) -> None:
        self.status.show_pixel(pixel)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept files anywhere on the window."""
        if dropped_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open dropped files."""
        event.acceptProposedAction()
        self.take(dropped_paths(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Disappear at once, then wait for the threads to end."""
        self.hide()
        self.controller.shutdown()
        super().closeEvent(event)
