"""Feature mutual information (FMI): how much of the sources' features the fused image has."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.errors import Message
from core.metrics.filters import Luma, as_plane
from core.metrics.metric import Metric
from core.metrics.undefined import UNDEFINED
from core.metrics.wavelet import meyer_transform
from core.types import Plane

_SIDE = 3
"""Side of the sliding window, as in the published code."""

_CHUNK = 2048
"""Windows that are processed together, few enough for the processor's cache."""

Samples = npt.NDArray[np.float64]
"""Values of windows, 9×N, in the order of their columns."""

_PLACES = np.arange(1.0, _SIDE**2 + 1)[:, np.newaxis]


class _Distribution(NamedTuple):
    """Windows as probabilities of the places 1 to 9, with their logarithms and moments."""

    probability: Samples
    logarithm: Samples
    entropy: Plane
    mean: Plane
    deviation: Plane
    uniform: npt.NDArray[np.bool_]


def _distribution(samples: Samples) -> _Distribution:
    low, high = samples.min(axis=0), samples.max(axis=0)
    uniform = high == low
    probability = np.where(uniform, 1.0, samples - low)
    probability /= probability.sum(axis=0)
    logarithm = np.log2(np.where(probability > 0, probability, 1.0))
    mean = (_PLACES * probability).sum(axis=0)
    square = (_PLACES**2 * probability).sum(axis=0) - mean**2
    return _Distribution(
        probability,
        logarithm,
        -(probability * logarithm).sum(axis=0),
        mean,
        np.sqrt(np.maximum(square, 0.0)),
        uniform,
    )


def _reversed(x: _Distribution) -> _Distribution:
    last = len(_PLACES) + 1.0
    return x._replace(
        probability=x.probability[::-1], logarithm=x.logarithm[::-1], mean=last - x.mean
    )


def _correlation(x: _Distribution, y: _Distribution) -> Plane:
    """Correlation of the probabilities; 0 where either is uniform."""
    dx, dy = (d.probability - 1.0 / len(_PLACES) for d in (x, y))
    scale = np.sqrt((dx * dx).sum(axis=0) * (dy * dy).sum(axis=0))
    flat = x.uniform | y.uniform
    return np.asarray(np.where(flat, 0.0, (dx * dy).sum(axis=0) / np.where(flat, 1.0, scale)))


class _Bound(NamedTuple):
    """The joint distribution of greatest correlation (Fréchet's upper bound).

    It is zero except on a staircase of 17 cells from (1, 1) to (9, 9): the probabilities there and
    under independence with its logarithm, 17×N each, and the covariance.
    """

    probability: Samples
    independent: Samples
    logarithm: Samples
    covariance: Plane


