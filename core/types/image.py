"""One image, its header, and two images of one scene."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError, Message, SizeMismatch
from core.types.arrays import BitDepth, BoolArray, FloatArray, read_only
from core.types.pair_transform import PairTransform
from core.types.palette import Palette


@dataclass(frozen=True)
class ImageHeader:
    """What a file says about its image before any pixel is decoded.

    Attributes:
        kind: name of the reader that opens it ("PNG").
        width, height: in pixels, as stored (before the orientation mark is applied).
        channels: samples per pixel as stored.
        bit_depth: depth of the file.
        frames: images in the file.
        orientation: EXIF orientation, 1…8.
    """

    kind: str
    width: int
    height: int
    channels: int = 1
    bit_depth: BitDepth = 8
    _: KW_ONLY
    frames: int = 1
    orientation: int = 1

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) once it has been turned as the orientation mark says."""
        turned = 5 <= self.orientation <= 8
        return (self.height, self.width) if turned else (self.width, self.height)


@dataclass(frozen=True, eq=False)
class Image:
    """One image as it was read.

    Attributes:
        data: H×W×C float32, C = 1 (grey) or 3 (RGB, sRGB-encoded), in the source's own unit:
            0…255 for 8-bit files, 0…65535 for 16-bit files, the stored numbers for float files.
        window: (low, high) in that unit; mapped to 0…1 by :meth:`levels`. low < high. The one
            owner of what is black and what is white: what a pane shows by it is what is fused.
        container: (low, high) of what the file could hold, in that unit: 0…255, 0…65535, 0…4095
            where the file says so, 0…1 for floats inside it; None for numbers without such a range.
        mask: H×W bool, True where ``data`` holds a measured value; None when all of it does. What
            ``data`` holds elsewhere is finite and means nothing.
        bit_depth: depth of the file the image came from.
        unit: unit of ``data`` ("" when there is none).
        spacing: (row, column) distance of pixel centres in millimetres, or None when unknown.
        origin: the file the image came from, or None for a computed image.
        notes: what the reader had to do to the file, one readable sentence each.
        palette: the colours that the values are shown in, for C = 1; None for grey.
    """

    data: FloatArray
    window: tuple[float, float] = (0.0, 1.0)
    bit_depth: BitDepth = 8
    unit: str = ""
    _: KW_ONLY
    spacing: tuple[float, float] | None = None
    origin: Path | None = None
    notes: tuple[str, ...] = ()
    container: tuple[float, float] | None = None
    mask: BoolArray | None = None
    palette: Palette | None = None

    def __post_init__(self) -> None:
        name = str(self.origin) if self.origin else Message("picture")
        if self.data.ndim != 3 or self.data.shape[2] not in (1, 3):
            raise InputError(
                name,
                Message("expected height×width×1 or 3, got {0}", self.data.shape),
                Message("Give an array of that shape."),
            )
        if self.data.shape[0] < 1 or self.data.shape[1] < 1:
            raise InputError(
                name, Message("the picture has no pixels"), Message("Choose another picture.")
            )
        if not self.window[0] < self.window[1]:
            raise InputError(
                name,
                Message("empty display window {0}", self.window),
                Message("Give a window whose black is below its white."),
            )
        if self.palette is not None and self.data.shape[2] != 1:
            raise ValueError("an image in colour has no palette")
        object.__setattr__(self, "data", read_only(np.asarray(self.data, dtype=np.float32)))
        if self.mask is not None:
            self._set_mask(name, np.asarray(self.mask, dtype=np.bool_))

    def _set_mask(self, name: str, mask: BoolArray) -> None:
        if mask.shape != self.data.shape[:2]:
            raise InputError(
                name,
                Message("its mask has another shape {0}", mask.shape),
                Message("Give a mask of the size of the picture."),
            )
        if not mask.any():
            raise InputError(
                name,
                Message("not one of its pixels holds data"),
                Message("Choose another picture."),
            )
        object.__setattr__(self, "mask", None if mask.all() else read_only(mask))

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.data.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.data.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), as people say it."""
        return self.width, self.height

    @property
    def is_colour(self) -> bool:
        """Whether it is shown in colour: by a palette, or by channels that are not all equal."""
        if self.palette is not None:
            return not self.palette.is_grey
        return self.data.shape[2] == 3 and bool(
            np.any(self.data[..., 0] != self.data[..., 1])
            or np.any(self.data[..., 0] != self.data[..., 2])
        )

    @property
    def name(self) -> str:
        """File name for display, or "" for a computed image."""
        return self.origin.name if self.origin else ""

    def levels(self) -> FloatArray:
        """H×W×C float32 in [0, 1]: ``data`` through ``window``, clipped; 0 where it holds none."""
        low, high = self.window
        scaled = (self.data - np.float32(low)) / np.float32(high - low)
        np.clip(scaled, 0.0, 1.0, out=scaled)
        if self.mask is not None:
            scaled[~self.mask] = 0.0
        return scaled

    def normalised(self) -> FloatArray:
        """The image as it is shown: :meth:`levels` in the colours of the palette, if it has one.

        Returns:
            H×W×(1 or 3) float32 in [0, 1]; 0 where ``data`` holds none.
        """
        levels = self.levels()
        if self.palette is None:
            return levels
        if self.palette.is_grey:
            shown = self.palette.colours(levels[..., 0])[..., :1]
        else:
            shown = self.palette.colours(levels[..., 0])
        if self.mask is not None:
            shown[~self.mask] = 0.0
        return shown

    def part(self, where: Any) -> Image:
        """The pixels at ``where``, an index of rows and columns such as ``np.s_[::2, ::2]``.

        A part without a measured value is all there is, hence without a mask.
        """
        mask = None if self.mask is None else self.mask[where]
        if mask is None or mask.any():
            return replace(self, data=self.data[where], mask=mask)
        return replace(self, data=np.full_like(self.data[where], self.window[0]), mask=None)


@dataclass(frozen=True)
class SourcePair:
    """Two images of one scene, pixel on pixel.

    Attributes:
        transform: by which one of them was resampled onto the other; None where both are as read.

    Raises:
        SizeMismatch: the images differ in size (see :func:`core.io.resample_onto`).
        InputError: there is no pixel where both hold data.
    """

    a: Image
    b: Image
    _: KW_ONLY
    transform: PairTransform | None = None

    def __post_init__(self) -> None:
        if self.a.size != self.b.size:
            raise SizeMismatch(self.a.size, self.b.size)
        if self.valid is not None and not self.valid.any():
            raise InputError(
                Message("The two pictures"),
                Message("there is no pixel where both hold data"),
                Message("Choose two pictures of the same scene."),
            )

    def swapped(self) -> SourcePair:
        """The pair with A and B exchanged."""
        transform = None if self.transform is None else self.transform.swapped()
        return SourcePair(self.b, self.a, transform=transform)

    @property
    def valid(self) -> BoolArray | None:
        """H×W, True where both sources hold data; None when they do everywhere."""
        if self.a.mask is None or self.b.mask is None:
            return self.b.mask if self.a.mask is None else self.a.mask
        return self.a.mask & self.b.mask

    @property
    def bit_depth(self) -> BitDepth:
        """The deeper of the two: a fused image loses no precision of either source."""
        return max(self.a.bit_depth, self.b.bit_depth)
