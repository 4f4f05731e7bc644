"""Compares a pack with its parent on the same pairs before it is used: metrics and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.fusion.engine import FusionEngine
from core.metrics import METRICS, evaluate, mean_defined, to_luma8
from core.missing_data import comparable
from core.packs.format import read_manifest
from core.pairing.plan import Match
from core.progress import NullProgress, Progress
from core.types import FloatArray, FusionRequest, SourcePair
from core.windows import Windows
from trainer.data.pair_reader import EmptySlice, PairReader

NAMES = ("Qabf", "MI", "VIF", "SSIM")
_STRIPS = 6
_SIDE = 384

Scores = tuple[dict[str, float], dict[str, float]]
"""Scores of one pair by name, of the parent and of the child."""


@dataclass(frozen=True)
class ScoreComparison:
    """One metric of both packs, as a mean over the pairs on which it is defined for both.

    ``better``: 1 if the child is visibly better, −1 if it is worse, 0 if the values look the same.
    """

    name: str
    title: str
    parent: float
    child: float
    better: int

    @property
    def difference(self) -> float:
        """Child minus parent."""
        return self.child - self.parent


@dataclass(frozen=True, eq=False)
class CompareStrip:
    """One pair and its fusion by both packs: H×W×1 or 3 in [0, 1], at most 384 pixels a side."""

    name: str
    a: FloatArray
    b: FloatArray
    parent: FloatArray
    child: FloatArray


@dataclass(frozen=True, eq=False)
class Comparison:
    """Scores and strips.

    Attributes:
        scores: one per metric that is defined on a pair. strips: of up to six pairs.
        pairs: how many were scored.
        problems: pairs that could not be, and metrics that are not defined on all of them, one
            sentence each.
        wins: on how many pairs the child has the higher mean of ratios.
    """

    scores: tuple[ScoreComparison, ...]
    strips: tuple[CompareStrip, ...]
    pairs: int
    wins: int
    problems: tuple[str, ...] = ()


def compare(
    parent: Path | str,
    child: Path,
    pairs: Sequence[Match],
    progress: Progress | None = None,
    *,
    device: str = "auto",
    backbone: Path | None = None,
    windows: Windows = (None, None),
    align: AlignChoice | None = None,
) -> Comparison:
    """Fuse ``pairs`` with both packs, as the Fuse workspace does, and score the results.

    Args:
        parent: file of a pack, or the name of a pack or classical method.
        pairs: pairs that were not trained on, such as ``survey.split.validation``.
        windows: manual windows, see :func:`core.io.read_pair`.
        align: how their sources are laid on each other.

    Raises:
        InputError: no pair can be used. PackError: a pack cannot be used. Cancelled: stopped.
    """
    progress = progress or NullProgress()
    task = read_manifest(child).task
    engine = FusionEngine(device, backbone=backbone)
    methods = [str(parent), str(child)]
    rows: list[Scores] = []
    strips: list[CompareStrip] = []
    problems: list[str] = []
    reader = PairReader(task, windows, align, progress)
    for index, match in enumerate(pairs):
        progress.check()
        progress.report(index, len(pairs), Message("comparing"))
        try:
            pair = reader.read(match)
        except EmptySlice:
            continue
        except InputError as error:
            why = Message.plain(error.why or error.what)
            problems.append(Message("{0}: {1}", match.name, why))
            continue
        fused = [engine.fuse(FusionRequest(pair, task, name)).fused for name in methods]
        rows.append((_scored(pair, fused[0]), _scored(pair, fused[1])))
        if len(strips) < _STRIPS:
            strips.append(_strip(match.name, pair, fused))
    if not rows:
        raise InputError(
            Message("The pairs to compare on"),
            problems[0] if problems else Message("there are none"),
            Message("Give a validation folder, or hold pairs back."),
        )
    scores, missing = _score_comparisons(rows)
    return Comparison(
        scores,
        tuple(strips),
        len(rows),
        sum(_ratio(old, new) > 1 for old, new in rows),
        (*problems, *missing),
    )


def _scored(pair: SourcePair, fused: FloatArray) -> dict[str, float]:
    lumas = (to_luma8(p) for p in (pair.a.normalised(), pair.b.normalised(), fused))
    a, b, f = comparable(pair, *lumas)
    return evaluate(a, b, f, NAMES)


def _score_comparisons(
    rows: Sequence[Scores],
) -> tuple[tuple[ScoreComparison, ...], tuple[str, ...]]:
    """One comparison per metric, and which metrics are not defined on all pairs."""
    scores: list[ScoreComparison] = []
    missing: list[str] = []
    for name in NAMES:
        values = [(old[name], new[name]) for old, new in rows]
        defined = [pair for pair in values if not any(map(isnan, pair))]
        if defined:
            scores.append(_score_comparison(name, defined))
        if count := len(values) - len(defined):
            missing.append(
                Message.plural(
                    "{1} is not defined on {0} pair and does not count there.",
                    "{1} is not defined on {0} pairs and does not count there.",
                    count,
                    METRICS[name].title,
                )
            )
    return tuple(scores), tuple(missing)


def _score_comparison(name: str, values: Sequence[tuple[float, float]]) -> ScoreComparison:
    metric = METRICS[name]
    old, new = (float(mean) for mean in np.mean(values, axis=0))
    change = new - old if metric.direction == "higher" else old - new
    # Compared at the four digits that a table shows: values that look equal are equal.
    better = 0 if round(old, 4) == round(new, 4) else (1 if change > 0 else -1)
    return ScoreComparison(name, metric.title, old, new, better)


def _ratio(old: dict[str, float], new: dict[str, float]) -> float:
    return mean_defined(new[name] / max(old[name], 1e-6) for name in NAMES).mean


def _strip(name: str, pair: SourcePair, fused: Sequence[FloatArray]) -> CompareStrip:
    images = (pair.a.normalised(), pair.b.normalised(), *fused)
    return CompareStrip(name, *(_resized(image) for image in images))


def _resized(pixels: FloatArray) -> FloatArray:
    height, width = pixels.shape[:2]
    factor = _SIDE / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small: Any = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size[1], size[0], -1)
