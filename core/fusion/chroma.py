"""Chroma of the sources for the fused luma: read, weighted by exposure, mixed.

BT.601 full range (JFIF): Y = 0.299 R + 0.587 G + 0.114 B, Cb = (B − Y) / 1.772,
Cr = (R − Y) / 1.402, with Cb and Cr centred on zero. All arrays are float32.

Two exposures of one scene differ by a factor in light, which in gamma-encoded values is nearly a
factor on all channels alike: hue and saturation (chroma over luma) stay, chroma does not. A clipped
channel breaks this: a blue sky of which blue is clipped turns teal, then white. So the chroma of
clipped and of nearly black pixels does not count where the other source is well exposed, and the
chroma that is taken follows the luma (decision 0035).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.types import FloatArray, Image
from core.types.luma import KB, KR, LUMA_WEIGHTS

CB_SPAN, CR_SPAN = 2 * (1 - KB), 2 * (1 - KR)
_CLIPPING, _CLIPPED = np.float32(240 / 255), np.float32(250 / 255)
"""Largest channel from which a pixel counts less, and from which on it is clipped."""
_BLACK, _DARK = np.float32(6 / 255), np.float32(20 / 255)
"""Largest channel up to which a pixel is nearly black, and from which on it counts in full."""
_NEARLY_WHITE = np.float32(0.6), np.float32(0.9)
"""Luma of clipped pixels up to which they are colours, and from which on they are nearly white."""
_MAX_GAIN = np.float32(2)
"""Largest factor on the chroma of a pixel that is brighter in the fused image than in its source.

