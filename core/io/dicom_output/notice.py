"""The research-use notice that is burned into fused slices, in a corner that it covers least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from core.io.dicom_output.choices import CORNERS, Corner, NoticePlace
from core.types import RESEARCH_NOTICE, BoolArray

ColourSlice = npt.NDArray[np.uint8]
"""H×W×3."""

_HEIGHT_SHARE, _LEAST, _LARGEST = 0.035, 9, 24
"""Height of the letters as a share of the slice's, and its limits in pixels."""
_LETTERS = 190
_CONTENT = 40
"""Level from which on a pixel shows something; darker ones are noise and background."""
_MARGIN = 2


@dataclass(frozen=True, eq=False)
class PlacedNotice:
    """A notice and its place.

    Attributes:
        text: what it says; "" where the slices are too small for any letters.
        corner: where it stands.
        covered: slices in which it covers something.
        extra_rows: rows below each slice that it stands in instead.
        letters, shade: its pixels, and those with their rim.
    """

    text: str
    corner: Corner
    covered: int
    extra_rows: int
    _: KW_ONLY
    letters: BoolArray
    shade: BoolArray

    def burn(self, pixels: ColourSlice) -> ColourSlice:
        """A copy of a slice with the notice: light letters with a dark rim, no box."""
        burned = np.pad(pixels, ((0, self.extra_rows), (0, 0), (0, 0)))
        if self.text:
            box = burned[_box(self.corner, self.letters.shape, burned.shape)]
            box[self.shade] = 0
            box[self.letters] = _LETTERS
        return burned


def place_notice(
    notice: str, size: tuple[int, int], place: NoticePlace, slices: Iterable[ColourSlice]
) -> PlacedNotice:
    """Choose text, size and corner for all slices of a volume together.

    Args:
        notice: such as “Research use only – AI-generated image”; in two lines, or its first part
            alone, where the slices are small.
        size: (rows, columns) of the slices.
        place: the corner, "auto" for the one in which the notice covers the least light, summed
            over all slices, or "below" for rows of its own.
        slices: all of them, looked at once.
    """
    text, letters = _fitting(notice, size)
    shade = _grown(letters)
    if place == "below":
        rows = letters.shape[0] + 2 * _MARGIN if text else 0
        return PlacedNotice(text, "bottom-left", 0, rows, letters=letters, shade=shade)
    corners: tuple[Corner, ...] = CORNERS if place == "auto" else (place,)
    light, covered = dict.fromkeys(corners, 0), dict.fromkeys(corners, 0)
    if text:
        for pixels in slices:
            for corner in corners:
                box = pixels[_box(corner, letters.shape, pixels.shape)].max(axis=2)
                under = box[shade & (box >= _CONTENT)]
                light[corner] += int(under.sum(dtype=np.int64))
                covered[corner] += bool(under.size)
    corner = min(reversed(corners), key=lambda one: light[one])
    return PlacedNotice(text, corner, covered[corner], 0, letters=letters, shade=shade)


def has_room(size: tuple[int, int]) -> bool:
    """Whether slices of ``size`` (rows, columns) can hold the shortest form of the notice."""
    return bool(_fitting(RESEARCH_NOTICE, size)[0])


def _fitting(notice: str, size: tuple[int, int]) -> tuple[str, BoolArray]:
    """The longest form of the notice that fits, and its letters."""
    rows, columns = size
    parts = notice.split(" – ")
    height = int(min(max(rows * _HEIGHT_SHARE, _LEAST), _LARGEST))
    for text in dict.fromkeys((" - ".join(parts), "\n".join(parts), parts[0])):
        letters = _drawn(text, height)
        limit = columns // 2 if text == " - ".join(parts) and len(parts) > 1 else columns
        if letters.shape[0] + 2 * _MARGIN <= rows // 2 and letters.shape[1] + 2 * _MARGIN <= limit:
            return text.replace("\n", " - "), letters
    return "", np.zeros((1, 1), np.bool_)


def _drawn(text: str, height: int) -> BoolArray:
    """The pixels of letters, with room for a rim."""
    font = ImageFont.load_default(height)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font, spacing=2)
    picture = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(picture).multiline_text((2 - left, 2 - top), text, 255, font=font, spacing=2)
    return np.asarray(picture) > 100


def _grown(letters: BoolArray) -> BoolArray:
    """``letters`` and their neighbours."""
    grown = letters.copy()
    for axis in (0, 1):
        before = grown.copy()
        for by in (-1, 1):
            grown |= np.roll(before, by, axis)
    return grown


def _box(corner: Corner, inner: tuple[int, ...], outer: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a box in a corner of a slice."""
    rows = min(inner[0], outer[0])
    columns = min(inner[1], outer[1])
    top = _MARGIN if corner.startswith("top") else outer[0] - rows - _MARGIN
    left = _MARGIN if corner.endswith("left") else outer[1] - columns - _MARGIN
    top, left = max(top, 0), max(left, 0)
    return slice(top, top + rows), slice(left, left + columns)
