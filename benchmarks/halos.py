"""Overshoot of fused images beyond both sources (rims, halos, ringing), in grey levels.

    python benchmarks/halos.py --data DIR --out benchmarks/results/halos.md

DIR holds val/TASK/a and val/TASK/b. A fused pixel that is darker or brighter than both sources was
created by the method. This is partly intended, for instance texture of one source at the brightness
of the other. A rim around a warm object appears as pixels much darker than either source. For each
method, means over the validation pairs on 8-bit luma: distance of pixels below and above the range
of the sources (0 for pixels within it), and per mille of the pixels more than 16 levels below it.
``--method NAME`` replaces the pack of the task.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from core.baselines import BASELINES
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.metrics import to_luma8
from core.pairing.folders import pair_folders
from core.retention.levels import Levels
from core.tasks import TASKS
from core.types import FusionRequest, SourcePair

_MUCH = 16
"""Grey levels below both sources from which a pixel counts as part of a rim."""


def outside(a: Levels, b: Levels, fused: Levels) -> tuple[Levels, Levels]:
    """Levels below and above both sources, H×W; 0 for pixels within their range."""
    below = np.maximum(np.minimum(a, b) - fused, 0)
    above = np.maximum(fused - np.maximum(a, b), 0)
    return below, above


def beyond(engine: FusionEngine, pair: SourcePair, task: str, method: str) -> tuple[float, ...]:
    """Mean levels below, mean levels above, per mille of pixels far below."""
    fused = to_luma8(engine.fuse(FusionRequest(pair, task, method)).fused).astype(np.int16)
    a, b = (to_luma8(image.normalised()).astype(np.int16) for image in (pair.a, pair.b))
    below, above = outside(a, b, fused)
    return float(below.mean()), float(above.mean()), float(1000 * (below > _MUCH).mean())


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    parser.add_argument("--task", choices=tuple(TASKS), help="this one only")
    parser.add_argument("--method", default="", help="pack to take in place of the task's")
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    rows = ["| task | method | below | above | ‰ far below |", "| --- | --- | ---: | ---: | ---: |"]
    for task in [options.task] if options.task else list(TASKS):
        pairs = [read_pair(f.a, f.b) for f in pair_folders(options.data / "val" / task).matches]
        for method in (options.method or f"{task}-compact", *BASELINES):
            values = np.mean([beyond(engine, pair, task, method) for pair in pairs], axis=0)
            name = Path(method).stem
            rows.append("| {} | {} | {:.2f} | {:.2f} | {:.2f} |".format(task, name, *values))
            print(rows[-1], flush=True)
    if options.out:
        atomic_write(options.out, ("\n".join(rows) + "\n").encode())


if __name__ == "__main__":
    main()
