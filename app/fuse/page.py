"""The Fuse workspace: messages, compare bar, and linked panes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.commands.registry import CommandRegistry
from app.fuse.active_pane import ActivePane
from app.fuse.compare_bar import CompareBar
from app.fuse.export import notice_of
from app.fuse.feature_pane import FeaturePane
from app.fuse.layouts import arrange
from app.fuse.messages import Messages
from app.fuse.pane_texts import (
    SOURCES,
    no_data_tag,
    registration_tag,
    result_info,
    result_placeholder,
    slice_info,
    source_info,
    source_placeholder,
    source_title,
    waiting_text,
)
from app.fuse.planes_board import PlanesBoard
from app.fuse.recon_pane import ReconPane
from app.fuse.results_board import ResultsBoard
from app.fuse.retention import alarm_text
from app.fuse.scenes import dragged_window, fitted, image_of, operands, scene_of, window_of
from app.fuse.slice_bar import SliceBar
from app.fuse.state import FuseState
from app.fuse.welcome import Welcome
from app.i18n.numbers import filled
from app.viewer.display_state import Compare
from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink
from core.windows import Window

PANES = ("a", "b", "fused", "recon_a", "recon_b", "features")
_FROM_RESULT = ("fused", "recon_a", "recon_b", "features")
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
        self._show_outcome()
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
        session.outcome_changed.connect(self._show_outcome)
        session.results_changed.connect(self._show_results)
        session.features_changed.connect(lambda: self._show_scene("features"))
        session.retention_changed.connect(self._show_lost)
        session.stale_changed.connect(self._show_stale)
        session.running_changed.connect(self._show_running)
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
        key = self._keys.key_of("view.maximise")
        for pane in self.panes.values():
            pane.show_key(key)
        self._show_source_placeholders()
        self._show_stale_tag()

    def _show_task(self) -> None:
        task = self.session.task
        self.welcome.show_task(task.name)
        self._show_source_titles()
        self.panes["fused"].set_title(self.tr("Fused"))
        self.panes["recon_a"].set_title(self.tr("Reconstruction A"))
        self.panes["recon_b"].set_title(self.tr("Reconstruction B"))
        self.panes["features"].set_title(self.tr("Features"))
        self._show_source_placeholders()
        for name in ("a", "b"):
            self.panes[name].title.setToolTip(self.tr("Source {0}").format(name.upper()))

    def _show_source_titles(self) -> None:
        for name in SOURCES:
            self.panes[name].set_title(source_title(self.session, name))

    def _show_source_placeholders(self) -> None:
        key = self._keys.key_of("file.open")
        for name in SOURCES:
            self.panes[name].canvas.set_placeholder(source_placeholder(self.session, name, key))

    def _show_result_placeholders(self) -> None:
        for name in _FROM_RESULT:
            self.panes[name].canvas.set_placeholder(result_placeholder(self.session, name))

    def _show_scene(self, name: str) -> None:
        self.panes[name].set_scene(scene_of(self.session, name))

    def _show_display(self) -> None:
        display = self.session.display
        for name, pane in self.panes.items():
            self._show_scene(name)
            pane.canvas.set_aids(display.crosshair, display.magnifier)
        self.features.show_view(display.features)
        self.bar.show_compare(display.compare)
        if self._arranged != display.layout:
            self._maximised = ""
            self._arrange()
            self._show_empty()
        self.bar.show_layout(display.layout)
        for name in ("recon_a", "recon_b"):
            pane = self.panes[name]
            if isinstance(pane, ReconPane):
                pane.show_residual(display.residuals)
        self._show_compare_tag()

    def _show_compare_tag(self) -> None:
        compare = self.session.display.compare
        scene = scene_of(self.session, "fused")
        wanted = compare.mode != "off" and compare.overlaid
        missing = wanted and scene is not None and not scene.is_compared
        self.panes["fused"].set_tag(
            "missing",
            self.tr("Nothing to compare") if missing else "",
            self.tr("One of the two pictures chosen is not there for this pair."),
        )

    def _show_sources(self) -> None:
        sources = self.session.sources
        self._show_source_titles()
        for side, (name, loaded) in enumerate(zip("ab", (sources.a, sources.b), strict=True)):
            self._show_scene(name)
            named = sources.requested_name(side) or (loaded.image.name if loaded else "")
            described = named
            if sources.slice is not None:
                described, named = slice_info(sources.slice, side)
            elif loaded:
                described = source_info(loaded)
            self.panes[name].set_info(described, named, Path(named).stem)
        self._show_registration()
        self._show_source_placeholders()
        self._show_result_placeholders()
        first = sources.a or sources.b
        # Keep the position while the next pair is being read: it may have the same size.
        if first is not None or not sources.is_loading:
            aspect = sources.slice.aspect if sources.slice is not None else 1.0
            self.link.set_size(first.image.size if first else (0, 0), aspect)
        self._show_results()

    def _show_registration(self) -> None:
        """Say whether volumes may not lie on each other, and which has no data in the slice."""
        text, tip = registration_tag(self.session.sources.slice)
        view = self.session.sources.slice
        is_moved = view is not None and view.volumes.are_apart
        for name in ("a", "b", "fused"):
            said = (text, tip) if name != "a" or is_moved else ("", "")
            self.panes[name].set_tag("registration", *said)
        for side in ("a", "b"):
            self.panes[side].set_tag("data", *no_data_tag(self.session.sources.slice, side))

    def _show_outcome(self) -> None:
        outcome = self.session.outcome
        for name in _FROM_RESULT:
            self._show_scene(name)
        self._show_result_placeholders()
        fused = self.panes["fused"]
        title = outcome.method_title if outcome else ""
        fused.set_info(result_info(outcome) if outcome else "", title)
        preview = outcome is not None and outcome.is_preview
        fused.set_tag(
            "preview",
            self.tr("Classical preview") if preview else "",
            self.tr("A classical method, shown until the model has finished."),
        )
        fused.canvas.set_badge(notice_of(outcome) if outcome else "")
        for name, closeness in zip(
            ("recon_a", "recon_b"), outcome.recon_psnr if outcome else (None, None), strict=True
        ):
            known = closeness is not None
            text = filled(self.tr("PSNR {0:.1f} dB"), closeness) if known else ""
            self.panes[name].set_info(text)
        features = outcome.result.features_a if outcome else None
        self.features.set_channels(len(features) if features is not None else 0)
        self._show_stale_tag()
        self._show_running()

    def _show_lost(self) -> None:
        """Outline what the result loses, if wanted, and say it where it is much."""
        self._show_scene("fused")
        tip = self.tr("Spots of the sources that it hardly shows; click to outline them.")
        self.panes["fused"].set_tag("lost", alarm_text(self.session.retention), tip)

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
        self._show_scene("fused")
        self._show_compare_tag()

    def _show_stale(self) -> None:
        self._show_stale_tag()
        self._show_results()

    def _show_stale_tag(self) -> None:
        key = self._keys.key_of("fuse.run")
        tip = self.tr("Sources, windows, task or method changed since. Press Fuse to renew.")
        if key:
            tip = self.tr("Sources, windows, task or method changed since. {0} fuses anew.")
        stale = self.tr("Stale") if self.session.is_stale else ""
        self.panes["fused"].set_tag("stale", stale, tip.format(key))

    def _show_running(self) -> None:
        running = self.session.running
        fusing = running is not None and running.fusing
        loading = running is not None and not running.fusing
        outcome = self.session.outcome
        preview = outcome is not None and outcome.is_preview
        for name, pane in self.panes.items():
            from_result = name in _FROM_RESULT
            pane.canvas.set_dimmed(loading or (from_result and fusing and not preview))
            waiting = loading or (from_result and fusing)
            pane.canvas.set_waiting(waiting, waiting_text(self.session, name))

    def copy_text(self, text: str) -> None:
        """Put text on the clipboard."""
        QGuiApplication.clipboard().setText(text)
