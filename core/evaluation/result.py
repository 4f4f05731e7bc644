"""The result of an evaluation: the scores of several methods over the same pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Literal

import numpy as np

from core.errors import Message
from core.types import PairTransform

MethodKind = Literal["pack", "classical", "folder", "collection", "command"]
"""How the fused images of a method come about: a pack or classical method run here, a folder of
results, a flat collection of ``IMAGE_METHOD.ext``, or an external program."""


@dataclass(frozen=True)
class MethodDescription:
    """A method, as tables and reports name it.

    Attributes:
        name: unique within an evaluation.
        kind: how its fused images come about.
        detail: the folder, the command line, or the pack's version and hash.
        parameters: number of weights that fuse (of a pack as
            :func:`core.packs.format.fusing_weights`); None if unknown or no network.
    """

    name: str
    kind: MethodKind
    _: KW_ONLY
    detail: str = ""
    parameters: int | None = None


@dataclass(frozen=True)
class FusionCost:
    """What a fusion took; the attributes are those of :class:`PairScore`."""

    seconds: float | None = None
    peak_bytes: int | None = None
    device_peak_bytes: int | None = None
    is_first: bool = False
    elsewhere: bool = False


NO_COST = FusionCost()
"""Of a result that was read."""


@dataclass(frozen=True)
class PairScore:
    """Scores of one method on one pair.

    Attributes:
        pair: name of the pair, with its folder.
        values: by metric, in the requested order; NaN where the metric is undefined for the images.
        seconds: time the fusion took; None if the result was read from disk.
        peak_bytes: rise of the peak memory during the fusion, or peak of an external program and
            what it started; None if not measured.
        device_peak_bytes: peak memory on the GPU during the fusion; None without one.
        is_first: whether it was the method's first fusion in a run, in which networks are loaded
            and programs come from the disk: mean times leave it out.
        elsewhere: whether a worker of a cluster fused it: its cost is not that of this computer.
        milliseconds: time each metric took.
        fused: where the fused image lies; None if it was not kept.
        error: why there are no values: the method failed, or its result cannot be scored.
    """

    pair: str
    values: Mapping[str, float]
    _: KW_ONLY
    seconds: float | None = None
    peak_bytes: int | None = None
    device_peak_bytes: int | None = None
    is_first: bool = False
    elsewhere: bool = False
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    fused: Path | None = None
    error: Message | None = None


@dataclass(frozen=True)
class ScoredCell:
    """A cell of the table of scores: a method on a pair.

    Attributes:
        place: of the pair. method: place of the method.
        score: None if the method has no result for the pair.
        cached: all of it was known.
        notes: on the sources of the pair.
    """

    place: int
    method: int
    score: PairScore | None
    cached: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method over the pairs of an evaluation.

    Attributes:
        method: the method.
        pairs: one entry per pair it has a result for or failed on, in the order of the pairs.
        missing: names of pairs without a result.
        ignored: results that belong to no pair.
        problems: ambiguous files that were left out, one sentence each.
    """

    method: MethodDescription
    pairs: tuple[PairScore, ...]
    _: KW_ONLY
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def scored(self) -> dict[str, PairScore]:
        """The pairs that were scored, by name."""
        return {score.pair: score for score in self.pairs if score.error is None}


@dataclass(frozen=True)
class PairDescription:
    """A pair of an evaluation.

    Attributes:
        name: with its folder; unique.
        a, b: files of the sources.
        truth: the ground truth, if there is one.
        group: a name to report by (“PET”, “night”); may be empty.
        notes: remarks on the sources.
        transform: by which one source was resampled onto the other before it was fused.
    """

    name: str
    a: Path
    b: Path
    _: KW_ONLY
    truth: Path | None = None
    group: str = ""
    notes: tuple[str, ...] = ()
    transform: PairTransform | None = None


@dataclass(frozen=True)
class SetColumn:
    """A score of whole sets of results, measured apart from the evaluation.

    Attributes:
        metric: key of :data:`core.evaluation.set_scores.SET_METRICS`.
        values: by name of the method; methods without one are not in it.
        source: name of the file it is from; may be empty.
    """

    metric: str
    values: Mapping[str, float]
    source: str = ""


@dataclass(frozen=True)
class QuotedMeans:
    """Means of a method that were measured elsewhere.

    Attributes:
        name: the method.
        means: by metric.
        source: where they are from, in words; may be empty.
        group: the group of pairs that they are over; "" for all pairs.
    """

    name: str
    means: Mapping[str, float]
    source: str = ""
    group: str = ""


@dataclass(frozen=True)
class EvaluationResult:
    """Scores of several methods over the same pairs.

    Attributes:
        methods: in the order they were given.
        pairs: all pairs, in order.
        metrics: names of the columns, in order; those of :data:`core.metrics.METRICS` and perhaps
            those against ground truth.
        settings: what was chosen (task, windows, data set, seed …), as words for a report.
        versions: of the program, Python, torch and other libraries.
        created: ISO 8601, UTC.
        set_columns: further columns of the table of means, without values per pair.
        quoted: further rows of it, likewise.
    """

    methods: tuple[MethodScores, ...]
    pairs: tuple[PairDescription, ...]
    metrics: tuple[str, ...]
    _: KW_ONLY
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    set_columns: tuple[SetColumn, ...] = ()
    quoted: tuple[QuotedMeans, ...] = ()

    def common(self) -> tuple[str, ...]:
        """Names of the pairs that every method was scored on, in order: means are over these.

        Methods that were scored on no pair at all do not count.
        """
        sets = [names for scores in self.methods if (names := frozenset(scores.scored()))]
        shared = frozenset.intersection(*sets) if sets else frozenset()
        return tuple(pair.name for pair in self.pairs if pair.name in shared)

    def values(self, metric: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """Values of ``metric``, methods × common pairs; NaN where it is undefined."""
        names = self.common()
        rows = [
            [scored[name].values.get(metric, nan) if name in scored else nan for name in names]
            for scored in (scores.scored() for scores in self.methods)
        ]
        return np.array(rows, dtype=np.float64).reshape(len(self.methods), len(names))

    def compared(self, metric: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """As :meth:`values`, with NaN for all methods where ``metric`` is undefined for one.

        Means of methods are over these, so that all are over the same pairs. Methods for which it
        is undefined on every common pair do not count.
        """
        values = self.values(metric)
        gaps = np.isnan(values)
        counted = gaps[~gaps.all(axis=1)]
        values[:, counted.any(axis=0)] = nan
        return values

    def undefined(self, metric: str) -> tuple[int, ...]:
        """Per method, on how many common pairs that it was scored on ``metric`` is undefined."""
        counts = (sum(map(isnan, row)) for row in self.values(metric).tolist())
        scored = (bool(scores.scored()) for scores in self.methods)
        return tuple(count if has else 0 for count, has in zip(counts, scored, strict=True))


@dataclass(frozen=True)
class PairScored:
    """A method was scored on a pair, or failed on it.

    Attributes:
        method: its name.
        score: the scores.
        done, total: pairs times methods, of which ``done`` are finished.
        cached: it was known from an earlier evaluation.
    """

    method: str
    score: PairScore
    done: int
    total: int
    cached: bool = False


@dataclass(frozen=True)
class EvaluationFinished:
    """The evaluation has ended.

    Attributes:
        result: scores of all methods.
        problems: what was left out of the pairs, and results of aligned sources that are scored
            against others, one sentence each.
    """

    result: EvaluationResult
    problems: tuple[str, ...] = ()
