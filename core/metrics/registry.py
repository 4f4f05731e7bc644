"""Image-fusion metrics: pure functions of three 8-bit luma pictures, and what is known about each.

A plain name agrees with the code the UniFusion authors published wherever METHOD.md asks for
figures comparable with the paper, and otherwise with the literature. Where the two differ, the
other one is there as well: ``…_lit`` is the literature's, ``…_paper`` the authors'.

No single figure says a fused picture is good: the plain average beats published networks on
CC and PSNR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
    """One metric.

    Attributes:
        name: key in :data:`METRICS`, column heading, command-line name.
        title: name for people.
        direction: which way is better.
        bounds: the values it can take.
        reference: where it is defined.
        explanation: one line for someone who has never met it.
        function: ``(a, b, f) -> float`` on uint8 H×W luma: sources A and B, fused F. Finite for
            every input, constant pictures included.
    """

    name: str
    title: str
    direction: Direction
    bounds: tuple[float, float]
    reference: str
    explanation: str
    function: Callable[[Luma, Luma, Luma], float]


_RELEASE = "code published with UniFusion (arXiv 2603.14214)"

_ALL = (
    Metric(
        "MI",
        "Mutual information",
        "higher",
        (0.0, 16.0),
        "Qu, Zhang and Yan, Electronics Letters 2002",
        "How much knowing the fused picture tells about the grey levels of both sources.",
        information.mi,
    ),
    Metric(
        "NMI",
        "Normalised mutual information",
        "higher",
        (0.0, 2.0),
        _RELEASE,
        "Mutual information relative to how much the sources hold.",
        information.nmi,
    ),
    Metric(
        "NMI_lit",
        "Normalised mutual information (Hossny)",
        "higher",
        (0.0, 2.0),
        "Hossny, Nahavandi and Creighton, Electronics Letters 2008",
        "Mutual information, each source normalised with its own entropy and the result's.",
        information.nmi_lit,
    ),
    Metric(
        "VIF",
        "Visual information fidelity",
        "higher",
        (0.0, inf),
        f"Sheikh and Bovik, IEEE TIP 2006, as in the {_RELEASE}",
        "How much of the detail an eye can see in the sources is still visible.",
        perception.vif,
    ),
    Metric(
        "VIF_lit",
        "Visual information fidelity (original windows)",
        "higher",
        (0.0, inf),
        "Sheikh and Bovik, IEEE Trans. Image Process. 2006, pixel domain",
        "How much of the detail an eye can see in the sources is still visible.",
        perception.vif_lit,
    ),
    Metric(
        "Qabf",
        "Edge preservation",
        "higher",
        (0.0, 1.0),
        "Xydeas and Petrović, Electronics Letters 2000",
        "How well the edges of both sources survive, in strength and direction.",
        edges.qabf,
    ),
    Metric(
        "Nabf",
        "Artefacts",
        "lower",
        (0.0, 1.0),
        "Shreyamsha Kumar, Signal, Image and Video Processing 2013",
        "Edges in the fused picture that neither source has.",
        edges.nabf,
    ),
    Metric(
        "Qy",
        "Structural similarity to the sources (Yang)",
        "higher",
        (-inf, inf),
        f"Yang et al., Information Fusion 2008, as in the {_RELEASE}",
        "Likeness to both sources where they agree, to the better match where they do not.",
        yang.qy,
    ),
    Metric(
        "Qy_lit",
        "Structural similarity to the sources (Yang, original window)",
        "higher",
        (-1.0, 1.0),
        "Yang, Zhang, Wang and Liu, Information Fusion 2008",
        "Likeness to both sources where they agree, to the better match where they do not.",
        yang.qy_lit,
    ),
    Metric(
        "CC",
        "Correlation",
        "higher",
        (-1.0, 1.0),
        "Pearson's correlation, mean over both sources",
        "How closely bright and dark follow both sources.",
        statistics.cc,
    ),
    Metric(
        "PSNR",
        "Peak signal-to-noise ratio (dB)",
        "higher",
        (0.0, statistics.PSNR_CEILING),
        "10·log10(1 / MSE), values in [0, 1], mean error of both sources",
        "How small the pixel-wise difference from the sources is, in decibels.",
        statistics.psnr,
    ),
    Metric(
        "PSNR_paper",
        "PSNR as printed in the UniFusion paper (dB)",
        "higher",
        (PAPER_PSNR_OFFSET, statistics.PSNR_CEILING + PAPER_PSNR_OFFSET),
        "arXiv 2603.14214, Table 1: 48.13 dB above the true PSNR",
        "The PSNR, shifted by a constant so it can be read beside the paper's table.",
        statistics.psnr_paper,
    ),
    Metric(
        "SSIM",
        "Structural similarity",
        "higher",
        (-1.0, 1.0),
        "Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 2004",
        "Likeness of local brightness, contrast and structure to both sources.",
        structure.ssim,
    ),
    Metric(
        "SSIM_paper",
        "Structural similarity (authors' code)",
        "higher",
        (-1.0, 1.0),
        _RELEASE,
        "The same figure as SSIM: the authors' code and the definition agree.",
        structure.ssim,
    ),
    Metric(
        "MS_SSIM",
        "Structural similarity over five scales",
        "higher",
        (0.0, 1.0),
        "Wang, Simoncelli and Bovik, Asilomar 2003",
        "Structural similarity judged from close by and from afar.",
        structure.ms_ssim,
    ),
    Metric(
        "MS_SSIM_paper",
        "Structural similarity over five scales (authors' code)",
        "higher",
        (0.0, 1.0),
        _RELEASE,
        "MS-SSIM with odd sides bordered by black, as the authors' code does.",
        structure.ms_ssim_paper,
    ),
    Metric(
        "SD",
        "Standard deviation",
        "higher",
        (0.0, 127.5),
        "population standard deviation of 8-bit grey levels",
        "How much contrast the fused picture has overall.",
        statistics.sd,
    ),
    Metric(
        "EN",
        "Entropy",
        "higher",
        (0.0, 8.0),
        "Shannon, Bell System Technical Journal 1948",
        "How varied the grey levels are; noise raises it too.",
        information.en,
    ),
    Metric(
        "AG",
        "Average gradient",
        "higher",
        (0.0, 255.0),
        "Cui et al., Optics Communications 2015",
        "How steep the changes between neighbouring pixels are: sharpness, or noise.",
        edges.ag,
    ),
    Metric(
        "SF",
        "Spatial frequency",
        "higher",
        (0.0, 255.0 * 2.0**0.5),
        "Eskicioglu and Fisher, IEEE Trans. Commun. 1995",
        "How much fine detail there is: sharpness, or noise.",
        edges.sf,
    ),
    Metric(
        "SCD",
        "Sum of the correlations of differences",
        "higher",
        (-2.0, 2.0),
        "Aslantas and Bendes, AEU 2015",
        "Whether what was added to one source really comes from the other.",
        statistics.scd,
    ),
    Metric(
        "Qcb",
        "Perceptual contrast quality (Chen and Blum)",
        "higher",
        (0.0, 1.0),
        "Chen and Blum, Image and Vision Computing 2009",
        "How well the contrast an eye can see is kept.",
        perception.qcb,
    ),
    Metric(
        "Qcb_paper",
        "Perceptual contrast quality (authors' code)",
        "higher",
        (0.0, 1.0),
        _RELEASE,
        "Chen and Blum's quality with the authors' scale of frequencies.",
        perception.qcb_paper,
    ),
    Metric(
        "MSE",
        "Mean squared error",
        "lower",
        (0.0, 1.0),
        "values in [0, 1], mean over both sources",
        "How large the pixel-wise difference from the sources is.",
        statistics.mse,
    ),
    Metric(
        "CE",
        "Cross entropy",
        "lower",
        (-inf, inf),
        "Bulanon, Burks and Alchanatis, Biosystems Engineering 2009",
        "How far the mix of grey levels is from that of the sources.",
        information.ce,
    ),
    Metric(
        "CE_paper",
        "Cross entropy of sigmoids (authors' code)",
        "lower",
        (0.0, 17.0),
        _RELEASE,
        "Mostly whether near-black pixels stayed near-black.",
        information.ce_paper,
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
if len(METRICS) != len(_ALL):
    raise RuntimeError("two metrics share a name")

MAIN_METRICS: tuple[str, ...] = ("MI", "VIF", "Qabf", "Qy", "CC", "PSNR", "SSIM")
"""What a table shows when nothing else is asked for: the paper's columns and SSIM."""


