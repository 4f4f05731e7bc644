"""What is being aligned, and how far: no widget, no thread, no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.commands.undo import UndoHistory
from app.fuse.results import LoadedSource
from app.fuse.slice_view import SliceView
from app.registration.edit import AlignEdit, Landmark, Place
from app.registration.nudges import Nudge, move_in_slice, move_on_picture, volume_centre
from core.errors import InputError
from core.geometry.alignment import Alignment, lined_up
from core.types import PairTransform, SourceSide, Transform, TransformKind, TransformParts
from core.types.moves import (
    PictureSize,
    by_size,
    centre_of,
    motion_parts,
    moved,
    volume_motion_parts,
    with_motion,
    with_volume_motion,
)

_GRID = 65
"""Places along each side of a picture that are looked at."""


@dataclass(frozen=True, eq=False)
class NativeSources:
    """Both sources with their own pixels, whatever their sizes are.

    Attributes:
        view: of volumes, the slice on show; both are the sources of that slice then. None for
            pictures.
    """

    a: LoadedSource
    b: LoadedSource
    view: SliceView | None = None

    def side(self, side: SourceSide) -> LoadedSource:
        """One of them."""
        return self.a if side == "a" else self.b


class AlignState(QObject):
    """The pair being aligned and the transform so far; setters do nothing if nothing changes."""

    active_changed = Signal(bool)
    """Aligning has begun or ended."""
    edited = Signal()
    """The transform, or anything else of the edit, has changed."""
    view_changed = Signal()
    """Before or after, or whether clicks mark points."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sources: NativeSources | None = None
        self.edit = AlignEdit(PairTransform(Transform.identity()))
        self.start = self.edit
        """What is accepted of the pair now."""
        self.drawn: LoadedSource | None = None
        """Of volumes, the slice of A through the transform so far; None until it is drawn."""
        self.drawn_by: Transform | None = None
        """The transform that it was drawn through, which may be a little older."""
        self.shows_before = False
        self.marks_points = False
        self.fit_problem: InputError | None = None
        """Why the points give no transform."""
        self.history: UndoHistory[AlignEdit] = UndoHistory(self.edit, self._apply, parent=self)

    @property
    def is_active(self) -> bool:
        """Whether a pair is being aligned."""
        return self.sources is not None

    def begin(self, sources: NativeSources, by: PairTransform | None) -> None:
        """Start with the transform that a pair has, or with none."""
        self.sources = sources
        if by is not None and sources.view is not None:
            by = by.moving_side("a")
        kind: TransformKind = "similarity" if sources.view is None else "rigid"
        edit = AlignEdit(by or self._as_files("b" if sources.view is None else "a"), kind)
        self.edit = self.start = edit
        self.shows_before = self.marks_points = False
        self.drawn = self.drawn_by = self.fit_problem = None
        self.history.clear(edit)
        self.active_changed.emit(True)
        self.edited.emit()

    def _as_files(self, moving: SourceSide) -> PairTransform:
        """What lays both on each other as their files are; of what is apart, as it is shown.

        Of volumes A is always brought onto the grid of B.
        """
        assert self.sources is not None
        if self.view is not None:
            pair = self.view.volumes.pair
            apart = pair.drawn_by if self.view.volumes.are_apart else None
            return PairTransform(apart or Transform.identity(3), "a")
        sides: tuple[SourceSide, SourceSide] = ("b", "a") if moving == "b" else ("a", "b")
        return PairTransform(by_size(*(self.sources.side(s).image.size for s in sides)), moving)

    def show_slice(self, sources: NativeSources) -> None:
        """Go on with another slice of the same volumes."""
        if self.sources is not None:
            self.sources, self.drawn, self.drawn_by = sources, None, None
            self.view_changed.emit()

    def show_drawn(self, drawn: LoadedSource, by: Transform) -> None:
        """Show the slice of A as it was drawn through a transform."""
        self.drawn, self.drawn_by = drawn, by
        self.view_changed.emit()

    def end(self) -> None:
        """Leave the pair as it is."""
        if self.sources is not None:
            self.sources = None
            self.active_changed.emit(False)

    # --- the transform ---------------------------------------------------------------------

    @property
    def sizes(self) -> tuple[PictureSize, PictureSize]:
        """(width, height) of the moving and of the fixed picture."""
        assert self.sources is not None
        edit = self.edit
        return (
            self.sources.side(edit.moving).image.size,
            self.sources.side(edit.fixed).image.size,
        )

    @property
    def shown(self) -> Transform:
        """The transform that is shown: so far, or that of before."""
        start = self.start
        if not self.shows_before:
            return self.edit.transform
        return start.transform if start.moving == self.edit.moving else start.transform.inverse()

    @property
    def view(self) -> SliceView | None:
        """The slice on show; None for pictures."""
        return None if self.sources is None else self.sources.view

    @property
    def parts(self) -> TransformParts:
        """How far the moving source is moved on the fixed one: in pixels of the latter, or mm."""
        return self._parts(self.edit.transform)

    def _parts(self, transform: Transform) -> TransformParts:
        if self.view is not None:
            return volume_motion_parts(transform, volume_centre(self.view))
        return motion_parts(transform, *self.sizes)

    def centre(self, transform: Transform | None = None) -> tuple[float, float]:
        """Where the moving source is turned about on the fixed picture, in pixels.

        Args:
            transform: by which it is moved; None for the present one.
        """
        parts = self._parts(self.edit.transform if transform is None else transform)
        if self.view is not None:
            point = np.add(volume_centre(self.view), parts.shift)
            column, row, _index = self.view.axes.position_of(point)
            return float(column), float(row)
        x, y = centre_of(self.sizes[1])
        return x + parts.shift[0], y + parts.shift[1]

    @property
    def overlaps(self) -> bool:
        """Whether the moving picture shows anything on the fixed one, on a grid of places.

        Of volumes it is always True: those that share no place can be opened, too.
        """
        if self.view is not None:
            return True
        (wide, high), (width, height) = self.sizes
        grid = np.stack(
            np.meshgrid(np.linspace(0, width - 1, _GRID), np.linspace(0, height - 1, _GRID)), -1
        )
        x, y = self.edit.transform.apply(grid.reshape(-1, 2)).T
        return bool(((x >= -0.5) & (x <= wide - 0.5) & (y >= -0.5) & (y <= high - 0.5)).any())

    @property
    def result(self) -> PairTransform | None:
        """What is accepted; None where the files lie on each other as they are."""
        moving, fixed = self.sizes
        is_plain = self.edit.transform.is_identity and not self.edit.by.crop
        if self.view is not None:
            # Where nothing is known of the two, that they lie on each other is a finding.
            alignment = lined_up(*self.view.volumes.native)
            return None if is_plain and alignment is Alignment.AS_ACQUIRED else self.edit.by
        return None if is_plain and moving == fixed else self.edit.by

    def set_edit(self, edit: AlignEdit, *, settled: bool = True) -> None:
        """Change anything of the edit; undo steps between settled ones."""
        if edit != self.edit:
            self.edit = edit
            self.edited.emit()
        if settled:
            self.history.note(edit)

    def move(
        self, move: Transform, *, since: Transform | None = None, settled: bool = True
    ) -> None:
        """Move the moving picture on the fixed one.

        Args:
            since: the transform to start from, of the begin of a gesture; None for the present one.
        """
        transform = moved(self.edit.transform if since is None else since, move)
        self.set_edit(self.edit.by_hand(transform), settled=settled)

    def nudge(self, nudge: Nudge, *, since: Transform | None = None, settled: bool = True) -> None:
        """Move the moving source on the screen; of volumes in the plane of the slice.

        Args:
            since: the transform to start from, of the begin of a gesture; None for the present one.
        """
        start = self.edit.transform if since is None else since
        if self.view is None:
            move = move_on_picture(nudge, self.centre(start))
        else:
            move = move_in_slice(self.view, nudge, self._parts(start).shift)
        self.move(move, since=start, settled=settled)

    def set_volume_motion(
        self, *, shift: Sequence[float] | None = None, angles: Sequence[float] | None = None
    ) -> None:
        """Set the shift of volumes in mm, or their angles in degrees."""
        if self.view is not None:
            centre = volume_centre(self.view)
            transform = with_volume_motion(self.edit.transform, centre, shift=shift, angles=angles)
            self.set_edit(self.edit.by_hand(transform))

    def set_motion(
        self,
        *,
        shift: Sequence[float] | None = None,
        angle: float | None = None,
        scale: float | None = None,
    ) -> None:
        """Set one of the readable numbers; the others stay."""
        transform = with_motion(
            self.edit.transform, self.sizes, shift=shift, angle=angle, scale=scale
        )
        self.set_edit(self.edit.by_hand(transform))

    def set_moving(self, side: SourceSide) -> None:
        """Move the other source; both lie on each other as before."""
        if side != self.edit.moving:
            self.set_edit(self.edit.with_moving(side))

    def set_kind(self, kind: TransformKind) -> None:
        """What landmarks and registration may change; landmarks are fitted again."""
        self._refit(replace(self.edit, kind=kind))

    def reset(self) -> None:
        """Lay both on each other as their files are, and forget the points."""
        transform = self._as_files(self.edit.moving).transform
        self.set_edit(replace(self.edit.by_hand(transform), landmarks=()))
        self.fit_problem = None

    def show_before(self, before: bool) -> None:
        """Show the pair as it was, or as it is so far."""
        if before != self.shows_before:
            self.shows_before = before
            self.view_changed.emit()

    # --- points ----------------------------------------------------------------------------

    def mark_points(self, on: bool) -> None:
        """Let clicks mark points, or not."""
        if on != self.marks_points:
            self.marks_points = on
            self.view_changed.emit()

    def mark(self, side: SourceSide, pixel: tuple[float, float]) -> None:
        """Mark a place: of the point that is not complete yet, or else of a new one.

        Args:
            pixel: column and row in the picture of ``side``, or in the slice as it is shown.
        """
        self.history.end_gesture()
        place = self._place_of(side, pixel)
        new = Landmark(place) if side == "a" else Landmark(None, place)
        marks = list(self.edit.landmarks)
        if marks and not marks[-1].is_complete:
            marks[-1] = replace(marks[-1], **{side: place})
        else:
            marks.append(new)
        self._refit(replace(self.edit, landmarks=tuple(marks)))

    def _drawn_through(self) -> Transform:
        """Of volumes, what leads from B to the A that is on screen, in mm."""
        assert self.view is not None
        by = None if self.shows_before else self.drawn_by
        return by or self.view.volumes.pair.drawn_by or Transform.identity(3)

    def _place_of(self, side: SourceSide, pixel: tuple[float, float]) -> Place:
        """What a source shows at a pixel."""
        if self.view is None:
            return pixel
        point = self.view.point_at(*pixel)
        if side == "b":
            return point
        return tuple(float(value) for value in self._drawn_through().apply([point])[0])

    def places_shown(self, side: SourceSide) -> list[tuple[int, float, float]]:
        """Number, column and row of the landmarks of a source that are in what is on screen.

        Of volumes those within a slice of the one that is shown.
        """
        found = []
        back = None if self.view is None or side == "b" else self._drawn_through().inverse()
        for number, mark in enumerate(self.edit.landmarks, 1):
            place = mark.of(side)
            if place is not None and self.view is not None:
                at = place if back is None else back.apply([place])[0]
                column, row, index = (float(v) for v in self.view.axes.position_of(at))
                place = (column, row) if abs(index - self.view.index) < 1 else None
            if place is not None:
                found.append((number, place[0], place[1]))
        return found

    def remove_landmark(self, index: int) -> None:
        """Forget a point."""
        self.history.end_gesture()
        marks = self.edit.landmarks[:index] + self.edit.landmarks[index + 1 :]
        self._refit(replace(self.edit, landmarks=marks))

    @property
    def waits_for(self) -> SourceSide | None:
        """The side in which the last point is not marked yet; None where there is no such."""
        marks = self.edit.landmarks
        if not marks or marks[-1].is_complete:
            return None
        return "b" if marks[-1].b is None else "a"

    def _refit(self, edit: AlignEdit) -> None:
        self.fit_problem = None
        if (edit.landmarks, edit.kind) != (self.edit.landmarks, self.edit.kind):
            try:
                edit = edit.fitted()
            except InputError as error:
                self.fit_problem = error
        self.set_edit(edit)

    def _apply(self, edit: AlignEdit) -> None:
        self.fit_problem = None
        self.edit = edit
        self.edited.emit()
