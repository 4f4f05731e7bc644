"""Options of ``unifusion evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import (
    CertificateFolder,
    DatasetOption,
    Device,
    JobsFile,
    SchedulerAddress,
    SplitOption,
    WindowA,
    WindowB,
)


def evaluate(
    *,
    sources: Annotated[
        Path,
        typer.Option(
            help="folder of pairs, laid out as for batch (and gt/, if known), or a batch's output"
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FOLDER of results, or the name of a pack or baseline; repeatable"),
    ] = None,
    collection: Annotated[
        list[Path] | None,
        typer.Option(help="flat folder of IMAGE_METHOD.png, all its methods; repeatable"),
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Option(help="NAME=program {a} {b} {out}, run for every pair; repeatable"),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", "-t", help="task of packs by name")] = None,
    dataset: DatasetOption = "",
    split: SplitOption = "",
    metrics: Annotated[
        str, typer.Option(help="comma-separated names; “table1” (the paper's); “all”")
    ] = "",
    group_by: Annotated[
        str,
        typer.Option(help="also means by group: “prefix” (of NAME before _), or a CSV pair,group"),
    ] = "",
    reference: Annotated[
        str, typer.Option(help="method to test the others against; in reports, else the first")
    ] = "",
    downstream: Annotated[
        list[Path] | None,
        typer.Option(help="scores of other tasks as columns: the --csv of downstream; repeatable"),
    ] = None,
    quote: Annotated[
        Path | None,
        typer.Option(help="means measured elsewhere as rows: TOML, [TASK] NAME = {MI = 2.4, …}"),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="write every picture's scores there")] = None,
    html: Annotated[Path | None, typer.Option(help="write a report with charts there")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write a report for print there")] = None,
    tex: Annotated[Path | None, typer.Option(help="write a LaTeX table there")] = None,
    anonymous: Annotated[
        bool, typer.Option(help="number the pairs in reports instead of naming their files")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="where scores are kept, so that a run can go on")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1.0, help="seconds a program may take for one pair")
    ] = 120.0,
    device: Device = "auto",
    window_a: WindowA = None,
    window_b: WindowB = None,
    scheduler: SchedulerAddress = "",
    cluster: JobsFile = None,
    certificates: CertificateFolder = None,
) -> None:
    """Score results, packs, classical methods and programs; prints a table, writes reports.

    In the table the best is bold and the second underlined. What was scored before is not scored
    again. Exit code 3 when a method failed on all of its pairs.
    """
    with reported():
        from app.cli.cluster_choice import chosen_cluster
        from app.cli.dataset_option import chosen_dataset
        from app.cli.evaluate import ReportFiles, chosen_methods, evaluate_methods, metric_names
        from core.evaluation.cache import default_cache
        from core.evaluation.plan import EvaluationPlan

        known = chosen_dataset(dataset, split)
        protocol = known.metrics if known is not None and not metrics else metric_names(metrics)
        files = ReportFiles(csv, html, pdf, tex, anonymous=anonymous)
        plan = EvaluationPlan(
            sources,
            chosen_methods(method or (), collection or (), command or ()),
            protocol,
            task=task or ("" if known is None else known.task),
            dataset=known,
            split=split,
            reference=reference,
            downstream=downstream or (),
            quoted=quote,
            group_by=group_by,
            windows=(window_a, window_b),
            cache=cache or default_cache(),
            keep_images=html is not None or pdf is not None,
            timeout=timeout,
            device=device,
            outputs=files.paths,
        )
        chosen = chosen_cluster(scheduler, cluster, certificates)
        code = evaluate_methods(plan, files, chosen)
    raise typer.Exit(code)
