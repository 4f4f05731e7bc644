"""Metrics from histograms of 256 grey levels."""

from __future__ import annotations

from math import inf, log2

import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane
from core.metrics.metric import RELEASE, Metric
from core.metrics.sharing import shared
from core.metrics.undefined import UNDEFINED, ratio
from core.types import Plane


@shared
def _histogram(x: Luma) -> Plane:
    return np.bincount(x.ravel(), minlength=256) / x.size


def _entropy_of(probabilities: Plane) -> float:
    present = probabilities[probabilities > 0]
    return max(0.0, float(-(present * np.log2(present)).sum()))


@shared
def mutual_information(x: Luma, y: Luma) -> float:
    """I(X; Y) in bits, from the joint histogram of 256 × 256 grey levels."""
    codes = x.astype(np.int64) * 256 + y
    joint = np.bincount(codes.ravel(), minlength=65536) / x.size
    table = joint.reshape(256, 256)
    together = _entropy_of(table.sum(axis=1)) + _entropy_of(table.sum(axis=0))
    return max(0.0, together - _entropy_of(joint))


def mi(a: Luma, b: Luma, f: Luma) -> float:
    """I(A; F) + I(B; F) in bits, at most 16; Qu, Zhang and Yan, Electronics Letters 2002.

    Always defined: a constant picture shares no information.
    """
    return mutual_information(a, f) + mutual_information(b, f)


def nmi(a: Luma, b: Luma, f: Luma) -> float:
    """2 · (I(A; F) + I(B; F)) / (H(A) + H(B)): MI relative to the entropy of the sources.

    Undefined if both sources are constant.

    As in the UniFusion authors' code. Hossny et al. (Electronics Letters 2008) divide each term by
    the entropies of its own source and F instead: see :func:`nmi_lit`.
    """
    return ratio(2.0 * mi(a, b, f), _entropy_of(_histogram(a)) + _entropy_of(_histogram(b)))


def nmi_lit(a: Luma, b: Luma, f: Luma) -> float:
    """Q_MI = 2 · (I(A; F) / (H(A) + H(F)) + I(B; F) / (H(B) + H(F))), Hossny et al. 2008.

    Undefined if F and a source are both constant.
    """
    entropy_f = _entropy_of(_histogram(f))
    terms = (
        ratio(mutual_information(x, f), _entropy_of(_histogram(x)) + entropy_f) for x in (a, b)
    )
    return 2.0 * sum(terms)


def ncie(a: Luma, b: Luma, f: Luma) -> float:
    """Nonlinear correlation information entropy of A, B and F, in [1 − log₂₅₆ 3, 1] ≈ [0.802, 1].

    Q_NCIE = 1 + Σᵢ (λᵢ / 3)·log₂₅₆(λᵢ / 3), where λᵢ are the eigenvalues of the 3×3 matrix with
    ones on the diagonal and the nonlinear correlation coefficients of the three pairs beside it:
    their mutual information in units of log₂ 256 = 8 bits. (The usual MATLAB toolbox stretches the
    grey levels first, which does not change the information of 8-bit pictures.) Agreement of the
    sources with each other counts as well. Always defined: a constant picture shares nothing.

    Wang, Shen and Zhang, Physica D 2005; Wang, Shen and Jin, in: Image Fusion, Academic Press 2008.
    The UniFusion authors' code uses the linear correlation instead; it is not in their tables.
    """
    with_b, with_f, b_with_f = (mutual_information(x, y) / 8.0 for x, y in ((a, b), (a, f), (b, f)))
    correlations = np.array([[1, with_b, with_f], [with_b, 1, b_with_f], [with_f, b_with_f, 1]])
    shares = np.linalg.eigvalsh(correlations) / 3.0
    return 1.0 - _entropy_of(shares) / 8.0


def en(a: Luma, b: Luma, f: Luma) -> float:
    """Shannon entropy of the grey levels of F, −Σ p·log₂ p, in bits; 0 for a constant picture."""
    return _entropy_of(_histogram(f))


def _cross_entropy(x: Luma, f: Luma) -> float:
    p, q = _histogram(x), _histogram(f)
    both = (p > 0) & (q > 0)
    if not both.any():
        return UNDEFINED
    return float((p[both] * np.log2(p[both] / q[both])).sum())


def ce(a: Luma, b: Luma, f: Luma) -> float:
    """Cross entropy: mean over both sources of Σ p·log2(p / q), p the source's, q F's histogram.

    The usual definition (Bulanon et al., Biosystems Engineering 2009). Grey levels that are absent
    from either image are left out, so small negative values can occur. Undefined if F has no grey
    level of a source. The authors' score is :func:`ce_paper`.
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


ENTRIES = (
    Metric(
        "MI",
        Message("Mutual information"),
        group="information",
        direction="higher",
        bounds=(0.0, 16.0),
        reference="Qu, Zhang and Yan, Electronics Letters 2002",
        explanation=(
            Message(
                "How much knowing the fused picture tells about the grey levels of both sources."
            )
        ),
        function=mi,
    ),
    Metric(
        "NMI",
        Message("Normalised mutual information"),
        group="information",
        direction="higher",
        bounds=(0.0, 2.0),
        reference=RELEASE,
        explanation=Message("Mutual information relative to how much the sources hold."),
        function=nmi,
        definition="authors",
        undefined_when=Message("Not defined if both sources are constant."),
    ),
    Metric(
        "NMI_lit",
        Message("Normalised mutual information (Hossny)"),
        group="information",
        direction="higher",
        bounds=(0.0, 2.0),
        reference="Hossny, Nahavandi and Creighton, Electronics Letters 2008",
        explanation=(
            Message(
                "Mutual information, each source normalised with its own entropy and the result's."
            )
        ),
        function=nmi_lit,
        variant_of="NMI",
        undefined_when=Message("Not defined if the fused picture and a source are both constant."),
        symbol="Q_MI",
    ),
    Metric(
        "EN",
        Message("Entropy"),
        group="statistics",
        direction="higher",
        bounds=(0.0, 8.0),
        reference="Shannon, Bell System Technical Journal 1948",
        explanation=Message("How varied the grey levels are; noise raises it too."),
        function=en,
    ),
    Metric(
        "NCIE",
        Message("Nonlinear correlation information entropy"),
        group="information",
        direction="higher",
        bounds=(1.0 - log2(3.0) / 8.0, 1.0),
        reference="Wang, Shen and Jin, Image Fusion: Algorithms and Applications 2008",
        explanation=Message(
            "How strongly both sources and the fused picture depend on each other in any way."
        ),
        function=ncie,
        symbol="Q_NCIE",
    ),
    Metric(
        "CE",
        Message("Cross entropy"),
        group="information",
        direction="lower",
        bounds=(-inf, inf),
        reference="Bulanon, Burks and Alchanatis, Biosystems Engineering 2009",
        explanation=Message("How far the mix of grey levels is from that of the sources."),
        function=ce,
        undefined_when=Message("Not defined if the fused picture has no grey level of a source."),
    ),
    Metric(
        "CE_paper",
        Message("Cross entropy of sigmoids (authors' code)"),
        group="information",
        direction="lower",
        bounds=(0.0, 17.0),
        reference=RELEASE,
        explanation=Message("Mostly whether near-black pixels stayed near-black."),
        function=ce_paper,
        definition="authors",
        variant_of="CE",
    ),
)
