"""Which window a volume is first shown with, and the presets a person can choose from.

=========================  =====================================================================
CT in HU                   the header's window, else soft tissue
PET in SUV                 0 to the 99.5th percentile, held between 4 and 30
PET and SPECT otherwise    0 to the 99.5th percentile
MR, and all others         the header's window where the data meets it, else 0.1 % off either end
=========================  =====================================================================

Percentiles are those of a sample of the voxels (:data:`SAMPLE`), the same ones each time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.messages import Message
from core.types import BoolArray, FloatArray, Modality, Volume
from core.windows import Window

SAMPLE = 2_000_000
"""Voxels that percentiles are taken from, at most about."""

_PET_TOP = 0.995
_SUV_TOP = (4.0, 30.0)
_TAIL = 0.001
_MET = 0.02
"""Least share of a header's window, and of the range of nearly all voxels, that the two must have
in common for the window to be believed."""


@dataclass(frozen=True)
class WindowPreset:
    """A window that has a name.

    Attributes:
        name: for people.
        window: low and high end, in the unit that the preset is for.
    """

    name: Message
    window: Window


def _levelled(name: Message, level: float, width: float) -> WindowPreset:
    return WindowPreset(name, (level - width / 2, level + width / 2))


CT_PRESETS: tuple[WindowPreset, ...] = (
    _levelled(Message("Brain"), 40, 80),
    _levelled(Message("Stroke"), 40, 40),
    _levelled(Message("Bone"), 480, 2500),
    _levelled(Message("Lung"), -600, 1500),
    _levelled(Message("Soft tissue"), 40, 400),
)
"""In HU."""

SUV_PRESETS: tuple[WindowPreset, ...] = tuple(
    WindowPreset(Message("SUV 0 to {0}", top), (0.0, float(top))) for top in (5, 7, 10, 15, 20, 30)
)
"""In SUV of any kind."""

_SOFT_TISSUE = CT_PRESETS[-1].window


def presets_for(modality: Modality, unit: str) -> tuple[WindowPreset, ...]:
    """The presets that fit values of that kind; none where there is no absolute unit."""
    if modality == "CT" and unit == "HU":
        return CT_PRESETS
    return SUV_PRESETS if unit.startswith("SUV") else ()


def suggest_window(
    data: FloatArray,
    modality: Modality,
    unit: str,
    *,
    stated: Window | None = None,
    mask: BoolArray | None = None,
) -> Window:
    """The window to begin with, low < high.

    Args:
        data: values of any shape, finite.
        modality: of the scanner.
        unit: of ``data``, as in :class:`core.types.Volume`.
        stated: the window that the header names, in that unit; None where it names none.
        mask: of the shape of ``data``, True where it was measured; None for everywhere.
    """
    sample = sampled(data, mask)
    if modality in {"PT", "NM"}:
        return 0.0, _emission_top(sample, unit.startswith("SUV"))
    if stated is not None and _is_met(stated, sample):
        return float(stated[0]), float(stated[1])
    if modality == "CT" and unit == "HU":
        return _SOFT_TISSUE
    return _without_tails(sample)


def window_of_volume(volume: Volume, stated: Window | None = None) -> Window:
    """:func:`suggest_window` for a volume."""
    return suggest_window(
        volume.data, volume.modality, volume.unit, stated=stated, mask=volume.mask
    )


def sampled(data: FloatArray, mask: BoolArray | None = None) -> FloatArray:
    """Evenly spread values of ``data`` where ``mask`` holds, :data:`SAMPLE` at most about.

    Without a copy of ``data`` where it is contiguous. All of one kind of neighbourhood are asked:
    the step shares no factor with the lengths of rows and slices.
    """
    flat, step = data.reshape(-1), max(1, math.ceil(data.size / SAMPLE))
    while any(math.gcd(step, length) > 1 for length in data.shape):
        step += 1
    values = flat[::step]
    if mask is not None:
        values = values[mask.reshape(-1)[::step]]
    return values


def _emission_top(sample: FloatArray, is_suv: bool) -> float:
    """The high end for counts and what is made of them."""
    top = float(np.quantile(sample, _PET_TOP)) if sample.size else 0.0
    if is_suv:
        return min(max(top, _SUV_TOP[0]), _SUV_TOP[1])
    if top <= 0:  # little is lit in much darkness
        lit = sample[sample > 0]
        top = float(np.quantile(lit, _PET_TOP)) if lit.size else 0.0
    return top if top > 0 else 1.0


def _without_tails(sample: FloatArray) -> Window:
    if not sample.size:
        return 0.0, 1.0
    low, high = (float(end) for end in np.quantile(sample, [_TAIL, 1 - _TAIL]))
    if low < high:
        return low, high
    low, high = float(sample.min()), float(sample.max())
    if low < high:
        return low, high
    return (0.0, 1.0) if low == 0 else (min(low, 0.0), max(low, 0.0))


def _is_met(stated: Window, sample: FloatArray) -> bool:
    """Whether nearly all values and the window have enough in common."""
    low, high = stated
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or not sample.size:
        return False
    least, greatest = _without_tails(sample)
    overlap = min(high, greatest) - max(low, least)
    return overlap > 0 and overlap >= _MET * max(high - low, greatest - least)
