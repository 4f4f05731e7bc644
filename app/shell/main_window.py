"""The window: top bar, Fuse workspace, status bar, and the keys that drive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.commands.actions import Actions
from app.engine import EngineFactory
from app.fuse import error_report
from app.fuse.controller import Controller
from app.fuse.display_commands import DisplayCommands
from app.fuse.drop_sorting import Intake, ordered
from app.fuse.export import ExportPlan
from app.fuse.export_dialog import ExportDialog
from app.fuse.file_dialogs import open_dialog, pictures_folder, save_dialog
from app.fuse.file_watcher import SourceWatcher
from app.fuse.inspector import Inspector
from app.fuse.measurements import Measurements
from app.fuse.page import FusePage
from app.fuse.pairs import Pairs
from app.fuse.pairs_dock import PairsDock
from app.fuse.state import FuseState, Outcome, Problem, Side
from app.i18n.translate import translate
from app.packs.dialog import PacksDialog
from app.packs.service import PackWork
from app.preferences.settings import Settings
from app.shell.close_guard import CloseGuard
from app.shell.command_titles import CommandTitles
from app.shell.docks import Docks
from app.shell.page_factory import page_makers
from app.shell.status_bar import StatusBar
from app.shell.top_bar import TopBar
from app.shell.window_services import WindowServices
from app.shell.workspaces import PageMaker, Workspaces
from app.widgets.drop import dropped_paths
from app.widgets.file_manager import show_in_folder, told_apart
from core.errors import InputError

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


class MainWindow(QMainWindow):
    """Wires wishes to the controller and state to the widgets."""

    def __init__(
        self,
        factory: EngineFactory,
        samples: Path,
        task: str,
        method: str = "",
        *,
        parent: QWidget | None = None,
        settings: Settings | None = None,
        cpu: EngineFactory | None = None,
    ) -> None:
        """
        Args:
            factory: makes the engine, on the thread that computes.
            samples: folder of the sample pairs.
            task, method: what is chosen at first; "" is the task's default method.
            settings: what is remembered; None remembers nothing.
            cpu: makes an engine for the processor, offered when a device has too little memory.
        """
        super().__init__(parent)
        self.session = FuseState(task, method, self)
        self.engine_factory = factory
        self.controller = Controller(self.session, factory, samples, self, cpu)
        self.actions_ = Actions(self)
        self.view = FusePage(self.session, self.actions_)
        self.top_bar = TopBar(self.session, self.actions_)
        self.status = StatusBar(self.session, self.actions_)
        self.docks: dict[str, QDockWidget] = {}
        self._dialog: QFileDialog | None = None
        self._dialog_folder = ""
        self.export_dialog: ExportDialog | None = None
        self.packs_dialog: PacksDialog | None = None
        self.setWindowTitle("UniFusion Studio")
        self.setAcceptDrops(True)
        self.setMinimumSize(920, 560)
        self.work = Measurements(self.session, self)
        self.packs = PackWork(self)
        self.pairs = Pairs(self.session, self.controller, self)
        self.pairs_dock = PairsDock(self.pairs)
        self.watch = SourceWatcher(self.session, self)
        settings = settings or Settings(None)
        self.workspaces = Workspaces(self.view, self._page_makers(settings.folder))
        self.inspector = Inspector(self.session, self.view, self.work)
        self.display_commands = DisplayCommands(self.session, self.view, self.actions_)
        column = self._lay_out()
        self.side_docks = Docks(self, self.docks)
        self._connect()
        self._connect_welcome()
        self.naming = CommandTitles(
            self.actions_, self.session, self.view, self.workspaces.tabs, self
        )
        self.services = WindowServices(
            self,
            settings,
            session=self.session,
            controller=self.controller,
            actions=self.actions_,
            pairs=self.pairs,
            welcome=self.view.welcome,
            docks=self.side_docks,
            column=column,
            show_fuse_page=self._show_fuse_page,
        )
        self.closing = CloseGuard(self, self.workspaces, column)
        self._update_actions()
        # Else the first thing with a frame around it would be the row of workspaces.
        self.view.setFocus()

    def _page_makers(self, settings_folder: Path | None) -> Mapping[str, PageMaker]:
        return page_makers(
            session=self.session,
            controller=self.controller,
            view=self.view,
            engine_factory=self.engine_factory,
            settings_folder=settings_folder,
            show_fuse_page=self._show_fuse_page,
        )

    def _lay_out(self) -> QVBoxLayout:
        """Put the parts in their places; returns the layout of the centre."""
        self.actions_.fill_menus(self.menuBar())
        self.menuBar().setCornerWidget(self.workspaces.tabs)
        bar = self.bar = QToolBar(self.tr("Top bar"))
        bar.setObjectName("topToolBar")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.toggleViewAction().setVisible(False)
        bar.addWidget(self.top_bar)
        self.addToolBar(bar)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        # Cards about the window as a whole are put below this line of no height.
        above = QWidget()
        above.setFixedHeight(0)
        layout.addWidget(above)
        layout.addWidget(self.workspaces, 1)
        self.setCentralWidget(centre)
        self.setStatusBar(self.status)
        left = self._add_dock("pairsDock", self.tr("Pairs"), self.pairs_dock, _LEFT)
        right = self._add_dock("inspectorDock", self.tr("Inspector"), self.inspector, _RIGHT)
        self.resize(1280, 820)
        self.resizeDocks([left, right], [215, 250], Qt.Orientation.Horizontal)
        return layout

    def _add_dock(
        self, name: str, title: str, content: QWidget, area: Qt.DockWidgetArea
    ) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(content)
        dock.setMinimumWidth(170)
        self.addDockWidget(area, dock)
        toggle = dock.toggleViewAction()
        toggle.setObjectName(title)
        self.actions_.menus["view"].addAction(toggle)
        self.docks[name] = dock
        return dock

    def _connect(self) -> None:
        controller, session, actions = self.controller, self.session, self.actions_
        actions.open.triggered.connect(self.ask_open)
        actions.sample.triggered.connect(controller.open_sample)
        actions.open_folder.triggered.connect(self.pairs_dock.ask_folder)
        actions.close_pictures.triggered.connect(controller.close_pictures)
        actions.packs.triggered.connect(self.show_packs)
        actions.save.triggered.connect(self.ask_save)
        actions.quit.triggered.connect(self.close)
        actions.fuse.triggered.connect(lambda: controller.fuse())
        actions.cancel.triggered.connect(self._escape)
        actions.swap.triggered.connect(controller.swap)
        actions.export.triggered.connect(self.ask_export)
        actions.copy.triggered.connect(controller.copy_picture)
        actions.previous_pair.triggered.connect(lambda: self.pairs.step(-1))
        actions.next_pair.triggered.connect(lambda: self.pairs.step(1))
        actions.previous_patient.triggered.connect(lambda: self.pairs.step_folder(-1))
        actions.next_patient.triggered.connect(lambda: self.pairs.step_folder(1))
        for name, action in actions.workspaces.items():
            action.triggered.connect(lambda _=False, name=name: self.workspaces.show_page(name))
        actions.fit.triggered.connect(self.view.link.fit)
        actions.one_to_one.triggered.connect(self.view.one_to_one)
        actions.maximise.triggered.connect(self.view.maximise_current)
        for action in (actions.open, actions.open_folder, actions.sample, actions.restore):
            action.triggered.connect(self._show_fuse_page)
        self.display_commands.connect_actions()
        self.display_commands.announced.connect(self.status.show_text)
        self.top_bar.task_chosen.connect(controller.set_task)
        self.top_bar.method_chosen.connect(session.set_method)
        self.status.cancel_requested.connect(controller.cancel)
        self.view.remedy_requested.connect(self._remedy)
        self.view.copy_requested.connect(self._copy_details)
        self.view.file_requested.connect(self._show_file)
        self.view.problem_dismissed.connect(controller.dismiss_problem)
        self.view.side_dropped.connect(self._take_side)
        self.view.link.pointer_changed.connect(self._show_pixel)
        self.packs.changed.connect(controller.refresh_methods)
        controller.saved.connect(self.status.show_saved)
        controller.exported.connect(self.status.show_exported)
        controller.copied.connect(self._copied)
        self.pairs_dock.dropped.connect(self.take)
        self.pairs.plan_changed.connect(self._update_actions)
        self.watch.changed.connect(self._source_changed)
        self.watch.gone.connect(self._source_gone)
        self.workspaces.chosen.connect(self._show_workspace)
        self.workspaces.tabs_changed.connect(self._fit_tabs)
        for signal in (
            session.sources_changed,
            session.outcome_changed,
            session.running_changed,
            session.problem_changed,
        ):
            signal.connect(self._update_actions)

    def _connect_welcome(self) -> None:
        welcome = self.view.welcome
        welcome.open_requested.connect(self.ask_open)
        welcome.folder_requested.connect(self.pairs_dock.ask_folder)
        welcome.sample_requested.connect(self.controller.open_sample)
        welcome.task_chosen.connect(self.controller.set_task)
        welcome.files_dropped.connect(self.take)

    def _update_actions(self) -> None:
        session = self.session
        present = {
            "sources": not session.is_empty,
            "pair": session.sources.pair is not None,
            "outcome": session.outcome is not None,
            "running": session.running is not None,
            "pairs": len(self.pairs.matches) > 1,
            "panes": True,
        }
        if self.workspaces.current != "fuse":
            present = {}
        self.actions_.provide(name for name, there in present.items() if there)

    # --- files -----------------------------------------------------------------------------

    def take(self, paths: list[Path]) -> None:
        """Open what was dropped: one file, two, or a list of pairs from more files and folders."""
        intake = Intake.of(paths)
        if intake.folders or len(intake.files) > 2:
            self.pairs.add(paths)
        elif len(intake.files) == 2:
            self.controller.open_pair(*ordered(*intake.files, self.session.task))
        elif len(intake.files) == 1:
            self.controller.replace_side(self._missing_side(), intake.files[0])

    def _missing_side(self) -> Side:
        sources = self.session.sources
        first, second = sources.paths
        missing_b = second is None and first is not None and not sources.sample
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
        title = self.tr("Open A ({0}) and B ({1})").format(
            translate(task.label_a), translate(task.label_b)
        )
        self._ask_files(title, self._chosen)

    def _ask_files(self, title: str, then: Callable[[list[str]], None]) -> None:
        # A dialog without a folder would begin where the last one ended, be it one for export.
        shown = next((path for path in self.session.sources.paths if path is not None), None)
        own = str(shown.parent) if shown is not None and not self.session.sources.sample else ""
        folder = self._dialog_folder or own or pictures_folder()
        self._dialog = open_dialog(self, title, folder, self.controller.suffixes)
        self._dialog.filesSelected.connect(then)
        self._dialog.open()

    def _chosen(self, names: list[str]) -> None:
        paths = [Path(name) for name in names]
        self._dialog_folder = str(paths[0].parent) if paths else ""
        if len(paths) != 1:
            self.take(paths)
            return
        label = translate(self.session.task.label_b)
        title = self.tr("Open B ({0}) for {1}").format(label, paths[0].name)
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
        """Ask where to save the fused image."""
        outcome = self.session.outcome
        if outcome is None:
            return
        self._dialog = save_dialog(self, outcome, self.services.settings.export_folder)
        self._dialog.fileSelected.connect(lambda name: self._save(Path(name), outcome))
        self._dialog.open()

    def _save(self, path: Path, outcome: Outcome) -> None:
        self.services.settings.set_export_folder(str(path.parent))
        self.controller.save(path, outcome)

    def ask_export(self) -> None:
        """Ask what to export."""
        outcome = self.session.outcome
        if outcome is None:
            return
        self.export_dialog = ExportDialog(outcome, self.services.settings.export_folder, self)
        self.export_dialog.chosen.connect(lambda plan: self._export(plan, outcome))
        self.export_dialog.open()

    def _export(self, plan: ExportPlan, outcome: Outcome) -> None:
        self.services.settings.set_export_folder(str(plan.folder))
        self.controller.export(plan, outcome)

    def _copied(self, image: QImage) -> None:
        QGuiApplication.clipboard().setImage(image)
        self.status.show_text(self.tr("The fused picture was copied, with its notice."))

    # --- the disk --------------------------------------------------------------------------

    def _source_changed(self, path: Path) -> None:
        error = InputError(
            told_apart(path, self.session.sources.asked),
            self.tr("the file was changed on disk since it was read"),
            self.tr("What is shown is the picture as it was."),
        )
        self.session.set_problem(Problem(error, "reload"))

    def _source_gone(self, path: Path) -> None:
        text = self.tr("{0} is not on disk any more. What is shown is the picture as it was read.")
        named = told_apart(path, self.session.sources.asked)
        self.session.set_message(text.format(named))
        self.pairs.check_files()

    # --- workspaces ------------------------------------------------------------------------

    def _show_fuse_page(self) -> None:
        self.workspaces.show_page("fuse")

    def _fit_tabs(self) -> None:
        # The bar gives its corner room once and does not notice that more is needed.
        self.menuBar().setCornerWidget(self.workspaces.tabs)
        self.workspaces.tabs.show()

    def _show_workspace(self, name: str) -> None:
        fuse = name == "fuse"
        # First of all: what the docks' state is kept with says that the bar is there.
        self.side_docks.show(fuse)
        # The other pages have a task, a method and a device of their own.
        self.bar.setVisible(fuse)
        self.status.show_fusion(fuse)
        self._update_actions()

    # --- remedies --------------------------------------------------------------------------

    def _remedy(self, remedy: str) -> None:
        doing = {
            "resample": self.controller.resample_pending,
            "open": self.ask_open,
            "retry": self._retry,
            "tiles": self.controller.fuse_in_tiles,
            "cpu": self.controller.use_cpu,
            "save": self.ask_save,
            "reload": self.controller.reload,
            "damaged": self.controller.show_damaged,
            "switch_task": self.controller.switch_task,
            "keep_task": self.controller.keep_task,
            "export": self.ask_export,
        }
        doing[remedy]()

    def _retry(self) -> None:
        if self.session.engine is None:
            self.controller.dismiss_problem()
            self.controller.start()
        if self.session.sources.pair is not None:
            self.controller.fuse(preview=self.session.outcome is None)

    def _copy_details(self) -> None:
        self.view.copy_text(error_report.describe(self.session))

    def _show_file(self) -> None:
        problem = self.session.problem
        if problem is not None and problem.path is not None and not show_in_folder(problem.path):
            text = self.tr("No file manager could be opened. The file is {0}")
            self.session.set_message(text.format(problem.path))

    def show_packs(self) -> None:
        """Show what packs there are, and what can be done with them."""
        self.packs_dialog = PacksDialog(self.packs, self.session.task.name, self)
        self.packs_dialog.open()

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
        take = getattr(self.workspaces.currentWidget(), "take", None)
        if take is None:
            # What is opened is to be seen.
            self._show_fuse_page()
        (take or self.take)(dropped_paths(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Disappear at once, then wait for the threads to end."""
        self.hide()
        self.controller.shutdown()
        self.work.shutdown()
        self.packs.shutdown()
        self.pairs_dock.shutdown()
        self.workspaces.shutdown()
        super().closeEvent(event)
