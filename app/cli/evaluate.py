"""``unifusion evaluate``: results, packs, classical methods and programs in comparison."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from app.cli.console import DONE, SOME_FAILED, TerminalProgress, note, show
from app.cli.pair_notes import print_notes
from app.cli.score_table import render_groups, render_table
from app.cli.text_table import TableStyle
from core.batch.events import ClusterNews
from core.cluster.choice import ClusterChoice
from core.errors import InputError
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.report import write_csv, write_html, write_pdf, write_tex
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.evaluation.run import evaluate_plan
from core.metrics import MAIN_METRICS, METRICS, TABLE1_METRICS


@dataclass(frozen=True)
class ReportFiles:
    """Files to write, None for none."""

    csv: Path | None = None
    html: Path | None = None
    pdf: Path | None = None
    tex: Path | None = None
    _: KW_ONLY
    anonymous: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those to write."""
        files = (self.csv, self.html, self.pdf, self.tex)
        return tuple(path for path in files if path is not None)


def chosen_methods(
    methods: Sequence[str], collections: Sequence[Path], commands: Sequence[str]
) -> tuple[MethodChoice, ...]:
    """The methods that options name.

    Args:
        methods: ``NAME=FOLDER`` of results, or the name of a pack or classical method.
        collections: flat folders of ``IMAGE_METHOD.ext``.
        commands: ``NAME=COMMAND LINE`` of programs.

    Raises:
        InputError: a command has no name.
    """
    choices: list[MethodChoice] = []
    for method in methods:
        name, is_folder, folder = method.partition("=")
        if is_folder:
            choices.append(MethodChoice("folder", folder, name))
        else:
            choices.append(MethodChoice("pack", method))
    choices += [MethodChoice("collection", str(folder)) for folder in collections]
    for command in commands:
        name, named, line = command.partition("=")
        if not named or "{" in name:
            raise InputError(
                f"The command “{command}”", "it has no name",
                "Write it as NAME=program {a} {b} {out}.",
            )  # fmt: skip
        choices.append(MethodChoice("command", line, name))
    return tuple(choices)


def metric_names(text: str) -> tuple[str, ...]:
    """The metrics in ``text``: comma-separated, “all”, “table1”, or "" for the main ones."""
    named = {"": MAIN_METRICS, "all": tuple(METRICS), "table1": TABLE1_METRICS}
    if text.strip() in named:
        return named[text.strip()]
    return tuple(part.strip() for part in text.split(",") if part.strip()) or MAIN_METRICS


def evaluate_methods(
    plan: EvaluationPlan, files: ReportFiles, cluster: ClusterChoice | None = None
) -> int:
    """Score every method of ``plan``; print the table, write the reports.

    Args:
        cluster: whose workers score; None for this computer.

    Returns:
        The exit code: 3 when a method failed on all of its pairs.

    Raises:
        FusionError: a metric, method or folder is unknown, no pair can be scored, or a report
            cannot be written.
    """
    result: EvaluationResult | None = None
    with TerminalProgress() as progress:
        for event in evaluate_plan(plan, progress, cluster):
            if isinstance(event, ClusterNews) and event.text:
                progress.clear()
                note(event.text)
            if isinstance(event, EvaluationFinished):
                result = event.result
                for problem in event.problems:
                    note(problem)
        if result is None:
            raise RuntimeError("the evaluation did not finish")
        style: TableStyle = "ansi" if sys.stdout.isatty() else "plain"
        table = render_table(result, style, reference=plan.reference, full=True)
        groups = render_groups(result, style)
        write_reports(result, files, plan.reference, progress)
    print_notes({pair.name: pair.notes for pair in result.pairs})
    show(table)
    if groups:
        show(f"\n{groups}")
    failed = any(scores.pairs and not scores.scored() for scores in result.methods)
    return SOME_FAILED if failed else DONE


def write_reports(
    result: EvaluationResult, files: ReportFiles, reference: str, progress: TerminalProgress
) -> None:
    """Write the reports that are asked for; HTML and PDF compare others with ``reference``.

    Raises:
        OutputError: a file cannot be written. Cancelled: by ``progress``.
    """
    hidden = files.anonymous
    if files.csv is not None:
        write_csv(result, files.csv, anonymous=hidden)
    if files.tex is not None:
        write_tex(result, files.tex)
    for path, write in ((files.html, write_html), (files.pdf, write_pdf)):
        if path is not None:
            write(result, path, reference=reference, anonymous=hidden, progress=progress)
