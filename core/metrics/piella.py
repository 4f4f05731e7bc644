"""Fusion quality indices of Piella and Heijmans, from Wang and Bovik's universal image quality."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane, correlate
from core.metrics.metric import Metric
from core.metrics.undefined import ratio
from core.types import Plane

_SIDE = 8
"""Side of the sliding window, in pixels; cut to the picture's where that is shorter."""

_FLAT = 1e-12
"""Variances below this share of the mean square are rounding errors."""


class _Windows(NamedTuple):
    """A plane, and sum and variance (times the squared number of pixels) in every window."""

    plane: Plane
    total: Plane
    variance: Plane


def _sums(plane: Plane) -> Plane:
    """Sums over all windows that are entirely inside the plane; exact for whole numbers."""
    rows, columns = (min(_SIDE, side) for side in plane.shape)
    whole = cv2.boxFilter(plane, cv2.CV_64F, (columns, rows), anchor=(0, 0), normalize=False)
    kept = whole[: plane.shape[0] - rows + 1, : plane.shape[1] - columns + 1]
    return np.asarray(kept, dtype=np.float64)


def _pixels(plane: Plane) -> int:
    height, width = plane.shape
    return int(min(_SIDE, height) * min(_SIDE, width))


def _windows(plane: Plane) -> _Windows:
    total, squares = _sums(plane), _sums(plane * plane) * _pixels(plane)
    variance = squares - total * total
    variance[variance <= _FLAT * squares] = 0.0
    return _Windows(plane, total, variance)


def _quotient(above: Plane, below: Plane) -> Plane:
    """1 where both are zero: two windows without brightness, or contrast, are alike in it."""
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1.0), 1.0))


def _universal_quality(x: _Windows, y: _Windows) -> Plane:
    """Q₀ in every window, in [−1, 1]."""
    covariance = _sums(x.plane * y.plane) * _pixels(x.plane) - x.total * y.total
    covariance[(x.variance == 0) | (y.variance == 0)] = 0.0
    luminance = _quotient(2 * x.total * y.total, x.total**2 + y.total**2)
    return luminance * _quotient(2 * covariance, x.variance + y.variance)


def _local_quality(a: Plane, b: Plane, f: Plane) -> tuple[Plane, Plane]:
    """λ·Q₀(A, F) + (1 − λ)·Q₀(B, F), and the larger variance of the sources, in every window."""
    in_a, in_b, in_f = (_windows(plane) for plane in (a, b, f))
    both = in_a.variance + in_b.variance
    share = np.where(both > 0, in_a.variance / np.where(both > 0, both, 1.0), 0.5)
    quality = share * _universal_quality(in_a, in_f)
    quality += (1.0 - share) * _universal_quality(in_b, in_f)
    return quality, np.maximum(in_a.variance, in_b.variance)


def _weighted(a: Plane, b: Plane, f: Plane) -> float:
    quality, saliency = _local_quality(a, b, f)
    return ratio(float((saliency * quality).sum()), float(saliency.sum()))


def _edge_image(x: Luma) -> Plane:
    smooth, difference = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    plane, border = as_plane(x), cv2.BORDER_REPLICATE
    across = correlate(plane, smooth, difference, border)
    return np.hypot(across, correlate(plane, difference, smooth, border))


def q0(a: Luma, b: Luma, f: Luma) -> float:
    """Piella and Heijmans' fusion quality index Q(A, B, F), in [−1, 1]; also called Q_S.

    Mean over all 8×8 windows w of λ(w)·Q₀(A, F | w) + (1 − λ(w))·Q₀(B, F | w), where λ is A's share
    of the sources' variance, one half where neither varies, and
    Q₀(x, y) = 2·x̄·ȳ / (x̄² + ȳ²) · 2·σ_xy / (σ_x² + σ_y²) is Wang and Bovik's universal quality
    (IEEE Signal Process. Lett. 2002). A factor 0 / 0 of it is 1, as in their code.
    """
    return float(_local_quality(as_plane(a), as_plane(b), as_plane(f))[0].mean())


def qw(a: Luma, b: Luma, f: Luma) -> float:
    """Piella and Heijmans' weighted fusion quality index Q_W(A, B, F), in [−1, 1].

    The mean of :func:`q0` with weights c(w) = C(w) / Σ C, where C(w) is the larger of the sources'
    variances in the window. Piella and Heijmans, ICIP 2003. The usual MATLAB toolbox takes SSIM in
    Gaussian windows in place of Q₀, so scores differ from it. Undefined if both sources are
    constant.
    """
    return _weighted(as_plane(a), as_plane(b), as_plane(f))


def qe(a: Luma, b: Luma, f: Luma) -> float:
    """Piella and Heijmans' edge-dependent fusion quality index, in [−1, 1].

    Q_E = Q_W(A, B, F) · Q_W(A', B', F'), where ' is the norm of the Sobel responses (the exponent α
    of the second factor is 1). Undefined where :func:`qw` is, and if neither source has an edge.
    """
    return qw(a, b, f) * _weighted(_edge_image(a), _edge_image(b), _edge_image(f))


_REFERENCE = "Piella and Heijmans, IEEE International Conference on Image Processing 2003"

ENTRIES = (
    Metric(
        "Q0",
        Message("Fusion quality index (Piella)"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference=_REFERENCE,
        explanation=Message(
            "Likeness of small windows to the sources, more to the one with more contrast there."
        ),
        function=q0,
        symbol="Q_S",
    ),
    Metric(
        "Qw",
        Message("Weighted fusion quality index (Piella)"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference=_REFERENCE,
        explanation=Message(
            "Likeness of small windows to the sources, where windows with contrast count more."
        ),
        function=qw,
        undefined_when=Message("Not defined if both sources are constant."),
        symbol="Q_W",
    ),
    Metric(
        "Qe",
        Message("Edge-dependent fusion quality index (Piella)"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference=_REFERENCE,
        explanation=Message("The weighted index of the pictures times that of their edges."),
        function=qe,
        undefined_when=Message("Not defined if neither source has an edge."),
        symbol="Q_E",
    ),
)
