"""The main window: menus, top bar, workspaces, docks and status bar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.archive.commands import Archiving
from app.commands.actions import Actions
from app.compute.remote import cancel_all
from app.engine import EngineFactory
from app.fuse.controller import Controller
from app.fuse.display_commands import DisplayCommands
from app.fuse.file_watcher import SourceWatcher
from app.fuse.inspector import Inspector
from app.fuse.measurements import Measurements
from app.fuse.page import FusePage
from app.fuse.pairs import Pairs
from app.fuse.pairs_dock import PairsDock
from app.fuse.slice_navigation import SliceNavigation
from app.fuse.state import FuseState
from app.fuse.volume_export_bar import VolumeExportBar
from app.packs.dialog import PacksDialog
from app.packs.service import PackService
from app.preferences.settings import Settings
from app.regions.commands import Measuring
from app.registration.commands import Aligning
from app.shell.close_guard import CloseGuard
from app.shell.command_titles import CommandTitles
from app.shell.docks import Docks
from app.shell.file_commands import FileCommands
from app.shell.page_commands import PageCommands
from app.shell.page_factory import page_makers
from app.shell.remedies import Remedies
from app.shell.side_panel import SidePanel
from app.shell.status_bar import StatusBar
from app.shell.top_bar import TopBar
from app.shell.window_services import WindowServices
from app.shell.workspaces import PageMaker, Workspaces
from app.widgets.drop import dropped_paths

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


class MainWindow(QMainWindow):
    """Connects commands to the controller, and the session to the widgets."""

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
            factory: creates the engine; called on the computing thread.
            samples: folder of the sample pairs.
            task, method: the initial choice; "" is the task's default method.
            settings: stored settings; None stores nothing.
            cpu: creates an engine on the CPU, offered when a device has too little memory.
        """
        super().__init__(parent)
        self.session = FuseState(task, method, self)
        self.engine_factory = factory
        self.samples = samples
        self.controller = Controller(self.session, factory, samples, self, cpu)
        self.actions_ = Actions(self)
        # Before anything is connected to them: what is connected later is what they do.
        self.actions_.fill_menus(self.menuBar())
        self.view = FusePage(self.session, self.actions_)
        self.view.add_row(VolumeExportBar(self.controller.volume_export))
        self.top_bar = TopBar(self.session, self.actions_)
        self.status = StatusBar(self.session, self.actions_)
        self.docks: dict[str, QDockWidget] = {}
        self.packs_dialog: PacksDialog | None = None
        self.setWindowTitle("UniFusion Studio")
        self.setAcceptDrops(True)
        self.setMinimumSize(920, 560)
        self.work = Measurements(self.session, self)
        self.packs = PackService(self)
        self.pairs = Pairs(self.session, self.controller, self)
        self.pairs_dock = PairsDock(self.pairs)
        self.watch = SourceWatcher(self.session, self)
        settings = settings or Settings(None)
        self.files = FileCommands(
            self,
            session=self.session,
            controller=self.controller,
            pairs=self.pairs,
            settings=settings,
        )
        self.aligning = Aligning(
            self,
            session=self.session,
            controller=self.controller,
            view=self.view,
            pairs=self.pairs,
            actions=self.actions_,
        )
        self.measuring = Measuring(
            self,
            session=self.session,
            controller=self.controller,
            view=self.view,
            actions=self.actions_,
        )
        measuring = self.measuring
        self.files.regions = lambda: measuring.state.regions
        self.remedies = Remedies(
            self.view,
            session=self.session,
            controller=self.controller,
            pairs=self.pairs,
            files=self.files,
            aligning=self.aligning,
        )
        self.workspaces = Workspaces(self.view, self._page_makers(settings.folder))
        exporter = self.controller.volume_export
        self.workspaces.watch(lambda: exporter.busy, exporter.busy_changed)
        self.inspector = Inspector(self.session, self.view, self.work)
        self.display_commands = DisplayCommands(self.session, self.view, self.actions_)
        column = self._lay_out()
        self.side_docks = Docks(self, self.docks)
        self.slices = SliceNavigation(
            self.session,
            self.controller.volumes,
            bar=self.view.slices,
            board=self.view.planes,
            link=self.view.link,
            actions=self.actions_,
            keys=self.controller.key_images,
            parent=self,
        )
        self.page_commands = PageCommands(self.actions_, self.workspaces, self)
        self._connect()
        self._connect_welcome()
        self.command_titles = CommandTitles(
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
            regions=self.measuring,
            show_fuse_page=self._show_fuse_page,
        )
        self.archiving = Archiving(
            self,
            search=self.actions_.archive,
            send=self.actions_.send_archive,
            take=self._take_study,
            ask=self.services.notices.ask,
        )
        self.controller.volume_export.exported.connect(self.archiving.offer)
        self.side.connect_panels(self.docks["inspectorDock"], self.services.undo_in)
        self.close_guard = CloseGuard(self, self.workspaces, column)
        self._update_actions()
        # Else the tabs of the workspaces would have the initial focus.
        self.view.setFocus()

    def _page_makers(self, settings_folder: Path | None) -> Mapping[str, PageMaker]:
        return page_makers(
            session=self.session,
            controller=self.controller,
            view=self.view,
            engine_factory=self.engine_factory,
            samples=self.samples,
            settings_folder=settings_folder,
            show_fuse_page=self._show_fuse_page,
        )

    def _lay_out(self) -> QVBoxLayout:
        """Arrange the parts; returns the layout of the central widget."""
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
        # Cards about the whole window are inserted below this item, which has no height.
        above = QWidget()
        above.setFixedHeight(0)
        layout.addWidget(above)
        layout.addWidget(self.workspaces, 1)
        self.setCentralWidget(centre)
        self.setStatusBar(self.status)
        left = self._add_dock("pairsDock", self.tr("Pairs"), self.pairs_dock, _LEFT)
        self.side = SidePanel(self.inspector, self.aligning, self.measuring)
        right = self._add_dock("inspectorDock", self.tr("Inspector"), self.side, _RIGHT)
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
        actions.open.triggered.connect(self.files.ask_open)
        actions.sample.triggered.connect(controller.open_sample)
        actions.open_folder.triggered.connect(self.pairs_dock.ask_folder)
        actions.close_pictures.triggered.connect(controller.close_pictures)
        actions.packs.triggered.connect(self.show_packs)
        actions.save.triggered.connect(self.files.ask_save)
        actions.quit.triggered.connect(self.close)
        actions.fuse.triggered.connect(lambda: controller.fuse())
        actions.cancel.triggered.connect(self._escape)
        actions.swap.triggered.connect(controller.swap)
        actions.export.triggered.connect(self.files.ask_export)
        actions.report.triggered.connect(self.files.ask_report)
        actions.copy.triggered.connect(controller.copy_picture)
        actions.previous_pair.triggered.connect(lambda: self.pairs.step(-1))
        actions.next_pair.triggered.connect(lambda: self.pairs.step(1))
        actions.previous_patient.triggered.connect(lambda: self.pairs.step_folder(-1))
        actions.next_patient.triggered.connect(lambda: self.pairs.step_folder(1))
        for name, action in actions.workspaces.items():
            action.triggered.connect(lambda _=False, name=name: self.workspaces.show_page(name))
        actions.fit.triggered.connect(self.view.link.fit)
        actions.fit.triggered.connect(self.view.planes.fit)
        actions.one_to_one.triggered.connect(self.view.one_to_one)
        actions.maximise.triggered.connect(self.view.maximise_current)
        for action in (actions.open, actions.open_folder, actions.sample, actions.restore):
            action.triggered.connect(self._show_fuse_page)
        self.display_commands.connect_actions()
        self.display_commands.announced.connect(self.status.show_text)
        self.aligning.announced.connect(self.status.show_text)
        self.measuring.announced.connect(self.status.show_text)
        actions.check_alignment.toggled.connect(self.aligning.check.set_enabled)
        self.top_bar.task_chosen.connect(controller.set_task)
        self.top_bar.method_chosen.connect(session.set_method)
        self.status.cancel_requested.connect(controller.cancel)
        self.status.cancel_requested.connect(self.pairs.cancel)
        self.view.side_dropped.connect(self.files.take_side)
        self.view.link.pointer_changed.connect(self._show_pixel)
        self.view.planes.pointed.connect(self.status.show_place)
        self.packs.changed.connect(controller.refresh_methods)
        controller.saved.connect(self.status.show_saved)
        controller.exported.connect(self.status.show_exported)
        controller.copied.connect(self._copied)
        self.pairs_dock.dropped.connect(self.files.take)
        self.pairs.plan_changed.connect(self._update_actions)
        self.watch.changed.connect(self.remedies.report_changed_source)
        self.watch.deleted.connect(self.remedies.report_missing_source)
        self.workspaces.chosen.connect(self._show_workspace)
        self.workspaces.tabs_changed.connect(self._fit_tabs)
        for signal in (
            session.sources_changed,
            session.outcome_changed,
            session.results_changed,
            session.running_changed,
            session.problem_changed,
        ):
            signal.connect(self._update_actions)

    def _connect_welcome(self) -> None:
        welcome = self.view.welcome
        welcome.open_requested.connect(self.files.ask_open)
        welcome.folder_requested.connect(self.pairs_dock.ask_folder)
        welcome.sample_requested.connect(self.controller.open_sample)
        welcome.task_chosen.connect(self.controller.set_task)
        welcome.files_dropped.connect(self.files.take)

    def _update_actions(self) -> None:
        session = self.session
        present = {
            "sources": not session.is_empty,
            "pair": session.sources.pair is not None,
            "outcome": session.outcome is not None,
            "export": session.outcome is not None or session.sources.slice is not None,
            "results": bool(session.results),
            "running": session.running is not None,
            "pairs": len(self.pairs.matches) > 1,
            "volume": session.sources.slice is not None,
            "panes": True,
        }
        if self.workspaces.current != "fuse":
            present = {}
        self.actions_.provide(name for name, there in present.items() if there)

    # --- workspaces ------------------------------------------------------------------------

    def _show_fuse_page(self) -> None:
        self.workspaces.show_page("fuse")

    def _fit_tabs(self) -> None:
        # The menu bar lays out its corner widget only when it is set.
        self.menuBar().setCornerWidget(self.workspaces.tabs)
        self.workspaces.tabs.show()

    def _show_workspace(self, name: str) -> None:
        fuse = name == "fuse"
        # First: the stored state of the docks includes the visible tool bar.
        self.side_docks.show(fuse)
        # The other pages have their own task, method and device.
        self.bar.setVisible(fuse)
        self.status.show_fusion(fuse)
        self._update_actions()

    # --- commands --------------------------------------------------------------------------

    def _copied(self, image: QImage) -> None:
        QGuiApplication.clipboard().setImage(image)
        self.status.show_text(self.tr("The fused picture was copied, with its notice."))

    def show_packs(self) -> None:
        """Open the dialog of the model packs."""
        self.packs_dialog = PacksDialog(self.packs, self.session.task.name, self)
        self.packs_dialog.open()

    def _take_study(self, paths: list[Path]) -> None:
        self._show_fuse_page()
        self.files.take(paths)

    def _escape(self) -> None:
        if self.session.running is not None:
            self.controller.cancel()
            self.pairs.cancel()
        elif self.aligning.align.stage is not None:
            self.aligning.align.cancel()
        elif self.aligning.state.is_active:
            self.aligning.align.leave()
        elif self.workspaces.current == "fuse" and self.measuring.escape():
            pass
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
            # Show the page on which the files are opened.
            self._show_fuse_page()
        (take or self.files.take)(dropped_paths(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide at once, then wait for the threads to end."""
        self.hide()
        cancel_all()
        self.controller.shutdown()
        self.view.planes.shutdown()
        self.aligning.shutdown()
        self.measuring.shutdown()
        self.work.shutdown()
        self.packs.shutdown()
        self.archiving.shutdown()
        self.pairs_dock.shutdown()
        self.workspaces.shutdown()
        super().closeEvent(event)
