"""Detects pixels of a file without a measured value: its “no data” value, NaN, infinity.

Only certain cases count: what the file declares, what is not finite, and the usual values of
programs that cannot declare it (−9999, …) if they are far from all other values. Values that are
merely unusual are kept, and a note reports them (:mod:`core.io.values`).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.types import BoolArray, FloatArray

_USUAL_VALUES = np.array(
    [
        *(-9999, -99999, -999999, -999, -32768, -32767, -2147483648),
        *(-1e20, -1e30, -3.4028234663852886e38, 1e20, 1e30, 9.969209968386869e36),
        3.4028234663852886e38,
    ],
    np.float32,
)
"""Usual “no data” values in file formats that cannot declare one."""
_MIN_DISTANCE = 2.0
"""Smallest distance of such a value from all others, relative to the range of the others."""
_LARGE, _ROUGH, _FINE = 1e30, 1e-5, 1e-6
"""Tags are decimal text: −3.40282e+38 means the smallest number of single precision. Numbers of at
least the first magnitude are not measurements: −3.4e38 and −1e31 are “no data” as well.
"""


def declared(samples: npt.NDArray[Any], text: str) -> BoolArray | None:
    """H×W bool, False where ``samples`` H×W×C equal the GDAL_NODATA tag ``text``; None without it.

    A pixel of several channels has no data if all channels equal it.
    """
    try:
        value = float(text.strip().strip("\0").replace(",", "."))
    except ValueError:
        return None
    if math.isnan(value):
        return None  # detected by :func:`finite`
    if samples.dtype.kind == "f":
        # The decimal text of the smallest float64 may be rounded beyond its range.
        most = float(np.finfo(samples.dtype).max)
        value = min(max(value, -most), most)
        near = np.isclose(samples, value, rtol=_ROUGH if abs(value) > _LARGE else _FINE, atol=0.0)
    elif abs(value) < 2**63 and value == int(value):
        near = samples == int(value)
    else:
        return None
    missing = near.all(axis=2)
    return ~missing if missing.any() else None


def finite(samples: npt.NDArray[Any]) -> BoolArray | None:
    """H×W bool, False where a channel of ``samples`` H×W×C is NaN, infinite, or the smallest
    float64, which programs that compute in double precision use for “no data”; None if nowhere.
    """
    if samples.dtype.kind != "f":
        return None
    valid = np.isfinite(samples)
    if samples.dtype.itemsize > 4:
        valid &= samples > np.finfo(samples.dtype).min
    valid = valid.all(axis=2)
    return None if valid.all() else valid


def mask_usual_values(
    data: FloatArray, mask: BoolArray | None
) -> tuple[BoolArray | None, list[float]]:
    """``mask`` without pixels that hold a usual “no data” value, and the values found.

    Such a value counts if its distance from all other values is at least twice their range.
    """
    valid = data if mask is None else data[mask]
    if not any(_is_usual(end) for end in (valid.min(), valid.max())):
        return mask, []
    is_known = _is_usual(valid)
    rest = valid[~is_known]
    if not rest.size:
        return mask, []
    low, high = float(rest.min()), float(rest.max())
    certain = [
        value
        for value in np.unique(valid[is_known]).tolist()
        if max(low - value, value - high) > _MIN_DISTANCE * (high - low)
    ]
    missing = np.asarray(np.isin(data, np.array(certain, np.float32)).all(axis=2), np.bool_)
    return (intersection(mask, ~missing), certain) if missing.any() else (mask, [])


def _is_usual(values: npt.NDArray[np.float32] | np.float32) -> BoolArray:
    """Which of ``values`` are usual “no data” values."""
    return np.asarray(
        np.isin(values, _USUAL_VALUES) | (np.abs(values) >= np.float32(_LARGE)), np.bool_
    )


def intersection(one: BoolArray | None, other: BoolArray | None) -> BoolArray | None:
    """The intersection of two masks; None means True everywhere."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def note_of(mask: BoolArray | None, values: list[float]) -> tuple[str, ...]:
    """Notes for the user about pixels without data."""
    if mask is None:
        return ()
    number = int(np.count_nonzero(~mask))
    notes = [
        Message.plural(
            "{0} pixel holds no data and is filled from the other source.",
            "{0} pixels hold no data and are filled from the other source.",
            number,
        )
    ]
    if values:
        named = ", ".join(f"{value:.9g}" for value in values)
        notes.append(Message("{0} was taken for “no data”: nothing else comes near it.", named))
    return tuple(notes)


def check_any(path: Path, mask: BoolArray | None) -> None:
    """Refuse a file in which no pixel has data.

    Raises:
        InputError: no pixel has data.
    """
    if mask is not None and not mask.any():
        raise InputError(
            str(path),
            Message(
                "not one of its pixels holds data (all are NaN, infinite or marked as “no data”)"
            ),
            Message("Choose another picture."),
        )
