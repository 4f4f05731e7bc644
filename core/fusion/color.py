"""Splits two images into the channels to fuse and the chroma to carry over, and merges them again.

BT.601 full range (JFIF): Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B − Y) / 1.772,
Cr = (R − Y) / 1.402, with Cb and Cr centred on zero. All arrays are float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

import cv2
import numpy as np

from core.fusion.tint import tinted
from core.missing_data import MissingData, fill_smoothly, missing_data_of
from core.tasks import ColourPolicy
from core.types import FloatArray, Image, SourcePair

_KR, _KG, _KB = 0.299, 0.587, 0.114
_LUMA = np.array([_KR, _KG, _KB], dtype=np.float32)
_MIN_DISTANCE = 1e-6
"""Sum of luma distances below which neither source counts as nearer."""
_EPS = np.float32(1e-30)
"""Replaces a zero divisor where the numerator is zero too."""
_CACHED_PIXELS = 65_536
"""Pixels processed at a time: ten float planes of this size fit into the level 2 cache."""
_WINDOW_RADIUS = 2
"""Radius in rows of the window in which luma distances are averaged."""
_CB_SPAN = 2 * (1 - _KB)
_CR_SPAN = 2 * (1 - _KR)
# Columns: contributions of Cb and Cr to R, G and B. Weighted by the luma coefficients, each row
# sums to zero, so that adding chroma does not change luma.
_CHROMA_TO_RGB = np.array(
    [[0.0, -_CB_SPAN * _KB / _KG, _CB_SPAN], [_CR_SPAN, -_CR_SPAN * _KR / _KG, 0.0]],
    dtype=np.float32,
)


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """Two images prepared for fusion.

    Chroma is computed from the sources in bands of rows on demand: as whole planes it would need as
    much memory as the sources.

    Attributes:
        a, b: H×W×C float32 in [0, 1], the arrays to fuse; C = 1 (luma) or 3 (RGB). Missing data are
            filled by smooth continuation.
        channels: channels of the merged image, 1 or 3.
        colours: the sources of chroma for the fused luma: none, one, or two to be mixed.
        fillers: for each of ``colours``, the source of chroma where it has no data; None if that
            source is grey.
        nearest: with two sources, take the chroma of the source whose luma is nearer to the fused
            luma; otherwise the mean of both, weighted by distance from grey.
        missing: missing data and their replacement; None if both sources are complete.
        tint: the source whose palette colours the fused image; None if there is none.
    """

    a: FloatArray
    b: FloatArray
    channels: int
    _: KW_ONLY
    colours: tuple[Image, ...] = ()
    fillers: tuple[Image | None, ...] = ()
    nearest: bool = False
    missing: MissingData | None = None
    tint: Image | None = None

    @property
    def chroma(self) -> FloatArray | None:
        """H×W×2 float32, Cb and Cr in [−0.5, 0.5], for the fused luma.

        None if no chroma is carried, or if it depends on the fused luma (:attr:`nearest`).
        """
        if not self.colours or self.nearest:
            return None
        return _mixed_chroma(self, slice(None))


def luma(rgb: FloatArray) -> FloatArray:
    """BT.601 luma, H×W×1 in [0, 1], of H×W×3 (or H×W×1, returned as it is) in [0, 1]."""
    if rgb.shape[-1] == 1:
        return rgb
    grey: FloatArray = rgb @ _LUMA
    return grey[..., np.newaxis]


def split(pair: SourcePair, policy: ColourPolicy) -> PreparedPair:
    """Split ``pair`` into the channels to fuse and the chroma to carry, according to ``policy``.

    ``luma``: the luma channels are fused. Chroma is that of the source named by the policy, or of
    the other one if that source is grey. For "both", Cb and Cr of each pixel are means of both
    sources weighted by their distance from grey (DeepFuse, Prabhakar et al., ICCV 2017).
    ``rgb``: three channels of both sources are fused (grey is repeated).
    Two grey sources give a grey result in either mode.

    Of a source with a palette in colour beside a grey one, ``luma`` fuses the levels, of which more
    is always lighter; its colours are given to the result (:mod:`core.fusion.tint`).
    """
    if policy.mode == "rgb":
        channels = 3 if pair.a.is_colour or pair.b.is_colour else 1
        a, b = _as_rgb(pair.a), _as_rgb(pair.b)
        return _with_filled_gaps(PreparedPair(a, b, channels, missing=missing_data_of(pair, a, b)))
    tint = _tint_of(pair)
    sources = [(image, image.is_colour and image is not tint) for image in (pair.a, pair.b)]
    colours = tuple(image for image, coloured in sources if coloured)
    fillers: tuple[Image | None, ...] = (
        colours[::-1] if len(colours) == 2 else (None,) * len(colours)
    )
    if len(colours) == 2 and policy.chroma in ("a", "b"):
        chosen = 0 if policy.chroma == "a" else 1
        colours, fillers = (colours[chosen],), (fillers[chosen],)
    nearest = policy.chroma == "nearest" and len(colours) == 2
    grey_a, grey_b = (
        image.levels() if image is tint else _grey(image, coloured) for image, coloured in sources
    )
    missing = missing_data_of(pair, grey_a, grey_b)
    channels = 3 if colours or tint else 1
    return _with_filled_gaps(
        PreparedPair(
            grey_a,
            grey_b,
            channels,
            colours=colours,
            fillers=fillers,
            nearest=nearest,
            missing=missing,
            tint=tint,
        )
    )


def _tint_of(pair: SourcePair) -> Image | None:
    """The one of the two that has a palette in colour, if the other is grey."""
    for image, other in ((pair.a, pair.b), (pair.b, pair.a)):
        if image.palette is not None and image.is_colour and not other.is_colour:
            return image
    return None


def _with_filled_gaps(parts: PreparedPair) -> PreparedPair:
    """``parts`` with the missing data of both images filled by smooth continuation."""
    if parts.missing is None:
        return parts
    return replace(
        parts,
        a=fill_smoothly(parts.a, parts.missing.valid_a),
        b=fill_smoothly(parts.b, parts.missing.valid_b),
    )


def merge(fused: FloatArray, parts: PreparedPair) -> FloatArray:
    """Combine ``fused`` with the chroma and missing-data information in ``parts``.

    Args:
        fused: H×W×C float32, C as in ``parts.a``; values outside [0, 1] are clipped.
        parts: from :func:`split`.

    Returns:
        H×W×(1 or 3) float32 in [0, 1]. Where one source has no data, the other source; where
        neither has data, black. Where luma and chroma leave the RGB cube, chroma is scaled
        towards grey by the smallest sufficient amount; luma and hue are preserved.

    Raises:
        ValueError: ``fused`` does not have the shape of ``parts.a``.
    """
    if fused.shape != parts.a.shape:
        raise ValueError(f"fused is {fused.shape}, its sources are {parts.a.shape}")
    if parts.missing is not None:
        fused = parts.missing.filled(np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False))
    if parts.colours:
        return _add_chroma(fused, parts)
    fused = np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False)
    if parts.tint is not None:
        return tinted(fused, parts.tint)
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
        # Three equal channels: take one of them, which is exact, instead of the weighted sum.
        return replace(image, data=image.data[..., :1]).normalised()
    grey = np.empty((image.height, image.width, 1), np.float32)
    for rows in _bands(image.height, image.width):
        grey[rows] = luma(image.part(rows).normalised())
    return grey


def _chroma(image: Image, rows: slice, filler: Image | None = None) -> FloatArray:
    """h×W×2 Cb and Cr of some rows, centred on zero; those of ``filler`` where data are missing.

    Stored plane by plane, because the following operations process one plane at a time.
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
    """Bands of rows whose temporary arrays fit into the processor's cache."""
    rows = max(1, _CACHED_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def _chromas(parts: PreparedPair, rows: slice) -> list[FloatArray]:
    """Chroma h×W×2 of each source of chroma."""
    both = zip(parts.colours, parts.fillers, strict=True)
    return [_chroma(image, rows, filler) for image, filler in both]


def _mixed_chroma(parts: PreparedPair, rows: slice) -> FloatArray:
    """Chroma h×W×2 of one source, or the mean of two sources weighted by distance from grey."""
    found = _chromas(parts, rows)
    if len(found) == 1:
        return found[0]
    chroma_a, chroma_b = found
    mixed, weight_b = np.abs(chroma_a), np.abs(chroma_b)
    total = mixed + weight_b
    # Where both are grey the weights are zero, and so is the numerator.
    np.maximum(total, _EPS, out=total)
    mixed *= chroma_a
    weight_b *= chroma_b
    mixed += weight_b
    mixed /= total
    return mixed


def _nearest_chroma(fused: FloatArray, parts: PreparedPair, rows: slice) -> FloatArray:
    """Chroma of some rows, h×W×2, mixed by the distances of the fused luma to the sources' lumas.

    Distances are averaged over 5×5 pixels: an accidental equality of a single pixel does not select
    a source, while a region that copies one source takes its colour.
    """
    top = max(0, rows.start - _WINDOW_RADIUS)
    seen, own = slice(top, rows.stop + _WINDOW_RADIUS), slice(rows.start - top, rows.stop - top)
    far_a, far_b = (
        cv2.blur(np.abs(_unit(fused[seen]) - s[seen])[..., 0], (5, 5))[own]
        for s in (parts.a, parts.b)
    )
    total = far_a + far_b
    even = total < _MIN_DISTANCE
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
    """H×W×3 from luma H×W×1 and its chroma, within the RGB cube."""
    height, width = fused.shape[:2]
    rgb = np.empty((height, width, 3), np.float32)
    for rows in _bands(height, width):
        chroma = (
            _nearest_chroma(fused, parts, rows) if parts.nearest else _mixed_chroma(parts, rows)
        )
        _colour_rows(_unit(fused[rows])[..., 0], chroma, rgb[rows])
    return rgb


def _colour_rows(grey: FloatArray, chroma: FloatArray, rgb: FloatArray) -> None:
    """Compute ``rgb`` h×w×3 from luma h×w and centred chroma h×w×2."""
    blue, red = chroma[..., 0], chroma[..., 1]
    offsets = [blue * from_blue + red * from_red for from_blue, from_red in _CHROMA_TO_RGB.T]
    highest = np.maximum(offsets[0], offsets[1])
    np.maximum(highest, offsets[2], out=highest)
    lowest = np.minimum(offsets[0], offsets[1])
    np.minimum(lowest, offsets[2], out=lowest)
    np.negative(lowest, out=lowest)
    # The largest fraction of the chroma that keeps all channels in range; 1 if all of it fits.
    share = _fitting_fraction(1 - grey, highest)
    np.minimum(share, _fitting_fraction(grey, lowest), out=share)
    for channel, offset in enumerate(offsets):
        offset *= share
        np.add(offset, grey, out=rgb[..., channel])
    np.clip(rgb, 0.0, 1.0, out=rgb)


def _fitting_fraction(room: FloatArray, wanted: FloatArray) -> FloatArray:
    """Fraction of ``wanted`` (overwritten) that fits into ``room``; 1 if it does not exceed it."""
    np.maximum(wanted, room, out=wanted)
    np.maximum(wanted, _EPS, out=wanted)
    return np.divide(room, wanted, out=wanted)
