"""Runs an evaluation pair by pair."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from core import __version__
from core.errors import FusionError, InputError, Message
from core.evaluation.cache import KeptScores, ScoreCache, cache_key
from core.evaluation.groups import BY_PREFIX, with_groups
from core.evaluation.methods import (
    FusedImage,
    Method,
    ResultFolder,
    build_methods,
    check_names,
    sources_identity,
)
from core.evaluation.pairs import EvaluationPairs, find_evaluation_pairs
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
)
from core.io.pair_notes import notes_of
from core.io.reader import read_image, read_pair
from core.io.values import seen_as
from core.metrics import Luma, evaluate_timed, psnr_pair, ssim_pair, to_luma8
from core.missing_data import comparable
from core.progress import NullProgress, Progress
from core.types import SourcePair

TRUTH_METRICS: tuple[str, ...] = ("PSNR_gt", "SSIM_gt")
"""Additional columns for pairs with ground truth; higher is better in both."""


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
        problems: what was left out of the pairs, one sentence each.
    """

    result: EvaluationResult
    problems: tuple[str, ...] = ()


EvaluationEvent = PairScored | EvaluationFinished


def evaluate_plan(
    plan: EvaluationPlan, progress: Progress | None = None
) -> Iterator[EvaluationEvent]:
    """Score all methods of ``plan`` on all pairs, one pair after the other.

    A method that fails on a pair costs that score alone. Memory is that of one pair; scores are
    written to the cache as they are found, so that an evaluation that was ended at any moment goes
    on from there.

    Yields:
        A :class:`PairScored` per pair and method, then one :class:`EvaluationFinished`.

    Raises:
        InputError: the plan cannot be carried out: a folder, method or metric is unknown, two
            methods have the same name, or no pair is found. PackError: a pack cannot be used.
        OutputError: scores cannot be kept. Cancelled: by ``progress``.
    """
    progress = progress or NullProgress()
    metrics = plan.checked_metrics()
    folders = [Path(c.value) for c in plan.methods if c.kind in ("folder", "collection")]
    found = find_evaluation_pairs(
        plan.sources, plan.task, folders, dataset=plan.dataset, split=plan.split
    )
    grouped = with_groups(found.pairs, plan.group_by)
    methods = (*_batch_method(found, plan), *build_methods(plan, grouped))
    check_names(methods)
    with ExitStack() as stack:
        cache = None
        if plan.cache is not None:
            cache = stack.enter_context(closing(ScoreCache(plan.cache)))
        scorer = _Scorer(plan, metrics, cache, progress)
        table: dict[str, list[PairScore]] = {method.description.name: [] for method in methods}
        missing: dict[str, list[str]] = {name: [] for name in table}
        pairs: list[PairDescription] = []
        done, total = 0, len(grouped) * len(methods)
        for pair in grouped:
            sources = _Sources(pair, plan)
            for method in methods:
                name = method.description.name
                progress.check()
                progress.report(done, total, f"{pair.name}, {name}")
                done += 1
                scored = scorer.score(pair, method, sources)
                if scored is None:
                    missing[name].append(pair.name)
                    continue
                score, cached = scored
                table[name].append(score)
                yield PairScored(name, score, done, total, cached)
            pairs.append(replace(pair, notes=sources.notes))
    progress.report(total, total, "")
    scores = tuple(
        MethodScores(
            method.description,
            tuple(table[name]),
            missing=tuple(missing[name]),
            ignored=method.ignored,
            problems=method.problems,
        )
        for method in methods
        for name in [method.description.name]
    )
    yield EvaluationFinished(_result(plan, scores, tuple(pairs), metrics), found.problems)


def _batch_method(found: EvaluationPairs, plan: EvaluationPlan) -> tuple[Method, ...]:
    if found.results is None:
        return ()
    described = MethodDescription(found.method, "folder", detail=str(plan.sources))
    return (ResultFolder(described, found.results),)


class _Sources:
    """The sources of a pair, read when they are first needed."""

    def __init__(self, pair: PairDescription, plan: EvaluationPlan) -> None:
        self._pair, self._plan = pair, plan
        self.notes: tuple[str, ...] = ()
        self.problem: FusionError | None = None

    def read(self) -> SourcePair:
        """The sources; the same error every time if they cannot be read."""
        if self.problem is not None:
            raise self.problem
        try:
            return self._read
        except FusionError as error:
            self.problem = error
            raise

    @cached_property
    def _read(self) -> SourcePair:
        plan = self._plan
        read = read_pair(self._pair.a, self._pair.b, task=plan.task, windows=plan.windows)
        self.notes = notes_of(read)
        return read

    @cached_property
    def lumas(self) -> tuple[Luma, Luma]:
        """8-bit luma of A and B, H×W."""
        read = self.read()
        return to_luma8(read.a.normalised()), to_luma8(read.b.normalised())


