"""The registry of fusion metrics: functions of three 8-bit luma images, with their properties.

A metric without suffix follows the code published by the UniFusion authors where scores must be
comparable with the paper, and otherwise the literature. Where the two differ, the other variant is
registered as well: ``…_lit`` follows the literature, ``…_paper`` the authors.

No single score proves that a fused image is good: the plain average of the sources beats published
networks on CC and PSNR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from math import inf
from typing import Literal

import numpy as np

from core.errors import InputError, Message, SizeMismatch
from core.metrics import edges, information, perception, statistics, structure, yang
from core.metrics.filters import Luma
from core.metrics.statistics import PAPER_PSNR_OFFSET

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """A metric and its properties.

    Attributes:
        name: key in :data:`METRICS`, column heading, name on the command line.
        title: name to display.
        direction: whether higher or lower values are better.
        bounds: minimum and maximum.
        reference: publication that defines it.
        explanation: one line for non-experts.
        function: ``(a, b, f) -> float`` on uint8 H×W luma: sources A and B, fused F. Finite for
            every input, constant images included.
    """

    name: str
    title: str
    _: KW_ONLY
    direction: Direction
    bounds: tuple[float, float]
    reference: str
    explanation: str
    function: Callable[[Luma, Luma, Luma], float]


_RELEASE = "code published with UniFusion (arXiv 2603.14214)"

_ALL = (
    Metric(
        "MI",
        Message("Mutual information"),
        direction="higher",
        bounds=(0.0, 16.0),
        reference="Qu, Zhang and Yan, Electronics Letters 2002",
        explanation=(
            Message(
                "How much knowing the fused picture tells about the grey levels of both sources."
            )
        ),
        function=information.mi,
    ),
    Metric(
        "NMI",
        Message("Normalised mutual information"),
        direction="higher",
        bounds=(0.0, 2.0),
        reference=_RELEASE,
        explanation=Message("Mutual information relative to how much the sources hold."),
        function=information.nmi,
    ),
    Metric(
        "NMI_lit",
        Message("Normalised mutual information (Hossny)"),
        direction="higher",
        bounds=(0.0, 2.0),
        reference="Hossny, Nahavandi and Creighton, Electronics Letters 2008",
        explanation=(
            Message(
                "Mutual information, each source normalised with its own entropy and the result's."
            )
        ),
        function=information.nmi_lit,
    ),
    Metric(
        "VIF",
        Message("Visual information fidelity"),
        direction="higher",
        bounds=(0.0, inf),
        reference=f"Sheikh and Bovik, IEEE TIP 2006, as in the {_RELEASE}",
        explanation=Message(
            "How much of the detail an eye can see in the sources is still visible."
        ),
        function=perception.vif,
    ),
    Metric(
        "VIF_lit",
        Message("Visual information fidelity (original windows)"),
        direction="higher",
        bounds=(0.0, inf),
        reference="Sheikh and Bovik, IEEE Trans. Image Process. 2006, pixel domain",
        explanation=Message(
            "How much of the detail an eye can see in the sources is still visible."
        ),
        function=perception.vif_lit,
    ),
    Metric(
        "Qabf",
        Message("Edge preservation"),
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Xydeas and Petrović, Electronics Letters 2000",
        explanation=Message(
            "How well the edges of both sources survive, in strength and direction."
        ),
        function=edges.qabf,
    ),
    Metric(
        "Nabf",
        Message("Artefacts"),
        direction="lower",
        bounds=(0.0, 1.0),
        reference="Shreyamsha Kumar, Signal, Image and Video Processing 2013",
        explanation=Message("Edges in the fused picture that neither source has."),
        function=edges.nabf,
    ),
    Metric(
        "Qy",
        Message("Structural similarity to the sources (Yang)"),
        direction="higher",
        bounds=(-inf, inf),
        reference=f"Yang et al., Information Fusion 2008, as in the {_RELEASE}",
        explanation=(
            Message(
                "Likeness to both sources where they agree, to the better match where they do not."
            )
        ),
        function=yang.qy,
    ),
    Metric(
        "Qy_lit",
        Message("Structural similarity to the sources (Yang, original window)"),
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Yang, Zhang, Wang and Liu, Information Fusion 2008",
        explanation=(
            Message(
                "Likeness to both sources where they agree, to the better match where they do not."
            )
        ),
        function=yang.qy_lit,
    ),
    Metric(
        "CC",
        Message("Correlation"),
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Pearson's correlation, mean over both sources",
        explanation=Message("How closely bright and dark follow both sources."),
        function=statistics.cc,
    ),
    Metric(
        "PSNR",
        Message("Peak signal-to-noise ratio (dB)"),
        direction="higher",
        bounds=(0.0, statistics.PSNR_CEILING),
        reference="10·log10(1 / MSE), values in [0, 1], mean error of both sources",
        explanation=Message(
            "How small the pixel-wise difference from the sources is, in decibels."
        ),
        function=statistics.psnr,
    ),
    Metric(
        "PSNR_paper",
        Message("PSNR as printed in the UniFusion paper (dB)"),
        direction="higher",
        bounds=(PAPER_PSNR_OFFSET, statistics.PSNR_CEILING + PAPER_PSNR_OFFSET),
        reference="arXiv 2603.14214, Table 1: 48.13 dB above the true PSNR",
        explanation=Message(
            "The PSNR, shifted by a constant so it can be read beside the paper's table."
        ),
        function=statistics.psnr_paper,
    ),
    Metric(
        "SSIM",
        Message("Structural similarity"),
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 2004",
        explanation=Message(
            "Likeness of local brightness, contrast and structure to both sources."
        ),
        function=structure.ssim,
    ),
    Metric(
        "SSIM_paper",
        Message("Structural similarity (authors' code)"),
        direction="higher",
        bounds=(-1.0, 1.0),
        reference=_RELEASE,
        explanation=Message("The same score as SSIM: the authors' code and the definition agree."),
        function=structure.ssim,
    ),
    Metric(
        "MS_SSIM",
        Message("Structural similarity over five scales"),
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Wang, Simoncelli and Bovik, Asilomar 2003",
        explanation=Message("Structural similarity judged from close by and from afar."),
        function=structure.ms_ssim,
    ),
    Metric(
        "MS_SSIM_paper",
        Message("Structural similarity over five scales (authors' code)"),
        direction="higher",
        bounds=(0.0, 1.0),
        reference=_RELEASE,
        explanation=Message("MS-SSIM with odd sides bordered by black, as the authors' code does."),
        function=structure.ms_ssim_paper,
    ),
    Metric(
        "SD",
        Message("Standard deviation"),
        direction="higher",
        bounds=(0.0, 127.5),
        reference="population standard deviation of 8-bit grey levels",
        explanation=Message("How much contrast the fused picture has overall."),
        function=statistics.sd,
    ),
    Metric(
        "EN",
        Message("Entropy"),
        direction="higher",
        bounds=(0.0, 8.0),
        reference="Shannon, Bell System Technical Journal 1948",
        explanation=Message("How varied the grey levels are; noise raises it too."),
        function=information.en,
    ),
    Metric(
        "AG",
        Message("Average gradient"),
        direction="higher",
        bounds=(0.0, 255.0),
        reference="Cui et al., Optics Communications 2015",
        explanation=Message(
            "How steep the changes between neighbouring pixels are: sharpness, or noise."
        ),
        function=edges.ag,
    ),
    Metric(
        "SF",
        Message("Spatial frequency"),
        direction="higher",
        bounds=(0.0, 255.0 * 2.0**0.5),
        reference="Eskicioglu and Fisher, IEEE Trans. Commun. 1995",
        explanation=Message("How much fine detail there is: sharpness, or noise."),
        function=edges.sf,
    ),
    Metric(
        "SCD",
        Message("Sum of the correlations of differences"),
        direction="higher",
        bounds=(-2.0, 2.0),
        reference="Aslantas and Bendes, AEU 2015",
        explanation=Message("Whether what was added to one source really comes from the other."),
        function=statistics.scd,
    ),
    Metric(
        "Qcb",
        Message("Perceptual contrast quality (Chen and Blum)"),
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Chen and Blum, Image and Vision Computing 2009",
        explanation=Message("How well the contrast an eye can see is kept."),
        function=perception.qcb,
    ),
    Metric(
        "Qcb_paper",
        Message("Perceptual contrast quality (authors' code)"),
        direction="higher",
        bounds=(0.0, 1.0),
        reference=_RELEASE,
        explanation=Message("Chen and Blum's quality with the authors' scale of frequencies."),
        function=perception.qcb_paper,
    ),
    Metric(
        "MSE",
        Message("Mean squared error"),
        direction="lower",
        bounds=(0.0, 1.0),
        reference="values in [0, 1], mean over both sources",
        explanation=Message("How large the pixel-wise difference from the sources is."),
        function=statistics.mse,
    ),
    Metric(
        "CE",
        Message("Cross entropy"),
        direction="lower",
        bounds=(-inf, inf),
        reference="Bulanon, Burks and Alchanatis, Biosystems Engineering 2009",
        explanation=Message("How far the mix of grey levels is from that of the sources."),
        function=information.ce,
    ),
    Metric(
        "CE_paper",
        Message("Cross entropy of sigmoids (authors' code)"),
        direction="lower",
        bounds=(0.0, 17.0),
        reference=_RELEASE,
        explanation=Message("Mostly whether near-black pixels stayed near-black."),
        function=information.ce_paper,
    ),
)

METRICS: dict[str, Metric] = {}
"""All metrics by name, in the order in which they are listed."""


def add_metric(metric: Metric) -> None:
    """Register ``metric``.

    Raises:
        ValueError: there is a metric of that name.
    """
    if metric.name in METRICS:
        raise ValueError(f"two metrics are called {metric.name!r}")
    METRICS[metric.name] = metric


for _metric in _ALL:
    add_metric(_metric)

MAIN_METRICS: tuple[str, ...] = ("MI", "VIF", "Qabf", "Qy", "CC", "PSNR", "SSIM")
"""Default columns of a table: those of the paper, and SSIM."""


def get_metric(name: str) -> Metric:
    """The metric called ``name``.

    Raises:
        InputError: there is none; the message lists all names.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise InputError(
            Message("Unknown metric “{0}”", name),
            remedy=Message("Choose from: {0}.", ", ".join(METRICS)),
        ) from None


def evaluate(a: Luma, b: Luma, f: Luma, names: Iterable[str] | None = None) -> dict[str, float]:
    """Score the fused image ``f`` of the sources ``a`` and ``b``, all uint8 luma H×W.

    Args:
        names: metrics, in the order of the result; None for all.

    Raises:
        InputError: a metric is unknown, or an image is not 8-bit luma or has no pixels.
        SizeMismatch: the sources, or the result and the sources, differ in size.
    """
    metrics = [get_metric(name) for name in (METRICS if names is None else names)]
    for image in (a, b, f):
        if image.ndim != 2 or image.dtype != np.uint8 or image.size == 0:
            raise InputError(
                Message("Metrics"),
                Message("expected 8-bit luma, got {0} of shape {1}", image.dtype, image.shape),
            )
    size_a = (a.shape[1], a.shape[0])
    if b.shape != a.shape:
        raise SizeMismatch(size_a, (b.shape[1], b.shape[0]))
    if f.shape != a.shape:
        raise InputError(
            Message("The fused picture differs in size from its sources"),
            Message("it is {0}×{1} pixels and they are {2}×{3}", f.shape[1], f.shape[0], *size_a),
        )
    return {metric.name: metric.function(a, b, f) for metric in metrics}
