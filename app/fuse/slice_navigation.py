"""Wheel, keys, slider, plane switch and clicks: which slice of the volumes is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer

from app.fuse.key_images import KeyImages
from app.fuse.planes_board import PlanesBoard
from app.fuse.slice_bar import SliceBar
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState
from app.fuse.volume_loader import VolumeLoader
from app.viewer.view_link import ViewLink

if TYPE_CHECKING:
    from app.commands.actions import Actions
    from core.geometry.planes import PlaneName


_CINE_MS = 100
"""Time each slice is shown for while they are played."""


class SliceNavigation(QObject):
    """Connects the controls of slices to the volumes."""

    def __init__(
        self,
        session: FuseState,
        volumes: VolumeLoader,
        *,
        bar: SliceBar,
        board: PlanesBoard,
        link: ViewLink,
        actions: Actions,
        keys: KeyImages,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._volumes = volumes
        self._bar = bar
        self._link = link
        self._keys = keys
        bar.mark_toggled.connect(self._toggle_mark)
        bar.mark_chosen.connect(self._go_to_mark)
        actions.key_image.triggered.connect(self._toggle_mark)
        actions.next_key_image.triggered.connect(self._next_mark)
        keys.changed.connect(self._show_marks)
        self._cine = QTimer(self, interval=_CINE_MS)
        self._cine.timeout.connect(self._next)
        bar.played.connect(self._play)
        actions.cine.triggered.connect(bar.play.toggle)
        board.point_chosen.connect(volumes.look_at)
        volumes.moved.connect(self._moved)
        bar.frame_chosen.connect(volumes.show_frame)
        session.sources_changed.connect(self._follow)
        bar.slice_chosen.connect(volumes.go_to)
        bar.plane_chosen.connect(volumes.set_plane)
        link.stepped.connect(volumes.step)
        link.clicked.connect(self._clicked)
        for by, action in actions.slices.items():
            action.triggered.connect(partial(self._step, by))
        for plane, action in actions.planes.items():
            action.triggered.connect(partial(self._set_plane, plane))

    def _play(self, on: bool) -> None:
        self._cine.start() if on else self._cine.stop()

    def _next(self) -> None:
        """The next slice; after the last one, the first."""
        view = self._volumes.view
        if view is None:
            self._bar.play.setChecked(False)
        else:
            self._volumes.go_to((view.index + 1) % view.count)

    def _moved(self, view: SliceView) -> None:
        self._bar.show_slice(view)
        self._bar.show_frames(self._volumes.frames, view.volumes.frame_counts)
        self._show_marks()

    def _show_marks(self) -> None:
        view = self._volumes.view
        if view is not None:
            self._bar.show_marks(view, self._keys.of(view.volumes))

    def _toggle_mark(self, _checked: bool = False) -> None:
        view = self._volumes.view
        if view is not None:
            self._keys.toggle(view)

    def _next_mark(self, _checked: bool = False) -> None:
        view = self._volumes.view
        wanted = None if view is None else self._keys.next_after(view)
        if wanted is not None:
            self._go_to_mark(wanted.plane, wanted.index)

    def _go_to_mark(self, plane: PlaneName, index: int) -> None:
        self._volumes.set_plane(plane)
        self._volumes.go_to(index)

    def _step(self, by: int, _checked: bool = False) -> None:
        self._volumes.step(by)

    def _set_plane(self, plane: str, _checked: bool = False) -> None:
        self._bar.plane_chosen.emit(plane)

    def _follow(self) -> None:
        shown: SliceView | None = self._session.sources.slice
        self._link.wheel_steps = shown is not None
        if shown is None and not self._volumes.is_open:
            self._bar.show_slice(None)

    def _clicked(self, pixel: QPoint) -> None:
        shown = self._session.sources.slice
        if shown is not None:
            self._volumes.set_point(shown.point_at(pixel.x(), pixel.y()))
