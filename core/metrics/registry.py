"""The registry of fusion metrics: functions of three 8-bit luma images, with their properties.

A metric without suffix follows the code published by the UniFusion authors where scores must be
comparable with the paper, and otherwise the literature. Where the two differ, the other variant is
registered as well: ``…_lit`` follows the literature, ``…_paper`` the authors.

No single score proves that a fused image is good: the plain average of the sources beats published
networks on CC and PSNR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType

import numpy as np

from core.errors import InputError, Message, SizeMismatch
from core.metrics import (
    chen_blum,
    edges,
    feature_information,
    information,
    perception,
    piella,
    statistics,
    structure,
    yang,
)
from core.metrics.filters import Luma
from core.metrics.metric import METRIC_GROUPS, Metric
from core.metrics.sharing import sharing

_ALL = (
    *information.ENTRIES,
    *feature_information.ENTRIES,
    *edges.ENTRIES,
    *structure.ENTRIES,
    *yang.ENTRIES,
    *piella.ENTRIES,
    *perception.ENTRIES,
    *chen_blum.ENTRIES,
    *statistics.ENTRIES,
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


for _metric in sorted(_ALL, key=lambda metric: list(METRIC_GROUPS).index(metric.group)):
    add_metric(_metric)

MAIN_METRICS: tuple[str, ...] = ("MI", "VIF", "Qabf", "Qy", "CC", "PSNR", "SSIM")
"""Default columns of a table: those of the paper, and SSIM."""

TABLE1_METRICS: tuple[str, ...] = ("MI", "VIF", "Qabf", "Qy", "CC", "PSNR_paper")
"""Columns of Table 1 of the UniFusion paper, each comparable with its figures."""

METRIC_ALIASES: Mapping[str, str] = MappingProxyType({"Qmi": "NMI_lit", "Qncie": "NCIE"})
"""Other names under which the literature knows a metric, accepted wherever a name is."""


def get_metric(name: str) -> Metric:
    """The metric called ``name``, a key of :data:`METRICS` or :data:`METRIC_ALIASES`.

    Raises:
        InputError: there is none; the message lists all names.
    """
    try:
        return METRICS[METRIC_ALIASES.get(name, name)]
    except KeyError:
        raise InputError(
            Message("Unknown metric “{0}”", name),
            remedy=Message("Choose from: {0}.", ", ".join(METRICS)),
        ) from None


@dataclass(frozen=True)
class Evaluation:
    """Scores of a fused image, and how long each took.

    ``values`` and ``milliseconds`` are by name of the metric, in the requested order. What metrics
    have in common is computed once and counted where it was first needed.
    """

    values: dict[str, float]
    milliseconds: dict[str, float]


def evaluate(a: Luma, b: Luma, f: Luma, names: Iterable[str] | None = None) -> dict[str, float]:
    """Score the fused image ``f`` of the sources ``a`` and ``b``, all uint8 luma H×W.

    The value is :data:`UNDEFINED` (NaN) where a metric has none; see ``Metric.undefined_when``.

    Args:
        names: metrics, in the order of the result; None for all.

    Raises:
        InputError: a metric is unknown, or an image is not 8-bit luma or has no pixels.
        SizeMismatch: the sources, or the result and the sources, differ in size.
    """
    return evaluate_timed(a, b, f, names).values


def evaluate_timed(a: Luma, b: Luma, f: Luma, names: Iterable[str] | None = None) -> Evaluation:
    """As :func:`evaluate`, with the milliseconds of each metric."""
    metrics = [get_metric(name) for name in (METRICS if names is None else names)]
    _check(a, b, f)
    values: dict[str, float] = {}
    milliseconds: dict[str, float] = {}
    with sharing():
        for metric in metrics:
            start = perf_counter()
            values[metric.name] = metric.function(a, b, f)
            milliseconds[metric.name] = 1e3 * (perf_counter() - start)
    return Evaluation(values, milliseconds)


def _check(a: Luma, b: Luma, f: Luma) -> None:
    for image in (a, b, f):
        if image.ndim != 2 or image.dtype != np.uint8 or image.size == 0:
            raise InputError(
                Message("Metrics"),
                Message("expected 8-bit luma, got {0} of shape {1}", image.dtype, image.shape),
                Message("Convert the picture by “to_luma8” first."),
            )
    size_a = (a.shape[1], a.shape[0])
    if b.shape != a.shape:
        raise SizeMismatch(size_a, (b.shape[1], b.shape[0]))
    if f.shape != a.shape:
        raise InputError(
            Message("The fused picture differs in size from its sources"),
            Message("it is {0}×{1} pixels and they are {2}×{3}", f.shape[1], f.shape[0], *size_a),
            Message("Compare it with sources of its own size."),
        )
