"""What is being aligned, and how far: no widget, no thread, no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.commands.undo import UndoHistory
from app.fuse.results import LoadedSource
from app.fuse.slice_view import SliceView
from app.registration.nudges import Nudge, Place, move_in_slice, move_on_picture, volume_centre
from core.alignment.landmarks import LEAST_POINTS, fit_landmarks, landmark_residuals
from core.errors import InputError
from core.geometry.alignment import Alignment, lined_up
from core.types import (
    PairTransform,
    SourceSide,
    Transform,
    TransformKind,
    TransformOrigin,
    TransformParts,
    Verdict,
)
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


@dataclass(frozen=True)
class Landmark:
    """One place in both pictures; None where it is not marked yet."""

    a: Place | None = None
    b: Place | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it is marked in both."""
        return self.a is not None and self.b is not None


@dataclass(frozen=True)
class AlignEdit:
    """Everything that undo goes back through.

    Attributes:
        transform: from the source that is kept to the one that is moved.
        moving: the source that is moved.
        kind: what landmarks and registration may change.
        landmarks: places marked in both pictures.
        origin, name, verdict, crop: see :class:`core.types.PairTransform`.
    """

    transform: Transform
    moving: SourceSide = "b"
    kind: TransformKind = "similarity"
    landmarks: tuple[Landmark, ...] = ()
    _: KW_ONLY
    origin: TransformOrigin = "hand"
    name: str = ""
    verdict: Verdict | None = None
    crop: bool = False

    @property
    def fixed(self) -> SourceSide:
        """The source whose pixels are kept."""
        return "a" if self.moving == "b" else "b"

    @property
    def result(self) -> PairTransform:
        """The transform of the pair."""
        return PairTransform(
            self.transform,
            self.moving,
            origin=self.origin,
            name=self.name,
            verdict=self.verdict,
            crop=self.crop,
        )

    def by_hand(self, transform: Transform) -> AlignEdit:
        """The same with a transform that a person has set."""
        return replace(self, transform=transform, origin="hand", name="", verdict=None)

    def with_result(self, by: PairTransform) -> AlignEdit:
        """The same with the transform of a pair, moving the source that is moved here."""
        by = by.moving_side(self.moving)
        return replace(
            self, transform=by.transform, origin=by.origin, name=by.name, verdict=by.verdict
        )


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
        self.edit = AlignEdit(Transform.identity())
        self.start = self.edit
        """What is accepted of the pair now."""
        self.drawn: LoadedSource | None = None
        """Of volumes, the slice of A through the transform so far; None until it is drawn."""
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
        if sources.view is None:
            edit = AlignEdit(by_size(sources.b.image.size, sources.a.image.size))
        else:
            # Of volumes A is always brought onto the grid of B.
            edit = AlignEdit(Transform.identity(3), "a", "rigid")
            by = None if by is None else by.moving_side("a")
        if by is not None:
            edit = replace(edit, moving=by.moving, crop=by.crop).with_result(by)
        self.edit = self.start = edit
        self.shows_before = self.marks_points = False
        self.drawn = self.fit_problem = None
        self.history.clear(edit)
        self.active_changed.emit(True)
        self.edited.emit()

    def show_slice(self, sources: NativeSources) -> None:
        """Go on with another slice of the same volumes."""
        if self.sources is not None:
            self.sources, self.drawn = sources, None
            self.view_changed.emit()

    def show_drawn(self, drawn: LoadedSource) -> None:
        """Show the slice of A as it was drawn through the transform."""
        self.drawn = drawn
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

    def centre(self, transform: Transform | None = None) -> Place:
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
    def result(self) -> PairTransform | None:
        """What is accepted; None where the files lie on each other as they are."""
        moving, fixed = self.sizes
        is_plain = self.edit.transform.is_identity and not self.edit.crop
        if self.view is not None:
            # Where nothing is known of the two, that they lie on each other is a finding.
            alignment = lined_up(*self.view.volumes.native)
            return None if is_plain and alignment is Alignment.AS_ACQUIRED else self.edit.result
        return None if is_plain and moving == fixed else self.edit.result

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
            self.set_edit(replace(self.edit, moving=side, transform=self.edit.transform.inverse()))

    def set_kind(self, kind: TransformKind) -> None:
        """What landmarks and registration may change; landmarks are fitted again."""
        self._refit(replace(self.edit, kind=kind))

    def reset(self) -> None:
        """Lay both on each other as their files are, and forget the points."""
        transform = by_size(*self.sizes) if self.view is None else Transform.identity(3)
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

    def mark(self, side: SourceSide, place: Place) -> None:
        """Mark a place: of the point that is not complete yet, or else of a new one."""
        self.history.end_gesture()
        marks = list(self.edit.landmarks)
        values: dict[str, Any] = {side: place}
        if marks and not marks[-1].is_complete:
            marks[-1] = replace(marks[-1], **values)
        else:
            marks.append(Landmark(**values))
        self._refit(replace(self.edit, landmarks=tuple(marks)))

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

    @property
    def residuals(self) -> list[float | None]:
        """What the transform leaves at each point, in pixels of the moving picture."""
        edit = self.edit
        return [
            float(landmark_residuals(edit.transform, *_ends([mark], edit))[0])
            if mark.is_complete
            else None
            for mark in edit.landmarks
        ]

    def _refit(self, edit: AlignEdit) -> None:
        self.fit_problem = None
        complete = [mark for mark in edit.landmarks if mark.is_complete]
        new = edit.landmarks != self.edit.landmarks or edit.kind != self.edit.kind
        if new and len(complete) >= LEAST_POINTS[edit.kind]:
            try:
                edit = edit.by_hand(fit_landmarks(edit.kind, *_ends(complete, edit)))
            except InputError as error:
                self.fit_problem = error
        self.set_edit(edit)

    def _apply(self, edit: AlignEdit) -> None:
        self.fit_problem = None
        self.edit = edit
        self.edited.emit()


def _ends(marks: Sequence[Landmark], edit: AlignEdit) -> tuple[list[Place], list[Place]]:
    """The places of complete landmarks in the fixed and in the moving picture."""
    pairs = [(getattr(mark, edit.fixed), getattr(mark, edit.moving)) for mark in marks]
    return [fixed for fixed, _moving in pairs], [moving for _fixed, moving in pairs]
