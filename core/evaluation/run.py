"""Runs an evaluation pair by pair."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from core.evaluation.cache import ScoreCache
from core.evaluation.groups import BY_PREFIX, with_groups
from core.evaluation.methods import Method, ResultFolder, build_methods, check_names
from core.evaluation.outputs import check_outputs, files_of, sources_of
from core.evaluation.pairs import EvaluationPairs, aligned_notes, find_evaluation_pairs
from core.evaluation.plan import EvaluationPlan
from core.evaluation.result import (
    EvaluationFinished,
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
    PairScored,
)
from core.evaluation.scoring import TRUTH_METRICS, PairSources, Scorer
from core.evaluation.set_scores import read_quoted, read_set_columns
from core.evaluation.statistics import check_reference
from core.library_versions import library_versions
from core.progress import NullProgress, Progress

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
        InputError: the plan cannot be carried out: a folder, method, reference or metric is
            unknown, two methods have the same name, or no pair is found.
        PackError: a pack cannot be used.
        OutputError: an output is a file that is read; scores cannot be kept.
        Cancelled: by ``progress``.
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
    results = [path for m in methods if isinstance(m, ResultFolder) for path in m.results.values()]
    check_outputs(plan.outputs, sources_of(grouped), [*results, *files_of(plan)])
    names = [method.description.name for method in methods]
    check_reference(names, plan.reference)
    columns = read_set_columns(plan.downstream, names)
    quoted = () if plan.quoted is None else read_quoted(plan.quoted, plan.task)
    with ExitStack() as stack:
        cache = None
        if plan.cache is not None:
            cache = stack.enter_context(closing(ScoreCache(plan.cache)))
        scorer = Scorer(plan, metrics, cache, progress)
        table: dict[str, list[PairScore]] = {method.description.name: [] for method in methods}
        missing: dict[str, list[str]] = {name: [] for name in table}
        pairs: list[PairDescription] = []
        done, total = 0, len(grouped) * len(methods)
        for pair in grouped:
            sources = PairSources(pair, plan)
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
    result = _result(plan, scores, tuple(pairs), metrics)
    result = replace(result, set_columns=columns, quoted=quoted)
    problems = (*found.problems, *aligned_notes(plan.sources, folders))
    yield EvaluationFinished(result, problems)


def _batch_method(found: EvaluationPairs, plan: EvaluationPlan) -> tuple[Method, ...]:
    if found.results is None:
        return ()
    described = MethodDescription(found.method, "folder", detail=str(plan.sources))
    return (ResultFolder(described, found.results),)


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
        versions=library_versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
