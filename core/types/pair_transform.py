"""How the two sources of a pair are brought to lie on each other."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

from core.types.transform import Transform

SourceSide = Literal["a", "b"]
TransformOrigin = Literal["registered", "file", "rig", "hand"]
"""Estimated from the two images, read from a file, kept for a rig of cameras, or set by hand."""
Verdict = Literal["good", "doubtful", "failed"]
"""What a registration says about itself."""


@dataclass(frozen=True)
class PairTransform:
    """One of the settings of a pair: which source is resampled onto the other one, and how.

    Attributes:
        transform: maps points of the source that is kept to the one that is moved.
        moving: the source that is resampled. Of volumes always A, onto the grid of B.
        origin: where the transform is from.
        name: of the file or the rig; "" for none.
        verdict: of the registration; None where there was none.
        crop: whether both are cropped to the largest rectangle that both saw (pictures only).
    """

    transform: Transform
    moving: SourceSide = "b"
    _: KW_ONLY
    origin: TransformOrigin = "hand"
    name: str = ""
    verdict: Verdict | None = None
    crop: bool = False

    @property
    def fixed(self) -> SourceSide:
        """The source whose grid is kept."""
        return "a" if self.moving == "b" else "b"

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should look at the pair before trusting the result."""
        return self.verdict in ("doubtful", "failed")

    def swapped(self) -> PairTransform:
        """The same for the pair with A and B exchanged."""
        return replace(self, moving=self.fixed)

    def moving_side(self, side: SourceSide) -> PairTransform:
        """The same, with the source ``side`` as the one that is resampled.

        Raises:
            InputError: see :meth:`Transform.inverse`.
        """
        if side == self.moving:
            return self
        return replace(self, transform=self.transform.inverse(), moving=side)
