"""Runs an evaluation pair by pair."""

from __future__ import annotations

import datetime
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from core.batch.events import ClusterNews
from core.cluster.choice import ClusterChoice
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
    ScoredCell,
)
from core.evaluation.scoring import TRUTH_METRICS, PairSources, Scorer
from core.evaluation.set_scores import read_quoted, read_set_columns
from core.evaluation.statistics import check_reference
from core.library_versions import library_versions
from core.progress import NullProgress, Progress

EvaluationEvent = PairScored | ClusterNews | EvaluationFinished


def evaluate_plan(
    plan: EvaluationPlan, progress: Progress | None = None, cluster: ClusterChoice | None = None
) -> Iterator[EvaluationEvent]:
    """Score all methods of ``plan`` on all pairs, one pair after the other.

    Args:
        cluster: whose workers fuse and score, by the same code; None for this computer. Scores come
            in any order then, and the cache stays with this computer.

    A method that fails on a pair costs that score alone. Memory is that of one pair; scores are
    written to the cache as they are found, so that an evaluation that was ended at any moment goes
    on from there.

    Yields:
        A :class:`PairScored` per pair and method, then one :class:`EvaluationFinished`; on a
        cluster, a :class:`ClusterNews` for what changes among the workers.

    Raises:
        InputError: the plan cannot be carried out: a folder, method, reference or metric is
            unknown, two methods have the same name, or no pair is found.
        PackError: a pack cannot be used.
        OutputError: an output is a file that is read; scores cannot be kept.
        ClusterError: the cluster cannot be used, or is gone; what was scored is kept.
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
        table = _Table(grouped, [method.description.name for method in methods])
        with closing(_cells(scorer, grouped, methods, cluster)) as cells:
            for cell in cells:
                if isinstance(cell, ClusterNews):
                    yield cell
                    continue
                scored = table.add(cell)
                if cluster is not None:
                    progress.report(table.done, table.total, grouped[cell.place].name)
                if scored is not None:
                    yield scored
    progress.report(table.total, table.total, "")
    result = _result(plan, table.scores(methods), table.pairs(), metrics)
    result = replace(result, set_columns=columns, quoted=quoted)
    problems = (*found.problems, *aligned_notes(plan.sources, folders))
    yield EvaluationFinished(result, problems)


def _cells(
    scorer: Scorer,
    pairs: Sequence[PairDescription],
    methods: Sequence[Method],
    cluster: ClusterChoice | None,
) -> Generator[ScoredCell | ClusterNews, None, None]:
    if cluster is None:
        yield from _cells_here(scorer, pairs, methods)
        return
    from core.evaluation.cluster_run import ClusterScoring

    yield from ClusterScoring(scorer, pairs, methods, cluster).run()


def _cells_here(
    scorer: Scorer, pairs: Sequence[PairDescription], methods: Sequence[Method]
) -> Iterator[ScoredCell]:
    done, total = 0, len(pairs) * len(methods)
    for place, pair in enumerate(pairs):
        sources = PairSources(pair, scorer.plan)
        for index, method in enumerate(methods):
            scorer.progress.check()
            scorer.progress.report(done, total, f"{pair.name}, {method.description.name}")
            done += 1
            score, cached = scorer.score(pair, method, sources) or (None, False)
            yield ScoredCell(place, index, score, cached, sources.notes)


class _Table:
    """The cells that are known so far."""

    def __init__(self, pairs: Sequence[PairDescription], methods: Sequence[str]) -> None:
        self._pairs, self._methods = pairs, methods
        self._scores: dict[tuple[int, int], PairScore | None] = {}
        self._notes: dict[int, tuple[str, ...]] = {}
        self.total = len(pairs) * len(methods)

    @property
    def done(self) -> int:
        """Cells that are known."""
        return len(self._scores)

    def add(self, cell: ScoredCell) -> PairScored | None:
        """Add a cell; what is to be told of it."""
        self._scores[cell.place, cell.method] = cell.score
        self._notes[cell.place] = self._notes.get(cell.place, ()) or cell.notes
        if cell.score is None:
            return None
        name = self._methods[cell.method]
        return PairScored(name, cell.score, self.done, self.total, cell.cached)

    def pairs(self) -> tuple[PairDescription, ...]:
        """All pairs, with the notes on their sources."""
        return tuple(
            replace(pair, notes=self._notes.get(place, ()))
            for place, pair in enumerate(self._pairs)
        )

    def scores(self, methods: Sequence[Method]) -> tuple[MethodScores, ...]:
        """The scores of all methods, pairs in order."""
        return tuple(self._of(index, method) for index, method in enumerate(methods))

    def _of(self, index: int, method: Method) -> MethodScores:
        cells = [self._scores[place, index] for place in range(len(self._pairs))]
        missing = [pair.name for pair, cell in zip(self._pairs, cells, strict=True) if cell is None]
        return MethodScores(
            method.description,
            tuple(cell for cell in cells if cell is not None),
            missing=tuple(missing),
            ignored=method.ignored,
            problems=method.problems,
        )


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
