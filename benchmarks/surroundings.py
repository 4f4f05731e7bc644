"""Changes of a fused image when the pair is fused with mirrored surroundings.

    python benchmarks/surroundings.py --data DIR --out benchmarks/results/surroundings.md

DIR holds val/TASK/a and val/TASK/b. Every pair is fused as it is, and padded by reflection (16 rows
above and below, 48 columns left and right) and cropped again. The difference is given in grey
levels of 255, as the maximum over the channels: mean, 99th percentile, and mean without the outer
64 pixels, where the network sees other neighbours in addition to other attention statistics.
``--method NAME`` selects another pack or classical method for all tasks.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.pairing.folders import pair_folders
from core.tasks import TASKS
from core.types import FloatArray, FusionRequest, Image, SourcePair

ROWS, COLUMNS, BORDER = 16, 48, 64


@dataclass(frozen=True)
class Change:
    """Differences of one pair in grey levels: mean, 99th percentile, mean away from the border."""

    name: str
    mean: float
    most: float
    inside: float


def padded(image: Image) -> Image:
    """``image`` with mirrored surroundings."""
    around = ((ROWS, ROWS), (COLUMNS, COLUMNS), (0, 0))
    return replace(image, data=np.pad(image.data, around, mode="reflect"))


def change(engine: FusionEngine, name: str, pair: SourcePair, task: str, method: str) -> Change:
    """Fuse the pair both ways."""

    def fused(sources: SourcePair) -> FloatArray:
        return engine.fuse(FusionRequest(sources, task, method)).fused

    wide = fused(SourcePair(padded(pair.a), padded(pair.b)))
    inner = wide[ROWS:-ROWS, COLUMNS:-COLUMNS]
    levels = 255 * np.abs(fused(pair) - inner).max(axis=2)
    height, width = levels.shape
    edge = min(BORDER, height // 4, width // 4)
    inside = levels[edge : height - edge, edge : width - edge]
    most = float(np.percentile(levels, 99))
    return Change(name, float(levels.mean()), most, float(inside.mean()))


def table(task: str, changes: list[Change]) -> str:
    """Means over the pairs, and the three pairs that change most."""
    worst = sorted(changes, key=lambda one: one.mean, reverse=True)[:3]
    mean = Change(
        f"all {len(changes)} pairs",
        *(float(np.mean([getattr(c, k) for c in changes])) for k in ("mean", "most", "inside")),
    )
    lines = [f"| {task}: {c.name} | {c.mean:.2f} | {c.most:.1f} | {c.inside:.2f} |" for c in worst]
    return "\n".join([f"| **{task}: {mean.name}** | **{mean.mean:.2f}** | {mean.most:.1f} | "
                      f"{mean.inside:.2f} |", *lines])  # fmt: skip


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    parser.add_argument("--task", choices=tuple(TASKS), help="this one only")
    parser.add_argument("--method", default="", help="pack or classical method")
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    rows = []
    for task in [options.task] if options.task else list(TASKS):
        pairs = pair_folders(options.data / "val" / task).matches
        changes = [
            change(engine, files.name, read_pair(files.a, files.b), task, options.method)
            for files in pairs
        ]
        rows.append(table(task, changes))
        print(rows[-1], flush=True)
    if options.out:
        head = "| pairs | mean | 99 % below | mean inside |\n|---|---|---|---|\n"
        atomic_write(options.out, (head + "\n".join(rows) + "\n").encode())


if __name__ == "__main__":
    main()
