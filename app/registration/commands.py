"""Connects aligning to one window: commands, board, panel, questions and dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.fuse.controller import Controller
from app.fuse.file_dialogs import pictures_folder
from app.fuse.page import FusePage
from app.fuse.pairs import Pairs
from app.fuse.state import FuseState
from app.registration.board import AlignBoard
from app.registration.check import AlignmentCheck
from app.registration.controller import AlignController
from app.registration.panel import AlignPanel
from app.registration.rig_commands import RigCommands
from app.viewer.display_state import CompareMode
from app.widgets.scrolled import scrolled_above

if TYPE_CHECKING:
    from app.commands.actions import Actions

_FILTERS = "ITK (*.tfm *.txt)", "JSON (*.json)"


class Aligning(QObject):
    """Shows board and panel while a pair is aligned, and carries out the commands."""

    announced = Signal(str)
    """A sentence for the status bar."""

    def __init__(
        self,
        window: QWidget,
        *,
        session: FuseState,
        controller: Controller,
        view: FusePage,
        pairs: Pairs,
        actions: Actions,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._view = view
        self._actions = actions
        self._compare_before: CompareMode | None = None
        self._folder = ""
        self.align = AlignController(session, controller, self)
        self.state = self.align.state
        self.check = AlignmentCheck(session, self)
        self.board = AlignBoard(session, self.state, view)
        self.board.hide()
        self.panel = AlignPanel(self.align)
        self.dock = scrolled_above(self.panel, self.panel.end)
        """The panel, for a dock."""
        self.dialog: QFileDialog | None = None
        self.rigs = RigCommands(window, session, self.align, pairs, self)
        self._connect()
        self._provide()

    def shutdown(self) -> None:
        """Cancel everything and wait for the threads."""
        self.check.shutdown()
        self.align.shutdown()

    def _connect(self) -> None:
        actions, align, state = self._actions, self.align, self.state
        actions.align.triggered.connect(self._toggle)
        actions.register_pair.triggered.connect(lambda: align.begin(register=True))
        actions.accept_alignment.triggered.connect(align.accept)
        actions.reset_alignment.triggered.connect(state.reset)
        actions.show_before.triggered.connect(state.show_before)
        actions.mark_points.triggered.connect(state.mark_points)
        actions.import_transform.triggered.connect(self.ask_import)
        actions.export_transform.triggered.connect(self.ask_export)
        actions.keep_rig.triggered.connect(self.rigs.ask_name)
        self.panel.more.setMenu(self._menu())
        state.active_changed.connect(self.check.set_aligning)
        state.active_changed.connect(self._show_active)
        state.active_changed.connect(self._provide)
        state.view_changed.connect(self._show_checks)
        align.work_changed.connect(self._provide)
        align.work_changed.connect(self._announce_work)
        align.written.connect(self._written)
        self._session.sources_changed.connect(self._provide)

    # --- state to window -------------------------------------------------------------------

    def _provide(self) -> None:
        present = {
            "files": self.align.can_align,
            "aligning": self.state.is_active,
            "pictures": self.state.is_active and self.state.view is None,
        }
        self._actions.provide((name for name, there in present.items() if there), by="align")
        self._show_checks()

    def _show_checks(self) -> None:
        for action, on in (
            (self._actions.align, self.state.is_active),
            (self._actions.show_before, self.state.shows_before),
            (self._actions.mark_points, self.state.marks_points),
        ):
            with QSignalBlocker(action):
                action.setChecked(on)

    def _show_active(self, active: bool) -> None:
        session = self._session
        mode = session.display.compare.mode
        if active and mode == "off":
            # Something has to be compared; afterwards all is as it was.
            self._compare_before = mode
            session.set_display(session.display.with_compare(mode="checker"), settled=False)
        elif not active and self._compare_before is not None:
            session.set_display(
                session.display.with_compare(mode=self._compare_before), settled=False
            )
            self._compare_before = None
        self._view.show_instead(self.board if active else None)
        if active:
            self.board.nudge.setFocus()

    def _announce_work(self) -> None:
        stage = self.align.stage
        if stage is not None and not self.state.is_active:
            self.announced.emit(stage[0])

    # --- requests --------------------------------------------------------------------------

    def _toggle(self) -> None:
        if self.state.is_active:
            self.align.leave()
        else:
            self.align.begin()
        self._show_checks()

    def begin(self) -> None:
        """Align the pair on screen by hand."""
        self.align.begin()

    def register(self) -> None:
        """Align the pair on screen by registering it at once."""
        self.align.begin(register=True)

    def _menu(self) -> QMenu:
        """Files and rigs, below the button of the panel."""
        actions, menu = self._actions, QMenu(self.panel)
        menu.addAction(actions.import_transform)
        menu.addAction(actions.export_transform)
        menu.addSeparator()
        menu.addAction(actions.keep_rig)
        self.rigs.add_to(menu)
        return menu

    # --- files -----------------------------------------------------------------------------

    def _file_dialog(self, title: str) -> QFileDialog:
        path = next((path for path in self._session.sources.paths if path is not None), None)
        own = str(path.parent) if path is not None and not self._session.sources.sample else ""
        dialog = QFileDialog(self._window, title, self._folder or own or pictures_folder())
        self.dialog = dialog
        return dialog

    def ask_import(self) -> None:
        """Ask for a transform file."""
        if not self.state.is_active:
            return
        dialog = self._file_dialog(self.tr("Import transform"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Transforms") + " (*.tfm *.txt *.json)"])
        dialog.fileSelected.connect(self._import)
        dialog.open()

    def _import(self, name: str) -> None:
        self._folder = str(Path(name).parent)
        self.align.import_transform(Path(name))

    def ask_export(self) -> None:
        """Ask where to write the transform."""
        if not self.state.is_active:
            return
        dialog = self._file_dialog(self.tr("Export transform"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        # ITK has no homographies.
        filters = _FILTERS[1:] if self.state.edit.transform.kind == "homography" else _FILTERS
        dialog.setNameFilters(filters)
        suffixes = dict(zip(_FILTERS, ("tfm", "json"), strict=True))
        dialog.setDefaultSuffix(suffixes[filters[0]])
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(suffixes[chosen]))
        dialog.selectFile(f"transform.{suffixes[filters[0]]}")
        dialog.fileSelected.connect(self._export)
        dialog.open()

    def _export(self, name: str) -> None:
        self._folder = str(Path(name).parent)
        self.align.export_transform(Path(name))

    def _written(self, path: Path) -> None:
        self.announced.emit(self.tr("Written: {0}").format(path))
