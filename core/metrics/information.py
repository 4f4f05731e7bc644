"""Metrics from histograms of 256 grey levels."""

from __future__ import annotations

import numpy as np

from core.metrics.filters import Luma, as_plane, ratio
from core.types import Plane


def _histogram(x: Luma) -> Plane:
    return np.bincount(x.ravel(), minlength=256) / x.size


def _entropy_of(probabilities: Plane) -> float:
    present = probabilities[probabilities > 0]
    return max(0.0, float(-(present * np.log2(present)).sum()))


def mutual_information(x: Luma, y: Luma) -> float:
    """I(X; Y) in bits, from the joint histogram of 256 × 256 grey levels."""
    codes = x.astype(np.int64) * 256 + y
    joint = np.bincount(codes.ravel(), minlength=65536) / x.size
    table = joint.reshape(256, 256)
    together = _entropy_of(table.sum(axis=1)) + _entropy_of(table.sum(axis=0))
    return max(0.0, together - _entropy_of(joint))


def mi(a: Luma, b: Luma, f: Luma) -> float:
    """I(A; F) + I(B; F) in bits."""
    return mutual_information(a, f) + mutual_information(b, f)


def nmi(a: Luma, b: Luma, f: Luma) -> float:
    """2 · (I(A; F) + I(B; F)) / (H(A) + H(B)): MI relative to the entropy of the sources.

    As in the UniFusion authors' code. Hossny et al. (Electronics Letters 2008) divide each term by
    the entropies of its own source and F instead: see :func:`nmi_lit`.
    """
    return ratio(2.0 * mi(a, b, f), _entropy_of(_histogram(a)) + _entropy_of(_histogram(b)))


def nmi_lit(a: Luma, b: Luma, f: Luma) -> float:
    """2 · (I(A; F) / (H(A) + H(F)) + I(B; F) / (H(B) + H(F))), Hossny et al. 2008."""
    entropy_f = _entropy_of(_histogram(f))
    terms = (
        ratio(mutual_information(x, f), _entropy_of(_histogram(x)) + entropy_f) for x in (a, b)
    )
    return 2.0 * sum(terms)


def en(a: Luma, b: Luma, f: Luma) -> float:
    """Shannon entropy of the grey levels of F, in bits."""
    return _entropy_of(_histogram(f))


def _cross_entropy(x: Luma, f: Luma) -> float:
    p, q = _histogram(x), _histogram(f)
    both = (p > 0) & (q > 0)
    return float((p[both] * np.log2(p[both] / q[both])).sum())


def ce(a: Luma, b: Luma, f: Luma) -> float:
    """Cross entropy: mean over both sources of Σ p·log2(p / q), p the source's, q F's histogram.

    The usual definition; grey levels that are absent from either image are left out, so small
    negative values can occur. The authors' score is :func:`ce_paper`.
    """
    return 0.5 * (_cross_entropy(a, f) + _cross_entropy(b, f))


def ce_paper(a: Luma, b: Luma, f: Luma) -> float:
    """Binary cross entropy of sigmoids of the grey levels, as in the UniFusion authors' code.

    The sigmoid saturates at a grey level of about 16 (of 255), so only near-black pixels count.
    For comparison only.
    """
    sigmoid = 1.0 / (1.0 + np.exp(-np.arange(256, dtype=np.float64)))
    # The authors compute in float32, whose nearest number to 1 − 1e-7 is 1 − 2⁻²³.
    low, high = 1e-7, 1.0 - 2.0**-23
    fused = np.clip(sigmoid[f], low, high)
    target = np.clip(0.5 * (sigmoid[a] + sigmoid[b]), low, high)
    loss = target * np.log(fused) + (1.0 - target) * np.log1p(-fused)
    return float(-as_plane(loss).mean())
