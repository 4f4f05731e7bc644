"""The window of an image: which of its values are black and white.

=====================================  =========================================================
8-bit integers                         0…255
colour of more bits                    the range of the format: dark photographs should stay dark
colour floats                          0…1 if all values are inside, otherwise as grey
grey of more bits, or floats           1. a range declared in the file, if the data fill it
                                       2. the range of the format, if the data fill it
                                       3. the range of nearly all values (:func:`nearly_all`)
two exposures of one camera (``mef``,  one window for both, by 2 and 3 for both together: an
``mff``), grey                         under-exposed image must stay darker than the other one
manual                                 as chosen, by :func:`with_window`
=====================================  =========================================================

“Fill” means two fifths of the range for integers, and a tenth of 0…1 for floats, which were scaled
deliberately. A 16-bit photograph therefore keeps its black and white, while counts of a thermal
camera, 12 bits in 16-bit words, or hundredths of a kelvin use all grey levels, with a note.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.errors import InputError, Message
from core.messages import template
from core.tasks import TASKS
from core.types import BoolArray, FloatArray, Image, SourcePair
from core.windows import Window, check_window

Range = tuple[float, float]

_TAIL_FRACTION = 0.005
"""Fraction of the pixels at either end that may lie outside the window."""
_OUTLIER_MARGIN, _PIXEL_MARGIN = 0.5, 0.02
"""Largest extension of the window beyond the bulk for outliers, relative to its span: for objects
of several pixels (a distant fire), and for single pixels, which may be defective."""
_FILLED, _FILLED_UNIT = 0.4, 0.1
_MOSTLY_INSIDE = 0.9
_FAR_SPANS = 3.0
"""Distance, in spans, at which a value is excluded from the statistics."""
_MANY, _MANY_PIXELS = 0.001, 8
_EMPTY = 0.5
_SAMPLE = 2_000_000
"""Approximate number of values for percentiles."""
_NEARLY_ALL = template(
    "Values {0:.6g}…{1:.6g} are black to white, since nearly all pixels lie there. Set others by "
    "--window-a and --window-b, or by low and high in the Display tab."
)
_OF_CONTAINER = template(
    "Values {0:.6g}…{1:.6g} of {2:.6g}…{3:.6g} are black to white, since nearly all pixels lie "
    "there. Set others by --window-a and --window-b, or by low and high in the Display tab."
)
_STATED = template("Values {0:.6g}…{1:.6g} are black to white, as the file says.")
_SHARED = template(
    "Values {0:.6g}…{1:.6g} are black to white in both pictures. Set others by --window-a and "
    "--window-b, or by low and high in the Display tab."
)
_ASKED = template("Values {0:.6g}…{1:.6g} are black to white, as was asked for.")


def _far(held: int, value: float) -> Message:
    return Message.plural(
        "{0} pixel holds {1:.6g}, far from all others, and does not count for what is black and "
        "white. If it means “no data”, say so in the file (tag GDAL_NODATA, or NaN).",
        "{0} pixels hold {1:.6g}, far from all others, and do not count for what is black and "
        "white. If it means “no data”, say so in the file (tag GDAL_NODATA, or NaN).",
        held,
        value,
    )


_WINDOW_NOTES = (_NEARLY_ALL, _OF_CONTAINER, _far(1, 0.0).template, _STATED, _SHARED, _ASKED)
"""Notes about windows, which are removed together with the window."""


@dataclass(frozen=True)
class _ValueRange:
    """Range of nearly all values, and an excluded far value with the number of its pixels."""

    low: float
    high: float
    far: tuple[float, int] | None = None


def nearly_all(data: FloatArray, mask: BoolArray | None = None) -> Range | None:
    """The range of nearly all values of ``data`` H×W×C within ``mask`` H×W; None if constant.

    From the 0.5th to the 99.5th percentile, extended on either side by up to half the span for
    objects of at least several pixels (found with a 3×3 median), or by a fiftieth for single
    pixels: a small hot target stays brighter than its surroundings, while a defective pixel has
    hardly any effect. A value of more than half of the pixels (an empty background) is excluded
    from the percentiles, but is within the range. A value of many pixels that is three spans away
    from all others (the border of a warped image, undeclared “no data”) is excluded.
    """
    spread = _value_range(data, mask)
    return None if spread is None else (spread.low, spread.high)


def _value_range(data: FloatArray, mask: BoolArray | None) -> _ValueRange | None:
    sample, channels = _sampled(data if mask is None else data[mask]), data.shape[2]
    far = _far_value(sample, channels)
    if far is not None:
        sample, keep = sample[sample != far], data != far
        if not sample.size:
            return None
        held = int(np.count_nonzero(~keep.any(axis=2)))
        inside = keep.all(axis=2) if mask is None else keep.all(axis=2) & mask
    else:
        held, inside = 0, mask
    ends = _central_range(sample, channels)
    plain = _plain_ends(data, inside)
    if ends is None:
        ends = plain[0] if plain[0][0] < plain[0][1] else plain[1]
        if ends[0] >= ends[1]:
            return None
    low, high = _with_room(ends, *plain)
    if np.array_equal(sample, np.round(sample)):
        low, high = math.floor(low), math.ceil(high)
    return _ValueRange(float(low), float(high), None if far is None else (float(far), held))


def _sampled(valid: FloatArray) -> FloatArray:
    """Values of ``valid`` (H×W×C or N×C): all channels of a regular sample if there are very many
    pixels.
    """
    pixels = valid.reshape(-1, valid.shape[-1])
    step, width = max(1, pixels.size // _SAMPLE), valid.shape[-2]
    while math.gcd(step, width) > 1:  # otherwise some columns would never be sampled
        step += 1
    return pixels[::step].reshape(-1)


def _ranks(values: FloatArray, channels: int) -> Range:
    """The ends of ``values`` without their tails.

    A tail is a fraction of the pixels, each of which has ``channels`` values, so that small images
    keep their extremes in colour as they do in grey.
    """
    tail = math.floor(_TAIL_FRACTION * (values.size // channels - 1)) * channels
    low, high = max(tail, 0), values.size - 1 - max(tail, 0)
    ordered = np.partition(values, sorted({low, high}))
    return float(ordered[low]), float(ordered[high])


def _far_value(sample: FloatArray, channels: int) -> np.float32 | None:
    """An extreme value of many pixels that is far from all others, or None."""
    for extreme in (sample.min(), sample.max()):
        alone = sample != extreme
        sharing = sample.size - np.count_nonzero(alone)
        if sharing <= max(_MANY * sample.size, _MANY_PIXELS) or not alone.any():
            continue
        low, high = _ranks(sample[alone], channels)
        gap = max(low - float(extreme), float(extreme) - high)
        if high > low and gap > _FAR_SPANS * (high - low):
            return np.float32(extreme)
    return None


def _central_range(sample: FloatArray, channels: int) -> Range | None:
    """Percentiles without an empty background; None if they are equal."""
    low, high = float(sample.min()), float(sample.max())
    for extreme in (low, high):
        rest = sample[sample != np.float32(extreme)]
        if rest.size and rest.size < (1 - _EMPTY) * sample.size:
            ends = _ranks(rest, channels)
            ends = min(ends[0], extreme), max(ends[1], extreme)
            return ends if ends[0] < ends[1] else None
    ends = _ranks(sample, channels)
    return ends if ends[0] < ends[1] else None


def _plain_ends(data: FloatArray, inside: BoolArray | None) -> tuple[Range, Range]:
    """Smallest and largest value after a 3×3 median, and of all pixels, where ``inside``."""
    if inside is None:
        smooth, whole = data, data
    else:
        whole = data[inside]
        middle = np.median(whole[:: max(1, whole.size // 100_000) | 1])
        smooth = np.where(inside[..., np.newaxis], data, np.float32(middle))
    despeckled = cv2.medianBlur(np.ascontiguousarray(smooth), 3)
    return (
        (float(despeckled.min()), float(despeckled.max())),
        (float(whole.min()), float(whole.max())),
    )


def _with_room(ends: Range, despeckled: Range, whole: Range) -> Range:
    low, high = ends
    span = high - low
    below = max(min(low - despeckled[0], _OUTLIER_MARGIN * span), 0.0)
    above = max(min(despeckled[1] - high, _OUTLIER_MARGIN * span), 0.0)
    below = max(below, min(low - whole[0], _PIXEL_MARGIN * span))
    above = max(above, min(whole[1] - high, _PIXEL_MARGIN * span))
    return low - below, high + above


def windowed(image: Image, stated: Sequence[Range] = ()) -> Image:
    """``image`` with the window according to the rules of this module, and a note if that is not
    the range of the format.

    Args:
        image: as read, with ``container`` set; its window is ignored.
        stated: ranges declared in the file (smallest and largest value, a display range).
    """
    container = image.container
    if container is not None and (image.bit_depth == 8 or image.is_colour):
        return replace(image, window=container)
    data = image.data if image.is_colour else image.data[..., :1]
    spread = _value_range(data, image.mask)
    if spread is None:
        return replace(image, window=container or _window_of_constant(float(_first(image))))
    own = spread.low, spread.high
    for claim in stated:
        if claim != container and _is_plausible(claim, own, data, image.mask):
            return replace(image, window=claim, notes=(*image.notes, Message(_STATED, *claim)))
    if container is not None and _fills(own, container):
        return replace(image, window=container)
    return replace(image, window=own, notes=(*image.notes, *_notes(spread, container)))


def _first(image: Image) -> np.float32:
    values = image.data[..., 0]
    return values.flat[0] if image.mask is None else values[image.mask][0]


def _window_of_constant(value: float) -> Range:
    """A window for a constant: 0 to the value, so that it differs from zero."""
    return (0.0, 1.0) if value == 0 else (min(value, 0.0), max(value, 0.0))


def _fills(own: Range, whole: Range) -> bool:
    share = _FILLED_UNIT if whole == (0.0, 1.0) else _FILLED
    return own[1] - own[0] >= share * (whole[1] - whole[0])


def _is_plausible(claim: Range, own: Range, data: FloatArray, mask: BoolArray | None) -> bool:
    """Whether nearly all of the data lie inside a range and fill it."""
    low, high = claim
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return False
    if min(high, own[1]) - max(low, own[0]) < _FILLED * (high - low):
        return False
    valid = data if mask is None else data[mask]
    inside = np.count_nonzero((valid >= low) & (valid <= high))
    return bool(inside >= _MOSTLY_INSIDE * valid.size)


def _notes(spread: _ValueRange, container: Range | None) -> tuple[str, ...]:
    if container is None:
        own = Message(_NEARLY_ALL, spread.low, spread.high)
    else:
        own = Message(_OF_CONTAINER, spread.low, spread.high, *container)
    if spread.far is None:
        return (own,)
    value, held = spread.far
    return own, _far(held, value)


def has_own_window(image: Image) -> bool:
    """Whether a note explains the window of ``image``: it is not the default of its format."""
    return any(_is_about_window(note) for note in image.notes)


def _is_about_window(note: str) -> bool:
    return isinstance(note, Message) and note.template in _WINDOW_NOTES


def _other_notes(image: Image) -> tuple[str, ...]:
    """All notes except those about the window."""
    return tuple(note for note in image.notes if not _is_about_window(note))


def with_window(image: Image, window: Window | None) -> Image:
    """``image`` with a manual window; unchanged for None.

    Raises:
        InputError: low is not below high, an end is not finite, or no value lies between or around
            the ends, so that the image would be all black or all white.
    """
    if window is None or window == image.window:
        return image
    low, high = float(window[0]), float(window[1])
    check_window(window)
    valid = image.data if image.mask is None else image.data[image.mask]
    least, greatest = float(valid.min()), float(valid.max())
    if high < least or low > greatest:
        raise InputError(
            image.name or Message("picture"),
            Message(
                "the window {0:.6g}…{1:.6g} lies outside its values, which are {2:.6g}…{3:.6g}",
                low,
                high,
                least,
                greatest,
            ),
            Message("Choose a window inside them, or leave it out."),
        )
    notes = _other_notes(image)
    if (low, high) != image.container:
        notes = (*notes, Message(_ASKED, low, high))
    return replace(image, window=(low, high), notes=notes)


def with_stated_window(image: Image, window: Window) -> Image:
    """``image`` with the window that its header names on purpose, with a note.

    Itself where none of its values lies in that window, or it is of 8 bits or in colour.
    """
    low, high = float(window[0]), float(window[1])
    valid = image.data if image.mask is None else image.data[image.mask]
    if _keeps(image) or not (math.isfinite(low) and math.isfinite(high) and low < high):
        return image
    if high <= float(valid.min()) or low >= float(valid.max()):
        return image
    notes = (*_other_notes(image), Message(_STATED, low, high))
    return replace(image, window=(low, high), notes=notes)


def for_task(pair: SourcePair, task: str) -> SourcePair:
    """``pair`` with one window for both if the task compares brightness (``mef``, ``mff``).

    Call it before manual windows are applied, because it determines them anew. Pairs of other
    tasks, of different formats, in colour, or with 8 bits are returned unchanged.
    """
    if not is_shared(pair, task):
        return pair
    a, b = pair.a, pair.b
    ends = [_ends(image) for image in (a, b)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    window_note: tuple[str, ...] = ()
    if a.container is not None and (low >= high or _fills((low, high), a.container)):
        window = a.container
    elif low < high:
        window, window_note = (low, high), (Message(_SHARED, low, high),)
    else:
        return pair
    a, b = (replace(i, window=window, notes=(*_other_notes(i), *window_note)) for i in (a, b))
    return replace(pair, a=a, b=b)


def _ends(image: Image) -> Range:
    spread = _value_range(image.data[..., :1], image.mask)
    first = float(_first(image))
    return (first, first) if spread is None else (spread.low, spread.high)


def is_shared(pair: SourcePair, task: str) -> bool:
    """Whether :func:`for_task` determines one window for both images of ``pair``."""
    spec, a, b = TASKS.get(task), pair.a, pair.b
    if spec is None or not spec.one_camera or a.container != b.container:
        return False
    return not (_keeps(a) or _keeps(b))


def _keeps(image: Image) -> bool:
    return image.is_colour or image.bit_depth == 8


def as_stored(image: Image) -> Image:
    """``image`` with the range of its format as the window, as results are displayed and scored."""
    return image if image.container is None else replace(image, window=image.container)


def seen_as(image: Image, other: Image) -> Image:
    """``image`` with the window of ``other`` if both have the same scale, otherwise as stored.

    For the ground truth of a pair.
    """
    if image.container is not None and image.container == other.container:
        return replace(image, window=other.window)
    return as_stored(image)
