"""Metrics that model human vision."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple

import numpy as np

from core.errors import Message
from core.metrics.filters import (
    Luma,
    as_plane,
    correlate,
    correlate_valid,
    gaussian_kernel,
    is_constant,
)
from core.metrics.metric import RELEASE, Metric
from core.metrics.undefined import UNDEFINED, ratio
from core.types import Plane

_EYE_NOISE = 2.0
_TINY = 1e-10
_WINDOWS = (17, 9, 5, 3)
"""Side of the Gaussian window per scale; its standard deviation is a fifth of it."""

WindowOf = Callable[[int], Plane]
Filter = Callable[[Plane, Plane], Plane]


def _vif_window(size: int) -> Plane:
    """The authors' window: its samples run from −(n+1)/2 to (n−1)/2, so it is off-centre."""
    positions = np.linspace(-(size // 2) - 1, size // 2, size)
    kernel = np.exp(-(positions**2) / (2 * (size / 5) ** 2))
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def _vif_window_lit(size: int) -> Plane:
    return gaussian_kernel(size, size / 5)


def _same(plane: Plane, window: Plane) -> Plane:
    return correlate(plane, window, window)


def _valid(plane: Plane, window: Plane) -> Plane:
    """Valid region only; the window is cropped to the largest odd size that fits the plane."""
    rows, columns = (_cut(window, side) for side in plane.shape)
    return correlate_valid(plane, rows, columns)


def _cut(window: Plane, side: int) -> Plane:
    spare = (len(window) - min(len(window), side - 1 + side % 2)) // 2
    kept = window[spare : len(window) - spare]
    return np.asarray(kept / kept.sum(), dtype=np.float64)


class _Scale(NamedTuple):
    """An image at one scale, and its local mean and variance."""

    plane: Plane
    mean: Plane
    variance: Plane


def _scales(x: Luma, window_of: WindowOf, smooth: Filter) -> tuple[_Scale, ...]:
    plane = as_plane(x)
    scales = []
    for scale, size in enumerate(_WINDOWS):
        window = window_of(size)
        if scale:
            plane = smooth(plane, window)[::2, ::2]
        mean = smooth(plane, window)
        variance = np.maximum(smooth(plane * plane, window) - mean * mean, 0.0)
        scales.append(_Scale(plane, mean, variance))
    return tuple(scales)


def _vif_scale(x: _Scale, y: _Scale, window: Plane, smooth: Filter) -> tuple[float, float]:
    """Information of one scale in the distorted image and in the reference."""
    flat_x, flat_y = x.variance < _TINY, y.variance < _TINY
    vx = np.where(flat_x, 0.0, x.variance)
    covariance = smooth(x.plane * y.plane, window) - x.mean * y.mean
    gain = covariance / (x.variance + _TINY)
    gain[flat_x | flat_y | (gain < 0)] = 0.0
    noise = np.where(gain > 0, y.variance - gain * covariance, y.variance)
    noise[flat_y] = 0.0
    noise = np.maximum(noise, _TINY)
    held = np.log10(1.0 + gain**2 * vx / (noise + _EYE_NOISE)).sum()
    return float(held), float(np.log10(1.0 + vx / _EYE_NOISE).sum())


def _vif(sources: tuple[Luma, ...], y: Luma, window_of: WindowOf, smooth: Filter) -> float:
    """Sum over ``sources`` of the information in ``y`` over that in the source."""
    if any(map(is_constant, sources)):
        return UNDEFINED
    scales_y = _scales(y, window_of, smooth)
    total = 0.0
    for source in sources:
        held = reference = 0.0
        scales = zip(_WINDOWS, _scales(source, window_of, smooth), scales_y, strict=True)
        for size, scale_x, scale_y in scales:
            part, whole = _vif_scale(scale_x, scale_y, window_of(size), smooth)
            held, reference = held + part, reference + whole
        total += ratio(held, reference)
    return total


def vif(a: Luma, b: Luma, f: Luma) -> float:
    """VIF(A, F) + VIF(B, F), pixel domain, four scales; comparable with the paper's Table 1.

    Sheikh and Bovik, TIP 2006, as in the UniFusion authors' code, whose window is off-centre and
    whose images are extended by zeros; :func:`vif_lit` is the definition in the literature.
    Undefined if a source is constant: there is no information in it that F could keep.
    """
    return _vif((a, b), f, _vif_window, _same)


def vif_lit(a: Luma, b: Luma, f: Luma) -> float:
    """VIF(A, F) + VIF(B, F) with centred windows in the valid region, as in the literature.

    Undefined if a source is constant: there is no information in it that F could keep.
    """
    return _vif((a, b), f, _vif_window_lit, _valid)


ENTRIES = (
    Metric(
        "VIF",
        Message("Visual information fidelity"),
        group="perception",
        direction="higher",
        bounds=(0.0, inf),
        reference=f"Sheikh and Bovik, IEEE TIP 2006, as in the {RELEASE}",
        explanation=Message(
            "How much of the detail an eye can see in the sources is still visible."
        ),
        function=vif,
        definition="authors",
        undefined_when=Message("Not defined if a source is constant."),
    ),
    Metric(
        "VIF_lit",
        Message("Visual information fidelity (original windows)"),
        group="perception",
        direction="higher",
        bounds=(0.0, inf),
        reference="Sheikh and Bovik, IEEE Trans. Image Process. 2006, pixel domain",
        explanation=Message(
            "How much of the detail an eye can see in the sources is still visible."
        ),
        function=vif_lit,
        variant_of="VIF",
        undefined_when=Message("Not defined if a source is constant."),
    ),
)
