"""Metrics of fusion quality, each with its direction, range and reference."""

from core.metrics.filters import Luma, rgb8_to_luma8, to_luma8
from core.metrics.metric import (
    DEFINITIONS,
    METRIC_GROUPS,
    Definition,
    Direction,
    Metric,
    MetricGroup,
)
from core.metrics.registry import (
    MAIN_METRICS,
    METRIC_ALIASES,
    METRICS,
    TABLE1_METRICS,
    Evaluation,
    add_metric,
    evaluate,
    evaluate_timed,
    get_metric,
)
from core.metrics.statistics import PAPER_PSNR_OFFSET, paper_psnr, psnr_pair
from core.metrics.structure import ssim_pair
from core.metrics.undefined import UNDEFINED, DefinedMean, mean_defined

__all__ = [
    "DEFINITIONS",
    "MAIN_METRICS",
    "METRICS",
    "METRIC_ALIASES",
    "METRIC_GROUPS",
    "PAPER_PSNR_OFFSET",
    "TABLE1_METRICS",
    "UNDEFINED",
    "DefinedMean",
    "Definition",
    "Direction",
    "Evaluation",
    "Luma",
    "Metric",
    "MetricGroup",
    "add_metric",
    "evaluate",
    "evaluate_timed",
    "get_metric",
    "mean_defined",
    "paper_psnr",
    "psnr_pair",
    "rgb8_to_luma8",
    "ssim_pair",
    "to_luma8",
]
