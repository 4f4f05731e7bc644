"""The work of the ablation panel: functions that are run in the compute process.

The trainer, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.workers.training import one_core_left
from core.progress import Progress

if TYPE_CHECKING:
    from trainer.ablation.results import RunResult
    from trainer.ablation.summary import Spread
    from trainer.run.control import RunControl


@dataclass(frozen=True)
class AblationChoice:
    """What to train.

    Attributes:
        data: folder with ``train/TASK`` and ``val/TASK``, or a folder of pairs.
        out: folder of runs and report.
        variants: names separated by commas, as on the command line.
    """

    task: str
    data: Path
    out: Path
    _: KW_ONLY
    steps: int = 1000
    seeds: int = 3
    variants: str = ""


@dataclass(frozen=True)
class ScoreCell:
    """A mean with its deviation, and whether it is the best of its column.

    ``mean`` is NaN where the variant has no such score, ``sd`` for a single seed.
    """

    mean: float
    sd: float
    digits: int
    best: bool = False


@dataclass(frozen=True)
class VariantRow:
    """One variant: its title, its components, the number of finished runs and its scores."""

    title: str
    checks: tuple[bool, ...]
    runs: int
    cells: tuple[ScoreCell, ...]


@dataclass(frozen=True)
class AblationTable:
    """All finished runs as a table.

    Attributes:
        metrics: names of the score columns. rows: the variants.
        done, total: number of finished runs and of all.
        encoder: whether a trained encoder stands in for DINOv3.
    """

    metrics: tuple[str, ...]
    rows: tuple[VariantRow, ...]
    done: int
    total: int
    encoder: bool


@dataclass(frozen=True)
class RunStep:
    """Progress of the run in progress.

    Attributes:
        run, total: number of the run from 1, and of all. title: variant. step: steps done.
        pace: seconds per step, 0 if unknown.
    """

    run: int
    total: int
    _: KW_ONLY
    title: str
    seed: int
    step: int
    steps: int
    pace: float = 0.0


@dataclass(frozen=True)
class PauseState:
    """The run was paused, or continues."""

    paused: bool


def run_choice(
    choice: AblationChoice, control: RunControl, progress: Progress
) -> Generator[RunStep | AblationTable | PauseState, None, Path]:
    """Run or continue an ablation; returns the page of the report.

    Raises:
        FusionError: the choice, the data or the folder cannot be used, or a run failed.
    """
    from trainer.ablation.plan import AblationPlan, ablation_config, pair_folders_of
    from trainer.ablation.report import check_report, write_report
    from trainer.ablation.run import RunDone, run_ablation
    from trainer.ablation.variants import chosen_variants

    base = ablation_config(choice.task, choice.steps)
    data, validation = pair_folders_of(choice.data, choice.task)
    variants = chosen_variants(choice.variants, base)
    plan = AblationPlan(base, data, choice.out, validation, variants=variants, seeds=choice.seeds)
    check_report(plan)  # before hours of work
    control.answers = False  # a question ends the run: nobody may be there for hours
    results: list[RunResult] = []
    with one_core_left():
        for event in run_ablation(plan, progress, control):
            if isinstance(event, RunDone):
                results.append(event.result)
                yield _table(results, event.total)
            else:
                yield from _step_of(event)
    return write_report(plan).page


def _step_of(advanced: object) -> Iterator[RunStep | PauseState]:
    from trainer.ablation.run import RunAdvanced
    from trainer.ablation.variants import VARIANTS
    from trainer.events import Paused, Resumed, Started, Stepped

    if not isinstance(advanced, RunAdvanced):
        return
    event, run = advanced.event, advanced.run
    if isinstance(event, (Started, Stepped)):
        yield RunStep(
            advanced.index + 1,
            advanced.total,
            title=VARIANTS[run.variant].title,
            seed=run.seed,
            step=event.step,
            steps=run.config.steps,
            pace=event.seconds_per_step if isinstance(event, Stepped) else 0.0,
        )
    elif isinstance(event, (Paused, Resumed)):
        yield PauseState(isinstance(event, Paused))


def _table(results: Sequence[RunResult], total: int) -> AblationTable:
    from trainer.ablation.report import digits_of
    from trainer.ablation.summary import best_variants, metrics_of, summarise
    from trainer.ablation.variants import COMPONENTS

    summaries = summarise(results)
    metrics = metrics_of(summaries)
    best = {metric: best_variants(summaries, metric, digits_of(metric)) for metric in metrics}
    rows = tuple(
        VariantRow(
            summary.title,
            tuple(summary.components[name] for name in COMPONENTS),
            len(summary.seeds),
            tuple(
                _cell(summary.scores.get(metric), digits_of(metric), summary.name in best[metric])
                for metric in metrics
            ),
        )
        for summary in summaries
    )
    encoder = results[0].config.network.backbone.kind != "dinov3"
    return AblationTable(metrics, rows, len(results), total=total, encoder=encoder)


def _cell(spread: Spread | None, digits: int, best: bool) -> ScoreCell:
    if spread is None:
        return ScoreCell(math.nan, math.nan, digits)
    return ScoreCell(spread.mean, spread.sd, digits, best)
