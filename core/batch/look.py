"""A look at a pair before it is fused: the headers of its files only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL.Image
import tifffile

from core.errors import InputError, Said
from core.io.decoded import decoding, file_error
from core.io.kinds import is_tiff
from core.io.pairing import Match

Size = tuple[int, int]
_ORIENTATION, _TURNED = 0x0112, 5


@dataclass(frozen=True, slots=True)
class Look:
    """What the headers say.

    Attributes:
        size_a, size_b: (width, height) as the picture will be shown; None where it cannot be told.
        problem: why the row will fail, or "".
    """

    size_a: Size | None = None
    size_b: Size | None = None
    problem: str = ""

    @property
    def differs(self) -> bool:
        """Whether B must be resampled before the two can be fused."""
        return None not in (self.size_a, self.size_b) and self.size_a != self.size_b


def picture_size(path: Path) -> Size | None:
    """(width, height) of the picture in ``path``, turned as its EXIF tag says.

    None for a file whose kind does not tell that without being decoded.

    Raises:
        InputError: the file cannot be opened, is empty, or is no picture.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise file_error(path, error) from error
    if not head:
        raise InputError(str(path), "the file is empty", "Export or copy it again.")
    with decoding(path):
        if is_tiff(head):
            return _tiff_size(path)
        try:
            with PIL.Image.open(path) as image:
                turned = _orientation(image) >= _TURNED
                return (image.height, image.width) if turned else (image.width, image.height)
        except PIL.UnidentifiedImageError:
            pass
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif"):
        raise InputError(
            str(path),
            "its content is not a picture of the kind its name says",
            "Choose a picture, or export it again.",
        )
    return None


def _orientation(image: PIL.Image.Image) -> int:
    # Asked for the tags of a PNG that has none in front, Pillow decodes all to look behind it.
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1
    return int(image.getexif().get(_ORIENTATION, 1))


def _tiff_size(path: Path) -> Size | None:
    with tifffile.TiffFile(path) as file:
        page: Any = file.pages[0]
        width, height = int(page.imagewidth), int(page.imagelength)
        turned = int(page.tags.valueof(_ORIENTATION, 1)) >= _TURNED
        return (height, width) if turned else (width, height)


def look_at(match: Match) -> Look:
    """What can be said of ``match`` without decoding anything."""
    sizes: list[Size | None] = []
    problems: list[str] = []
    for path in (match.a, match.b):
        try:
            sizes.append(picture_size(path))
        except InputError as error:
            sizes.append(None)
            problems.append(error.said)
    return Look(sizes[0], sizes[1], Said.joined(" ", problems) if problems else "")
