"""A pair of series as it was opened: what was accepted of it, which frames, how it is laid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.fuse.studies import Frames, ListedSeries
from app.pairs.edits import PairKey
from core.errors import FusionError, MissingSlices, TwoPatients, UnevenSlices
from core.types import PairTransform

if TYPE_CHECKING:
    from app.fuse.slice_view import Accepted

_REFUSALS: tuple[tuple[type[FusionError], Accepted], ...] = (
    (MissingSlices, "gap"),
    (UnevenSlices, "uneven"),
    (TwoPatients, "patients"),
)
"""What a person may accept, by the error that it is refused with."""


@dataclass(frozen=True, eq=False)
class AskedSeries:
    """A pair that was opened.

    Attributes:
        accept: what a person has accepted of it.
        frames: those on show; before, those being read.
        refused: what it was refused for and may be accepted.
    """

    pair: ListedSeries
    accept: tuple[Accepted, ...] = ()
    frames: Frames = (0, 0)
    refused: Accepted | None = None

    @property
    def key(self) -> PairKey:
        """Of the pair."""
        return self.pair.key

    def refused_with(self, error: FusionError) -> AskedSeries:
        """The same, refused with ``error``."""
        refused = next((name for kind, name in _REFUSALS if isinstance(error, kind)), None)
        return replace(self, refused=refused)

    @property
    def accepting(self) -> Collection[Accepted]:
        """What has been accepted, with what it is refused for."""
        return self.accept if self.refused is None else (*self.accept, self.refused)

    def laid_by(self, transform: PairTransform | None) -> AskedSeries:
        """The same with A brought onto B by another transform, or by none."""
        return replace(self, pair=replace(self.pair, transform=transform, align=None))
