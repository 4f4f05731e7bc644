"""``unifusion ablate``: variants of the method trained with several seeds, and their report."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from app.cli.console import TerminalProgress, note, say, show
from core.errors import InputError
from trainer.ablation.plan import (
    BATCH,
    CROP,
    AblationPlan,
    ablation_config,
    pair_folders_of,
)
from trainer.ablation.report import check_report, text_table, write_report
from trainer.ablation.run import AblationEvent, RunAdvanced, RunDone, run_ablation
from trainer.ablation.variants import chosen_variants
from trainer.events import Started, Stepped


@dataclass(frozen=True)
class AblateOptions:
    """Options of the command."""

    task: str
    data: Path
    out: Path
    _: KW_ONLY
    steps: int = 1000
    seeds: int = 3
    variants: str = ""
    settings: Path | None = None
    val: Path | None = None
    batch: int = BATCH
    crop: int = CROP
    device: str = "auto"
    figure: tuple[Path, Path] | None = None


def run_command(options: AblateOptions) -> None:
    """Run or continue the ablation, print each run's scores, write the report.

    Raises:
        FusionError: an option, the data or the output folder cannot be used. Cancelled: by Ctrl-C;
            what was done so far is kept.
    """
    plan = planned(options)
    check_report(plan)  # before hours of work
    with TerminalProgress() as progress:
        for event in run_ablation(plan, progress):
            progress.clear()
            _show(event)
        report = write_report(plan, pair=options.figure)
    show(text_table(plan))
    say(f"report: {report.page}")


def planned(options: AblateOptions) -> AblationPlan:
    """The ablation that the options describe.

    Raises:
        InputError: an option is out of range, the task has no recipe, or there is no such folder.
    """
    if options.seeds < 1:
        raise InputError(f"--seeds {options.seeds}", "there must be at least one", "Give 3.")
    base = ablation_config(
        options.task,
        options.steps,
        settings=options.settings,
        batch=options.batch,
        crop=options.crop,
    )
    data, validation = pair_folders_of(options.data, options.task)
    return AblationPlan(
        base,
        data,
        options.out,
        options.val or validation,
        variants=chosen_variants(options.variants, base),
        seeds=options.seeds,
        device=options.device,
    )


def _show(event: AblationEvent) -> None:
    name = f"{event.index + 1}/{event.total} {event.run.variant}, seed {event.run.seed}"
    match event:
        case RunDone():
            scores = "  ".join(f"{key} {value:.4f}" for key, value in event.result.means.items())
            say(f"{name}: {'done before' if event.earlier else 'done'}  {scores}")
        case RunAdvanced(event=Started() as started):
            for problem in (*started.problems, *started.notes):
                note(problem)
            where = f"on {started.device} in {started.precision}"
            say(f"{name}: step {started.step} of {started.steps} {where}")
        case RunAdvanced(event=Stepped() as stepped):
            left = (event.run.config.steps - stepped.step) * stepped.seconds_per_step / 60
            say(f"{name}: {stepped.step:6d}  upper {stepped.losses['upper']:.3f}, "
                f"{stepped.seconds_per_step:.2f} s a step, {left:.0f} min left")  # fmt: skip
        case _:
            pass
