"""What is chosen for single rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.alignment.choice import AlignChoice
from core.errors import InputError


@dataclass(frozen=True)
class RowChoice:
    """What holds for a row instead of what the options of the run say; None for the options.

    Attributes:
        resample: whether B is resampled to the size of A where they differ.
        align: way, kind and name of how the pair is brought onto each other, as
            :meth:`AlignChoice.text` writes them; which source is kept is said by the options. "" is
            said of a row that had another choice before, and now has that of the options again.
    """

    resample: bool | None = None
    align: str | None = None

    def over(self, other: RowChoice) -> RowChoice:
        """This choice, with that of ``other`` where this one says nothing."""
        return RowChoice(
            other.resample if self.resample is None else self.resample,
            other.align if self.align is None else self.align,
        )

    def as_json(self) -> dict[str, object]:
        """As JSON values, without what is not chosen."""
        found = {"resample": self.resample, "align": self.align or None}
        return {key: value for key, value in found.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> RowChoice:
        """The inverse of :meth:`as_json`, without values that are none."""
        resample, align = data.get("resample"), data.get("align")
        try:
            text = AlignChoice.of_text(align).text() if isinstance(align, str) and align else None
        except InputError:  # of a newer version
            text = None
        return cls(resample if isinstance(resample, bool) else None, text)


NO_CHOICE = RowChoice()
"""Of a row for which the options hold."""

OwnChoices = Mapping[tuple[Path, Path], RowChoice]
"""Of rows with a choice of their own, by their two files; the options hold for all others."""