def _upper_bound(x: _Distribution, y: _Distribution) -> _Bound:
    above_x, above_y = (np.cumsum(d.probability, axis=0) for d in (x, y))
    above_x[-1] = above_y[-1] = 1.0
    places, count = above_x.shape
    steps = 2 * places - 1
    probability, independent, logarithm = (np.empty((steps, count)) for _ in range(3))
    # Positions in the flattened 9×N arrays: a step down is N further.
    at_x, at_y = np.arange(count), np.arange(count)
    last = at_x + (places - 1) * count
    reached, expected = np.zeros(count), np.zeros(count)
    for step in range(steps):
        until_x, until_y = above_x.take(at_x), above_y.take(at_y)
        until = np.minimum(until_x, until_y)
        np.subtract(until, reached, out=probability[step])
        np.multiply(x.probability.take(at_x), y.probability.take(at_y), out=independent[step])
        np.add(x.logarithm.take(at_x), y.logarithm.take(at_y), out=logarithm[step])
        expected += probability[step] * (at_x // count + 1) * (at_y // count + 1)
        reached = until
        down = ((until_x <= until_y) & (at_x < last)) | (at_y == last)
        at_x += count * (down & (at_x < last))
        at_y += count * (~down)
    return _Bound(probability, independent, logarithm, expected - x.mean * y.mean)


def _surprise(probability: Plane) -> Plane:
    """−p·log₂ |p|, 0 for 0."""
    size = np.abs(probability)
    return -probability * np.log2(np.where(size > 0, size, 1.0))


def _joint_entropy(x: _Distribution, y: _Distribution, correlation: Plane) -> Plane:
    """Entropy of φ·U + (1 − φ)·x·y, with Fréchet's upper bound U and φ for ``correlation`` ≥ 0."""
    upper = _upper_bound(x, y)
    spread = x.deviation * y.deviation
    mixed = (correlation > 0) & (spread > 0) & (upper.covariance > 0)
    phi = np.where(mixed, correlation * spread / np.where(mixed, upper.covariance, 1.0), 0.0)
    apart = 1.0 - phi
    size = np.abs(apart)
    of_apart = np.log2(np.where(size > 0, size, 1.0))
    # The entropy as if U were zero everywhere; then the few cells where it is not.
    entropy = apart * (x.entropy + y.entropy - of_apart)
    independent = apart * upper.independent
    change = _surprise(independent + phi * upper.probability)
    change += independent * (of_apart + upper.logarithm)
    return np.asarray(entropy + change.sum(axis=0), dtype=np.float64)


def _information(x: Samples, y: Samples, in_y: _Distribution) -> Plane:
    """Normalised mutual information of windows, N; 1 where they are equal."""
    in_x = _distribution(x)
    correlation = _correlation(in_x, in_y)
    falling = correlation < 0
    # A joint distribution of negative correlation is one of positive correlation, read backwards.
    turned = _Distribution(
        *(np.where(falling, back, front) for back, front in zip(_reversed(in_x), in_x, strict=True))
    )
    joint = _joint_entropy(turned, in_y, np.abs(correlation))
    total = in_x.entropy + in_y.entropy
    mutual = np.where(np.abs(total - joint) > 1e-12, total - joint, 0.0)
    score = 2.0 * mutual / np.where(total > 0, total, 1.0)
    return np.asarray(np.where((x == y).all(axis=0), 1.0, score), dtype=np.float64)


def _stack(feature: Plane) -> Samples:
    height, width = feature.shape[0] - _SIDE + 1, feature.shape[1] - _SIDE + 1
    places = ((row, column) for column in range(_SIDE) for row in range(_SIDE))
    return np.stack(
        [feature[row : row + height, column : column + width].ravel() for row, column in places]
    )


def _fmi(a: Plane, b: Plane, f: Plane) -> float:
    """Mean over all windows of the two normalised informations."""
    if min(f.shape) < _SIDE:
        return UNDEFINED
    in_a, in_b, in_f = (_stack(feature) for feature in (a, b, f))
    total = 0.0
    for start in range(0, in_f.shape[1], _CHUNK):
        part = np.s_[:, start : start + _CHUNK]
        fused = _distribution(in_f[part])
        total += float(_information(in_a[part], in_f[part], fused).sum())
        total += float(_information(in_b[part], in_f[part], fused).sum())
    return float(total / (2 * in_f.shape[1]))


def _gradient(x: Luma) -> Plane:
    if x.shape[1] < 2:
        return np.zeros(x.shape)
    return np.asarray(np.gradient(as_plane(x), axis=1), dtype=np.float64)


def _wavelet(x: Luma) -> Plane:
    parts = meyer_transform(as_plane(x))
    low, high = float(parts.min()), float(parts.max())
    # Rounded, so that rounding errors in flat areas are not stretched to features.
    return np.round((parts - low) / (high - low), 9) if high > low else np.ones_like(parts)


def fmi_pixel(a: Luma, b: Luma, f: Luma) -> float:
    """Feature mutual information of the grey levels themselves.

    In every 3×3 window, the nine values less their minimum are normalised to a distribution p over
    the places 1 to 9. The joint distribution of A and F is that between independence and Fréchet's
    bound, φ·U + (1 − φ)·pₐ·p_f, of which the correlation is that of pₐ with p_f: U belongs to the
    upper bound min(Pₐ, P_f) of the cumulated distributions if it is positive, to the lower bound
    max(Pₐ + P_f − 1, 0) if it is negative, and φ is its share in the correlation of U. With the
    entropies H, FMI(A, F) = 2·(Hₐ + H_f − Hₐ_f) / (Hₐ + H_f), 1 where both windows are equal. The
    score is the mean over all windows and both sources: 0 to 1 on pictures, although single windows
    can exceed 1 (φ can, and H then is of negative "probabilities", by their absolute value).

    Haghighat, Aghagolzadeh and Seyedarabi, Computers & Electrical Engineering 2011; Haghighat and
    Razian, AICT 2014, as in the code they published (window 3). Constant windows are uniform
    distributions; there the correlation is 0 here, and that of rounding errors in their code.
    Undefined for pictures with a side of less than 3 pixels.
    """
    return _fmi(as_plane(a), as_plane(b), as_plane(f))


def fmi_gradient(a: Luma, b: Luma, f: Luma) -> float:
    """:func:`fmi_pixel` of the horizontal central difference, as in the published code.

    Vertical differences do not count in it.
    """
    return _fmi(_gradient(a), _gradient(b), _gradient(f))


def fmi_wavelet(a: Luma, b: Luma, f: Luma) -> float:
    """:func:`fmi_pixel` of the discrete Meyer wavelet transform, as in the published code.

    The four parts of one level are put together and scaled to [0, 1] by the extremes of each
    picture. They are rounded to nine decimals, which the published code does not do.
    """
    return _fmi(_wavelet(a), _wavelet(b), _wavelet(f))


_REFERENCE = "Haghighat and Razian, AICT 2014"
_SMALL = Message("Not defined for pictures with a side of less than 3 pixels.")

ENTRIES = (
    Metric(
        "FMI_pixel",
        Message("Feature mutual information of pixels"),
        group="information",
        direction="higher",
        bounds=(0.0, inf),
        reference=_REFERENCE,
        explanation=Message("How well small patterns of grey levels follow those of the sources."),
        function=fmi_pixel,
        undefined_when=_SMALL,
    ),
    Metric(
        "FMI_gradient",
        Message("Feature mutual information of gradients"),
        group="information",
        direction="higher",
        bounds=(0.0, inf),
        reference=_REFERENCE,
        explanation=Message("How well changes from left to right follow those of the sources."),
        function=fmi_gradient,
        undefined_when=_SMALL,
    ),
    Metric(
        "FMI_wavelet",
        Message("Feature mutual information of wavelet coefficients"),
        group="information",
        direction="higher",
        bounds=(0.0, inf),
        reference=_REFERENCE,
        explanation=Message("How well coarse and fine patterns follow those of the sources."),
        function=fmi_wavelet,
    ),
)
