"""What of two images is fused, what is carried past the network, and how they meet again.

BT.601 full range throughout (JFIF): Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B − Y) / 1.772,
Cr = (R − Y) / 1.402, both centred on zero here. All arrays are float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

import cv2
import numpy as np

from core.missing_data import Holes, continued, holes_of
from core.tasks import ColourPolicy
from core.types import FloatArray, Image, SourcePair

_KR, _KG, _KB = 0.299, 0.587, 0.114
_LUMA = np.array([_KR, _KG, _KB], dtype=np.float32)
_INDISTINCT = 1e-6
"""Sum of luma distances below which neither source is the nearer one."""
_NOTHING = np.float32(1e-30)
"""Stands in for a divisor of zero where the numerator is zero too."""
_CACHED_PIXELS = 65_536
"""Pixels worked on at a time: ten float planes of them fit the second-level cache."""
_AROUND = 2
"""Rows to either side over which the nearer source is looked for."""
_CB_SPAN = 2 * (1 - _KB)
_CR_SPAN = 2 * (1 - _KR)
# Columns: what Cb and Cr add to R, G and B. Luma-weighted, each row sums to zero, so that adding
# any amount of chroma leaves luma as it is.
_CHROMA_TO_RGB = np.array(
    [[0.0, -_CB_SPAN * _KB / _KG, _CB_SPAN], [_CR_SPAN, -_CR_SPAN * _KR / _KG, 0.0]],
    dtype=np.float32,
)


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """Two images made ready for fusion.

    Chroma is worked out of the sources some rows at a time, when it is wanted: as planes it would
    take as much memory as they do.

    Attributes:
        a, b: H×W×C float32 in [0, 1], the arrays to fuse; C = 1 (luma) or 3 (RGB).
        channels: channels of the merged image, 1 or 3.
        colours: the sources whose chroma the fused luma is given: none, one, or two that are mixed.
        fillers: for each of ``colours`` the source that stands in where it holds no data; None
            where that one is grey.
        nearest: of two, each pixel's chroma is that of the source whose luma is nearer to the fused
            one; else it is their mean, weighted by distance from grey.
        holes: where sources hold no data and what goes there; None when they do everywhere. ``a``
            and ``b`` are continued smoothly into their holes.
    """

    a: FloatArray
    b: FloatArray
    channels: int
    _: KW_ONLY
    colours: tuple[Image, ...] = ()
    fillers: tuple[Image | None, ...] = ()
    nearest: bool = False
    holes: Holes | None = None

    @property
    def chroma(self) -> FloatArray | None:
        """H×W×2 float32, Cb and Cr in [−0.5, 0.5], to be given to the fused luma.

        None when nothing is carried, or when the fused luma decides (:attr:`nearest`).
        """
        if not self.colours or self.nearest:
            return None
        return _carried(self, slice(None))


def luma(rgb: FloatArray) -> FloatArray:
    """BT.601 luma, H×W×1 in [0, 1], of H×W×3 (or H×W×1, returned as it is) in [0, 1]."""
    if rgb.shape[-1] == 1:
        return rgb
    grey: FloatArray = rgb @ _LUMA
    return grey[..., np.newaxis]


def split(pair: SourcePair, policy: ColourPolicy) -> PreparedPair:
    """What of ``pair`` is fused and what is carried, under ``policy``.

    ``luma``: the lumas are fused. Chroma comes from the source the policy names; when that one is
    grey and the other is not, from the other. With "both", each pixel's Cb (and Cr) is the mean of
    the two weighted by their distance from grey (DeepFuse, Prabhakar et al., ICCV 2017). Two grey
    sources give a grey result.

    ``rgb``: three channels of both (grey repeated). Two grey sources give a grey result.
    """
    if policy.mode == "rgb":
        channels = 3 if pair.a.is_colour or pair.b.is_colour else 1
        a, b = _as_rgb(pair.a), _as_rgb(pair.b)
        return _bridged(PreparedPair(a, b, channels, holes=holes_of(pair, a, b)))
    sources = [(image, image.is_colour) for image in (pair.a, pair.b)]
    colours = tuple(image for image, coloured in sources if coloured)
    fillers: tuple[Image | None, ...] = (
        colours[::-1] if len(colours) == 2 else (None,) * len(colours)
    )
    if len(colours) == 2 and policy.chroma in ("a", "b"):
        chosen = 0 if policy.chroma == "a" else 1
        colours, fillers = (colours[chosen],), (fillers[chosen],)
    nearest = policy.chroma == "nearest" and len(colours) == 2
    grey_a, grey_b = (_grey(image, coloured) for image, coloured in sources)
    holes = holes_of(pair, grey_a, grey_b)
    channels = 3 if colours else 1
    return _bridged(
        PreparedPair(
            grey_a, grey_b, channels, colours=colours, fillers=fillers, nearest=nearest, holes=holes
        )
    )


def _bridged(parts: PreparedPair) -> PreparedPair:
    """``parts`` with both images continued into their holes."""
    if parts.holes is None:
        return parts
    return replace(
        parts,
        a=continued(parts.a, parts.holes.valid_a),
        b=continued(parts.b, parts.holes.valid_b),
    )


def merge(fused: FloatArray, parts: PreparedPair) -> FloatArray:
    """The image made of ``fused`` and what ``parts`` carries.

    Args:
        fused: H×W×C float32, C as in ``parts.a``; values outside [0, 1] are clipped.
        parts: from :func:`split`.

    Returns:
        H×W×(1 or 3) float32 in [0, 1]. Where a source holds no data it is the other source; where
        neither does, black. Where luma and chroma together leave the RGB cube, chroma is scaled
        towards grey, just as far as needed: luma and hue stay.

    Raises:
        ValueError: ``fused`` does not have the shape of ``parts.a``.
    """
    if fused.shape != parts.a.shape:
        raise ValueError(f"fused is {fused.shape}, its sources are {parts.a.shape}")
    if parts.holes is not None:
        fused = parts.holes.covered(np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False))
    if parts.colours:
        return _add_chroma(fused, parts)
    fused = np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False)
    if parts.channels == 1 and fused.shape[2] == 3:
        grey: FloatArray = fused.mean(axis=2, keepdims=True, dtype=np.float32)
        return grey
    return fused


def _as_rgb(image: Image) -> FloatArray:
    values = image.normalised()
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)


def _grey(image: Image, coloured: bool) -> FloatArray:
    """H×W×1 luma in [0, 1]."""
    if not coloured:
        # Three equal channels: take one, exactly, rather than their weighted sum.
        return replace(image, data=image.data[..., :1]).normalised()
    grey = np.empty((image.height, image.width, 1), np.float32)
    for rows in _bands(image.height, image.width):
        grey[rows] = luma(image.part(rows).normalised())
    return grey


def _chroma(image: Image, rows: slice, filler: Image | None = None) -> FloatArray:
    """h×W×2 Cb and Cr centred on zero of some rows; those of ``filler`` where there is no data.

    It lies plane by plane in memory: what follows works on one plane after the other.
    """
    values = image.part(rows).normalised()
    grey = luma(values)[..., 0]
    planes = np.empty((2, *grey.shape), np.float32)
    for plane, channel, span in zip(planes, (2, 0), (_CB_SPAN, _CR_SPAN), strict=True):
        np.subtract(values[..., channel], grey, out=plane)
        plane /= np.float32(span)
    chroma: FloatArray = planes.transpose(1, 2, 0)
    if image.mask is not None:
        missing = ~image.mask[rows]
        chroma[missing] = 0 if filler is None else _chroma(filler, rows)[missing]
    return chroma


def _bands(height: int, width: int) -> Iterator[slice]:
    """Some rows at a time: what passes by stays in the processor's cache."""
    rows = max(1, _CACHED_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def _chromas(parts: PreparedPair, rows: slice) -> list[FloatArray]:
    """Chroma h×W×2 of each source that gives any."""
    both = zip(parts.colours, parts.fillers, strict=True)
    return [_chroma(image, rows, filler) for image, filler in both]


def _carried(parts: PreparedPair, rows: slice) -> FloatArray:
    """Chroma h×W×2 of one source, or the mean of two weighted by distance from grey."""
    found = _chromas(parts, rows)
    if len(found) == 1:
        return found[0]
    chroma_a, chroma_b = found
    mixed, weight_b = np.abs(chroma_a), np.abs(chroma_b)
    total = mixed + weight_b
    # Where both are grey the weights are zero, and so is the numerator.
    np.maximum(total, _NOTHING, out=total)
    mixed *= chroma_a
    weight_b *= chroma_b
    mixed += weight_b
    mixed /= total
    return mixed


def _nearest(fused: FloatArray, parts: PreparedPair, rows: slice) -> FloatArray:
    """Chroma of some rows mixed by how near the fused luma is to each source's, h×W×2.

    Distances are averaged over 5×5 pixels: where the sources cross by chance, the neighbourhood
    decides; where a whole neighbourhood is a copy of one source, so is its colour.
    """
    top = max(0, rows.start - _AROUND)
    seen, own = slice(top, rows.stop + _AROUND), slice(rows.start - top, rows.stop - top)
    far_a, far_b = (
        cv2.blur(np.abs(_unit(fused[seen]) - s[seen])[..., 0], (5, 5))[own]
        for s in (parts.a, parts.b)
    )
    total = far_a + far_b
    even = total < _INDISTINCT
    total[even] = 1
    far_b /= total
    far_b[even] = 0.5
    chroma_a, chroma_b = _chromas(parts, rows)
    mixed: FloatArray = chroma_a - chroma_b
    mixed *= far_b[..., np.newaxis]
    mixed += chroma_b
    return mixed


def _unit(fused: FloatArray) -> FloatArray:
    return np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False)


