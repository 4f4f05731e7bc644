"""The report of an ablation: Markdown in the layout of the paper's Table 2, and CSV files."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError, Message, OutputError
from core.io.atomic import atomic_write
from core.io.csv_cells import csv_text
from core.io.writer import check_target
from core.tasks import get_task
from trainer.ablation.features import write_feature_figure
from trainer.ablation.plan import AblationPlan
from trainer.ablation.results import RunResult
from trainer.ablation.run import finished_results
from trainer.ablation.summary import (
    PSNR,
    Spread,
    VariantSummary,
    best_variants,
    higher_is_better,
    metrics_of,
    partly_defined,
    summarise,
)
from trainer.ablation.variants import COMPONENTS, Component
from trainer.data.division import divide_pairs

_TITLE = "# Ablation, "
"""How the page begins, by which an earlier one is known."""
_DIGITS = {PSNR: 2, "MI": 3, "PSNR": 2}
_TITLES = {PSNR: "reconstruction PSNR, dB"}


@dataclass(frozen=True)
class AblationReport:
    """Files of a report.

    Attributes:
        page: the Markdown page. table: its table as CSV. scores: scores of every pair in every run.
        figure: feature maps with and without reconstruction; None if one of the runs is missing.
    """

    page: Path
    table: Path
    scores: Path
    figure: Path | None


def check_report(plan: AblationPlan, folder: Path | None = None) -> None:
    """Refuse to write a report over files that are no earlier report of an ablation.

    Args:
        folder: as in :func:`write_report`.

    Raises:
        OutputError: there is such a file, or a picture of the data has the name of one.
    """
    files = _files(plan, folder or plan.out)
    own = _files_of_earlier(files[0])
    there = [path for path in files if path.exists()]
    for path in there:
        if path not in own:
            raise OutputError(
                Message("Cannot write {0}", path),
                Message("there is a file of this name that is no report of an ablation"),
                Message("Give another output folder."),
            )
    if there:
        first = plan.runs()[0]
        division = divide_pairs(first.plan, first.config).split
        matches = (*division.train, *division.validation)
        sources = [file for match in matches for files in match.files for file in files]
        for path in there:
            check_target(path, protect=sources)


def _files(plan: AblationPlan, folder: Path) -> tuple[Path, Path, Path, Path]:
    """Page, table, scores of the pairs, figure."""
    name = plan.base.task
    names = (f"{name}.md", f"{name}.csv", f"{name}_pairs.csv", f"{name}_features.png")
    page, table, scores, figure = (folder / one for one in names)
    return page, table, scores, figure


def _files_of_earlier(page: Path) -> tuple[Path, ...]:
    """The files of the report whose page is there, which names them; () if there is none."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    if not text.startswith(_TITLE):
        return ()
    named = re.findall(r"`([^`/]+\.csv)`|\]\(([^)/]+\.png)\)", text)
    return (page, *(page.with_name(table or figure) for table, figure in named))


def write_report(
    plan: AblationPlan, folder: Path | None = None, *, pair: tuple[Path, Path] | None = None
) -> AblationReport:
    """Write the report on all finished runs of ``plan``, into its output folder or ``folder``.

    Args:
        pair: A and B of the feature figure; None for the first validation pair.

    Raises:
        InputError: no run is finished, or the pair cannot be read.
        OutputError: a file cannot be written, or is none of an earlier report.
    """
    results = finished_results(plan)
    if not results:
        raise InputError(
            str(plan.out), Message("no run is finished"), Message("Run the ablation first.")
        )
    check_report(plan, folder)
    page, table, scores, drawing = _files(plan, folder or plan.out)
    figure = write_feature_figure(plan, drawing, pair)
    files = AblationReport(page, table, scores, figure)
    summaries = summarise(results)
    atomic_write(files.table, csv_text(_table_rows(summaries)).encode())
    atomic_write(files.scores, csv_text(_pair_rows(results)).encode())
    atomic_write(files.page, _page(plan, results, files, pair).encode())
    return files


def text_table(plan: AblationPlan) -> str:
    """The table of the report, as Markdown."""
    return _score_table(plan, summarise(finished_results(plan)))


def component_titles(backbone: str) -> dict[Component, str]:
    """Headings of the component columns, for the kind of backbone of the full variant."""
    return {
        "adapter": "Adapter",
        "backbone": "DINOv3" if backbone == "dinov3" else "DINOv3 (here: encoder)",
        "reconstruction": "Reconstruction",
        "bilevel": "Bilevel",
    }


def format_spread(spread: Spread, metric: str, sign: str = "") -> str:
    """``mean ± SD`` with the digits of the metric; the mean alone for a single seed."""
    digits = digits_of(metric)
    text = f"{spread.mean:{sign}.{digits}f}"
    return text if math.isnan(spread.sd) else f"{text} ± {spread.sd:.{digits}f}"


def digits_of(metric: str) -> int:
    """Decimal places of a metric in tables."""
    return _DIGITS.get(metric, 4)


def _heading(metric: str) -> str:
    return f"{_TITLES.get(metric, metric)} {'↑' if higher_is_better(metric) else '↓'}"


def _page(
    plan: AblationPlan,
    results: Sequence[RunResult],
    files: AblationReport,
    pair: tuple[Path, Path] | None,
) -> str:
    summaries = summarise(results)
    parts = [
        f"{_TITLE}{get_task(plan.base.task).title} ({plan.base.task})",
        _setting(plan, results),
        "## Scores\n\n" + _score_table(plan, summaries) + "\n\n" + _explanation(plan, results),
    ]
    if any(summary.differences for summary in summaries):
        parts.append(_difference_section(summaries))
    if files.figure is not None:
        shown = "the first validation pair" if pair is None else f"{pair[0].name}, {pair[1].name}"
        parts.append(
            f"## Features\n\nAdapter features of {shown}, from networks trained with and without "
            "reconstruction, first seed. Colours are the first three principal components "
            "of both sources of one network; colours of different networks are not comparable.\n\n"
            f"![Features with and without reconstruction]({files.figure.name})"
        )
    parts.append(_files_section(files))
    return "\n\n".join(parts) + "\n"


