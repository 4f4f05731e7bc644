"""Splits two images into the channels to fuse and the chroma to carry over, and merges them again.

All arrays are float32. What chroma is, and whose is taken, is in :mod:`core.fusion.chroma`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

import numpy as np

from core.fusion.chroma import (
    CB_SPAN,
    CR_SPAN,
    WINDOW_RADIUS,
    luma,
    mixed_chroma,
    nearest_chroma,
    read_chroma,
)
from core.fusion.tint import tinted
from core.missing_data import MissingData, fill_smoothly, missing_data_of
from core.tasks import ColourPolicy
from core.types import FloatArray, Image, SourcePair
from core.types.luma import KB, KG, KR

_EPS = np.float32(1e-30)
"""Replaces a zero divisor where the numerator is zero too."""
_CACHED_PIXELS = 65_536
"""Pixels processed at a time: ten float planes of this size fit into the level 2 cache."""
# Columns: contributions of Cb and Cr to R, G and B. Weighted by the luma coefficients, each row
# sums to zero, so that adding chroma does not change luma.
_CHROMA_TO_RGB = np.array(
    [[0.0, -CB_SPAN * KB / KG, CB_SPAN], [CR_SPAN, -CR_SPAN * KR / KG, 0.0]],
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
    tint = tint_of(pair)
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


def tint_of(pair: SourcePair) -> Image | None:
    """The one of the two that has a palette in colour, if the other is grey.

    Networks of one channel see its levels, not its colours.
    """
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


def _bands(height: int, width: int) -> Iterator[slice]:
    """Bands of rows whose temporary arrays fit into the processor's cache."""
    rows = max(1, _CACHED_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def _unit(fused: FloatArray) -> FloatArray:
    return np.clip(fused, 0.0, 1.0).astype(np.float32, copy=False)


def _add_chroma(fused: FloatArray, parts: PreparedPair) -> FloatArray:
    """H×W×3 from luma H×W×1 and its chroma, within the RGB cube."""
    height, width = fused.shape[:2]
    rgb = np.empty((height, width, 3), np.float32)
    for rows in _bands(height, width):
        grey = _unit(fused[rows])[..., 0]
        both = zip(parts.colours, parts.fillers, strict=True)
        sources = [read_chroma(image, rows, filler) for image, filler in both]
        if parts.nearest:
            chroma = nearest_chroma(*_distances(fused, parts, rows), sources)
        else:
            chroma = mixed_chroma(grey, sources)
        _colour_rows(grey, chroma, rgb[rows])
    return rgb


def _distances(
    fused: FloatArray, parts: PreparedPair, rows: slice
) -> tuple[tuple[FloatArray, FloatArray], slice]:
    """Distances of the fused luma to both lumas, for some rows and more around; which are these."""
    top = max(0, rows.start - WINDOW_RADIUS)
    seen, own = slice(top, rows.stop + WINDOW_RADIUS), slice(rows.start - top, rows.stop - top)
    unit = _unit(fused[seen])
    far_a, far_b = (np.abs(unit - source[seen])[..., 0] for source in (parts.a, parts.b))
    return (far_a, far_b), own


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
