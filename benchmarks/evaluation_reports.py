"""Reports on the embedded packs, the classical methods and published networks, one for each task.

    python -m benchmarks.evaluation_reports --data DIR --reports OUT --tables benchmarks/results

DIR holds val/TASK/a and val/TASK/b. HTML, PDF, LaTeX and CSV go to OUT, since the first two show
pictures of the data; tables of means, by group of pairs too, go to TABLES/evaluation_TASK.md. Means
of published networks are those of ``benchmarks/peers.toml``, which were measured elsewhere. Each is
what this line gives:

    unifusion evaluate --task mif --sources DIR/val/mif --group-by prefix --reference mif-compact
        --method mif-compact --method average … --quote benchmarks/peers.toml --html OUT/mif.html …
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.score_table import render_groups, render_table
from core.baselines import BASELINES
from core.evaluation.groups import BY_PREFIX
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.report import write_csv, write_html, write_pdf, write_tex
from core.evaluation.report.comparisons import comparison_tables
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.evaluation.run import evaluate_plan
from core.io.atomic import atomic_write
from core.packs.registry import Catalogue
from core.tasks import TASKS
from resources import PACKS

PEERS = Path(__file__).with_name("peers.toml")


def packs_of(task: str) -> list[str]:
    """Names of the embedded packs of a task, the default first."""
    return [entry.manifest.name for entry in Catalogue([PACKS]).for_task(task)]


def evaluated(sources: Path, task: str, cache: Path) -> EvaluationResult:
    """All methods of a task over the pairs in ``sources``, the first pack as the reference."""
    packs = packs_of(task)
    plan = EvaluationPlan(
        sources,
        [
            *(MethodChoice("pack", name) for name in packs),
            *(MethodChoice("classical", name) for name in BASELINES),
        ],
        task=task,
        cache=cache,
        keep_images=True,
        device="cpu",
        reference=packs[0],
        quoted=PEERS,
        group_by=BY_PREFIX,
    )
    for event in evaluate_plan(plan):
        if isinstance(event, EvaluationFinished):
            return event.result
    raise AssertionError("an evaluation ends with its result")


def markdown(result: EvaluationResult, task: str, reference: str) -> str:
    """The tables of a report as Markdown."""
    parts = [
        f"# Evaluation: {TASKS[task].title} ({task})",
        "Embedded packs and classical methods on the validation pairs, 8-bit luma; best bold, "
        "second underlined; † differs from the pack. Made by `python -m "
        "benchmarks.evaluation_reports`, on a machine that other work shared: seconds are an upper "
        "bound.",
        _paragraphs(render_table(result, "markdown", reference=reference, full=True)),
        "## By group",
        _paragraphs(render_groups(result, "markdown")),
    ]
    for table in comparison_tables(result, reference):
        lines = [[cell.text for cell in row] for row in (table.columns, *table.rows)]
        lines.insert(1, ["---"] * len(table.columns))
        rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts += [f"## {table.title}", *table.introduction, rows, *table.notes]
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> str:
    """The lines below a table as paragraphs of their own."""
    table, _, notes = text.partition("\n\n")
    return "\n\n".join([table, *notes.splitlines()])


def main() -> None:
    """Evaluate and write the reports."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--task", choices=tuple(TASKS), nargs="*", default=tuple(TASKS))
    options = parser.parse_args()
    options.reports.mkdir(parents=True, exist_ok=True)
    for task in options.task:
        result = evaluated(options.data / "val" / task, task, options.reports / "cache")
        reference, to = packs_of(task)[0], options.reports / task
        title = f"Evaluation: {TASKS[task].title}"
        write_html(result, to.with_suffix(".html"), reference=reference, title=title)
        write_pdf(result, to.with_suffix(".pdf"), reference=reference, title=title)
        write_csv(result, to.with_suffix(".csv"))
        write_tex(result, to.with_suffix(".tex"))
        if options.tables is not None:
            text = markdown(result, task, reference)
            atomic_write(options.tables / f"evaluation_{task}.md", text.encode())
        print(render_table(result, reference=reference, full=True))


if __name__ == "__main__":
    main()
