"""The panes of aligning: one picture on the other, and each by itself to mark points in."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from app.fuse.pane_texts import slice_info, source_info, title_of
from app.fuse.scenes import name_of
from app.fuse.state import FuseState
from app.registration.canvases import LandmarkCanvas, NudgeCanvas
from app.registration.state import AlignState
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.pane import Pane
from app.viewer.slice_scene import SliceMarks, SliceScene
from app.viewer.view_link import ViewLink
from app.viewer.warping import Warp
from core.types import SourceSide, Transform


class AlignBoard(QWidget):
    """Shows an :class:`AlignState` in the session's compare mode; moves and marks are put there."""

    def __init__(
        self, session: FuseState, state: AlignState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._state = state
        self._since = Transform.identity()
        on_fixed, on_moving = ViewLink(self), ViewLink(self)
        self.nudge = NudgeCanvas(on_fixed)
        self.marks: dict[str, LandmarkCanvas] = {
            "fixed": LandmarkCanvas(on_fixed),
            "moving": LandmarkCanvas(on_moving),
        }
        self.panes = {
            "both": Pane("both", on_fixed, canvas=self.nudge),
            **{n: Pane(n, canvas.link, canvas=canvas) for n, canvas in self.marks.items()},
        }
        for pane in self.panes.values():
            pane.maximise_button.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        grid.addWidget(self.panes["both"], 0, 0, 2, 1)
        grid.addWidget(self.panes["fixed"], 0, 1)
        grid.addWidget(self.panes["moving"], 1, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 1)
        self._connect()

    def _connect(self) -> None:
        state, session = self._state, self._session
        state.edited.connect(self._show)
        state.view_changed.connect(self._show)
        session.display_changed.connect(self._show)
        session.task_changed.connect(self._show)
        self.nudge.began.connect(self._begin)
        self.nudge.moved.connect(
            lambda nudge, done: state.nudge(nudge, since=self._since, settled=done)
        )
        self.nudge.stepped.connect(lambda nudge: state.nudge(nudge))
        self.nudge.curtain_dragged.connect(
            lambda position, done: session.set_display(
                session.display.with_compare(position=position), settled=done
            )
        )
        for role, canvas in self.marks.items():
            canvas.marked.connect(lambda x, y, role=role: state.mark(self._side(role), (x, y)))

    def _side(self, role: str) -> SourceSide:
        return self._state.edit.fixed if role == "fixed" else self._state.edit.moving

    def _begin(self) -> None:
        self._state.show_before(False)
        self._state.history.end_gesture()
        self._since = self._state.edit.transform

    # --- state to screen -------------------------------------------------------------------

    def _show(self) -> None:
        state = self._state
        if not state.is_active:
            return
        moving, fixed = state.sizes
        aspect = 1.0 if state.view is None else state.view.aspect
        links = {"both": fixed, "fixed": fixed, "moving": moving}
        for name, size in links.items():
            self.panes[name].canvas.link.set_size(size, aspect)
        self._show_titles()
        for role, canvas in self.marks.items():
            canvas.set_scene(self._scene(ImageScene(self._layer(self._side(role)))))
            self._show_marks(role, canvas)
        self.nudge.set_scene(self._scene(self._both()))
        self.nudge.centre = state.centre()
        self.nudge.can_scale = state.view is None
        self.nudge.step = (1.0, 1.0)
        if state.view is not None:
            _between, row, column = state.view.axes.spacing
            self.nudge.step = (1 / column, 1 / row)

    def _scene(self, scene: ImageScene) -> ImageScene | SliceScene:
        view = self._state.view
        if view is None:
            return scene
        return SliceScene(scene, SliceMarks(view.axes.letters, view.axes.spacing[2]))

    def _show_titles(self) -> None:
        task, state = self._session.task, self._state
        text = self.tr("{0} on {1}")
        edit = state.edit
        self.panes["both"].set_title(text.format(edit.moving.upper(), edit.fixed.upper()))
        self.panes["both"].set_tag("preview", self.tr("Before") if state.shows_before else "")
        for role in self.marks:
            side = self._side(role)
            label = title_of(state.view, task, "ab".index(side))
            self.panes[role].set_title(f"{side.upper()} – {label}")
            assert state.sources is not None
            if state.view is not None:
                self.panes[role].set_info(*slice_info(state.view, "ab".index(side)))
            else:
                loaded = state.sources.side(side)
                self.panes[role].set_info(source_info(loaded), loaded.image.name)

    def _show_marks(self, role: str, canvas: LandmarkCanvas) -> None:
        state = self._state
        half = 0 if state.waits_for is None else len(state.edit.landmarks)
        canvas.show_places(state.places_shown(self._side(role)), half)
        canvas.set_marks(self._state.marks_points)

    def _layer(self, side: SourceSide, warp: Warp | None = None) -> Layer:
        assert self._state.sources is not None
        shown = self._state.sources.side(side).rendered
        drawn = self._state.drawn
        if side == "a" and drawn is not None and not self._state.shows_before:
            shown = drawn.rendered
        display = self._session.display.pane(side)
        window = display.window or shown.window
        name = name_of(self._session, side)
        return Layer(shown, window, display.palette, name, window, warp=warp)

    def _both(self) -> ImageScene:
        state, compare = self._state, self._session.display.compare
        # Of volumes, a worker draws the slice.
        warp = Warp(state.shown, state.sizes[1]) if state.view is None else None
        fixed, moving = self._layer(state.edit.fixed), self._layer(state.edit.moving, warp)
        if compare.mode == "overlay" and not compare.overlaid:
            return ImageScene(fixed)
        mode = compare.mode
        return ImageScene(
            fixed,
            moving,
            "overlay" if mode == "off" else mode,
            position=compare.position,
            opacity=1.0 if mode == "off" else compare.opacity,
            span=compare.span,
        )
