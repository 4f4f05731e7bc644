"""The Fuse workspace: messages, compare bar, and linked panes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.commands.registry import CommandRegistry
from app.fuse.active_pane import ActivePane
from app.fuse.compare_bar import CompareBar
from app.fuse.feature_pane import FeaturePane
from app.fuse.layouts import arrange
from app.fuse.messages import Messages
from app.fuse.pane_contents import PaneContents
from app.fuse.pane_texts import (
    result_info,
)
from app.fuse.planes_board import PlanesBoard
from app.fuse.recon_pane import ReconPane
from app.fuse.results_board import ResultsBoard
from app.fuse.scenes import dragged_window, fitted, image_of, operands, window_of
from app.fuse.slice_bar import SliceBar
from app.fuse.state import FuseState
from app.fuse.welcome import Welcome
from app.viewer.display_state import Compare
from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink
from core.windows import Window

PANES = ("a", "b", "fused", "recon_a", "recon_b", "features")
_WINDOWED = ("a", "b", "fused", "recon_a", "recon_b")


class FusePage(QWidget):
    """Shows a session; requests of the person are emitted as signals."""

    remedy_requested = Signal(str)
    copy_requested = Signal()
    problem_dismissed = Signal()
    file_requested = Signal()
    side_dropped = Signal(str, object)
    """“a” or “b”, list[Path]"""

    def __init__(
        self, session: FuseState, keys: CommandRegistry, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            keys: the keys of commands that texts mention.
        """
        super().__init__(parent)
        self.session = session
        self._keys = keys
        self.link = ViewLink(self)
        self.messages = Messages(session, keys, self)
        self.card, self.notice, self.coach = (
            self.messages.card,
            self.messages.notice,
            self.messages.coach,
        )
        self.bar = CompareBar()
        self.slices = SliceBar()
        self.board = QWidget()
        self.planes = PlanesBoard(session)
        self.welcome = Welcome()
        self._started = False
        self._shown = False
        self.features = FeaturePane("features", self.link)
        self.panes: dict[str, Pane] = {name: self._make_pane(name) for name in PANES}
        self.active = ActivePane(self.panes, "a", self)
        self.results = ResultsBoard(session, self.link, self.active)
        self._contents = PaneContents(session, self.panes, keys, self)
        self._maximised = ""
        self._instead: QWidget | None = None
        """Shown in place of the panes."""
        self._window_from: Window | None = None
        self._lay_out()
        self._connect()
        self._connect_panes()
        keys.keys_changed.connect(self._show_keys)
        self._show_keys()
        self._show_task()
        self._show_sources()
        self._contents.show_outcome()
        self._show_display()
        self._show_empty()

    def _make_pane(self, name: str) -> Pane:
        if name == "features":
            return self.features
        if name.startswith("recon_"):
            return ReconPane(name, self.link)
        return Pane(name, self.link)

    def _lay_out(self) -> None:
        self._grid = QGridLayout(self.board)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        layout = self._boxes = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for bar in (*self.messages.bars, self.bar):
            layout.addWidget(bar)
        layout.addWidget(self.board, 1)
        layout.addWidget(self.planes, 1)
        layout.addWidget(self.results, 1)
        layout.addWidget(self.slices)
        layout.addWidget(self.welcome, 1)
        self._arrange()

    def add_row(self, row: QWidget) -> None:
        """Add a widget below all others."""
        self._boxes.addWidget(row)

    def _connect(self) -> None:
        session = self.session
        session.task_changed.connect(self._show_task)
        session.task_changed.connect(self._show_results)
        session.sources_changed.connect(self._show_sources)
        session.outcome_changed.connect(self._contents.show_outcome)
        session.results_changed.connect(self._show_results)
        session.features_changed.connect(lambda: self._contents.show_scene("features"))
        session.retention_changed.connect(self._contents.show_lost)
        session.stale_changed.connect(self._show_stale)
        session.running_changed.connect(self._contents.show_running)
        session.display_changed.connect(self._show_display)
        for signal in (
            session.sources_changed,
            session.results_changed,
            session.running_changed,
            session.engine_changed,
        ):
            signal.connect(self._show_empty)
        session.problem_changed.connect(self._show_empty)
        self.messages.notice.answered.connect(self.remedy_requested)
        self.features.view_chosen.connect(session.set_feature_view)
        self.card.action_requested.connect(self.remedy_requested)
        self.card.copy_requested.connect(self.copy_requested)
        self.card.file_requested.connect(self.file_requested)
        self.card.dismissed.connect(self.problem_dismissed)
        self.bar.result_chosen.connect(session.select_result)
        self.bar.result_closed.connect(session.remove_result)
        self.bar.compare_chosen.connect(lambda chosen: self._set_compare(chosen, False))
        self.bar.compare_settled.connect(lambda chosen: self._set_compare(chosen, True))
        self.bar.layout_chosen.connect(
            lambda layout: session.set_display(replace(session.display, layout=layout))
        )

    def _connect_panes(self) -> None:
        for name, pane in self.panes.items():
            pane.maximise_requested.connect(lambda name=name: self.maximise(name))
            pane.tag_clicked.connect(self._tag_clicked)
            if name in _WINDOWED:
                pane.canvas.window_dragged.connect(
                    lambda moved, done, name=name: self._drag_window(name, moved, done)
                )
            if isinstance(pane, ReconPane):
                pane.residual_chosen.connect(
                    lambda on: self.session.set_display(replace(self.session.display, residuals=on))
                )
            if name in ("a", "b"):
                pane.setAcceptDrops(True)
                pane.files_dropped.connect(
                    lambda paths, side=name: self.side_dropped.emit(side, paths)
                )
        self.panes["fused"].canvas.curtain_dragged.connect(self._drag_curtain)
        self.results.maximise_requested.connect(self.maximise)
        self.results.window_dragged.connect(self._drag_window)
        self.results.tag_clicked.connect(self._tag_clicked)

    def _tag_clicked(self, kind: str) -> None:
        """Volumes that are not registered can be; what is lost is outlined, or no longer."""
        view, display = self.session.sources.slice, self.session.display
        if kind == "lost":
            self.session.set_display(replace(display, lost=not display.lost))
        if kind == "registration" and view is not None and not view.volumes.is_registered:
            self.remedy_requested.emit("align")

    # --- layout and display ----------------------------------------------------------------

    def show_instead(self, board: QWidget | None) -> None:
        """Show another board in place of the panes; None for the panes again."""
        if board is self._instead:
            return
        if self._instead is not None:
            self._instead.hide()
        self._instead = board
        if board is not None and self._boxes.indexOf(board) < 0:
            self._boxes.insertWidget(self._boxes.indexOf(self.slices), board, 1)
        self.bar.show_mode_only(board is not None)
        self._show_empty()

    @property
    def maximised(self) -> str:
        """Name of the pane shown alone, or ""."""
        return self._maximised

    def maximise(self, name: str = "") -> None:
        """Show one pane alone; the same name again, or "", shows all panes."""
        self._maximised = "" if name == self._maximised else name
        self._arrange()
        self._show_empty()

    def maximise_current(self) -> None:
        """Maximise the active pane, or show all again."""
        self.maximise("" if self._maximised else self.active.name)

    def _arrange(self) -> None:
        self._arranged = self.session.display.layout
        arrange(self._grid, self.panes, self._arranged, self._maximised)
        self.active.ensure_visible()
        self.link.changed.emit()

    def one_to_one(self) -> None:
        """Show one image pixel per device pixel."""
        pane = self.panes[self._maximised or "fused"]
        pane.canvas.camera.one_to_one()

    def _drag_window(self, pane: str, moved: QPointF, done: bool) -> None:
        base = pane[-1] if pane.startswith("recon_") else pane
        shown = image_of(self.session, base)
        if shown is None:
            return
        if self._window_from is None:
            self._window_from = window_of(self.session, base)
            self.active.choose(pane)
        window = dragged_window(shown, self._window_from, moved.x(), moved.y())
        if done:
            self._window_from = None
        self.session.set_display(self.session.display.with_pane(base, window=window), settled=done)

    def set_window(self, pane: str, window: Window | None, *, settled: bool = True) -> None:
        """Set the window of a pane; None for the image's own."""
        shown = image_of(self.session, pane)
        if window is not None and shown is not None:
            window = fitted(shown, window)
        self.session.set_display(
            self.session.display.with_pane(pane, window=window), settled=settled
        )

    def _drag_curtain(self, position: float, done: bool) -> None:
        self.session.set_display(self.session.display.with_compare(position=position), settled=done)

    def _set_compare(self, compare: Compare, settled: bool) -> None:
        self.session.set_display(replace(self.session.display, compare=compare), settled=settled)

    # --- state to widgets -------------------------------------------------------------------

    def _show_empty(self) -> None:
        """Show the welcome page instead of the panes while nothing is open or being read."""
        session = self.session
        self._started |= bool(session.running or session.problem or session.engine)
        reading = session.running is not None and not session.running.fusing
        # If nothing was on screen, a pair that cannot be shown leads back to the welcome page.
        images = session.sources.a is not None or session.sources.b is not None
        self._shown = not session.is_empty and (self._shown or images)
        empty = self._started and not self._shown and not reading
        if empty and self.board.isAncestorOf(self.focusWidget() or self):
            self.welcome.open.setFocus()
        self.welcome.setVisible(empty)
        self.bar.setVisible(not empty)
        instead = self._instead is not None
        if self._instead is not None:
            self._instead.setVisible(not empty)
        planes = self.planes.is_wanted and not instead
        results = self.results.is_wanted and not self._maximised and not instead
        self.planes.setVisible(not empty and planes)
        self.results.setVisible(not empty and results)
        self.board.setVisible(not (empty or planes or results or instead))
        if not results:
            notice = self.tr("Research use only – AI-generated image")
            self.panes["fused"].canvas.reserve(notice)

    def _show_keys(self) -> None:
        """Update the texts that mention keys."""
        self._contents.show_keys()

    def _show_task(self) -> None:
        self.welcome.show_task(self.session.task.name)
        self._contents.show_task()

    def _show_display(self) -> None:
        display = self.session.display
        self._contents.show_display()
        self.features.show_view(display.features)
        self.bar.show_compare(display.compare)
        if self._arranged != display.layout:
            self._maximised = ""
            self._arrange()
            self._show_empty()
        self.bar.show_layout(display.layout)

    def _show_sources(self) -> None:
        sources = self.session.sources
        self._contents.show_sources()
        first = sources.a or sources.b
        # Keep the position while the next pair is being read: it may have the same size.
        if first is not None or not sources.is_loading:
            aspect = sources.slice.aspect if sources.slice is not None else 1.0
            self.link.set_size(first.image.size if first else (0, 0), aspect)
        self._show_results()

    def _show_results(self) -> None:
        session = self.session
        shown = []
        for result in session.results:
            title = result.method_title
            if session.is_outdated(result):
                title = self.tr("{0} (stale)").format(title)
            tip = result_info(result)
            shown.append((result.key, title, tip))
        self.bar.show_results(shown, session.outcome.key if session.outcome else "")
        self.bar.show_operands(operands(session))
        self._contents.show_compared()

    def _show_stale(self) -> None:
        self._contents.show_stale()
        self._show_results()

    def copy_text(self, text: str) -> None:
        """Put text on the clipboard."""
        QGuiApplication.clipboard().setText(text)
