"""Metrics of grey levels without regard to position: error, correlation, deviation."""

from __future__ import annotations

import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane
from core.metrics.metric import Metric
from core.metrics.sharing import shared
from core.metrics.undefined import ratio
from core.types import Plane

PSNR_CEILING = 100.0
"""PSNR in dB of identical images, for which the definition is infinite."""

PAPER_PSNR_OFFSET = 20.0 * float(np.log10(255.0))
"""48.13 dB. Table 1 of the UniFusion paper relates the error of images in [0, 1] to a peak of 255,
which adds this constant to the true PSNR."""


@shared
def mse_pair(x: Luma, y: Luma) -> float:
    """Mean squared difference of two 8-bit images, scaled to [0, 1]."""
    return float(np.mean((as_plane(x) - as_plane(y)) ** 2)) / 255.0**2


def psnr_from_mse(error: float) -> float:
    """10·log10(1 / error) in dB, at most :data:`PSNR_CEILING`; ``error`` of values in [0, 1]."""
    if error <= 10.0 ** (-PSNR_CEILING / 10.0):
        return PSNR_CEILING
    return float(-10.0 * np.log10(error))


def psnr_pair(x: Luma, y: Luma) -> float:
    """PSNR between two images in dB, for instance a result and its ground truth."""
    return psnr_from_mse(mse_pair(x, y))


def mse(a: Luma, b: Luma, f: Luma) -> float:
    """Mean of MSE(A, F) and MSE(B, F), for values in [0, 1]."""
    return 0.5 * (mse_pair(a, f) + mse_pair(b, f))


def psnr(a: Luma, b: Luma, f: Luma) -> float:
    """True PSNR in dB of the mean of both errors: 10·log10(1 / mse), at most 100."""
    return psnr_from_mse(mse(a, b, f))


def paper_psnr(decibels: float) -> float:
    """A true PSNR in dB as printed in Table 1 of the UniFusion paper: 48.13 dB higher."""
    return decibels + PAPER_PSNR_OFFSET


def psnr_paper(a: Luma, b: Luma, f: Luma) -> float:
    """PSNR as printed in the UniFusion paper's Table 1; see :func:`paper_psnr`."""
    return paper_psnr(psnr(a, b, f))


def correlation(x: Plane, y: Plane) -> float:
    """Pearson correlation of two planes, in [−1, 1]; undefined if either is constant."""
    dx, dy = x - x.mean(), y - y.mean()
    return ratio(float((dx * dy).sum()), float(np.sqrt((dx * dx).sum() * (dy * dy).sum())))


def cc(a: Luma, b: Luma, f: Luma) -> float:
    """Mean of the Pearson correlations of F with A and with B, in [−1, 1].

    Undefined if A, B or F is constant.
    """
    plane_f = as_plane(f)
    return 0.5 * (correlation(as_plane(a), plane_f) + correlation(as_plane(b), plane_f))


def scd(a: Luma, b: Luma, f: Luma) -> float:
    """Sum of the correlations of differences: r(F − B, A) + r(F − A, B), in [−2, 2].

    Aslantas and Bendes, AEU International Journal of Electronics and Communications 2015. Undefined
    if A, B, F − A or F − B is constant, so for a copy of a source.
    """
    plane_a, plane_b, plane_f = as_plane(a), as_plane(b), as_plane(f)
    return correlation(plane_f - plane_b, plane_a) + correlation(plane_f - plane_a, plane_b)


def sd(a: Luma, b: Luma, f: Luma) -> float:
    """Standard deviation (population) of F, in 8-bit grey levels."""
    return float(as_plane(f).std())


ENTRIES = (
    Metric(
        "CC",
        Message("Correlation"),
        group="agreement",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Pearson's correlation, mean over both sources",
        explanation=Message("How closely bright and dark follow both sources."),
        function=cc,
        undefined_when=Message("Not defined if a source or the fused picture is constant."),
    ),
    Metric(
        "PSNR",
        Message("Peak signal-to-noise ratio (dB)"),
        group="agreement",
        direction="higher",
        bounds=(0.0, PSNR_CEILING),
        reference="10·log10(1 / MSE), values in [0, 1], mean error of both sources",
        explanation=Message(
            "How small the pixel-wise difference from the sources is, in decibels."
        ),
        function=psnr,
    ),
    Metric(
        "PSNR_paper",
        Message("PSNR as printed in the UniFusion paper (dB)"),
        group="agreement",
        direction="higher",
        bounds=(PAPER_PSNR_OFFSET, PSNR_CEILING + PAPER_PSNR_OFFSET),
        reference="arXiv 2603.14214, Table 1: 48.13 dB above the true PSNR",
        explanation=Message(
            "The PSNR, shifted by a constant so it can be read beside the paper's table."
        ),
        function=psnr_paper,
        definition="paper",
        variant_of="PSNR",
    ),
    Metric(
        "SD",
        Message("Standard deviation"),
        group="statistics",
        direction="higher",
        bounds=(0.0, 127.5),
        reference="population standard deviation of 8-bit grey levels",
        explanation=Message("How much contrast the fused picture has overall."),
        function=sd,
    ),
    Metric(
        "SCD",
        Message("Sum of the correlations of differences"),
        group="agreement",
        direction="higher",
        bounds=(-2.0, 2.0),
        reference="Aslantas and Bendes, AEU 2015",
        explanation=Message("Whether what was added to one source really comes from the other."),
        function=scd,
        undefined_when=Message(
            "Not defined if a source, or its difference from the fused picture, is constant."
        ),
    ),
    Metric(
        "MSE",
        Message("Mean squared error"),
        group="agreement",
        direction="lower",
        bounds=(0.0, 1.0),
        reference="values in [0, 1], mean over both sources",
        explanation=Message("How large the pixel-wise difference from the sources is."),
        function=mse,
    ),
)
