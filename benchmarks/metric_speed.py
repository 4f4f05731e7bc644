"""Time of the metrics compared with that of fusing the same pairs.

    python benchmarks/metric_speed.py --pairs 100 --out benchmarks/results/metric_speed.md

The infrared sample pair is scaled to size×size pixels and shifted by another amount for each pair.
Every pair is fused with the built-in infrared pack and then scored with the metrics of the paper's
Table 1, so that changes in the machine's speed favour neither. The first pair is not counted. All
metrics are timed on a few of the pairs.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

import resources
from core.fusion.engine import FusionEngine
from core.io import read_pair
from core.metrics import METRIC_GROUPS, METRICS, TABLE1_METRICS, Luma, evaluate_timed, to_luma8
from core.types import FloatArray, FusionRequest, Image, SourcePair

LIMIT = 3.0
"""Seconds of metrics allowed for a second of fusing."""

Timed = tuple[float, float, dict[str, float]]
"""Seconds of fusing, seconds of scoring, and milliseconds by metric, of one pair."""


def moved(image: Image, size: int, shift: int) -> Image:
    """``image`` at size×size pixels, rolled by ``shift`` pixels in both directions."""
    pixels = image.normalised()
    scaled = np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_CUBIC))
    rolled: FloatArray = np.roll(scaled.reshape(size, size, -1), (shift, shift), axis=(0, 1))
    eight_bit = np.rint(np.clip(rolled, 0.0, 1.0) * 255.0).astype(np.uint8)
    return Image(eight_bit, bit_depth=8)


def pairs(size: int, count: int) -> Iterator[SourcePair]:
    """The infrared sample pair, ``count`` times and never the same."""
    a, b = (next(resources.SAMPLES.glob(f"ivif_{side}.*")) for side in "ab")
    pair = read_pair(a, b, task="ivif")
    for index in range(count):
        yield SourcePair(moved(pair.a, size, 5 * index), moved(pair.b, size, 5 * index))


def lumas(pair: SourcePair, fused: FloatArray) -> tuple[Luma, Luma, Luma]:
    """What the metrics take: 8-bit luma of both sources and of the result."""
    return to_luma8(pair.a.normalised()), to_luma8(pair.b.normalised()), to_luma8(fused)


def measure(engine: FusionEngine, pair: SourcePair, names: Sequence[str]) -> Timed:
    """Fuse and score one pair."""
    start = time.perf_counter()
    fused = engine.fuse(FusionRequest(pair, "ivif")).fused
    between = time.perf_counter()
    found = evaluate_timed(*lumas(pair, fused), names)
    return between - start, time.perf_counter() - between, found.milliseconds


def table(milliseconds: dict[str, float]) -> list[str]:
    """Milliseconds per metric as Markdown, slowest first in every group."""
    lines = ["| Metric | Group | ms |", "| --- | --- | ---: |"]
    for group, title in METRIC_GROUPS.items():
        names = [name for name in milliseconds if METRICS[name].group == group]
        for name in sorted(names, key=lambda name: -milliseconds[name]):
            lines.append(f"| {name} | {title} | {milliseconds[name]:.1f} |")
    return lines


def mean_of(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of every entry."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def report(size: int, timed: Sequence[Timed], every: Sequence[Timed]) -> str:
    """The result as Markdown."""
    fusing, scoring = sum(row[0] for row in timed), sum(row[1] for row in timed)
    verdict = "kept" if scoring <= LIMIT * fusing else "**missed**"
    return "\n".join(
        [
            "# Time of the metrics",
            "",
            f"{len(timed)} pairs of {size}×{size} pixels, {os.cpu_count()} cores, "
            f"{torch.get_num_threads()} threads, {platform.system()}, "
            "by `python benchmarks/metric_speed.py`.",
            "",
            f"- Fusing with the built-in infrared pack: {fusing:.1f} s.",
            f"- The metrics of Table 1 ({', '.join(TABLE1_METRICS)}): {scoring:.1f} s, "
            f"{scoring / fusing:.2f} times as long. At most {LIMIT:.0f} times are allowed: "
            f"{verdict}.",
            "",
            "Milliseconds per pair, of those metrics:",
            "",
            *table(mean_of([row[2] for row in timed])),
            "",
            f"Of all metrics, mean over {len(every)} pairs; what several have in common counts for "
            "the one that comes first in the program's order:",
            "",
            *table(mean_of([row[2] for row in every])),
            "",
        ]
    )


def main() -> None:
    """Measure and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    engine = FusionEngine("cpu")
    sources = pairs(options.size, options.pairs + 1)
    measure(engine, next(sources), TABLE1_METRICS)
    timed = [measure(engine, pair, TABLE1_METRICS) for pair in sources]
    every = [measure(engine, pair, tuple(METRICS)) for pair in pairs(options.size, 3)]
    text = report(options.size, timed, every)
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
