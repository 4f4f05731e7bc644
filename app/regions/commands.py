"""Connects regions to one window: commands, panel, drawings, session and files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from app.fuse.controller import Controller
from app.fuse.page import FusePage
from app.fuse.state import FuseState
from app.i18n.translate import translate_error
from app.regions.editing import TOOLS, ToolName, middle_of
from app.regions.export import RegionsExport
from app.regions.measurements import RegionMeasurements
from app.regions.overlay import RegionsOverlay
from app.regions.panel import RegionsPanel
from app.regions.state import RegionsState
from app.regions.store import NOTHING, RegionStore, study_id, swapped
from app.regions.view_plane import view_plane
from app.widgets.scrolled import scrolled_above
from core.errors import FusionError
from core.regions import is_region

if TYPE_CHECKING:
    from app.commands.actions import Actions


class Measuring(QObject):
    """Shows the panel while regions are drawn, and carries out the commands."""

    announced = Signal(str)
    """A sentence for the status bar."""

    def __init__(
        self,
        window: QWidget,
        *,
        session: FuseState,
        controller: Controller,
        view: FusePage,
        actions: Actions,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._controller = controller
        self._view = view
        self._actions = actions
        self._study = self._shown = NOTHING
        """The pair on screen, and the last one that was."""
        self.store = RegionStore()
        self.state = RegionsState(self)
        self.measurements = RegionMeasurements(session, self.state, self)
        self.overlay = RegionsOverlay(
            session,
            self.state,
            self.measurements,
            view=view,
            title=self._title,
            parent=self,
        )
        self.panel = RegionsPanel(session, self.state, self.measurements, actions.region_tools)
        self.export = RegionsExport(window, session, self.measurements)
        self.panel.set_exports(actions.copy_figures, actions.export_figures, actions.export_regions)
        self.dock = scrolled_above(self.panel, self.panel.end)
        """The panel, for a dock."""
        self._connect()
        self._follow()
        self._provide()

    def shutdown(self) -> None:
        """Cancel everything and wait for the thread."""
        self.measurements.shutdown()

    def _connect(self) -> None:
        actions, state = self._actions, self.state
        actions.regions.triggered.connect(state.set_active)
        for name in TOOLS:
            actions.region_tools[name].triggered.connect(partial(self._choose_tool, name))
        actions.show_regions.triggered.connect(state.show)
        actions.delete_region.triggered.connect(lambda: state.remove(state.selected))
        actions.copy_figures.triggered.connect(self.export.copy_table)
        actions.export_figures.triggered.connect(self.export.ask_table)
        actions.export_regions.triggered.connect(self.export.ask_segments)
        self.export.announced.connect(self.announced)
        state.settled.connect(self._keep)
        state.view_changed.connect(self._provide)
        state.edited.connect(self._provide)
        state.refused.connect(self._say)
        self.measurements.failed.connect(self._say)
        self.panel.region_chosen.connect(self._look_at)
        self._session.sources_changed.connect(self._follow)
        self._session.sources_changed.connect(self._provide)

    # --- the pair on screen ----------------------------------------------------------------

    def _follow(self) -> None:
        """Take the regions of another pair, once it is on screen; a swapped one keeps its own."""
        study = study_id(self._session.sources)
        is_same = study == self._study
        self._study = study
        if is_same:  # it may be possible to swap it now, or no more
            self._shown = self._shown if study == NOTHING else study
            return
        if study == NOTHING:
            self.state.load(())
            return
        plane = view_plane(self._session.sources)
        frame = "" if plane is None else plane.frame_of_reference
        if study.is_swap_of(self._shown):
            self.store.keep(study, swapped(self.store.find(self._shown, frame)))
        self._shown = study
        self.state.load(self.store.find(study, frame))

    def _keep(self) -> None:
        self.store.keep(self._study, self.state.regions)

    def _provide(self) -> None:
        state = self.state
        present = {
            "some-regions": bool(state.regions),
            "region": state.is_active and state.chosen is not None,
            "segments": bool(self.export.dicom_sides and any(map(is_region, state.regions))),
        }
        self._actions.provide((name for name, there in present.items() if there), by="regions")
        for action, on in (
            (self._actions.regions, state.is_active),
            (self._actions.show_regions, state.shows),
        ):
            with QSignalBlocker(action):
                action.setChecked(on)

    # --- requests --------------------------------------------------------------------------

    def _choose_tool(self, name: ToolName, _checked: bool = False) -> None:
        self.state.set_active(True)
        self.state.choose_tool(name)
        view = self._view
        pane = view.planes.panes["axial"] if view.planes.is_wanted else view.panes[view.active.name]
        if pane.canvas.isVisible():
            pane.canvas.setFocus()

    def _title(self) -> str:
        """What the chosen tool draws, as new regions are called."""
        names = {
            "ellipse": self.tr("Ellipse"),
            "rectangle": self.tr("Rectangle"),
            "freehand": self.tr("Outline"),
            "sphere": self.tr("Sphere"),
            "threshold": self.tr("Volume"),
            "distance": self.tr("Distance"),
            "angle": self.tr("Angle"),
        }
        return names.get(self.state.tool, self.tr("Region"))

    def _look_at(self, name: str) -> None:
        """Show the slice that a region of the list lies in, where it is not seen."""
        region = self.state.find(name)
        if region is None or self._session.sources.slice is None or self.overlay.is_seen(name):
            return
        self._controller.volumes.look_at(middle_of(region))

    def escape(self) -> bool:
        """Take back the tool, then the selection, then the panel; whether there was any."""
        state = self.state
        if not state.is_active:
            return False
        if state.tool != "select":
            state.choose_tool("select")
        elif state.selected:
            state.select("")
        else:
            state.set_active(False)
        return True

    def _say(self, error: FusionError) -> None:
        what, why, remedy = translate_error(error)
        self.announced.emit(f"{what}: {why}. {remedy}".rstrip())
