"""Metrics of fusion quality, each with its direction, range and reference."""

from core.metrics.filters import Luma, rgb8_to_luma8, to_luma8
from core.metrics.registry import (
    MAIN_METRICS,
    METRICS,
    Direction,
    Metric,
    add_metric,
    evaluate,
    get_metric,
)
from core.metrics.statistics import PAPER_PSNR_OFFSET, paper_psnr, psnr_pair
from core.metrics.structure import ssim_pair

__all__ = [
    "MAIN_METRICS",
    "METRICS",
    "PAPER_PSNR_OFFSET",
    "Direction",
    "Luma",
    "Metric",
    "add_metric",
    "evaluate",
    "get_metric",
    "paper_psnr",
    "psnr_pair",
    "rgb8_to_luma8",
    "ssim_pair",
    "to_luma8",
]