More restores deep colours of dark frames further, and looked painted on three of 14 pairs.
"""
_MIN_DISTANCE = 1e-6
"""Sum of luma distances below which neither source counts as nearer."""
_EPS = np.float32(1e-30)
"""Replaces a zero divisor where the numerator is zero too."""
_MINLUMA_WEIGHTS = np.float32(1e-3)
"""Replaces a smaller luma as a divisor."""
WINDOW_RADIUS = 2
"""Radius in rows of the window in which luma distances are averaged."""


@dataclass(frozen=True, eq=False)
class SourceChroma:
    """Colour of some rows of one source.

    Attributes:
        chroma: h×w×2, Cb and Cr centred on zero, stored plane by plane, because the following
            operations process one plane at a time. Overwritten by :func:`mixed_chroma`.
        luma: h×w in [0, 1].
        peak: h×w, the largest of the three channels, in [0, 1].
    """

    chroma: FloatArray
    luma: FloatArray
    peak: FloatArray


def luma(rgb: FloatArray) -> FloatArray:
    """BT.601 luma, H×W×1 in [0, 1], of H×W×3 (or H×W×1, returned as it is) in [0, 1]."""
    if rgb.shape[-1] == 1:
        return rgb
    grey: FloatArray = rgb @ LUMA_WEIGHTS
    return grey[..., np.newaxis]


def read_chroma(image: Image, rows: slice, filler: Image | None = None) -> SourceChroma:
    """Colour of some rows of ``image``; that of ``filler`` where data are missing.

    Without a filler, missing data are black.
    """
    values = image.part(rows).normalised()
    grey = luma(values)[..., 0]
    planes = np.empty((2, *grey.shape), np.float32)
    for plane, channel, span in zip(planes, (2, 0), (CB_SPAN, CR_SPAN), strict=True):
        np.subtract(values[..., channel], grey, out=plane)
        plane /= np.float32(span)
    peak = np.maximum(values[..., 0], values[..., 1])
    np.maximum(peak, values[..., 2], out=peak)
    chroma: FloatArray = planes.transpose(1, 2, 0)
    if image.mask is not None:
        missing = ~image.mask[rows]
        for own in (chroma, grey, peak):
            own[missing] = 0
        if filler is not None:
            other = read_chroma(filler, rows)
            chroma[missing] = other.chroma[missing]
            grey[missing], peak[missing] = other.luma[missing], other.peak[missing]
    return SourceChroma(chroma, grey, peak)


def mixed_chroma(fused: FloatArray, sources: list[SourceChroma]) -> FloatArray:
    """Chroma h×w×2 for the fused luma h×w, of one source or two.

    Of one source, chroma is carried as it is, except that nearly white pixels that become darker
    keep their saturation. Two sources are mixed channel by channel, weighted by their distance from
    grey (DeepFuse, Prabhakar et al., ICCV 2017) and by how well each is exposed; where neither is,
    by how far each is from black and white. What is mixed follows the fused luma upwards, up to
    twice, and is made as colourful as the mixture regardless of exposure would be, up to twice
    again: a clipped pixel tells how colourful a place is, but not which colour it has.

    Where the fused luma is that of a single source, its chroma is returned to the bit.
    """
    if len(sources) == 1:
        (source,) = sources
        return _scaled(source.chroma, _darkening(fused, source))
    exposures = [_exposure(source.peak) for source in sources]
    badly = any((exposure < 1).any() for exposure in exposures)
    regardless = _by_colour(*(source.chroma for source in sources)) if badly else None
    for source, exposure in zip(sources, exposures, strict=True):
        _scaled(source.chroma, _following(fused, source, exposure))
    if regardless is None:
        return _by_colour(*(source.chroma for source in sources))
    neither = (1 - exposures[0]) * (1 - exposures[1])
    for source, exposure in zip(sources, exposures, strict=True):
        exposure += neither * (1 - np.abs(2 * source.luma - 1))
    mixed = _by_colour(*(source.chroma for source in sources), *exposures)
    return _as_colourful(mixed, regardless)


def _by_colour(
    first: FloatArray,
    second: FloatArray,
    exposure_a: FloatArray | None = None,
    exposure_b: FloatArray | None = None,
) -> FloatArray:
    """Mean of two chromas h×w×2, weighted by distance from grey and by exposures h×w."""
    mixed: FloatArray = _scaled(np.abs(first), exposure_a)
    weight_b = _scaled(np.abs(second), exposure_b)
    total = mixed + weight_b
    # Where both are grey the weights are zero, and so is the numerator.
    np.maximum(total, _EPS, out=total)
    mixed *= first
    weight_b *= second
    mixed += weight_b
    mixed /= total
    return mixed


def _as_colourful(chroma: FloatArray, model: FloatArray) -> FloatArray:
    """``chroma`` in place, as long as what ``model`` has of its hue, at most by ``_MAX_GAIN``."""
    wanted = chroma[..., 0] * model[..., 0] + chroma[..., 1] * model[..., 1]
    own = chroma[..., 0] ** 2 + chroma[..., 1] ** 2
    np.maximum(own, _EPS, out=own)
    wanted /= own
    return _scaled(chroma, np.clip(wanted, 1, _MAX_GAIN, out=wanted))


def nearest_chroma(
    distances: tuple[FloatArray, FloatArray], own: slice, sources: list[SourceChroma]
) -> FloatArray:
    """Chroma h×w×2 of two sources, mixed by the distances of the fused luma to the sources' lumas.

    Distances are averaged over 5×5 pixels: an accidental equality of a single pixel does not select
    a source, while a region that copies one source takes its colour. As luma is mixed alike, this
    is a mixture of the pixels themselves, and a clipped pixel that is copied stays as it is.

    Args:
        distances: absolute differences of lumas, with up to ``WINDOW_RADIUS`` more rows around.
        own: the rows of ``sources`` in them.
    """
    far_a, far_b = (np.asarray(cv2.blur(d, (5, 5))[own], np.float32) for d in distances)
    total = far_a + far_b
    even = total < _MIN_DISTANCE
    total[even] = 1
    np.divide(far_b, total, out=far_b)
    far_b[even] = 0.5
    chroma_a, chroma_b = (source.chroma for source in sources)
    mixed: FloatArray = chroma_a - chroma_b
    mixed *= far_b[..., np.newaxis]
    mixed += chroma_b
    return mixed


def _scaled(planes: FloatArray, factor: FloatArray | None) -> FloatArray:
    """``planes`` h×w×2 multiplied by ``factor`` h×w in place; None is one."""
    if factor is not None:
        planes *= factor[..., np.newaxis]
    return planes


def _ramp(values: FloatArray, low: np.float32, high: np.float32) -> FloatArray:
    """0 up to ``low``, 1 from ``high`` on, linear between; either may be the larger one."""
    share: FloatArray = (values - low) / (high - low)
    return np.clip(share, 0, 1, out=share)


def _exposure(peak: FloatArray) -> FloatArray:
    """How far chroma can be relied on: 0 for clipped and nearly black pixels, else up to 1."""
    return _ramp(peak, _BLACK, _DARK) * _ramp(peak, _CLIPPED, _CLIPPING)


def _brightening(fused: FloatArray, source: SourceChroma) -> FloatArray:
    """Fused luma over that of the source."""
    divisor = np.empty_like(source.luma)
    np.maximum(source.luma, _MINLUMA_WEIGHTS, out=divisor)
    return np.divide(fused, divisor, out=divisor)


def _darkening(fused: FloatArray, source: SourceChroma) -> FloatArray | None:
    """Factor on chroma that keeps the saturation of nearly white pixels that become darker.

    A white sky with a trace of colour, of which a channel or two are clipped, would else become a
    strongly coloured one. None where no pixel is clipped.
    """
    if not (source.peak > _CLIPPING).any():
        return None
    white = _ramp(source.peak, _CLIPPING, _CLIPPED) * _ramp(source.luma, *_NEARLY_WHITE)
    factor: FloatArray = 1 - white * (1 - np.minimum(_brightening(fused, source), 1))
    return factor


def _following(fused: FloatArray, source: SourceChroma, exposure: FloatArray) -> FloatArray:
    """Factor on chroma that keeps the saturation of pixels that become brighter, within limits."""
    ratio = _brightening(fused, source)
    np.clip(ratio, 1, _MAX_GAIN, out=ratio)
    ratio -= 1
    ratio *= exposure
    ratio += 1
    darkening = _darkening(fused, source)
    if darkening is not None:
        ratio *= darkening
    return ratio
