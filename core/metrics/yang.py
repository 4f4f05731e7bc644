"""Yang's structural quality: weighted SSIM where the sources agree, else the larger SSIM."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import NamedTuple

import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane, correlate, correlate_valid, gaussian_kernel
from core.metrics.metric import RELEASE, Metric
from core.types import Plane

_SIZE, _SIGMA, _THRESHOLD = 7, 1.5, 0.75

# Well above rounding errors, well below the variance of one 8-bit step in a corner of a window.
_FLAT = 1e-6

Smooth = Callable[[Plane], Plane]
Share = Callable[[Plane, Plane], Plane]


class _Moments(NamedTuple):
    """An image, and its local mean and variance."""

    plane: Plane
    mean: Plane
    variance: Plane


def _moments(x: Luma, smooth: Smooth) -> _Moments:
    plane = as_plane(x)
    mean = smooth(plane)
    return _Moments(plane, mean, smooth(plane * plane) - mean * mean)


def _similarity(x: _Moments, y: _Moments, smooth: Smooth, c1: float, c2: float) -> Plane:
    product = x.mean * y.mean
    covariance = smooth(x.plane * y.plane) - product
    luminance = (2 * product + c1) / (x.mean * x.mean + y.mean * y.mean + c1)
    structure = (2 * covariance + c2) / (x.variance + y.variance + c2)
    return np.asarray(luminance * structure, dtype=np.float64)


def _share_paper(va: Plane, vb: Plane) -> Plane:
    return va / (va + vb + 1e-10)


def _share(va: Plane, vb: Plane) -> Plane:
    """Weight of A by local variance, in [0, 1]; 0.5 where neither source varies."""
    total = np.maximum(va, 0.0) + np.maximum(vb, 0.0)
    varies = total > _FLAT
    return np.asarray(
        np.where(varies, np.maximum(va, 0.0) / np.where(varies, total, 1.0), 0.5), dtype=np.float64
    )


def _yang(
    images: tuple[Luma, Luma, Luma], smooth: Smooth, share_of: Share, c1: float, c2: float
) -> float:
    a, b, f = (_moments(image, smooth) for image in images)
    agree = _similarity(a, b, smooth, c1, c2) >= _THRESHOLD
    with_a, with_b = _similarity(a, f, smooth, c1, c2), _similarity(b, f, smooth, c1, c2)
    share = share_of(a.variance, b.variance)
    mixed = share * with_a + (1.0 - share) * with_b
    return float(np.where(agree, mixed, np.maximum(with_a, with_b)).mean())


def qy(a: Luma, b: Luma, f: Luma) -> float:
    """Yang's quality as in the UniFusion authors' code; comparable with the paper's Table 1.

    Its 7×7 window is Gaussian horizontally, but sums seven rows without normalisation, and its
    stabilising constants are those of images in [0, 1], although values range to 255. So the
    "variances" are mostly negative squares of the mean, the score mostly measures agreement of
    local brightness, and it can exceed 1 (1.04 for pure noise that is unrelated to the sources).
    :func:`qy_lit` is the definition in the literature.
    """
    across, down = gaussian_kernel(_SIZE, _SIGMA), np.ones(_SIZE)

    def smooth(plane: Plane) -> Plane:
        return correlate(plane, down, across)

    return _yang((a, b, f), smooth, _share_paper, 0.01**2, 0.03**2)


def qy_lit(a: Luma, b: Luma, f: Luma) -> float:
    """Yang, Zhang, Wang et al. (2008): 7×7 Gaussian, σ = 1.5, range 255, valid region only.

    Stabilised with the usual SSIM constants: the toolbox that most papers use takes 2e-16, with
    which flat areas (a black background) are dominated by rounding errors. Images smaller than the
    window use the largest odd window that fits.
    """
    rows, columns = (gaussian_kernel(min(_SIZE, n - 1 + n % 2), _SIGMA) for n in a.shape)

    def smooth(plane: Plane) -> Plane:
        return correlate_valid(plane, rows, columns)

    return _yang((a, b, f), smooth, _share, (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2)


ENTRIES = (
    Metric(
        "Qy",
        Message("Structural similarity to the sources (Yang)"),
        group="structure",
        direction="higher",
        bounds=(-inf, inf),
        reference=f"Yang et al., Information Fusion 2008, as in the {RELEASE}",
        explanation=(
            Message(
                "Likeness to both sources where they agree, to the better match where they do not."
            )
        ),
        function=qy,
        definition="authors",
        symbol="Q_Y",
    ),
    Metric(
        "Qy_lit",
        Message("Structural similarity to the sources (Yang, original window)"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Yang, Zhang, Wang and Liu, Information Fusion 2008",
        explanation=(
            Message(
                "Likeness to both sources where they agree, to the better match where they do not."
            )
        ),
        function=qy_lit,
        variant_of="Qy",
    ),
)