def _add_chroma(fused: FloatArray, parts: PreparedPair) -> FloatArray:
    """H×W×3 of luma H×W×1 and the chroma it is given, kept inside the RGB cube."""
    height, width = fused.shape[:2]
    rgb = np.empty((height, width, 3), np.float32)
    for rows in _bands(height, width):
        chroma = _nearest(fused, parts, rows) if parts.nearest else _carried(parts, rows)
        _colour_rows(_unit(fused[rows])[..., 0], chroma, rgb[rows])
    return rgb


def _colour_rows(grey: FloatArray, chroma: FloatArray, rgb: FloatArray) -> None:
    """Fill ``rgb`` h×w×3 from luma h×w and centred chroma h×w×2."""
    blue, red = chroma[..., 0], chroma[..., 1]
    offsets = [blue * from_blue + red * from_red for from_blue, from_red in _CHROMA_TO_RGB.T]
    highest = np.maximum(offsets[0], offsets[1])
    np.maximum(highest, offsets[2], out=highest)
    lowest = np.minimum(offsets[0], offsets[1])
    np.minimum(lowest, offsets[2], out=lowest)
    np.negative(lowest, out=lowest)
    # The largest share of the chroma that no channel's room forbids; 1 where all of it fits.
    share = _share(1 - grey, highest)
    np.minimum(share, _share(grey, lowest), out=share)
    for channel, offset in enumerate(offsets):
        offset *= share
        np.add(offset, grey, out=rgb[..., channel])
    np.clip(rgb, 0.0, 1.0, out=rgb)


def _share(room: FloatArray, wanted: FloatArray) -> FloatArray:
    """How much of ``wanted`` (overwritten) fits ``room``: 1 where it does not exceed it."""
    np.maximum(wanted, room, out=wanted)
    np.maximum(wanted, _NOTHING, out=wanted)
    return np.divide(room, wanted, out=wanted)