def get_metric(name: str) -> Metric:
    """The metric called ``name``.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise InputError(
            Message("Unknown metric “{0}”", name),
            remedy=Message("Choose from: {0}.", ", ".join(METRICS)),
        ) from None


def evaluate(a: Luma, b: Luma, f: Luma, names: Iterable[str] | None = None) -> dict[str, float]:
    """Score the fused picture ``f`` of the sources ``a`` and ``b``, all uint8 luma H×W.

    Args:
        names: the metrics wanted, in the order of the answer; all when None.

    Raises:
        InputError: an unknown metric, not 8-bit luma, no pixels.
        SizeMismatch: the sources, or the result and the sources, differ in size.
    """
    metrics = [get_metric(name) for name in (METRICS if names is None else names)]
    for picture in (a, b, f):
        if picture.ndim != 2 or picture.dtype != np.uint8 or picture.size == 0:
            raise InputError(
                "Metrics",
                Message("expected 8-bit luma, got {0} of shape {1}", picture.dtype, picture.shape),
            )
    size_a = (a.shape[1], a.shape[0])
    if b.shape != a.shape:
        raise SizeMismatch(size_a, (b.shape[1], b.shape[0]))
    if f.shape != a.shape:
        raise InputError(
            "The fused picture differs in size from its sources",
            Message("it is {0}×{1} pixels and they are {2}×{3}", f.shape[1], f.shape[0], *size_a),
        )
    return {metric.name: metric.function(a, b, f) for metric in metrics}
