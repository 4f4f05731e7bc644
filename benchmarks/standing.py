"""Scores of the embedded packs compared with classical methods and published networks, by task.

    python benchmarks/standing.py --data DIR --out benchmarks/results/standing.md

DIR holds val/TASK/a and val/TASK/b. Scores of the published networks are those of
``benchmarks/peers.toml``; everything else is fused and scored here, but for tables of their own of
what was measured elsewhere on other pictures. Beside the table stands the
trade-off between information kept and closeness to the mean: the pack's result mixed with the
plain average in growing shares, each share scored like a method.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.cli.score_table import render_table
from benchmarks.elsewhere import elsewhere_tables
from core.baselines import BASELINES
from core.evaluation.result import (
    EvaluationResult,
    MethodDescription,
    MethodScores,
    PairDescription,
    PairScore,
    QuotedMeans,
)
from core.evaluation.set_scores import read_quoted
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.metrics import evaluate, mean_defined, to_luma8
from core.packs.registry import Catalogue
from core.pairing.folders import pair_folders
from core.tasks import TASKS
from core.types import FloatArray, FusionRequest
from resources import PACKS

METRICS = ("MI", "VIF", "Qabf", "Qy", "CC", "PSNR")
FIRST = METRICS[:3]
"""Metrics in which a pack should lead; in the others, be within :data:`NEAR` of the best peer."""
NEAR = 0.02
MIXES = {"average": (0.1, 0.2, 0.3, 0.5), "maximum": (0.25, 0.5)}
"""Trivial methods with which the packs are mixed, and their weights, to show the trade-off."""


def luma(engine: FusionEngine, request: FusionRequest) -> FloatArray:
    """Fused luma in [0, 1], H×W."""
    return to_luma8(engine.fuse(request).fused).astype(np.float32) / np.float32(255)


def scored(engine: FusionEngine, sources: Path, task: str, pack: str) -> dict[str, MethodScores]:
    """All methods, and the pack mixed with trivial ones, over all pairs of a folder."""
    rows: dict[str, list[PairScore]] = {}
    for files in pair_folders(sources).matches:
        request = FusionRequest(read_pair(files.a, files.b), task, pack)
        a, b = (to_luma8(image.normalised()) for image in (request.pair.a, request.pair.b))
        results = {m: luma(engine, replace(request, method=m)) for m in (pack, *BASELINES)}
        for other, shares in MIXES.items():
            for share in shares:
                mixed = (1 - share) * results[pack] + share * results[other]
                results[f"{pack}, {share:.0%} {other}"] = mixed
        for method, fused in results.items():
            values = evaluate(a, b, to_luma8(fused), METRICS)
            rows.setdefault(method, []).append(PairScore(files.name, values))
    return {name: MethodScores(described(name), tuple(pairs)) for name, pairs in rows.items()}


def described(name: str) -> MethodDescription:
    """A method of which only the name matters."""
    return MethodDescription(name, "folder")


def means(score: MethodScores, beginning: str = "") -> dict[str, float]:
    """Mean of each metric over the pairs whose names start with ``beginning``."""
    pairs = [p for p in score.pairs if p.pair.startswith(beginning)]
    return {metric: mean_defined(p.values[metric] for p in pairs).mean for metric in METRICS}


def peers(task: str) -> tuple[MethodScores, ...]:
    """Means of the published networks, as methods with one image."""
    return tuple(
        MethodScores(described(one.name), (PairScore("mean", {m: one.means[m] for m in METRICS}),))
        for one in quoted(task)
    )


def quoted(task: str) -> tuple[QuotedMeans, ...]:
    """Means of the published networks."""
    return read_quoted(Path(__file__).with_name("peers.toml"), task)


def mean_of(score: MethodScores, beginning: str) -> MethodScores:
    """The score as one row of means over the pairs whose names start with ``beginning``."""
    return MethodScores(score.method, (PairScore("mean", means(score, beginning)),))


def verdict(
    pack: MethodScores, others: Sequence[MethodScores], rivals: Sequence[MethodScores]
) -> str:
    """A sentence on the metrics in which the pack leads, and on its distance to the best peer."""
    own = means(pack)
    lines = []
    for metric in FIRST:
        best = max(others, key=lambda score: means(score)[metric])
        value = means(best)[metric]
        place = "first" if own[metric] > value else f"behind {best.method.name} ({value:.3f})"
        lines.append(f"{metric} {own[metric]:.3f}: {place}")
    for metric in METRICS[len(FIRST) :]:
        best = max(rivals, key=lambda score: means(score)[metric])
        lag = 1 - own[metric] / means(best)[metric]
        text = f"{lag:.1%} behind {best.method.name}" if lag > NEAR else "level with the best peer"
        lines.append(f"{metric} {own[metric]:.3f}: {text if lag > 0 else 'ahead of every peer'}")
    return "\n".join(f"- {line}" for line in lines)


def section(engine: FusionEngine, data: Path, task: str) -> str:
    """The section of one task, as Markdown."""
    pack = Catalogue([PACKS]).find("", task).manifest.name
    group = next((one.group for one in quoted(task)), "")
    beginning = f"{group}_" if group else ""
    scores = scored(engine, data / "val" / task, task, pack)
    rows = {method: mean_of(score, beginning) for method, score in scores.items()}
    networks = peers(task)
    methods = [rows[m] for m in (pack, *BASELINES)]
    mixes = [rows[m] for m in rows if m.startswith(pack)]
    count = sum(p.pair.startswith(beginning) for p in scores[pack].pairs)
    return "\n".join(
        [
            f"## {TASKS[task].title} ({task}), {count} pairs",
            "",
            table([*methods, *networks]),
            "",
            verdict(rows[pack], [*methods[1:], *networks], networks),
            "",
            "Trade-off, the pack mixed with the plain average and with the brighter source:",
            "",
            table(mixes),
            "",
            *elsewhere_tables(task),
        ]
    )


def table(scores: Sequence[MethodScores]) -> str:
    """The rows only: the notes would count the means as one “image”."""
    pairs = (PairDescription("mean", Path(), Path()),)
    result = EvaluationResult(tuple(scores), pairs, METRICS)
    return render_table(result, "markdown").partition("\n\n")[0]


def main() -> None:
    """Score the methods and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--task", choices=tuple(TASKS), nargs="*", default=tuple(TASKS))
    options = parser.parse_args()
    engine = FusionEngine("cpu", Catalogue([PACKS]))
    head = (
        "# Where the embedded packs stand\n\n"
        "Means over the validation pairs, 8-bit luma, higher is better throughout; best bold, "
        "second underlined. Made by `python benchmarks/standing.py --data DIR --out FILE`.\n"
    )
    parts = [section(engine, options.data, task) for task in options.task]
    atomic_write(options.out, "\n".join([head, *parts]).encode())
    print("\n".join(parts))


if __name__ == "__main__":
    main()
