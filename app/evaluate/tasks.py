"""Work of the Evaluate workspace, as functions that take a progress.

The engine is imported inside them, so that the window starts without it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.evaluate.settings import EvaluationChoices
from app.pairs.cluster_tasks import chosen_cluster
from core.errors import FusionError, InputError, Message
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.progress import Progress

if TYPE_CHECKING:
    from core.evaluation.groups import GroupSummary
    from core.evaluation.plan import EvaluationPlan
    from core.evaluation.report.atlas import Worst
    from core.evaluation.statistics import PairedComparison
    from core.evaluation.tables import Summary

WORST = 3
"""Pairs per metric among the worst ones."""


@dataclass(frozen=True)
class Analysis:
    """What is shown of a result.

    Attributes:
        result: scores of all methods.
        summary: means of the methods.
        reference: the method that the others are compared with.
        comparisons: all methods against the reference, by metric.
        worst: the pairs with the worst values, with the reasons.
        milliseconds: mean time of each metric per pair; NaN where it was not measured.
        groups: means over all pairs, then over each group; () if no pair belongs to one.
    """

    result: EvaluationResult
    summary: Summary
    reference: str
    comparisons: tuple[PairedComparison, ...]
    _: KW_ONLY
    worst: dict[str, list[Worst]]
    milliseconds: dict[str, float]
    groups: tuple[GroupSummary, ...] = ()


def plan_of(choices: EvaluationChoices, cache: Path | None = None) -> EvaluationPlan:
    """What ``choices`` ask for, as the command line asks for it.

    Raises:
        InputError: no folder of sources is chosen, or the data set is unknown.
    """
    from app.pairs.datasets import no_folder, resolve
    from core.evaluation.plan import EvaluationPlan, MethodChoice

    folder = choices.folder
    if folder is None:
        raise InputError(
            Message("No sources"), remedy=Message("Choose a folder of pairs or of a batch.")
        )
    if not folder.is_dir():
        raise no_folder(folder)  # said before the engine is imported, which takes seconds
    dataset, split = resolve(folder, choices.dataset)
    return EvaluationPlan(
        folder,
        [MethodChoice(one.kind, one.value, one.name) for one in choices.methods],
        choices.metrics,
        task=choices.task,
        cache=cache,
        keep_images=cache is not None,
        dataset=dataset,
        split=split,
        group_by=choices.group_by,
        quoted=Path(choices.quoted).expanduser() if choices.quoted else None,
        downstream=[Path(one).expanduser() for one in choices.downstream],
    )


def evaluate_choices(
    choices: EvaluationChoices, cache: Path | None, progress: Progress
) -> Generator[Any, None, EvaluationFinished]:
    """Run the evaluation, and yield the scores as they are found, and news of other computers.

    Args:
        cache: folder of the scores and fused images of earlier evaluations; None keeps none.

    Raises:
        FusionError, Cancelled: see :func:`core.evaluation.run.evaluate_plan`.
    """
    cluster = chosen_cluster(choices.scheduler, choices.certificates)
    plan = plan_of(choices, cache)
    from core.evaluation.run import evaluate_plan

    for event in evaluate_plan(plan, progress, cluster):
        if isinstance(event, EvaluationFinished):
            return event
        yield event
    raise AssertionError("an evaluation ends with its result")


def analyse(result: EvaluationResult, reference: str, progress: Progress) -> Analysis:
    """Summary, comparisons and worst pairs of ``result``.

    Args:
        reference: name of a method; the first one if there is none of this name.
    """
    from core.evaluation.groups import grouped_summary, has_groups
    from core.evaluation.report.atlas import worst_pairs
    from core.evaluation.statistics import compare
    from core.evaluation.tables import metric_milliseconds, summarize

    names = [scores.method.name for scores in result.methods]
    reference = reference if reference in names else next(iter(names), "")
    progress.check()
    compared = compare(result, reference) if len(names) > 1 else ()
    return Analysis(
        result,
        summarize(result),
        reference,
        compared,
        worst=worst_pairs(result, WORST),
        milliseconds=metric_milliseconds(result),
        groups=grouped_summary(result) if has_groups(result) else (),
    )


def write_report(
    result: EvaluationResult,
    path: Path,
    reference: str,
    read: Sequence[Path],
    progress: Progress,
) -> Path:
    """Write a report in the format that the suffix of ``path`` names; returns the path.

    Args:
        read: files that the evaluation has read beside the pictures, which stay as they are.

    Raises:
        InputError: the suffix is unknown. OutputError: it cannot be written, or is a file that
            ``result`` is about. Cancelled.
    """
    from core.evaluation.outputs import check_report
    from core.evaluation.report import write_csv, write_html, write_pdf, write_tex

    check_report(result, path, read)
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm"):
        write_html(result, path, reference=reference, progress=progress)
    elif suffix == ".pdf":
        write_pdf(result, path, reference=reference, progress=progress)
    elif suffix == ".tex":
        write_tex(result, path)
    elif suffix == ".csv":
        write_csv(result, path)
    else:
        raise FusionError(
            path.name,
            Message("its ending names no format of a report"),
            Message("End the name in .html, .pdf, .csv or .tex."),
        )
    return path