def _setting(plan: AblationPlan, results: Sequence[RunResult]) -> str:
    base, first = plan.base, results[0]
    planned = len(plan.variants) * plan.seeds
    unfinished = (
        f" {len(results)} of {planned} runs are finished." if len(results) < planned else ""
    )
    software = ", ".join(f"{name} {version}" for name, version in first.software.items())
    minutes = sum(result.seconds for result in results) / 60
    seeds = ", ".join(map(str, sorted({result.config.seed for result in results})))
    return (
        f"{base.steps} steps from scratch, {base.batch} crops of {base.crop} pixels, seeds "
        f"{seeds}; {first.pairs} training pairs, {len(first.scores)} validation pairs. Every "
        "variant has the same number of steps and, with the same seed, the same crops in the same "
        f"order; the state after the last step is scored.{unfinished} {minutes:.0f} minutes of "
        f"training on {first.device}; {software}."
    )


def _score_table(plan: AblationPlan, summaries: Sequence[VariantSummary]) -> str:
    metrics = metrics_of(summaries)
    titles = component_titles(plan.base.network.backbone.kind)
    best = {metric: best_variants(summaries, metric, digits_of(metric)) for metric in metrics}
    head = ["Variant", *(titles[c] for c in COMPONENTS), *map(_heading, metrics)]
    rows = []
    for summary in summaries:
        checks = ["✓" if summary.components[c] else "" for c in COMPONENTS]
        cells = []
        for metric in metrics:
            spread = summary.scores.get(metric)
            text = "–" if spread is None else format_spread(spread, metric)
            cells.append(f"**{text}**" if summary.name in best[metric] else text)
        rows.append([summary.title, *checks, *cells])
    return _markdown(head, rows, centred=len(COMPONENTS))


def _explanation(plan: AblationPlan, results: Sequence[RunResult]) -> str:
    encoder = (
        "The network is of the compact family, whose trained four-layer encoder stands in for "
        "DINOv3: without it the adapters receive token maps of zeros and see the images alone. "
        if plan.base.network.backbone.kind != "dinov3"
        else "Without DINOv3 the trained four-layer encoder takes its place, as in the paper. "
    )
    return (
        "Mean ± SD: for each seed the mean over the validation pairs is taken; the mean and the "
        "sample standard deviation (n − 1) are those of these means over the seeds. The SD shows "
        "how far a repetition with another seed deviates; it says nothing about the differences "
        "between image pairs. The best mean is bold. " + encoder + "Without reconstruction there "
        "is no lower level, so both levels are trained together on the fusion objective."
        + "".join(
            f" {name} is not defined on all pairs; its means are over those on which it is."
            for name in partly_defined(results)
        )
    )


def _difference_section(summaries: Sequence[VariantSummary]) -> str:
    changed = [summary for summary in summaries if summary.differences]
    metrics = metrics_of(summaries)
    rows = []
    for summary in changed:
        cells = []
        for metric in metrics:
            spread = summary.differences.get(metric)
            cells.append("–" if spread is None else _difference(spread, metric))
        rows.append([summary.title, *cells])
    text = (
        "## Differences to the full variant\n\nVariant minus full with the same seed, mean ± SD "
        "over the seeds; in brackets the number of seeds in which the variant is better."
    )
    return text + "\n\n" + _markdown(["Variant", *map(_heading, metrics)], rows)


def _difference(spread: Spread, metric: str) -> str:
    better = sum(value > 0 if higher_is_better(metric) else value < 0 for value in spread.values)
    return f"{format_spread(spread, metric, '+')} ({better}/{len(spread.values)})"


def _files_section(files: AblationReport) -> str:
    return (
        f"## Files\n\n- `{files.table.name}`: the tables above with all digits\n"
        f"- `{files.scores.name}`: the scores of every validation pair in every run"
    )


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]], centred: int = 0) -> str:
    """A Markdown table; ``centred`` columns after the first are centred, the rest right-aligned."""
    marks = ["---", *[":---:"] * centred, *["---:"] * (len(head) - 1 - centred)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, marks, *rows))


def _table_rows(summaries: Sequence[VariantSummary]) -> list[list[object]]:
    metrics = metrics_of(summaries)
    kinds = ("mean", "sd", "difference_mean", "difference_sd")
    rows: list[list[object]] = [
        ["variant", *COMPONENTS, "seeds", *(f"{m}_{kind}" for m in metrics for kind in kinds)]
    ]
    for summary in summaries:
        cells: list[object] = []
        for metric in metrics:
            for spread in (summary.scores.get(metric), summary.differences.get(metric)):
                known = spread is not None and spread.values
                cells += [spread.mean, _blank_nan(spread.sd)] if known and spread else ["", ""]
        checks = [int(summary.components[c]) for c in COMPONENTS]
        rows.append([summary.name, *checks, len(summary.seeds), *cells])
    return rows


def _blank_nan(value: float) -> object:
    return "" if math.isnan(value) else value


def _pair_rows(results: Sequence[RunResult]) -> list[list[object]]:
    metrics = list(dict.fromkeys(m for r in results for row in r.scores.values() for m in row))
    rows: list[list[object]] = [["variant", "seed", "pair", *metrics]]
    for result in results:
        for pair, scores in result.scores.items():
            cells = [scores.get(metric, "") for metric in metrics]
            rows.append([result.variant, result.config.seed, pair, *cells])
    return rows
