"""Draws the regions on every pane that shows the pair, and takes mouse and keys there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QObject

from app.fuse.page import FusePage
from app.fuse.state import FuseState
from app.regions.measurements import RegionMeasurements
from app.regions.outlines import drawing_of, voxel_lines
from app.regions.projection_tool import ProjectionTool
from app.regions.state import RegionsState
from app.regions.tool import RegionTool
from app.regions.view_plane import ViewPlane, view_plane
from app.viewer.drawings import Drawing
from app.viewer.view_link import ViewLink
from core.geometry.planes import PLANES, PlaneName


class RegionsOverlay(QObject):
    """Keeps the drawings of the links of the Fuse page."""

    def __init__(
        self,
        session: FuseState,
        state: RegionsState,
        measurements: RegionMeasurements,
        *,
        view: FusePage,
        title: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        """
        Args:
            title: of what the chosen tool draws.
        """
        super().__init__(parent)
        self._session = session
        self._state = state
        self._measurements = measurements
        self._view = view
        self._links: list[tuple[ViewLink, Callable[[], ViewPlane | None]]] = [
            (view.link, lambda: view_plane(session.sources))
        ]
        for plane in PLANES:
            link = view.planes.panes[plane].canvas.link
            self._links.append((link, partial(self._plane_of_board, plane)))
        for link, plane_on_show in self._links:
            link.tool = RegionTool(state, link, plane_on_show, title)
        view.planes.panes["projection"].canvas.link.tool = ProjectionTool(state)
        for signal in (
            state.edited,
            state.view_changed,
            measurements.changed,
            session.sources_changed,
            session.display_changed,
        ):
            signal.connect(self.refresh)

    def _plane_of_board(self, plane: PlaneName) -> ViewPlane | None:
        view = self._session.sources.slice
        if view is None or not self._view.planes.is_wanted:
            return None
        return ViewPlane.of_slice(view.in_plane(plane))

    def refresh(self) -> None:
        """Draw what is to be seen now."""
        for link, plane_on_show in self._links:
            plane = plane_on_show() if self._state.shows and self._state.regions else None
            link.set_drawings(() if plane is None else tuple(self._drawings(plane)))

    def _drawings(self, plane: ViewPlane) -> Iterator[Drawing]:
        state = self._state
        for region in state.regions:
            is_selected = state.is_active and region.name == state.selected
            drawing = drawing_of(region, plane, is_selected=is_selected, active=state.handle)
            if drawing is not None:
                yield drawing
            found = self._measurements.of(region)
            if found is not None and found.mask is not None and found.grid is not None:
                lines = voxel_lines(found.mask, found.grid, plane)
                if lines:
                    yield Drawing("", fine=lines, is_selected=is_selected)

    def is_seen(self, name: str) -> bool:
        """Whether a region reaches what is on screen."""
        return any(one.key == name for one in self._view.link.drawings)
