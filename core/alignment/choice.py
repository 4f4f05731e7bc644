"""How the two sources of a pair are to be brought onto each other: what a person chooses."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

from core.alignment.rigs import find_rig
from core.errors import InputError, Message
from core.io.transforms import read_transform
from core.types import TRANSFORM_KINDS, SourceSide, TransformKind

AlignWay = Literal["none", "register", "rig", "file"]
"""Leave pairs as they are, estimate each from its images, or take one that is kept."""


@dataclass(frozen=True)
class AlignChoice:
    """One choice for a pair, or for all pairs of a run.

    Attributes:
        way: see :data:`AlignWay`.
        kind: what may differ between the sources, for “register”; None for what is usual.
        name: of the rig, or the path of the file.
        onto: the source whose pixels are kept. Of volumes always B, whatever is said here.
        crop: crop pictures to what both show.
        keep_failed: take pairs whose registration failed as they are, instead of refusing them.
    """

    way: AlignWay = "none"
    kind: TransformKind | None = None
    name: str = ""
    _: KW_ONLY
    onto: SourceSide = "a"
    crop: bool = False
    keep_failed: bool = False

    @property
    def moving(self) -> SourceSide:
        """The source that is resampled."""
        return "b" if self.onto == "a" else "a"

    def check(self) -> None:
        """Check the choice before any pair is read.

        Raises:
            InputError: there is no such rig, kind or file, or the file holds no transform.
        """
        if self.onto not in ("a", "b"):
            raise InputError(
                Message("There is nothing called “{0}”", self.onto),
                remedy=Message("Choose one of: {0}.", "a, b"),
            )
        if self.kind is not None and self.kind not in TRANSFORM_KINDS:
            raise InputError(
                Message("There is nothing called “{0}”", self.kind),
                remedy=Message("Choose one of: {0}.", ", ".join(TRANSFORM_KINDS)),
            )
        if self.way == "rig":
            find_rig(self.name)
        elif self.way == "file":
            read_transform(self.name)

    def text(self) -> str:
        """The way as it is recorded: "none", "register rigid", "rig X", "file Y"; no folder."""
        if self.way == "register":
            return f"register {self.kind}" if self.kind else "register"
        if self.way == "none":
            return "none"
        return f"{self.way} {self.name if self.way == 'rig' else Path(self.name).name}"
