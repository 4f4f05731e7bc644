"""How the two sources of a pair are to be brought onto each other: what a person chooses.

Imports neither codecs nor the registration.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeVar, get_args

from core.errors import InputError, Message
from core.types import TRANSFORM_KINDS, SourceSide, TransformKind

AlignWay = Literal["none", "register", "rig", "file"]
"""Leave pairs as they are, estimate each from its images, or take a transform that is kept."""
_Choice = TypeVar("_Choice", bound=str)
_WAYS: tuple[AlignWay, ...] = get_args(AlignWay)


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

    def text(self) -> str:
        """Way, kind and name as one text: "none", "register rigid", "rig NAME", "file PATH"."""
        return f"{self.way} {self.kind or self.name}".rstrip()

    @classmethod
    def of_text(
        cls, text: str, *, onto: str = "a", crop: bool = False, keep_failed: bool = False
    ) -> AlignChoice:
        """The inverse of :meth:`text`, with the other choices.

        Raises:
            InputError: there is no such way, kind or side, or a name is missing.
        """
        way, _, rest = text.partition(" ")
        kind: TransformKind | None = None
        if way == "register":
            kind, rest = (_one_of(rest, TRANSFORM_KINDS) if rest else None), ""
        found = _one_of(way, _WAYS)
        if found in ("rig", "file") and not rest:
            raise InputError(
                Message("The transform"),
                Message("none is named"),
                Message("Name a rig or a transform file."),
            )
        side: SourceSide = _one_of(onto, ("a", "b"))
        return cls(found, kind, rest, onto=side, crop=crop, keep_failed=keep_failed)


def _one_of(text: str, choices: tuple[_Choice, ...]) -> _Choice:
    for choice in choices:
        if choice == text:
            return choice
    raise InputError(
        Message("There is nothing called “{0}”", text),
        remedy=Message("Choose one of: {0}.", ", ".join(choices)),
    )
