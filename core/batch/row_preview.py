"""Sizes and problems of a pair before it is fused, from the headers of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Message
from core.io.reader import reader_of
from core.pairing.folders import Match

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairHeader:
    """What the headers of a pair tell.

    Attributes:
        size_a, size_b: (width, height) after EXIF orientation; None where unknown.
        problem: why the row will fail, or "".
    """

    size_a: Size | None = None
    size_b: Size | None = None
    problem: str = ""

    @property
    def differs(self) -> bool:
        """Whether the sizes are known and differ, so that B must be resampled."""
        return None not in (self.size_a, self.size_b) and self.size_a != self.size_b


def image_size(path: Path) -> Size | None:
    """(width, height) of the image in ``path``, after EXIF orientation.

    None for formats whose size is only known after decoding.

    Raises:
        InputError: the file cannot be opened, is empty, or is no image.
    """
    reader = reader_of(path)
    return reader.probe(path).upright_size if reader.probe is not None else None


def inspect_pair(match: Match) -> PairHeader:
    """Read the headers of ``match``; nothing is decoded."""
    sizes: list[Size | None] = []
    problems: list[str] = []
    for path in (match.a, match.b):
        try:
            sizes.append(image_size(path))
        except InputError as error:
            sizes.append(None)
            problems.append(error.message)
    return PairHeader(sizes[0], sizes[1], Message.joined(" ", problems) if problems else "")
