"""Means and standard deviations of an ablation over its seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from statistics import fmean, stdev

from core.metrics import METRICS
from trainer.ablation.results import RunResult
from trainer.ablation.variants import FULL, VARIANTS, Component, components

PSNR = "reconstruction_psnr"
"""PSNR of the reconstructions in dB; absent without reconstruction."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (divisor n − 1) of ``values``, one per seed.

    ``sd`` is NaN for a single value.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Arithmetic mean."""
        return fmean(self.values)

    @property
    def sd(self) -> float:
        """Sample standard deviation."""
        return stdev(self.values) if len(self.values) > 1 else math.nan


@dataclass(frozen=True)
class VariantSummary:
    """All finished runs of one variant.

    Attributes:
        name, title: of the variant.
        components: which components of Table 2 it has.
        seeds: of its runs, in rising order.
        scores: by metric the means over the validation pairs, one per seed.
        differences: by metric the difference to the full variant, one for each seed that both
            have; {} for the full variant itself.
    """

    name: str
    title: str
    _: KW_ONLY
    components: dict[Component, bool]
    seeds: tuple[int, ...]
    scores: dict[str, Spread]
    differences: dict[str, Spread]


def summarise(results: Sequence[RunResult]) -> tuple[VariantSummary, ...]:
    """Summaries of all variants that have a result, in the order of the table."""
    by_variant = {
        name: {r.config.seed: r for r in results if r.variant == name} for name in VARIANTS
    }
    full = by_variant[FULL]
    return tuple(_summary(name, runs, full) for name, runs in by_variant.items() if runs)


def best_variants(summaries: Sequence[VariantSummary], metric: str, digits: int) -> frozenset[str]:
    """Names of the variants with the best mean, compared at the ``digits`` that are printed."""
    means = {s.name: round(s.scores[metric].mean, digits) for s in summaries if metric in s.scores}
    if len(means) < 2:
        return frozenset()
    best = max(means.values()) if higher_is_better(metric) else min(means.values())
    return frozenset(name for name, mean in means.items() if mean == best)


def higher_is_better(metric: str) -> bool:
    """Whether more is better, for a metric or the reconstruction's PSNR."""
    return metric == PSNR or METRICS[metric].direction == "higher"


def partly_defined(results: Sequence[RunResult]) -> tuple[str, ...]:
    """Metrics that are missing on some pairs of a run that has them on others."""
    return tuple(
        dict.fromkeys(
            name
            for result in results
            for name in result.means
            if any(name not in row for row in result.scores.values())
        )
    )


def metrics_of(summaries: Sequence[VariantSummary]) -> tuple[str, ...]:
    """All metrics that some variant has, in their order."""
    return tuple(dict.fromkeys(name for s in summaries for name in s.scores))


def _summary(name: str, runs: dict[int, RunResult], full: dict[int, RunResult]) -> VariantSummary:
    seeds = tuple(sorted(runs))
    means = [runs[seed].means for seed in seeds]
    shared = [seed for seed in seeds if seed in full] if name != FULL else []
    pairs = [(runs[seed].means, full[seed].means) for seed in shared]
    return VariantSummary(
        name,
        VARIANTS[name].title,
        components=components(runs[seeds[0]].config),
        seeds=seeds,
        scores={
            metric: Spread(tuple(row[metric] for row in means))
            for metric in means[0]
            if all(metric in row for row in means)
        },
        differences={
            metric: Spread(tuple(own[metric] - whole[metric] for own, whole in pairs))
            for metric in means[0]
            if pairs and all(metric in own and metric in whole for own, whole in pairs)
        },
    )
