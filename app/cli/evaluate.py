"""``unifusion evaluate``: scores of results, packs and classical methods in comparison."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from app.cli.console import TerminalProgress, show
from app.cli.pair_notes import print_notes
from app.cli.score_table import render_table
from core.errors import InputError
from core.fusion.engine import FusionEngine
from core.io import read_pair
from core.metrics import MAIN_METRICS, METRICS, Luma, to_luma8
from core.metrics.evaluation import MethodScore, score_folder, score_with, write_csv
from core.pairing.folders import Match
from core.tasks import get_task
from core.types import FusionRequest
from core.windows import Windows


class _ReadOptions(TypedDict):
    """Options of reading sources."""

    task: str
    windows: Windows


def evaluate_methods(
    sources: Path,
    methods: tuple[str, ...],
    *,
    task: str | None,
    metrics: str,
    csv: Path | None,
    device: str,
    windows: Windows = (None, None),
) -> None:
    """Score every method on the pairs in ``sources``; print the table, write the CSV.

    A method is ``NAME=FOLDER`` (a folder of results), or the name of a pack or baseline, which
    requires ``task`` and is run here.

    Raises:
        FusionError: a metric, method or folder is unknown, or an image cannot be scored.
    """
    names = _metric_names(metrics)
    how: _ReadOptions = {"task": task or "", "windows": windows}
    engine: FusionEngine | None = None
    scores: list[MethodScore] = []
    with TerminalProgress() as progress:
        for method in methods:
            name, is_folder, folder = method.partition("=")
            if is_folder:
                scores.append(score_folder(sources, Path(folder), names, name, progress, **how))
                continue
            if task is None:
                raise InputError(
                    f"Method “{method}”", "it is run on the spot, and no task was given",
                    "Add --task, or give NAME=FOLDER.",
                )  # fmt: skip
            engine = engine or FusionEngine(device)
            produce = _runner(engine, get_task(task).name, method, windows)
            scores.append(score_with(sources, produce, names, method, progress, **how))
    # All methods were scored on the same sources: notes on a pair are printed once.
    print_notes({name: texts for score in scores for name, texts in score.notes.items()})
    show(render_table(scores, "ansi" if sys.stdout.isatty() else "plain"))
    if csv is not None:
        write_csv(csv, scores)


def _metric_names(text: str) -> tuple[str, ...]:
    if text.strip() == "all":
        return tuple(METRICS)
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    return names or MAIN_METRICS


def _runner(
    engine: FusionEngine, task: str, method: str, windows: Windows
) -> Callable[[Match], Luma]:
    def produce(files: Match) -> Luma:
        pair = read_pair(files.a, files.b, task=task, windows=windows)
        return to_luma8(engine.fuse(FusionRequest(pair, task, method)).fused)

    return produce
