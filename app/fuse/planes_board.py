"""Three planes through one place, with A laid over B, and the projection of A."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.fuse import volume_tasks
from app.fuse.pane_texts import registration_tag
from app.fuse.results import LoadedSource, Sources
from app.fuse.slice_bar import plane_title
from app.fuse.slice_view import OpenVolumes, SliceView
from app.fuse.state import FuseState
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.pane import Pane
from app.viewer.slice_scene import SliceMarks, SliceScene
from app.viewer.view_link import ViewLink
from app.workers import Runner
from core.geometry.grids import grid_of
from core.geometry.planes import PLANES, PlaneName, axes_of

_PROJECTION: PlaneName = "coronal"
_PLACES: Mapping[str, tuple[int, int]] = {
    "axial": (0, 0),
    "coronal": (0, 1),
    "sagittal": (1, 0),
    "projection": (1, 1),
}


class PlanesBoard(QWidget):
    """Panes of the three planes, each with its own zoom; requests are emitted as signals."""

    point_chosen = Signal(object)
    """A :data:`app.fuse.slice_view.Point` to link the planes by."""
    pointed = Signal(object)
    """A :class:`SliceView` and the pixel of it under the pointer; None where there is none."""

    def __init__(self, session: FuseState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._runner = Runner("planes", self)
        self._shown: dict[PlaneName, Sources] = {}
        self._asked: dict[PlaneName, tuple[OpenVolumes, int]] = {}
        self._projection: tuple[OpenVolumes, LoadedSource | None] | None = None
        self.panes: dict[str, Pane] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for name, place in _PLACES.items():
            pane = self.panes[name] = Pane(name, ViewLink(self))
            pane.maximise_button.hide()
            grid.addWidget(pane, *place)
        for plane in PLANES:
            self.panes[plane].set_title(plane_title(plane))
            link = self.panes[plane].canvas.link
            link.wheel_steps = True
            link.stepped.connect(partial(self._step, plane))
            link.clicked.connect(partial(self._click, plane))
            link.pointer_changed.connect(partial(self._point, plane))
        self.panes["projection"].set_title(self.tr("Projection of A"))
        session.sources_changed.connect(self.refresh)
        session.display_changed.connect(self.refresh)
        self.hide()

    def shutdown(self) -> None:
        """Stop and wait for the thread."""
        self._runner.shutdown()

    @property
    def is_wanted(self) -> bool:
        """Whether the layout of planes is chosen, and volumes are on screen."""
        return self._session.display.layout == "planes" and self._session.sources.slice is not None

    def fit(self) -> None:
        """Show all of each plane."""
        for pane in self.panes.values():
            pane.canvas.link.fit()

    def refresh(self) -> None:
        """Show the planes through the place on show, where this layout is chosen."""
        view = self._session.sources.slice
        if view is None:
            # Let go of the volumes.
            self._shown.clear()
            self._asked.clear()
            self._projection = None
            for pane in self.panes.values():
                pane.set_scene(None)
        if view is None or not self.is_wanted:
            return
        for plane in PLANES:
            target = view.in_plane(plane)
            if self._asked.get(plane) != (view.volumes, target.index):
                self._asked[plane] = view.volumes, target.index
                work = partial(volume_tasks.slice_sources, target)
                job = self._runner.submit(work, key=plane)
                job.finished.connect(partial(self._rendered, plane))
            self._show_plane(plane)
        self._show_projection(view)

    def _rendered(self, plane: PlaneName, sources: Sources) -> None:
        view, made = self._session.sources.slice, sources.slice
        if view is not None and made is not None and made.volumes is view.volumes:
            self._shown[plane] = sources
            self._show_plane(plane)

    def _show_plane(self, plane: PlaneName) -> None:
        view, sources = self._session.sources.slice, self._shown.get(plane)
        if view is None or sources is None or sources.a is None or sources.b is None:
            return
        target = view.in_plane(plane)
        compare = self._session.display.compare
        scene = ImageScene(
            self._layer("b", sources.b),
            self._layer("a", sources.a),
            "overlay",
            # What shares no place is not laid over each other, not even to be looked at.
            opacity=compare.opacity if compare.overlaid and not view.volumes.are_apart else 0.0,
        )
        axes = target.axes
        pane = self.panes[plane]
        pane.canvas.link.set_size(sources.b.image.size, target.aspect)
        pane.set_scene(SliceScene(scene, SliceMarks(axes.letters, axes.spacing[2], target.pixel)))
        pane.set_info(f"{target.index + 1}/{target.count}")
        pane.set_tag("registration", *registration_tag(view))

    def _layer(self, side: str, loaded: LoadedSource) -> Layer:
        display = self._session.display.pane(side)
        window = display.window or loaded.image.window
        return Layer(loaded.rendered, window, display.palette, side.upper())

    def _show_projection(self, view: SliceView) -> None:
        if self._projection is None or self._projection[0] is not view.volumes:
            self._projection = view.volumes, None
            work = partial(volume_tasks.projected, view.volumes, _PROJECTION)
            job = self._runner.submit(work, key="projection")
            job.finished.connect(partial(self._projected, view.volumes))
        loaded = self._projection[1]
        pane = self.panes["projection"]
        if loaded is None:
            pane.set_scene(None)
            return
        axes = axes_of(grid_of(view.volumes.native_a), _PROJECTION)
        at = view.volumes.place_in_a(view.point)
        column, row, _index = (float(value) for value in axes.position_of(at))
        _between, tall, wide = axes.spacing
        pane.canvas.link.set_size(loaded.image.size, tall / wide)
        marks = SliceMarks(axes.letters, wide, (column, row))
        pane.set_scene(SliceScene(ImageScene(self._layer("a", loaded)), marks))
        pane.set_info(self.tr("greatest values, seen from the front"))

    def _projected(self, volumes: OpenVolumes, loaded: LoadedSource) -> None:
        if self._projection is not None and self._projection[0] is volumes:
            self._projection = volumes, loaded
            self.refresh()

    # --- requests --------------------------------------------------------------------------

    def _step(self, plane: PlaneName, by: int) -> None:
        view = self._session.sources.slice
        if view is not None:
            target = view.in_plane(plane)
            self.point_chosen.emit(target.at(target.index + by).point)

    def _click(self, plane: PlaneName, pixel: QPoint) -> None:
        view = self._session.sources.slice
        if view is not None:
            self.point_chosen.emit(view.in_plane(plane).point_at(pixel.x(), pixel.y()))

    def _point(self, plane: PlaneName, pixel: QPoint | None) -> None:
        view = self._session.sources.slice
        known = view is not None and pixel is not None
        self.pointed.emit((view.in_plane(plane), pixel) if known and view is not None else None)
