"""What a person changes while a pair is aligned, as values that undo goes back through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.alignment.landmarks import fit_landmarks, landmark_residuals, least_points
from core.types import PairTransform, SourceSide, Transform, TransformKind

Place = tuple[float, ...]
"""A point of a source: (x, y) in pixels, the centre of the first one being (0, 0), or mm (LPS)."""


@dataclass(frozen=True)
class Landmark:
    """One place in both sources; None where it is not marked yet."""

    a: Place | None = None
    b: Place | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it is marked in both."""
        return self.a is not None and self.b is not None

    def of(self, side: SourceSide) -> Place | None:
        """The place in one of them."""
        return self.a if side == "a" else self.b


@dataclass(frozen=True)
class AlignEdit:
    """Everything that undo goes back through.

    Attributes:
        by: the transform of the pair so far, also where nothing has been moved yet.
        kind: what landmarks and registration may change.
        landmarks: places marked in both sources.
    """

    by: PairTransform
    kind: TransformKind = "similarity"
    landmarks: tuple[Landmark, ...] = ()

    @property
    def transform(self) -> Transform:
        """From the source that is kept to the one that is moved."""
        return self.by.transform

    @property
    def moving(self) -> SourceSide:
        """The source that is moved."""
        return self.by.moving

    @property
    def fixed(self) -> SourceSide:
        """The source whose pixels are kept."""
        return self.by.fixed

    def by_hand(self, transform: Transform) -> AlignEdit:
        """The same with a transform that a person has set."""
        by = PairTransform(transform, self.moving, crop=self.by.crop)
        return replace(self, by=by)

    def with_result(self, by: PairTransform) -> AlignEdit:
        """The same with the transform of a pair, moving the source that is moved here."""
        return replace(self, by=replace(by.moving_side(self.moving), crop=self.by.crop))

    def with_crop(self, crop: bool) -> AlignEdit:
        """The same, cropped to what both show, or not."""
        return replace(self, by=replace(self.by, crop=crop))

    def with_moving(self, side: SourceSide) -> AlignEdit:
        """The same with the other source moved, both lying on each other as before."""
        return replace(self, by=self.by.moving_side(side))

    def fitted(self) -> AlignEdit:
        """The same with the transform that the landmarks give, where there are enough of them.

        Raises:
            InputError: they do not determine it.
        """
        complete = [mark for mark in self.landmarks if mark.is_complete]
        if not complete or len(complete) < least_points(self.kind, self.transform.dimension):
            return self
        return self.by_hand(fit_landmarks(self.kind, *self._ends(complete)))

    @property
    def residuals(self) -> list[float | None]:
        """What the transform leaves at each landmark, in pixels or mm of the moving source.

        None where it is not marked in both.
        """
        return [
            float(landmark_residuals(self.transform, *self._ends([mark]))[0])
            if mark.is_complete
            else None
            for mark in self.landmarks
        ]

    def _ends(self, marks: Sequence[Landmark]) -> tuple[list[Place], list[Place]]:
        """The places of complete landmarks in the fixed and in the moving source."""
        fixed, moving = ([mark.of(side) for mark in marks] for side in (self.fixed, self.moving))
        return [one for one in fixed if one is not None], [one for one in moving if one is not None]
