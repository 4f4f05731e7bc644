"""Metrics of results and what they lose of their sources, as jobs of the compute process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from math import inf
from typing import TYPE_CHECKING

from app.fuse.results import Outcome, Palettes, with_windows
from app.i18n.translate import translate
from core.progress import Progress
from core.types import FloatArray, SourcePair
from core.windows import Window

if TYPE_CHECKING:
    from core.retention import Retention

_MORE_METRICS = ("Nabf", "EN", "SD", "AG")


@dataclass(frozen=True)
class MetricColumn:
    """One metric: name, title, whether higher is better, and an explanation in one sentence.

    ``heading``: short name to display. ``bounds``: minimum and maximum. ``definition``: whose it
    is, such as "as the literature defines it". ``undefined_when``: when it has no value.
    """

    name: str
    title: str
    higher: bool
    explanation: str
    _: KW_ONLY
    heading: str = ""
    bounds: tuple[float, float] = (-inf, inf)
    definition: str = ""
    undefined_when: str = ""


@dataclass(frozen=True, eq=False)
class Measurable:
    """A fused image with its sources, and how these were shown to the fusion."""

    pair: SourcePair
    fused: FloatArray
    windows: tuple[Window, Window]
    palettes: Palettes | None

    @classmethod
    def of(cls, outcome: Outcome) -> Measurable:
        """What is measured of a result."""
        return cls(outcome.pair, outcome.result.fused, outcome.fused_windows, outcome.palettes)


def metric_columns(progress: Progress) -> tuple[MetricColumn, ...]:
    """The metrics that the table shows."""
    from core.metrics import DEFINITIONS, MAIN_METRICS, METRICS

    chosen = (METRICS[name] for name in (*MAIN_METRICS, *_MORE_METRICS))
    return tuple(
        MetricColumn(
            m.name,
            translate(m.title),
            m.direction == "higher",
            translate(m.explanation),
            heading=m.heading,
            bounds=m.bounds,
            definition=translate(DEFINITIONS[m.definition]),
            undefined_when=translate(m.undefined_when),
        )
        for m in chosen
    )


def measure(results: Sequence[Measurable], progress: Progress) -> Iterator[tuple[int, str, float]]:
    """Yield (index of the result, metric, value) one by one, in the order of the results."""
    from core.metrics import METRICS, to_luma8
    from core.missing_data import comparable

    columns = metric_columns(progress)
    for index, one in enumerate(results):
        pair = with_windows(one.pair, one.windows, one.palettes)
        images = (pair.a.normalised(), pair.b.normalised(), one.fused)
        a, b, fused = comparable(pair, *(to_luma8(image) for image in images))
        for column in columns:
            progress.check()
            yield index, column.name, METRICS[column.name].function(a, b, fused)


def retention(pair: SourcePair, fused: FloatArray, progress: Progress) -> Retention:
    """What ``fused`` shows of the spots of both sources."""
    from core.retention import measure_retention

    progress.check()
    return measure_retention(pair, fused)