@dataclass(frozen=True)
class _Scorer:
    plan: EvaluationPlan
    metrics: tuple[str, ...]
    cache: ScoreCache | None
    progress: Progress

    def score(
        self, pair: PairDescription, method: Method, sources: _Sources
    ) -> tuple[PairScore, bool] | None:
        """The score and whether it was known; None if the method has no result."""
        try:
            identity = method.identity(pair)
            if identity is None:
                return None
            key = cache_key(
                sources_identity(pair, self.plan.task, self.plan.windows), identity, pair.name
            )
            known = self._known(key, pair, method, sources)
            if known is not None:
                return known, True
            return self._anew(key, pair, method, sources), False
        except FusionError as error:
            return PairScore(pair.name, {}, error=error.message), False

    @property
    def _keeps(self) -> bool:
        return self.cache is not None and self.plan.keep_images

    def _columns(self, pair: PairDescription) -> tuple[str, ...]:
        return self.metrics if pair.truth is None else (*self.metrics, *TRUTH_METRICS)

    def _known(
        self, key: str, pair: PairDescription, method: Method, sources: _Sources
    ) -> PairScore | None:
        if self.cache is None:
            return None
        kept = self.cache.get(key, self._columns(pair))
        path = self._where(key, pair, method)
        if kept is None or (self._keeps and path is not None and not path.is_file()):
            return None
        sources.notes = sources.notes or kept.notes
        return PairScore(
            pair.name,
            kept.values,
            seconds=kept.seconds,
            peak_bytes=kept.peak_bytes,
            milliseconds=kept.milliseconds,
            fused=path if path is not None and path.is_file() else None,
        )

    def _where(self, key: str, pair: PairDescription, method: Method) -> Path | None:
        """Where the fused image lies, or would be kept."""
        if isinstance(method, ResultFolder):
            return method.results[pair.name]
        return self.cache.image_path(key) if self.cache is not None else None

    def _anew(
        self, key: str, pair: PairDescription, method: Method, sources: _Sources
    ) -> PairScore:
        read = sources.read()
        keep = self._where(key, pair, method) if self._keeps else None
        fused = method.fuse(pair, read, keep, self.progress)
        evaluation = evaluate_timed(*_comparable(read, sources.lumas, fused), self.metrics)
        values = dict(evaluation.values)
        if pair.truth is not None:
            values |= _against_truth(read, fused.luma, pair.truth)
        score = PairScore(
            pair.name,
            values,
            seconds=fused.seconds,
            peak_bytes=fused.peak_bytes,
            milliseconds=evaluation.milliseconds,
            fused=fused.path,
        )
        if self.cache is not None:
            kept = KeptScores(
                values, evaluation.milliseconds, fused.seconds, fused.peak_bytes, sources.notes
            )
            self.cache.put(key, kept)
        return score


def _comparable(
    read: SourcePair, lumas: tuple[Luma, Luma], fused: FusedImage
) -> tuple[Luma, Luma, Luma]:
    """A, B and fused luma where both sources hold data; sizes that differ are left to metrics."""
    a, b = lumas
    if fused.luma.shape != a.shape:
        return a, b, fused.luma
    a, b, luma = comparable(read, a, b, fused.luma)
    return a, b, luma


def _against_truth(pair: SourcePair, fused: Luma, path: Path) -> dict[str, float]:
    truth = to_luma8(seen_as(read_image(path), pair.a).normalised())
    if truth.shape != fused.shape:
        raise InputError(
            str(path),
            Message(
                "the ground truth is {0}×{1} pixels and the result {2}×{3}",
                *truth.shape[1::-1],
                *fused.shape[1::-1],
            ),
            Message("Check that both belong to this pair."),
        )
    truth, fused = comparable(pair, truth, fused)
    return {"PSNR_gt": psnr_pair(truth, fused), "SSIM_gt": ssim_pair(truth, fused)}


def _result(
    plan: EvaluationPlan,
    scores: tuple[MethodScores, ...],
    pairs: Sequence[PairDescription],
    metrics: tuple[str, ...],
) -> EvaluationResult:
    truths = TRUTH_METRICS if any(pair.truth is not None for pair in pairs) else ()
    settings = {"sources": str(plan.sources), "task": plan.task or "–"}
    if plan.dataset is not None:
        settings["data set"] = " ".join((plan.dataset.title, plan.split)).strip()
    if plan.group_by:
        by_prefix = plan.group_by == BY_PREFIX
        settings["groups by"] = "beginning of the name" if by_prefix else plan.group_by
    for side, window in zip("AB", plan.windows, strict=True):
        if window is not None:
            settings[f"window {side}"] = f"{window[0]:g} … {window[1]:g}"
    return EvaluationResult(
        scores,
        tuple(pairs),
        (*metrics, *truths),
        settings=settings,
        versions=_versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _versions() -> dict[str, str]:
    import numpy
    import torch

    return {
        "UniFusion Studio": __version__,
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "NumPy": numpy.__version__,
    }
